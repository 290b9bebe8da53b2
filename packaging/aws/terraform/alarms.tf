# The alarms on the purge itself. Those on what others do are in watch.tf.

locals {
  of_lambda = { namespace = "AWS/Lambda", dimensions = { FunctionName = var.name } }
  of_purge  = { namespace = var.metrics_namespace, dimensions = { Function = var.name } }
  of_queue  = { namespace = "AWS/SQS", dimensions = { QueueName = aws_sqs_queue.dead_letters.name } }

  alarms = {
    errors = merge(local.of_lambda, {
      metric = "Errors", statistic = "Sum", threshold = 0
      why    = "An invocation of the purge failed: see its log. An unfinished one is repeated by itself."
    })
    throttles = merge(local.of_lambda, {
      metric = "Throttles", statistic = "Sum", threshold = 0
      why    = "An invocation of the purge had to wait: another one runs, or the account's quota is used up."
    })
    duration = merge(local.of_lambda, {
      metric = "Duration", statistic = "Maximum", threshold = 450000
      why    = "The purge took more than half of its 15 minutes: time for the state machine (packaging/aws/stepfunctions)."
    })
    incomplete = merge(local.of_purge, {
      metric = "AccountsIncomplete", statistic = "Maximum", threshold = 0
      why    = "Accounts, users or keys could not be read and were left alone: the report names them with the cause."
    })
    cap = merge(local.of_purge, {
      metric = "AccountsCapped", statistic = "Maximum", threshold = 0
      why    = "More keys than max_affected would have gone in an account, which was left untouched: read the report, then raise the cap once."
    })
    notifications = merge(local.of_purge, {
      metric = "NotificationsFailed", statistic = "Sum", threshold = 0
      why    = "Notices could not be sent: the log says which and why. Keys were disabled all the same."
    })
    dead-letters = merge(local.of_queue, {
      metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", threshold = 0
      why    = "A purge was not started, or failed for good: the message in the queue names the event and the error."
    })
  }
}

resource "aws_cloudwatch_metric_alarm" "purge" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  unit                = each.value.metric == "Duration" ? "Milliseconds" : null
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.purge.arn]
  tags                = var.tags
}

# Seven days are the most that an alarm looks at.
resource "aws_cloudwatch_metric_alarm" "no_run" {
  alarm_name          = "${var.name}-no-run"
  alarm_description   = "No purge was finished for a week: see the schedule, the dead-letter queue and the function's log."
  namespace           = var.metrics_namespace
  metric_name         = "RunsFinished"
  dimensions          = { Function = var.name }
  statistic           = "Sum"
  period              = 86400
  evaluation_periods  = 7
  datapoints_to_alarm = 7
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.purge.arn]
  tags                = var.tags
}
