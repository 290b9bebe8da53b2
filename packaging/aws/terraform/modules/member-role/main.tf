# keyrot-me: the role that the purge takes in an account. Trust and rights are the documents of packaging/iam.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}

variable "purge_principal_arn" {
  description = "The role that the function runs as: output function_role_arn of the security account."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", var.purge_principal_arn))
    error_message = "That is no ARN of one role, without wildcards."
  }
}

variable "organization_id" {
  description = "The organization that the security account belongs to."
  type        = string

  validation {
    condition     = can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "An organization has an id like o-a1b2c3d4e5."
  }
}

variable "external_id" {
  description = "The same as of the function."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@:/_-]{2,}$", var.external_id)) && length(var.external_id) <= 1224
    error_message = "An external id has 2 to 1224 letters, digits or _+=,.@:/-."
  }
}

variable "role_name" {
  description = "Name of the role; another one than keyrot-me-purge has to be given to the function too."
  type        = string
  default     = "keyrot-me-purge"

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "A role is named by 1 to 64 letters, digits or +=,.@_-, without its path."
  }
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  default     = {}
}

resource "aws_iam_role" "purge" {
  name        = var.role_name
  description = "keyrot-me: disables and deletes over-age access keys of this account"
  tags        = var.tags
  assume_role_policy = replace(replace(replace(file("${path.module}/../../../../iam/purge-member-trust.json"),
    "{{PURGE_PRINCIPAL_ARN}}", var.purge_principal_arn),
    "{{ORGANIZATION_ID}}", var.organization_id),
  "{{EXTERNAL_ID}}", var.external_id)
}

# Inline: a managed policy could be changed beside the role.
resource "aws_iam_role_policy" "purge" {
  name   = "purge"
  role   = aws_iam_role.purge.id
  policy = file("${path.module}/../../../../iam/purge-role.json")
}

output "role_arn" {
  description = "The role."
  value       = aws_iam_role.purge.arn
}
