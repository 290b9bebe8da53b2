# keyrot-me: the purge as an AWS Lambda function, the same as ../cloudformation/security-account.yaml makes.
# The function, its settings, and what happens to invocations that fail.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.name
  # Where CloudTrail has IAM's events.
  home = contains(["us-east-1", "us-gov-west-1", "cn-north-1"], local.region)
  # Without accounts it purges its own, with its own rights.
  enters_accounts = var.organization || length(var.accounts) > 0
  # More than one at a time only where the state machine gives each an account of its own.
  concurrency = var.reserved_concurrency != null ? var.reserved_concurrency : var.use_state_machine ? var.max_concurrency : 1

  channels = concat(
    ["sns:${aws_sns_topic.purge.arn}"],
    [for from in [var.mail_from] : "ses:${from}" if from != ""],
    [for secret in [var.chat_secret] : "slack:${secret}" if secret != ""],
    [for secret in [var.ticket_secret] : "ticket:${secret}" if secret != ""],
  )

  # An empty variable is one that is not set.
  settings = {
    KEYROT_ME_GROUPS            = join(",", var.groups)
    KEYROT_ME_ALL_USERS         = tostring(var.all_users)
    KEYROT_ME_MAX_AGE           = var.max_age
    KEYROT_ME_GRACE             = var.grace
    KEYROT_ME_WARN_BEFORE       = var.warn_before
    KEYROT_ME_UNUSED_FOR        = var.unused_for
    KEYROT_ME_EXEMPT_GROUPS     = join(",", var.exempt_groups)
    KEYROT_ME_EXEMPT_TAG        = tostring(var.exempt_tag)
    KEYROT_ME_ORG               = tostring(var.organization)
    KEYROT_ME_OUS               = join(",", var.organizational_units)
    KEYROT_ME_ACCOUNTS          = join(",", var.accounts)
    KEYROT_ME_ROLE              = local.enters_accounts ? var.member_role : ""
    KEYROT_ME_EXTERNAL_ID       = local.enters_accounts ? var.external_id : ""
    KEYROT_ME_MAX_AFFECTED      = var.max_affected
    KEYROT_ME_ALLOW_EMPTY       = tostring(var.allow_empty)
    KEYROT_ME_APPLY             = tostring(!var.dry_run)
    KEYROT_ME_NOTIFY            = join(",", local.channels)
    KEYROT_ME_NOTIFY_LIMIT      = var.notify_limit == null ? "" : tostring(var.notify_limit)
    KEYROT_ME_NOTIFY_TEMPLATES  = var.notify_templates
    KEYROT_ME_OWNER_TAG         = var.owner_tag
    KEYROT_ME_OWNER_ADDRESS     = var.owner_address
    KEYROT_ME_OWNER_MAP         = var.owner_map
    KEYROT_ME_TEAM_ADDRESS      = var.team_address
    KEYROT_ME_REPORT_BUCKET     = aws_s3_bucket.reports.id
    KEYROT_ME_METRICS_NAMESPACE = var.metrics_namespace
  }
}

resource "aws_lambda_function" "purge" {
  function_name    = var.name
  description      = "keyrot-me: disables and deletes over-age access keys"
  role             = aws_iam_role.function.arn
  filename         = var.zip_path
  source_code_hash = filebase64sha256(var.zip_path)
  handler          = "bootstrap"
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  memory_size      = var.memory_size
  timeout          = 900
  # Two purges at once would do nothing twice, but ask everything twice.
  reserved_concurrent_executions = local.concurrency <= 0 ? -1 : local.concurrency
  kms_key_arn                    = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags                           = var.tags

  environment {
    variables = { for name, value in local.settings : name => value if value != "" }
  }

  ephemeral_storage {
    size = var.ephemeral_storage
  }

  # Lines as the function writes them, each an object of its own: metrics are read from them.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  dynamic "vpc_config" {
    for_each = length(var.subnet_ids) > 0 ? [1] : []
    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = var.security_group_ids
    }
  }

  # Without its policy the first invocation would be refused, and the report with it.
  depends_on = [aws_iam_role_policy.function, aws_iam_role_policy.purge, aws_iam_role_policy.reader]
}

# A run that its deadline ended fails: the repetition goes on where it stopped.
resource "aws_lambda_function_event_invoke_config" "purge" {
  function_name                = aws_lambda_function.purge.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 21600

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = var.kms_key_arn == "" ? true : null
  kms_master_key_id         = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags                      = var.tags
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyEncrypted"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = "arn:${local.partition}:sqs:${local.region}:${local.account}:${var.name}-dead-letters"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention
  kms_key_id        = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags              = var.tags
}
