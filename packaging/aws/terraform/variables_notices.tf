# Whom the purge tells, and who hears of the alarms.

variable "notify" {
  description = "Where notices go: sns:TOPIC_ARN, ses:FROM_ADDRESS, slack:SECRET_ARN, ticket:SECRET_ARN. The address of a webhook is a secret: it lies in Secrets Manager, never here."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([for target in var.notify : can(regex(join("|", [
      "^sns:arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$",
      "^ses:[^@,;<>()[:space:]]+@[^@,;<>()[:space:]]+\\.[^@,;<>()[:space:]]+$",
      "^(slack|ticket):arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^,[:space:]]+$",
    ]), target))])
    error_message = "A target is sns:TOPIC_ARN, ses:FROM_ADDRESS, slack:SECRET_ARN or ticket:SECRET_ARN."
  }
}

variable "notify_limit" {
  description = "Above so many owners, or tickets, none of them is written to and the team is told; null: the program's own 50."
  type        = number
  default     = null

  validation {
    condition     = var.notify_limit == null || try(var.notify_limit >= 0 && floor(var.notify_limit) == var.notify_limit, false)
    error_message = "A limit is a whole number."
  }
}

variable "notify_templates" {
  description = "Folder in the zip, below /var/task, with templates that take the place of the program's own."
  type        = string
  default     = null

  validation {
    condition     = var.notify_templates == null || can(regex("^/var/task/", var.notify_templates))
    error_message = "notify_templates names a folder of the zip: /var/task/..."
  }
}

variable "owner_tag" {
  description = "User tag that holds the owner's mail address."
  type        = string
  default     = null

  validation {
    condition     = var.owner_tag == null || try(length(var.owner_tag) > 0 && length(var.owner_tag) <= 128, false)
    error_message = "A tag's key has 1 to 128 characters."
  }
}

variable "owner_address" {
  description = "The owner's address where the tag says nothing, like {user}@example.com."
  type        = string
  default     = null

  validation {
    condition     = var.owner_address == null || can(regex("^[^@[:space:]]+@[^@[:space:]]+$", var.owner_address))
    error_message = "A template of addresses is like {user}@example.com."
  }
}

variable "owner_map" {
  description = "CSV file in the zip, below /var/task: account,user,address."
  type        = string
  default     = null

  validation {
    condition     = var.owner_map == null || can(regex("^/var/task/", var.owner_map))
    error_message = "owner_map names a file of the zip: /var/task/..."
  }
}

variable "team_address" {
  description = "Who is written to where a key has no owner's address or mail to it bounced before."
  type        = string
  default     = null

  validation {
    condition     = var.team_address == null || can(regex("^[^@,;<>()[:space:]]+@[^@,;<>()[:space:]]+\\.[^@,;<>()[:space:]]+$", var.team_address))
    error_message = "That is no mail address."
  }
}

variable "alarm_addresses" {
  description = "Mail addresses that subscribe to the topic of the alarms; each has to confirm."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_addresses : can(regex("^[^@,;<>()[:space:]]+@[^@,;<>()[:space:]]+\\.[^@,;<>()[:space:]]+$", address))])
    error_message = "That is no mail address."
  }
}
