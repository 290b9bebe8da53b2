# How it runs: names, size, logs, reports, keys, network, trail, state machine.

variable "name" {
  description = "Name of the function; those of everything else begin with it."
  type        = string
  default     = "keyrot-me"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,26}$", var.name))
    error_message = "A name has 1 to 27 lower case letters, digits and hyphens, and begins with a letter: the bucket's name begins with it."
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
  description = "In MB; Lambda's share of a processor grows with it."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "Lambda has 128 to 10240 MB."
  }
}

variable "ephemeral_storage" {
  description = "In MB; reports and parts are written there before they go to the bucket."
  type        = number
  default     = 512

  validation {
    condition     = var.ephemeral_storage >= 512 && var.ephemeral_storage <= 10240
    error_message = "Lambda has 512 to 10240 MB."
  }
}

variable "reserved_concurrency" {
  description = "1 keeps two purges apart; the state machine needs as many as its max_concurrency and keeps accounts apart itself; 0 or -1 reserves nothing. null: 1, or max_concurrency with the state machine. Lambda refuses any reservation in accounts whose quota of concurrent executions is 10, as of new ones (aws lambda get-account-settings): give 0 there, or have the quota raised."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null || try(var.reserved_concurrency >= -1 && var.reserved_concurrency <= 1000, false)
    error_message = "Reserve 1 to 1000, or 0 or -1 for none."
  }
}

variable "metrics_namespace" {
  description = "Namespace of the metrics."
  type        = string
  default     = "KeyrotMe"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.#/-]{1,200}$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "A namespace has 1 to 200 letters, digits or _.#/- and does not begin with AWS/."
  }
}

variable "log_retention" {
  description = "Days that logs are kept."
  type        = number
  default     = 400

  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention)
    error_message = "Logs are kept for 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "report_retention" {
  description = "Days that reports are kept in the bucket."
  type        = number
  default     = 800

  validation {
    condition     = var.report_retention >= 40 && var.report_retention <= 36500
    error_message = "Reports are kept for 40 to 36500 days."
  }
}

variable "delete_reports" {
  description = "Whether terraform destroy deletes the bucket with the reports in it; false: it refuses while there are any."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key of yours for bucket, log groups, queue, topic and environment; its policy lets CloudWatch, EventBridge, SNS, SQS and CloudWatch Logs use it. \"\": AWS's keys, and one key made here for the topic."
  type        = string
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "That is no ARN of a KMS key."
  }
}

variable "review" {
  description = "How often the review is written, Mondays or on the first at 07:00: weekly, monthly or never."
  type        = string
  default     = "weekly"

  validation {
    condition     = contains(["weekly", "monthly", "never"], var.review)
    error_message = "The review is written weekly, monthly or never."
  }
}

variable "trail_log_group" {
  description = "CloudWatch log group of the organization's trail, in this account and region: the alarms on exemptions and tags then see every account. Without it, and in the home region of IAM's events, they see this account."
  type        = string
  default     = ""

  validation {
    condition     = var.trail_log_group == "" || can(regex("^[A-Za-z0-9_/.#-]{1,512}$", var.trail_log_group))
    error_message = "A log group is named by 1 to 512 letters, digits or _/.#-."
  }
}

variable "exemption_role" {
  description = "Name of the role that may set keyrot-me/exempt without an alarm."
  type        = string
  default     = ""

  validation {
    condition     = var.exemption_role == "" || can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.exemption_role))
    error_message = "A role is named by 1 to 64 letters, digits or _+=,.@-, without its path."
  }
}

variable "subnet_ids" {
  description = "Subnets, for a function that may not leave your network. IAM and Organizations have no endpoint in most regions: the subnets need a NAT gateway or a proxy to them."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for subnet in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", subnet))])
    error_message = "A subnet has an id like subnet-0a1b2c3d."
  }
}

variable "security_group_ids" {
  description = "Its security groups; they let 443 out, and in where endpoints are made here."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for group in var.security_group_ids : can(regex("^sg-[0-9a-f]+$", group))])
    error_message = "A security group has an id like sg-0a1b2c3d."
  }

  validation {
    condition     = (length(var.security_group_ids) > 0) == (length(var.subnet_ids) > 0)
    error_message = "Give subnet_ids and security_group_ids, or neither."
  }
}

variable "endpoints_vpc_id" {
  description = "The subnets' VPC, where endpoints for S3, STS, SNS and Secrets Manager shall be made."
  type        = string
  default     = ""

  validation {
    condition     = var.endpoints_vpc_id == "" || can(regex("^vpc-[0-9a-f]+$", var.endpoints_vpc_id))
    error_message = "A VPC has an id like vpc-0a1b2c3d."
  }

  validation {
    condition     = var.endpoints_vpc_id == "" || (length(var.subnet_ids) > 0 && length(var.endpoints_route_table_ids) > 0)
    error_message = "endpoints_vpc_id needs subnet_ids and endpoints_route_table_ids."
  }
}

variable "endpoints_route_table_ids" {
  description = "The subnets' route tables, for the endpoint of S3."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for table in var.endpoints_route_table_ids : can(regex("^rtb-[0-9a-f]+$", table))])
    error_message = "A route table has an id like rtb-0a1b2c3d."
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
