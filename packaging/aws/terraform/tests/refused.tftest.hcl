# What is refused, before anything is asked of AWS.

mock_provider "aws" {}

variables {
  groups   = ["Developers"]
  schedule = "cron(55 23 ? * FRI *)"
  zip_path = "tests/empty.zip"
}

run "values_that_are_none" {
  command = plan
  variables {
    groups                    = ["Developers, Contractors"]
    schedule                  = "55 23 * * 5"
    zip_path                  = "bootstrap"
    timezone                  = "CET+1 "
    max_age                   = "0"
    grace                     = "-1d"
    warn_before               = "soon"
    unused_for                = "0"
    exempt_groups             = ["a b"]
    accounts                  = ["1234"]
    member_role               = "a/b"
    max_affected              = "101%"
    alarm_address             = "nobody"
    mail_from                 = "a@b"
    owner_tag                 = "<tag>"
    owner_address             = "{user}"
    owner_map                 = "/tmp/owners.csv"
    team_address              = "team"
    chat_secret               = "https://hooks.example.com/T0/B0/secret"
    ticket_secret             = "arn:aws:s3:::bucket"
    notify_limit              = -1
    notify_templates          = "templates"
    name                      = "keyrot me"
    architecture              = "arm"
    memory_size               = 64
    reserved_concurrency      = -2
    ephemeral_storage         = 256
    metrics_namespace         = "AWS/Lambda"
    log_retention             = 42
    report_retention          = 7
    kms_key_arn               = "alias/mine"
    review                    = "daily"
    trail_log_group           = "a b"
    exemption_role            = "arn:aws:iam::111122223333:role/x"
    subnet_ids                = ["vpc-0a1b2c3d"]
    endpoints_route_table_ids = ["rtb"]
    max_concurrency           = 0
  }
  expect_failures = [
    var.groups,
    var.schedule,
    var.zip_path,
    var.timezone,
    var.max_age,
    var.grace,
    var.warn_before,
    var.unused_for,
    var.exempt_groups,
    var.accounts,
    var.member_role,
    var.max_affected,
    var.alarm_address,
    var.mail_from,
    var.owner_tag,
    var.owner_address,
    var.owner_map,
    var.team_address,
    var.chat_secret,
    var.ticket_secret,
    var.notify_limit,
    var.notify_templates,
    var.name,
    var.architecture,
    var.memory_size,
    var.reserved_concurrency,
    var.ephemeral_storage,
    var.metrics_namespace,
    var.log_retention,
    var.report_retention,
    var.kms_key_arn,
    var.review,
    var.trail_log_group,
    var.exemption_role,
    var.subnet_ids,
    var.endpoints_route_table_ids,
    var.max_concurrency,
  ]
}

# A rule that looks at another setting is asked only where that one is in order.
run "values_that_are_none_beside_others_in_order" {
  command = plan
  variables {
    organization         = true
    organizational_units = ["Workloads"]
    external_id          = "x"
    subnet_ids           = ["subnet-0a1b2c3d"]
    security_group_ids   = ["subnet-0a1b2c3d"]
    endpoints_vpc_id     = "subnet-0a1b2c3d"
  }
  expect_failures = [
    var.organizational_units,
    var.external_id,
    var.security_group_ids,
    var.endpoints_vpc_id,
  ]
}

run "values_that_need_others" {
  command = plan
  variables {
    schedule             = "at(2026-11-27T23:55:00)"
    max_age              = "90 days"
    groups               = []
    organizational_units = ["ou-ab12-cdef3456"]
    security_group_ids   = ["sg-0a1b2c3d"]
    endpoints_vpc_id     = "vpc-0a1b2c3d"
    use_state_machine    = true
  }
  expect_failures = [
    var.schedule,
    var.max_age,
    var.groups,
    var.organizational_units,
    var.security_group_ids,
    var.endpoints_vpc_id,
    var.use_state_machine,
  ]
}

run "values_that_exclude_each_other" {
  command = plan
  variables {
    organization = true
    accounts     = ["111122223333"]
    all_users    = true
  }
  expect_failures = [
    var.organization,
    var.groups,
  ]
}

run "fewer_at_once_than_the_state_machine_asks_for" {
  command = plan
  variables {
    accounts             = ["111122223333"]
    external_id          = "8d1f-purge"
    use_state_machine    = true
    reserved_concurrency = 1
  }
  expect_failures = [aws_sfn_state_machine.purge]
}

run "other_accounts_without_an_external_id" {
  command = plan
  variables {
    accounts = ["111122223333"]
  }
  expect_failures = [var.external_id]
}

run "a_name_that_is_too_long_for_a_bucket" {
  command = plan
  variables {
    name = "a123456789b123456789c1234567"
  }
  expect_failures = [var.name]
}

run "a_name_that_no_bucket_has" {
  command = plan
  variables {
    name = "KeyrotMe"
  }
  expect_failures = [var.name]
}

run "more_accounts_than_the_environment_holds" {
  command = plan
  variables {
    accounts    = [for number in range(201) : format("%012d", number)]
    external_id = "8d1f-purge"
  }
  expect_failures = [var.accounts]
}

run "more_groups_than_a_filter_takes" {
  command = plan
  variables {
    groups          = [for number in range(20) : "a-group-with-a-long-name-${number}"]
    trail_log_group = "organization-trail"
  }
  expect_failures = [aws_cloudwatch_log_metric_filter.watch["left"]]
}
