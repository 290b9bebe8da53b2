# What the least settings make: a dry run of one account. Needs the provider's schema, and no AWS.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:111122223333:function:mocked" }
  }
  mock_resource "aws_sfn_state_machine" {
    defaults = { arn = "arn:aws:states:us-east-1:111122223333:stateMachine:mocked" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:111122223333:mocked" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:111122223333:mocked" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:mocked" }
  }
  mock_resource "aws_scheduler_schedule_group" {
    defaults = { arn = "arn:aws:scheduler:us-east-1:111122223333:schedule-group/mocked" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
  }
}

variables {
  groups   = ["Developers"]
  schedule = "cron(55 23 ? * FRI *)"
  zip_path = "tests/empty.zip"
}

run "two_settings_are_enough" {
  assert {
    condition     = aws_lambda_function.purge.environment[0].variables.KEYROT_ME_APPLY == "false"
    error_message = "It is a dry run until somebody says otherwise."
  }
  assert {
    condition     = aws_lambda_function.purge.environment[0].variables.KEYROT_ME_GROUPS == "Developers"
    error_message = "The groups arrive."
  }
  assert {
    condition     = aws_lambda_function.purge.reserved_concurrent_executions == 1
    error_message = "Two purges never run together."
  }
  assert {
    condition     = aws_scheduler_schedule.purge.target[0].input == "{\"run\":\"<aws.scheduler.execution-id>\",\"scheduled\":\"<aws.scheduler.scheduled-time>\"}"
    error_message = "The scheduler's words must reach it as they are."
  }
  assert {
    condition     = length(aws_iam_role_policy.purge) == 1 && length(aws_iam_role_policy.reader) == 0
    error_message = "In its own account it has the rights of the purge and enters no other."
  }
  assert {
    condition     = length(aws_sfn_state_machine.purge) == 0 && length(aws_scheduler_schedule.review) == 1
    error_message = "No state machine, and the review each week."
  }
  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Sid] == [
      "WriteItsLog", "KeepReportsAndParts", "FindTheParts", "TellTheTeam", "LeaveWhatFailed", "PublishEncrypted",
    ]
    error_message = "Nothing is allowed that these settings do not need."
  }
  assert {
    condition     = join(" ", keys(aws_cloudwatch_event_rule.watch)) == "left reactivated tagged"
    error_message = "In the home region of IAM's events the account is watched."
  }
  assert {
    condition     = { for statement in jsondecode(aws_sns_topic_policy.purge.policy).Statement : statement.Sid => [statement.Principal, try(keys(statement.Condition), [])] if statement.Effect == "Allow" } == { AlarmsPublish = [{ Service = "cloudwatch.amazonaws.com" }, ["StringEquals"]], EventsPublish = [{ Service = "events.amazonaws.com" }, []] }
    error_message = "EventBridge publishes without a condition, CloudWatch for this account."
  }
  assert {
    condition     = length([for statement in jsondecode(aws_kms_key.topic[0].policy).Statement : 1 if can(statement.Condition)]) == 0
    error_message = "Both use the topic's key without a condition."
  }
  assert {
    condition     = aws_lambda_function.purge.logging_config[0].log_format == "Text" && aws_lambda_function.purge.ephemeral_storage[0].size == 512
    error_message = "Lines arrive as the function writes them."
  }
  assert {
    condition     = { for rule in aws_s3_bucket_lifecycle_configuration.reports.rule : rule.id => try("${rule.filter[0].prefix} ${rule.expiration[0].days}", "") } == { parts = "runs/ 40", reports = "reports/ 800", leftovers = "" }
    error_message = "Parts and reports go after their time, the history stays."
  }
  assert {
    condition     = output.next_command == "aws lambda invoke --function-name keyrot-me --cli-read-timeout 0 answer.json && cat answer.json"
    error_message = "No name of a run: the same one again would answer what it answered before."
  }
}

