# One topic for summaries and alarms, under a key: CloudWatch may not use the one that AWS keeps for SNS, so alarms would
# not arrive at a topic under it.

resource "aws_kms_key" "topic" {
  count                   = var.kms_key_arn == "" ? 1 : 0
  description             = "Topic of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  tags                    = var.tags
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ThisAccountAdministers"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "AlarmsAndEventsPublish"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
      },
    ]
  })
}

resource "aws_sns_topic" "purge" {
  name              = var.name
  display_name      = "keyrot-me purge"
  kms_master_key_id = local.topic_key
  tags              = var.tags
}

resource "aws_sns_topic_policy" "purge" {
  arn = aws_sns_topic.purge.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.purge.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        # EventBridge supports no condition in a topic's policy (its guide, 'Resource-based policies').
        Sid       = "EventsPublish"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.purge.arn
      },
      {
        Sid       = "OnlyEncrypted"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.purge.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  count     = var.alarm_address == "" ? 0 : 1
  topic_arn = aws_sns_topic.purge.arn
  protocol  = "email"
  endpoint  = var.alarm_address
}
