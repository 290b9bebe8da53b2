# The function's own house: names, size, logs, reports, network, trail, state machine.

variable "name" {
  description = "Name of the function; those of everything else begin with it."
  type        = string
  default     = "keyrot-me-purge"

  validation {
    condition     = can(regex("^[a-zA-Z0-9-]{1,40}$", var.name))
    error_message = "A name has 1 to 40 letters, digits and hyphens."
  }
}

variable "architecture" {
  description = "What the zip was built for: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The function runs on arm64 or x86_64."
  }
}

variable "memory_size" {
  description = "Memory of the function, in MB."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "Lambda has 128 to 10240 MB."
  }
}

variable "timeout" {
  description = "Seconds for one invocation; it stops cleanly 30 seconds before."
  type        = number
  default     = 900

  validation {
    condition     = var.timeout >= 60 && var.timeout <= 900
    error_message = "A time-out is between 60 and 900 seconds."
  }
}

variable "reserved_concurrency" {
  description = "Invocations at once; 1 keeps two purges from running together. -1 reserves none, for accounts whose quota leaves nothing to reserve. With the state machine at least max_concurrency."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null || try(var.reserved_concurrency == -1 || var.reserved_concurrency >= 1, false)
    error_message = "Reserve 1 or more, or none with -1."
  }
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the metrics."
  type        = string
  default     = "KeyrotMe"

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-]{1,255}$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "A namespace has 1 to 255 letters, digits or ._/#- and does not begin with AWS/."
  }
}

variable "log_retention_days" {
  description = "Days that the logs are kept."
  type        = number
  default     = 400

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, ... 3653 days."
  }
}

variable "log_kms_key_arn" {
  description = "Key that encrypts the logs; its policy must let CloudWatch Logs use it. null: AWS's own."
  type        = string
  default     = null

  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$", var.log_kms_key_arn))
    error_message = "That is no ARN of a KMS key."
  }
}

variable "report_retention_days" {
  description = "Days that reports are kept."
  type        = number
  default     = 400

  validation {
    condition     = var.report_retention_days >= 30
    error_message = "Keep reports for at least 30 days: unfinished runs go on from them."
  }
}

variable "delete_reports" {
  description = "Whether terraform destroy deletes the bucket with the reports in it; false: it refuses while there are any."
  type        = bool
  default     = false
}

variable "review_schedule" {
  description = "When the review report is made; null: never."
  type        = string
  default     = "cron(0 8 ? * MON *)"

  validation {
    condition     = var.review_schedule == null || can(regex("^(cron|rate|at)\\([^()]+\\)$", var.review_schedule))
    error_message = "A schedule is cron(...), rate(...) or at(...), such as cron(0 8 1 * ? *)."
  }
}

variable "review_period" {
  description = "How far back the review looks."
  type        = string
  default     = "7d"

  validation {
    condition     = can(regex("^[0-9]+(s|m|h|d|w)$", var.review_period))
    error_message = "A time is a number and s, m, h, d or w, such as 30d."
  }
}

variable "trail_log_group_name" {
  description = "CloudWatch log group of the organization's CloudTrail, in this account and region: alarms on exemption groups, our tags and re-activated keys are made from it. null: none of these."
  type        = string
  default     = null

  validation {
    condition     = var.trail_log_group_name == null || can(regex("^[A-Za-z0-9_./#-]{1,512}$", var.trail_log_group_name))
    error_message = "A log group is named by 1 to 512 letters, digits or _./#-."
  }
}

variable "exemption_role_arn" {
  description = "The role that may set and remove keyrot-me/exempt, for the alarm on everybody else; * stands for any text. null: nobody may."
  type        = string
  default     = null

  validation {
    condition     = var.exemption_role_arn == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|\\*):role/[A-Za-z0-9+=,.@_/*-]+$", var.exemption_role_arn))
    error_message = "That is no ARN of a role."
  }
}

variable "subnet_ids" {
  description = "Subnets of the function; they need a way to IAM and Organizations, which have no endpoints in a VPC: a NAT gateway. []: no VPC."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for subnet in var.subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", subnet))])
    error_message = "A subnet has an id like subnet-0123456789abcdef0."
  }
}

variable "security_group_ids" {
  description = "Security groups of the function in its VPC; HTTPS to the outside must be allowed."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for group in var.security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", group))])
    error_message = "A security group has an id like sg-0123456789abcdef0."
  }
  validation {
    condition     = (length(var.security_group_ids) > 0) == (length(var.subnet_ids) > 0)
    error_message = "Give subnet_ids and security_group_ids, or neither."
  }
}

variable "use_state_machine" {
  description = "One invocation for each account, through a state machine, instead of one for all: see ../README.md for the size from which on it is needed."
  type        = bool
  default     = false

  validation {
    condition     = !var.use_state_machine || var.organization || length(var.accounts) > 0
    error_message = "The state machine is for many accounts: give organization = true or accounts."
  }
}

variable "max_concurrency" {
  description = "How many accounts the state machine purges at once."
  type        = number
  default     = 10

  validation {
    condition     = var.max_concurrency >= 1 && var.max_concurrency <= 1000
    error_message = "Between 1 and 1000 accounts at once."
  }
}

variable "tags" {
  description = "Tags on everything that is made."
  type        = map(string)
  default     = {}
}
