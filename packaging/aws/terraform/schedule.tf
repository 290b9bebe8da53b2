# When the purge and its review run. Each event names its run after the schedule's execution, so that whatever repeats
# it goes on with the same run. jsonencode writes < as \u003c, which the scheduler would not take for its own words.

locals {
  reviews = {
    weekly  = { expression = "cron(0 7 ? * MON *)", period = "7d" }
    monthly = { expression = "cron(0 7 1 * ? *)", period = "30d" }
  }
}

resource "aws_scheduler_schedule_group" "purge" {
  name = var.name
  tags = var.tags
}

resource "aws_scheduler_schedule" "purge" {
  name                         = "${var.name}-purge"
  group_name                   = aws_scheduler_schedule_group.purge.name
  description                  = "keyrot-me: the purge"
  schedule_expression          = var.schedule
  schedule_expression_timezone = var.timezone

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = var.use_state_machine ? one(aws_sfn_state_machine.purge[*].arn) : aws_lambda_function.purge.arn
    role_arn = aws_iam_role.scheduler.arn
    # The state machine names the run after its own execution.
    input = replace(replace(jsonencode(merge(
      { scheduled = "<aws.scheduler.scheduled-time>" },
      var.use_state_machine ? {} : { run = "<aws.scheduler.execution-id>" },
    )), "\\u003c", "<"), "\\u003e", ">")

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 2
    }
    dead_letter_config {
      arn = aws_sqs_queue.dead_letters.arn
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}

resource "aws_scheduler_schedule" "review" {
  for_each                     = { for often, review in local.reviews : often => review if often == var.review }
  name                         = "${var.name}-review"
  group_name                   = aws_scheduler_schedule_group.purge.name
  description                  = "keyrot-me: the review report, which changes nothing"
  schedule_expression          = each.value.expression
  schedule_expression_timezone = var.timezone

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.purge.arn
    role_arn = aws_iam_role.scheduler.arn
    input = replace(replace(jsonencode({
      run         = "<aws.scheduler.execution-id>"
      scheduled   = "<aws.scheduler.scheduled-time>"
      report_only = true
      period      = each.value.period
    }), "\\u003c", "<"), "\\u003e", ">")

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 2
    }
    dead_letter_config {
      arn = aws_sqs_queue.dead_letters.arn
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}
