# Alarms on what no policy forbids (../../iam/README.md): who exempts, who leaves the groups, who writes our tags, who
# switches keys on with the purge's role. From the organization's trail where its log group is given; else from the
# events of this account, in the region where CloudTrail has IAM's.

locals {
  purger    = local.enters_accounts ? var.member_role : aws_iam_role.function.name
  exempters = var.exemption_role == "" ? [] : [var.exemption_role]
  issuer    = "$.userIdentity.sessionContext.sessionIssuer.userName"
  of_iam    = "($.eventSource = \"iam.amazonaws.com\")"
  # Group names are compared as the caller wrote them.
  group_is = { for name, groups in { exempted = var.exempt_groups, left = var.groups } : name =>
    join(" || ", [for group in groups : "($.requestParameters.groupName = \"${group}\")"])
  }
  trail_space = "${var.metrics_namespace}/${var.name}"

  patterns = var.trail_log_group == "" ? {} : { for name, pattern in {
    exempted = length(var.exempt_groups) == 0 ? "" : "{ ${local.of_iam} && ($.eventName = \"AddUserToGroup\") && (${local.group_is.exempted}) }"
    left     = length(var.groups) == 0 ? "" : "{ ${local.of_iam} && ($.eventName = \"RemoveUserFromGroup\") && (${local.group_is.left}) }"
    # A tag may stand anywhere in the list, which a JSON pattern cannot say, and in any case: so the text is searched,
    # and the alarm counts off what the purge and the exemption role did.
    tagged = "%eventName...[TUC][a-z]*User.*[Kk][Ee][Yy][Rr][Oo][Tt]-[Mm][Ee]/%"
    tagged-by-purge = join(" ", [
      "{ ${local.of_iam} && (($.eventName = \"TagUser\") || ($.eventName = \"UntagUser\")) &&",
      "((${local.issuer} = \"${local.purger}\") ||",
      "((${local.issuer} = \"${one(concat(local.exempters, length(local.exempters) == 0 ? [local.purger] : []))}\") &&",
      "(($.requestParameters.tags[0].key = \"keyrot-me/exempt\") || ($.requestParameters.tagKeys[0] = \"keyrot-me/exempt\")))) }",
    ])
    reactivated = join(" ", [
      "{ ${local.of_iam} && ($.eventName = \"UpdateAccessKey\") && ($.requestParameters.status = \"Active\") &&",
      "(${local.issuer} = \"${local.purger}\") }",
    ])
  } : name => pattern if pattern != "" }
  metrics = { exempted = "Exempted", left = "Left", tagged = "Tagged", tagged-by-purge = "TaggedByPurge", reactivated = "Reactivated" }

  whys = {
    exempted    = "Somebody was put into an exemption group: CloudTrail, AddUserToGroup."
    left        = "Somebody was taken out of a group that the purge looks at: CloudTrail, RemoveUserFromGroup."
    tagged      = "Somebody else wrote or removed keyrot-me/ tags of a user: CloudTrail, TagUser and UntagUser."
    reactivated = "The purge's role switched a key on, which the purge never does: somebody else uses the role."
  }
}

resource "aws_cloudwatch_log_metric_filter" "watch" {
  for_each       = local.patterns
  name           = "${var.name}-${each.key}"
  log_group_name = var.trail_log_group
  pattern        = each.value

  metric_transformation {
    namespace     = local.trail_space
    name          = local.metrics[each.key]
    value         = "1"
    default_value = "0"
  }

  lifecycle {
    precondition {
      condition     = length(each.value) <= 1024
      error_message = "The filter pattern of ${each.key} has ${length(each.value)} characters, and CloudWatch Logs takes 1024: name fewer groups, or give all_users = true or no trail_log_group."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "watch" {
  for_each            = { for name, pattern in local.patterns : name => pattern if contains(["exempted", "left", "reactivated"], name) }
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = local.whys[each.key]
  namespace           = local.trail_space
  metric_name         = local.metrics[each.key]
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.purge.arn]
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "tagged" {
  count               = var.trail_log_group == "" ? 0 : 1
  alarm_name          = "${var.name}-tagged"
  alarm_description   = local.whys.tagged
  evaluation_periods  = 3
  datapoints_to_alarm = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.purge.arn]
  tags                = var.tags

  metric_query {
    id          = "others"
    expression  = "all - ours"
    label       = "by others"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { all = "Tagged", ours = "TaggedByPurge" }
    content {
      id = metric_query.key
      metric {
        namespace   = local.trail_space
        metric_name = metric_query.value
        period      = 300
        stat        = "Sum"
      }
    }
  }
}

# The same of this account alone, without a trail's log group.
locals {
  watched = var.trail_log_group != "" || !local.home ? {} : { for name, rule in {
    exempted = { events = ["AddUserToGroup"], more = { requestParameters = { groupName = var.exempt_groups } }, wanted = length(var.exempt_groups) > 0 }
    left     = { events = ["RemoveUserFromGroup"], more = { requestParameters = { groupName = var.groups } }, wanted = length(var.groups) > 0 }
    tagged = { events = ["CreateUser", "TagUser", "UntagUser"], wanted = true, more = {
      requestParameters = { "$or" = [
        { tags = { key = [{ prefix = { equals-ignore-case = "keyrot-me/" } }] } },
        { tagKeys = [{ prefix = { equals-ignore-case = "keyrot-me/" } }] },
      ] }
      userIdentity = { "$or" = [
        { sessionContext = { sessionIssuer = { userName = [{ exists = false }] } } },
        { sessionContext = { sessionIssuer = { userName = [{ anything-but = concat([local.purger], local.exempters) }] } } },
      ] }
    } }
    reactivated = { events = ["UpdateAccessKey"], wanted = true, more = {
      requestParameters = { status = ["Active"] }
      userIdentity      = { sessionContext = { sessionIssuer = { userName = [local.purger] } } }
    } }
  } : name => { events = rule.events, more = jsonencode(rule.more) } if rule.wanted }
}

resource "aws_cloudwatch_event_rule" "watch" {
  for_each    = local.watched
  name        = "${var.name}-${each.key}"
  description = local.whys[each.key]
  tags        = var.tags
  event_pattern = jsonencode({
    source      = ["aws.iam"]
    detail-type = ["AWS API Call via CloudTrail"]
    detail      = merge({ eventSource = ["iam.amazonaws.com"], eventName = each.value.events }, jsondecode(each.value.more))
  })
}

resource "aws_cloudwatch_event_target" "watch" {
  for_each  = local.watched
  rule      = aws_cloudwatch_event_rule.watch[each.key].name
  target_id = "topic"
  arn       = aws_sns_topic.purge.arn
}
