# keyrot-me: nobody but the purge writes its tags, nobody but the deployment changes its role. The document is
# packaging/iam/purge-service-control-policy.json. Applied in the management account, or where policies are delegated to.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}

variable "exemption_role_arn" {
  description = "Who may set and remove keyrot-me/exempt, such as arn:aws:iam::*:role/key-exemptions."
  type        = string

  validation {
    condition     = can(regex("^arn:(aws[a-z-]*|\\*):iam::([0-9]{12}|\\*):role/[A-Za-z0-9+=,.@_/*-]+$", var.exemption_role_arn))
    error_message = "That is no ARN of a role."
  }
}

variable "deployment_role_arn" {
  description = "Who rolls out the roles, such as arn:aws:iam::*:role/stacksets-exec-*."
  type        = string

  validation {
    condition     = can(regex("^arn:(aws[a-z-]*|\\*):iam::([0-9]{12}|\\*):role/[A-Za-z0-9+=,.@_/*-]+$", var.deployment_role_arn))
    error_message = "That is no ARN of a role."
  }
}

variable "role_name" {
  description = "Name of the role in each account."
  type        = string
  default     = "keyrot-me-purge"

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "A role is named by 1 to 64 letters, digits or +=,.@_-, without its path."
  }
}

variable "target_ids" {
  description = "The root, units or accounts that it binds; begin with one test unit."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for target in var.target_ids : can(regex("^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|[0-9]{12})$", target))])
    error_message = "A target is a root (r-ab12), a unit (ou-ab12-cdefghij) or an account of twelve digits."
  }
}

variable "tags" {
  description = "Tags of the policy."
  type        = map(string)
  default     = {}
}

resource "aws_organizations_policy" "guard" {
  name        = "${var.role_name}-guard"
  description = "keyrot-me: its tags and its role are left alone"
  type        = "SERVICE_CONTROL_POLICY"
  tags        = var.tags
  # Organizations counts white space towards its limit.
  content = jsonencode(jsondecode(replace(replace(replace(file("${path.module}/../../../../iam/purge-service-control-policy.json"),
    "{{EXEMPTION_ROLE_ARN}}", var.exemption_role_arn),
    "{{DEPLOYMENT_ROLE_ARN}}", var.deployment_role_arn),
  ":role/keyrot-me-purge", ":role/${var.role_name}")))
}

resource "aws_organizations_policy_attachment" "guard" {
  for_each  = toset(var.target_ids)
  policy_id = aws_organizations_policy.guard.id
  target_id = each.value
}

output "policy_id" {
  description = "The policy."
  value       = aws_organizations_policy.guard.id
}
