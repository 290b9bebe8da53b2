# What the function and the schedules may do: the documents of ../policies and ../../iam, cut down to what these
# settings need. A call that is never made is never allowed.

locals {
  topics  = [for target in var.notify : trimprefix(target, "sns:") if startswith(target, "sns:")]
  senders = [for target in var.notify : trimprefix(target, "ses:") if startswith(target, "ses:")]
  secrets = [for target in var.notify : replace(target, "/^(slack|ticket):/", "") if can(regex("^(slack|ticket):", target))]
  # SES takes an address's own identity where there is one, else that of its domain.
  identities = flatten([for sender in local.senders : [
    for identity in [sender, split("@", sender)[1]] : "arn:${local.partition}:ses:${local.region}:${local.account}:identity/${identity}"
  ]])

  # Statement -> what it is about; one that is about nothing is left out.
  function_resources = {
    WriteReportsAndGoOnFromThem = ["${aws_s3_bucket.reports.arn}/*"]
    FindThePartsOfTheRun        = [aws_s3_bucket.reports.arn]
    TellTopics                  = local.topics
    WriteToOwners               = local.identities
    AskWhetherMailBounced       = length(local.senders) > 0 ? ["*"] : []
    ReadTheAddressesOfWebhooks  = distinct(local.secrets)
    WriteTheLog                 = ["${aws_cloudwatch_log_group.function.arn}:*"]
    KeepFailedInvocations       = [aws_sqs_queue.failed.arn]
    JoinTheNetwork              = length(var.subnet_ids) > 0 ? ["*"] : []
    # Of purge-organization-reader.json.
    ListTheAccounts = var.organization ? ["*"] : []
    EnterThem = var.organization ? ["arn:${local.partition}:iam::*:role/${var.role_name}"] : [
      for account in var.accounts : "arn:${local.partition}:iam::${account}:role/${var.role_name}"
    ]
  }
  function_statements = concat(
    jsondecode(file("${path.module}/../policies/function.json")).Statement,
    jsondecode(file("${path.module}/../../iam/purge-organization-reader.json")).Statement,
  )
  function_policy = {
    Version = "2012-10-17"
    Statement = [
      for statement in local.function_statements : merge(statement, { Resource = local.function_resources[statement.Sid] })
      if length(local.function_resources[statement.Sid]) > 0
    ]
  }

  scheduler_resources = {
    CallThePurge              = aws_lambda_function.purge.arn
    StartThePurge             = one(aws_sfn_state_machine.purge[*].arn)
    KeepWhatCouldNotBeStarted = aws_sqs_queue.failed.arn
  }
  # The function is the schedule's own affair unless the state machine calls it; the review always calls it.
  scheduler_statements = [
    for statement in jsondecode(file("${path.module}/../policies/scheduler.json")).Statement : statement
    if statement.Sid == "KeepWhatCouldNotBeStarted" || (statement.Sid == "StartThePurge" ? var.use_state_machine : !var.use_state_machine || var.review_schedule != null)
  ]
  scheduler_policy = {
    Version   = "2012-10-17"
    Statement = [for statement in local.scheduler_statements : merge(statement, { Resource = local.scheduler_resources[statement.Sid] })]
  }
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
  name   = "run-the-purge"
  role   = aws_iam_role.function.id
  policy = jsonencode(local.function_policy)
}

# In its own account it needs no role of the account's.
resource "aws_iam_role_policy" "purge" {
  count  = local.enters_accounts ? 0 : 1
  name   = "purge-this-account"
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
      Sid       = "OnlyTheSchedulerOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "start-the-purge"
  role   = aws_iam_role.scheduler.id
  policy = jsonencode(local.scheduler_policy)
}
