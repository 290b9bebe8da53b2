# The example of an organization is planned whole, each account through its provider. Needs no AWS.

mock_provider "aws" {}

mock_provider "aws" {
  alias = "management"
}

mock_provider "aws" {
  alias = "payments"
}

mock_provider "aws" {
  alias = "search"
}

run "function_roles_and_guard" {
  command = plan
  module {
    source = "./examples/organization"
  }
  variables {
    zip_path            = "tests/empty.zip"
    organization_id     = "o-a1b2c3d4e5"
    external_id         = "8d1f-purge"
    deployment_role_arn = "arn:aws:iam::*:role/terraform"
    guarded             = ["r-ab12"]
  }
  assert {
    condition     = startswith(output.next_command, "aws stepfunctions start-execution --state-machine-arn ")
    error_message = "It is started through the state machine."
  }
}
