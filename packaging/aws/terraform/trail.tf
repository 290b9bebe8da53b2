# Alarms on what others do, from the organization's CloudTrail: who exempts, who writes our tags, who switches keys on
# again. IAM's events are in the trail of us-east-1 (of the home region in other partitions), wherever the caller was.

locals {
  # As CloudTrail has names: {"groupName": ...}, {"tags": [{"key": ...}]}, {"tagKeys": [...]}.
  in_groups    = { for kind, groups in { exempt = var.exempt_groups, target = var.groups } : kind => join(" || ", [for group in groups : "$.requestParameters.groupName = \"${group}\""]) }
  not_purge    = "$.userIdentity.sessionContext.sessionIssuer.arn NOT EXISTS || $.userIdentity.sessionContext.sessionIssuer.arn != \"*:role/${var.role_name}\""
  by_purge     = "$.userIdentity.sessionContext.sessionIssuer.arn = \"*:role/${var.role_name}\" || $.userIdentity.sessionContext.sessionIssuer.arn = \"${aws_iam_role.function.arn}\""
  not_function = "$.userIdentity.sessionContext.sessionIssuer.arn NOT EXISTS || $.userIdentity.sessionContext.sessionIssuer.arn != \"${aws_iam_role.function.arn}\""
  not_exempter = var.exemption_role_arn == null ? [] : ["($.userIdentity.sessionContext.sessionIssuer.arn NOT EXISTS || $.userIdentity.sessionContext.sessionIssuer.arn != \"${replace(var.exemption_role_arn, "/^.*:role/", "*:role")}\")"]

  trail_alarms = var.trail_log_group_name == null ? {} : {
    for name, alarm in {
      exempted = {
        wanted  = length(var.exempt_groups) > 0
        pattern = "{ ($.eventSource = \"iam.amazonaws.com\") && ($.eventName = \"AddUserToGroup\") && (${local.in_groups.exempt}) }"
        why     = "Somebody put a user into a group that the purge spares."
      }
      taken-out = {
        wanted  = length(var.groups) > 0
        pattern = "{ ($.eventSource = \"iam.amazonaws.com\") && ($.eventName = \"RemoveUserFromGroup\") && (${local.in_groups.target}) }"
        why     = "Somebody took a user out of a group that the purge looks at."
      }
      tags-written = {
        wanted = true
        pattern = "{ ${join(" && ", concat([
          "($.eventSource = \"iam.amazonaws.com\")",
          "($.eventName = \"TagUser\" || $.eventName = \"UntagUser\")",
          "($.requestParameters.tags[0].key = \"keyrot-me/*\" || $.requestParameters.tags[1].key = \"keyrot-me/*\" || $.requestParameters.tagKeys[0] = \"keyrot-me/*\" || $.requestParameters.tagKeys[1] = \"keyrot-me/*\")",
          "(${local.not_purge})", "(${local.not_function})",
        ], local.not_exempter))} }"
        why = "Somebody other than the purge wrote or removed a tag keyrot-me/... of a user: a record of a disabling, or an exemption."
      }
      switched-on = {
        wanted  = true
        pattern = "{ ($.eventSource = \"iam.amazonaws.com\") && ($.eventName = \"UpdateAccessKey\") && ($.requestParameters.status = \"Active\") && (${local.by_purge}) }"
        why     = "A key was switched on with the purge's role. The purge never does: somebody else uses its role."
      }
    } : name => alarm if alarm.wanted
  }
}

resource "aws_cloudwatch_log_metric_filter" "trail" {
  for_each       = local.trail_alarms
  name           = "${var.name}-${each.key}"
  log_group_name = var.trail_log_group_name
  pattern        = each.value.pattern

  metric_transformation {
    namespace = "${var.metrics_namespace}/Trail"
    name      = "${var.name}-${each.key}"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "trail" {
  for_each            = local.trail_alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = "${var.metrics_namespace}/Trail"
  metric_name         = "${var.name}-${each.key}"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = var.tags

  depends_on = [aws_cloudwatch_log_metric_filter.trail]
}
