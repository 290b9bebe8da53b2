# The topic of the alarms, and the alarms on the function itself. Those on what others do are in trail.tf.

resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"
  # CloudWatch cannot publish through AWS's own key for SNS; alarms hold names of alarms, and no key ids.
  tags = var.tags
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        Sid       = "OnlyByTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each  = toset(var.alarm_addresses)
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  # Every metric of AWS about the function, and of the function about itself, is under its name.
  of_lambda = { namespace = "AWS/Lambda", dimensions = { FunctionName = var.name } }
  of_purge  = { namespace = var.metrics_namespace, dimensions = { Function = var.name } }
  of_queue  = { namespace = "AWS/SQS", dimensions = { QueueName = aws_sqs_queue.failed.name } }

  alarms = {
    errors = merge(local.of_lambda, {
      metric = "Errors", statistic = "Sum", threshold = 1
      why    = "An invocation of the purge failed: see the function's log. One that its deadline ended is repeated by itself."
    })
    throttles = merge(local.of_lambda, {
      metric = "Throttles", statistic = "Sum", threshold = 1
      why    = "The purge was to run and could not: another invocation was at work, or the account's quota is used up."
    })
    duration = merge(local.of_lambda, {
      metric = "Duration", statistic = "Maximum", threshold = var.timeout * 500
      why    = "A purge took more than half of its time-out: think of the state machine (packaging/aws/README.md)."
    })
    incomplete = merge(local.of_purge, {
      metric = "AccountsIncomplete", statistic = "Maximum", threshold = 1
      why    = "Something could not be read, and was left alone: the report names it and why."
    })
    capped = merge(local.of_purge, {
      metric = "AccountsCapped", statistic = "Maximum", threshold = 1
      why    = "More keys than max_affected were over age: the accounts in the report were left untouched."
    })
    untold = merge(local.of_purge, {
      metric = "NotificationsFailed", statistic = "Sum", threshold = 1
      why    = "Somebody was not told: the function's log says whom and why."
    })
    not-started = merge(local.of_queue, {
      metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", threshold = 1
      why    = "A purge could not be started, or did not finish after its repetitions: the queue holds its event."
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
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = var.tags
}

# An alarm looks back seven days at most.
resource "aws_cloudwatch_metric_alarm" "missing" {
  alarm_name          = "${var.name}-missing"
  alarm_description   = "No purge finished for a week: the schedule is off, or each run ends in an error."
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
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = var.tags
}
