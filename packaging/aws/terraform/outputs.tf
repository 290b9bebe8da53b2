# What others need, and the next commands.

output "function_name" {
  description = "The function."
  value       = aws_lambda_function.purge.function_name
}

output "function_arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.purge.arn
}

output "function_role_arn" {
  description = "Who the role in each account trusts: purge_principal_arn of modules/member-role."
  value       = aws_iam_role.function.arn
}

output "report_bucket" {
  description = "Where the reports are."
  value       = aws_s3_bucket.reports.id
}

output "topic_arn" {
  description = "The topic of summaries and alarms."
  value       = aws_sns_topic.purge.arn
}

output "state_machine_arn" {
  description = "The state machine; null without use_state_machine."
  value       = one(aws_sfn_state_machine.purge[*].arn)
}

output "next_command" {
  description = "Runs it now; with dry_run = true nothing is changed."
  value = var.use_state_machine ? (
    "aws stepfunctions start-execution --state-machine-arn ${local.state_machine_arn}"
    ) : (
    "aws lambda invoke --function-name ${var.name} --cli-read-timeout 0 answer.json && cat answer.json"
  )
}

output "reports_command" {
  description = "Fetches all reports."
  value       = "aws s3 cp --recursive s3://${aws_s3_bucket.reports.id}/reports/ reports/"
}
