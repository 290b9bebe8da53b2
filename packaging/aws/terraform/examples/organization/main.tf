# An organization: the function in the security account (a delegated administrator), the role in each account, and the
# policy that guards our tags. The role is shown for two accounts; for all of them deploy
# packaging/aws/cloudformation/member-role.yaml as a StackSet instead of one provider for each.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}

# Profiles of the AWS config file: the security account is the default one.
provider "aws" {}

provider "aws" {
  alias   = "management"
  profile = "management"
}

provider "aws" {
  alias   = "payments"
  profile = "payments"
}

provider "aws" {
  alias   = "search"
  profile = "search"
}

variable "zip_path" {
  description = "The function's zip: packaging/build lambda makes it."
  type        = string
}

variable "organization_id" {
  description = "The organization's id."
  type        = string
}

variable "external_id" {
  description = "A random text of your own."
  type        = string
}

variable "deployment_role_arn" {
  description = "The role that Terraform itself has in the accounts, such as arn:aws:iam::*:role/terraform: nobody else may change the purge's role."
  type        = string
}

variable "guarded" {
  description = "Root, units or accounts that the service control policy binds; begin with one test unit."
  type        = list(string)
  default     = []
}

variable "use_state_machine" {
  description = "One invocation for each account."
  type        = bool
  default     = true
}

variable "dry_run" {
  description = "false: keys are disabled and deleted."
  type        = bool
  default     = true
}

module "purge" {
  source = "../.."

  groups            = ["Developers", "Contractors"]
  schedule          = "cron(55 23 ? * FRI *)"
  timezone          = "Europe/Berlin"
  zip_path          = var.zip_path
  organization      = true
  external_id       = var.external_id
  exempt_groups     = ["KeyExempt"]
  exempt_tag        = true
  warn_before       = "8d"
  use_state_machine = var.use_state_machine
  max_concurrency   = 20
  dry_run           = var.dry_run
}

module "role_in_payments" {
  source    = "../../modules/member-role"
  providers = { aws = aws.payments }

  purge_principal_arn = module.purge.function_role_arn
  organization_id     = var.organization_id
  external_id         = var.external_id
}

module "role_in_search" {
  source    = "../../modules/member-role"
  providers = { aws = aws.search }

  purge_principal_arn = module.purge.function_role_arn
  organization_id     = var.organization_id
  external_id         = var.external_id
}

module "guard" {
  source    = "../../modules/service-control-policy"
  providers = { aws = aws.management }

  exemption_role_arn  = "arn:aws:iam::*:role/key-exemptions"
  deployment_role_arn = var.deployment_role_arn
  target_ids          = var.guarded

  # It comes last and goes first: until then nothing stands between Terraform and the roles.
  depends_on = [module.role_in_payments, module.role_in_search]
}

output "next_command" {
  description = "Runs it now."
  value       = module.purge.next_command
}
