# One account, for a small team: groups and schedule are all that has to be said. A dry run until dry_run = false.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}

variable "zip_path" {
  description = "The function's zip: packaging/build lambda makes it."
  type        = string
}

variable "dry_run" {
  description = "false: keys are disabled and deleted."
  type        = bool
  default     = true
}

module "purge" {
  source = "../.."

  groups   = ["Developers"]
  schedule = "cron(55 23 ? * FRI *)"
  zip_path = var.zip_path
  dry_run  = var.dry_run
}

output "next_command" {
  description = "Runs it now."
  value       = module.purge.next_command
}
