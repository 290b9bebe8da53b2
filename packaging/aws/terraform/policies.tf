# What the function and the schedules may do: the documents of ../policies and ../../iam, cut down to what these
# settings need. A call that is never made is never allowed.

locals {
  topic_key = var.kms_key_arn == "" ? one(aws_kms_key.topic[*].arn) : var.kms_key_arn

  # Statement -> what it is about; one that is about nothing is left out.
  function_resources = {
    WriteItsLog         = ["${aws_cloudwatch_log_group.function.arn}:*"]
    KeepReportsAndParts = ["${aws_s3_bucket.reports.arn}/*"]
    FindTheParts        = [aws_s3_bucket.reports.arn]
    TellTheTeam         = [aws_sns_topic.purge.arn]
    LeaveWhatFailed     = [aws_sqs_queue.dead_letters.arn]
    PublishEncrypted    = [local.topic_key]
    # An identity may have a configuration set of its own, which is asked about too.
    MailOwners = [for what in ["identity", "configuration-set"] :
      "arn:${local.partition}:ses:${local.region}:${local.account}:${what}/*" if var.mail_from != ""
    ]
    KnowWhoseMailBounced     = var.mail_from == "" ? [] : ["*"]
    ReadTheWebhooksAddresses = [for secret in [var.chat_secret, var.ticket_secret] : secret if secret != ""]
    LiveInTheNetwork         = length(var.subnet_ids) > 0 ? ["*"] : []
  }
  function_statements = [
    for statement in jsondecode(replace(file("${path.module}/../policies/function.json"), "{{MAIL_FROM}}", var.mail_from)).Statement :
    merge(statement, { Resource = local.function_resources[statement.Sid] })
    if length(local.function_resources[statement.Sid]) > 0
  ]

  scheduler_resources = {
    StartThePurge        = !var.use_state_machine || var.review != "never" ? [aws_lambda_function.purge.arn] : []
    StartTheStateMachine = aws_sfn_state_machine.purge[*].arn
    LeaveWhatWasNotTaken = [aws_sqs_queue.dead_letters.arn]
    LeaveItEncrypted     = var.kms_key_arn == "" ? [] : [var.kms_key_arn]
  }
  scheduler_statements = [
    for statement in jsondecode(file("${path.module}/../policies/scheduler.json")).Statement :
    merge(statement, { Resource = local.scheduler_resources[statement.Sid] })
    if length(local.scheduler_resources[statement.Sid]) > 0
  ]
}

resource "aws_iam_role" "function" {
  name        = "${var.name}-function"
  description = "keyrot-me: what the purge runs as"
  tags        = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyLambda"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  name   = "function"
  role   = aws_iam_role.function.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.function_statements })
}

resource "aws_iam_role_policy" "reader" {
  count  = local.enters_accounts ? 1 : 0
  name   = "purge-organization-reader"
  role   = aws_iam_role.function.id
  policy = replace(file("${path.module}/../../iam/purge-organization-reader.json"), ":role/keyrot-me-purge", ":role/${var.member_role}")
}

# In its own account it needs no role of the account's.
resource "aws_iam_role_policy" "purge" {
  count  = local.enters_accounts ? 0 : 1
  name   = "purge-role"
  role   = aws_iam_role.function.id
  policy = file("${path.module}/../../iam/purge-role.json")
}

resource "aws_iam_role" "scheduler" {
  name        = "${var.name}-scheduler"
  description = "keyrot-me: starts the purge on schedule, and nothing else"
  tags        = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTheseSchedules"
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnEquals    = { "aws:SourceArn" = aws_scheduler_schedule_group.purge.arn }
      }
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "scheduler"
  role   = aws_iam_role.scheduler.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.scheduler_statements })
}
