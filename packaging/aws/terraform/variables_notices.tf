# Whom the purge tells. Its summaries and the alarms go to one topic, which is always there.

variable "alarm_address" {
  description = "Mail address that is subscribed to the topic of summaries and alarms; it has to confirm."
  type        = string
  default     = ""

  validation {
    condition     = var.alarm_address == "" || can(regex("^[^@ ,]+@[^@ ,]+\\.[^@ ,]+$", var.alarm_address))
    error_message = "That is no mail address."
  }
}

variable "mail_from" {
  description = "Verified SES address that mail to the keys' owners comes from; \"\" for no mail."
  type        = string
  default     = ""

  validation {
    condition     = var.mail_from == "" || can(regex("^[^@ ,]+@[^@ ,]+\\.[^@ ,]+$", var.mail_from))
    error_message = "That is no mail address."
  }
}

variable "owner_tag" {
  description = "User tag that holds the owner's mail address."
  type        = string
  default     = ""

  validation {
    condition     = var.owner_tag == "" || can(regex("^[A-Za-z0-9 _.:/=+@-]{1,128}$", var.owner_tag))
    error_message = "A tag's key has 1 to 128 letters, digits, spaces or _.:/=+@-."
  }
}

variable "owner_address" {
  description = "The owner's address where the tag says nothing, like {user}@example.com."
  type        = string
  default     = ""

  validation {
    condition     = var.owner_address == "" || can(regex("^[^@ ]+@[^@ ]+$", var.owner_address))
    error_message = "A template of addresses is like {user}@example.com."
  }
}

variable "owner_map" {
  description = "CSV file of owners' addresses in the zip: account,user,address."
  type        = string
  default     = ""

  validation {
    condition     = var.owner_map == "" || can(regex("^/var/task/[A-Za-z0-9_./-]+$", var.owner_map))
    error_message = "owner_map names a file below /var/task."
  }
}

variable "team_address" {
  description = "Who is written to where a key has no owner's address or mail to it bounced."
  type        = string
  default     = ""

  validation {
    condition     = var.team_address == "" || can(regex("^[^@ ,]+@[^@ ,]+\\.[^@ ,]+$", var.team_address))
    error_message = "That is no mail address."
  }
}

variable "chat_secret" {
  description = "ARN of the secret in Secrets Manager that holds the address of a Slack-style webhook."
  type        = string
  default     = ""

  validation {
    condition     = var.chat_secret == "" || can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$", var.chat_secret))
    error_message = "Give the ARN of a secret, not the webhook's address: that would stand in the state."
  }
}

variable "ticket_secret" {
  description = "ARN of the secret in Secrets Manager that holds the address of a webhook for tickets."
  type        = string
  default     = ""

  validation {
    condition     = var.ticket_secret == "" || can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$", var.ticket_secret))
    error_message = "Give the ARN of a secret, not the webhook's address: that would stand in the state."
  }
}

variable "notify_limit" {
  description = "Above so many owners, or tickets, none of them is written to; null for the program's own 50."
  type        = number
  default     = null

  validation {
    condition     = var.notify_limit == null || can(regex("^[0-9]{1,6}$", tostring(var.notify_limit)))
    error_message = "A limit is a whole number of up to six digits."
  }
}

variable "notify_templates" {
  description = "Folder in the zip with templates that take the place of our own."
  type        = string
  default     = ""

  validation {
    condition     = var.notify_templates == "" || can(regex("^/var/task/[A-Za-z0-9_./-]+$", var.notify_templates))
    error_message = "notify_templates names a folder below /var/task."
  }
}
