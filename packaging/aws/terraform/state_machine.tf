# One invocation for each account: ../stepfunctions/state-machine.asl.json with its blanks filled in, and the role that
# it runs as, ../policies/state-machine.json.

locals {
  state_machine_arn = "arn:${local.partition}:states:${local.region}:${local.account}:stateMachine:${var.name}"
  execution_arn     = "arn:${local.partition}:states:${local.region}:${local.account}:execution:${var.name}"

  state_machine_document = replace(replace(replace(replace(replace(file("${path.module}/../policies/state-machine.json"),
    "{{FUNCTION_ARN}}", aws_lambda_function.purge.arn),
    "{{STATE_MACHINE_ARN}}", local.state_machine_arn),
    "{{EXECUTION_ARN}}", local.execution_arn),
    "{{REPORT_BUCKET_ARN}}", aws_s3_bucket.reports.arn),
  "{{KEY_ARN}}", var.kms_key_arn)
}

resource "aws_sfn_state_machine" "purge" {
  count    = var.use_state_machine ? 1 : 0
  name     = var.name
  type     = "STANDARD"
  role_arn = one(aws_iam_role.state_machine[*].arn)
  tags     = var.tags
  definition = templatefile("${path.module}/../stepfunctions/state-machine.asl.json", {
    Partition      = local.partition
    FunctionArn    = aws_lambda_function.purge.arn
    ReportBucket   = aws_s3_bucket.reports.id
    MaxConcurrency = var.max_concurrency
  })

  # No execution data: the log needs no more than the course of things.
  logging_configuration {
    level                  = "ERROR"
    include_execution_data = false
    log_destination        = "${one(aws_cloudwatch_log_group.state_machine[*].arn)}:*"
  }

  # The role's policy has to be there when the definition is checked.
  depends_on = [aws_iam_role_policy.state_machine]

  lifecycle {
    precondition {
      condition     = local.concurrency <= 0 || local.concurrency >= var.max_concurrency
      error_message = "reserved_concurrency is below max_concurrency: the function would turn the state machine away."
    }
  }
}

# Under this prefix the resource policy of the account's logs does not grow.
resource "aws_cloudwatch_log_group" "state_machine" {
  count             = var.use_state_machine ? 1 : 0
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.log_retention
  kms_key_id        = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "state_machine" {
  count       = var.use_state_machine ? 1 : 0
  name        = "${var.name}-state-machine"
  description = "keyrot-me: what Step Functions runs the purge of each account with"
  tags        = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyThisStateMachine"
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        # The second is the map's: its executions have its label behind the name.
        ArnLike = { "aws:SourceArn" = [local.state_machine_arn, "${local.state_machine_arn}/*"] }
      }
    }]
  })
}

resource "aws_iam_role_policy" "state_machine" {
  count = var.use_state_machine ? 1 : 0
  name  = "purge-each-account"
  role  = one(aws_iam_role.state_machine[*].id)
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    for statement in jsondecode(local.state_machine_document).Statement : statement
    if statement.Sid != "ReadAndWriteEncrypted" || var.kms_key_arn != ""
  ] })
}

resource "aws_cloudwatch_metric_alarm" "executions_failed" {
  count               = var.use_state_machine ? 1 : 0
  alarm_name          = "${var.name}-executions-failed"
  alarm_description   = "A purge of the organization failed: the coverage is incomplete, or it could not begin. See the execution's error, then start it again."
  namespace           = "AWS/States"
  metric_name         = "ExecutionsFailed"
  dimensions          = { StateMachineArn = local.state_machine_arn }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.purge.arn]
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "executions_not_finished" {
  count               = var.use_state_machine ? 1 : 0
  alarm_name          = "${var.name}-executions-not-finished"
  alarm_description   = "A purge of the organization ran into its time limit of twelve hours, or was aborted."
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.purge.arn]
  tags                = var.tags

  metric_query {
    id          = "together"
    expression  = "timedOut + aborted"
    label       = "executions that did not finish"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { timedOut = "ExecutionsTimedOut", aborted = "ExecutionsAborted" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/States"
        metric_name = metric_query.value
        dimensions  = { StateMachineArn = local.state_machine_arn }
        period      = 300
        stat        = "Sum"
      }
    }
  }
}