run "an_organization_through_the_state_machine" {
  variables {
    organization      = true
    external_id       = "8d1f-purge"
    exempt_groups     = ["KeyExempt"]
    exemption_role    = "key-exemptions"
    mail_from         = "security@example.com"
    chat_secret       = "arn:aws:secretsmanager:us-east-1:111122223333:secret:slack-a1b2c3"
    trail_log_group   = "organization-trail"
    kms_key_arn       = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    use_state_machine = true
    max_concurrency   = 20
    dry_run           = false
  }

  assert {
    condition     = aws_lambda_function.purge.environment[0].variables.KEYROT_ME_APPLY == "true" && aws_lambda_function.purge.reserved_concurrent_executions == 20
    error_message = "In earnest, as many at once as the state machine asks for."
  }
  assert {
    condition     = aws_scheduler_schedule.purge.target[0].arn == aws_sfn_state_machine.purge[0].arn && aws_scheduler_schedule.purge.target[0].input == "{\"scheduled\":\"<aws.scheduler.scheduled-time>\"}"
    error_message = "The schedule starts the state machine, whose execution names the run."
  }
  assert {
    condition     = jsondecode(aws_sfn_state_machine.purge[0].definition).States["Name the run"].Parameters["max_concurrency.$"] == "States.StringToJson('20')"
    error_message = "The definition's blanks are filled in."
  }
  assert {
    condition     = !strcontains(aws_sfn_state_machine.purge[0].definition, "$${") && !strcontains(aws_iam_role_policy.state_machine[0].policy, "{{")
    error_message = "No blank is left."
  }
  assert {
    condition     = length(aws_iam_role_policy.purge) == 0 && length(aws_iam_role_policy.reader) == 1
    error_message = "It enters the accounts, and has no rights on keys of its own."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.function.policy).Statement[6].Condition.StringEquals["ses:FromAddress"] == "security@example.com"
    error_message = "Mail comes from one address."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.function.policy).Statement[6].Resource == ["arn:aws:ses:us-east-1:111122223333:identity/*", "arn:aws:ses:us-east-1:111122223333:configuration-set/*"]
    error_message = "An identity's own configuration set is asked about too."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.state_machine[0].policy).Statement : statement.Resource if statement.Sid == "ReadAndWriteEncrypted"] == [var.kms_key_arn]
    error_message = "The list and the results are under the key."
  }
  assert {
    condition     = jsondecode(aws_iam_role.state_machine[0].assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == ["arn:aws:states:us-east-1:111122223333:stateMachine:keyrot-me", "arn:aws:states:us-east-1:111122223333:stateMachine:keyrot-me/*"]
    error_message = "The state machine and its map take the role."
  }
  assert {
    condition     = one([for query in aws_cloudwatch_metric_alarm.tagged[0].metric_query : query.expression if query.id == "others"]) == "all - ours"
    error_message = "Missing points stay missing."
  }
  assert {
    condition     = output.next_command == "aws stepfunctions start-execution --state-machine-arn arn:aws:states:us-east-1:111122223333:stateMachine:keyrot-me"
    error_message = "An execution's name is taken once."
  }
  assert {
    condition     = join(" ", keys(aws_cloudwatch_log_metric_filter.watch)) == "exempted left reactivated tagged tagged-by-purge" && length(aws_cloudwatch_event_rule.watch) == 0
    error_message = "The organization's trail is watched instead of the account's events."
  }
  assert {
    condition     = length(regexall("\\$\\.requestParameters\\.groupName = \"KeyExempt\"", aws_cloudwatch_log_metric_filter.watch["exempted"].pattern)) == 1
    error_message = "The exemption group is named in the filter."
  }
}

run "elsewhere_the_account_is_not_watched" {
  override_data {
    target = data.aws_region.current
    values = { name = "eu-central-1" }
  }
  assert {
    condition     = length(aws_cloudwatch_event_rule.watch) == 0
    error_message = "IAM's events are in its home region alone."
  }
}

run "a_state_machine_without_a_key_of_yours_and_nothing_reserved" {
  variables {
    organization         = true
    external_id          = "8d1f-purge"
    use_state_machine    = true
    reserved_concurrency = -1
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.state_machine[0].policy, "kms:")
    error_message = "No key, no right to one."
  }
  assert {
    condition     = aws_lambda_function.purge.reserved_concurrent_executions == -1
    error_message = "Accounts with a small quota reserve nothing."
  }
}

run "the_role_of_an_account" {
  module {
    source = "./modules/member-role"
  }
  variables {
    purge_principal_arn = "arn:aws:iam::111122223333:role/keyrot-me-function"
    organization_id     = "o-a1b2c3d4e5"
    external_id         = "8d1f-purge"
  }
  assert {
    condition     = jsondecode(aws_iam_role.purge.assume_role_policy).Statement[0].Principal.AWS == "arn:aws:iam::111122223333:role/keyrot-me-function" && !strcontains(aws_iam_role.purge.assume_role_policy, "{{")
    error_message = "The function's role is trusted, and no blank is left."
  }
}

run "the_guard" {
  module {
    source = "./modules/service-control-policy"
  }
  variables {
    exemption_role_arn  = "arn:aws:iam::*:role/key-exemptions"
    deployment_role_arn = "arn:aws:iam::*:role/terraform"
    target_ids          = ["r-ab12"]
  }
  assert {
    condition     = strcontains(aws_organizations_policy.guard.content, "arn:aws:iam::*:role/terraform") && !strcontains(aws_organizations_policy.guard.content, "{{") && length(aws_organizations_policy_attachment.guard) == 1
    error_message = "Terraform's role is let through, and no blank is left."
  }
}
