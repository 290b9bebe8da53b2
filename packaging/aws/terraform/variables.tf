# What is purged, when, and how hard. Names, defaults and what is refused are those of
# ../cloudformation/security-account.yaml. How people are told is in variables_notices.tf, the rest in variables_house.tf.

variable "groups" {
  description = "IAM groups whose members' keys are looked at; [] with all_users."
  type        = list(string)

  validation {
    condition     = alltrue([for group in var.groups : can(regex("^[A-Za-z0-9_+=.@-]{1,128}$", group))])
    error_message = "A group is named by 1 to 128 letters, digits or +=.@_-, without its path."
  }
  validation {
    condition     = (length(var.groups) > 0) != var.all_users
    error_message = "Give groups, or all_users = true with groups = []: one of the two."
  }
}

variable "schedule" {
  description = "When the purge runs: EventBridge Scheduler's cron or rate expression. Fridays at 23:55 are cron(55 23 ? * FRI *)."
  type        = string

  validation {
    condition     = can(regex("^(cron\\([A-Za-z0-9*?,/#-]+( [A-Za-z0-9*?,/#-]+){5}\\)|rate\\([1-9][0-9]{0,4} (minutes?|hours?|days?)\\))$", var.schedule))
    error_message = "A schedule is like cron(55 23 ? * FRI *) or rate(7 days)."
  }
}

variable "zip_path" {
  description = "The function's zip, as packaging/build lambda makes it or as it is downloaded from a release."
  type        = string

  validation {
    condition     = endswith(var.zip_path, ".zip")
    error_message = "zip_path names a file that ends in .zip."
  }
}

variable "dry_run" {
  description = "true: the report says what would be done, and nothing is changed."
  type        = bool
  default     = true
}

variable "timezone" {
  description = "Time zone of the schedules, by its name in the IANA database."
  type        = string
  default     = "UTC"

  validation {
    condition     = can(regex("^[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}$", var.timezone))
    error_message = "A time zone is named as in the IANA database, such as Europe/Berlin."
  }
}

variable "all_users" {
  description = "Every user of each account, instead of groups."
  type        = bool
  default     = false
}

variable "max_age" {
  description = "Keys of at least this age are disabled."
  type        = string
  default     = "90d"

  validation {
    condition     = can(regex("^[1-9][0-9]{0,5}(s|m|h|d|w)$", var.max_age))
    error_message = "An age is a number and s, m, h, d or w, such as 90d, and not 0: that would take every key."
  }
}

variable "grace" {
  description = "Time between disabling and deleting; 0 does both in one run."
  type        = string
  default     = "7d"

  validation {
    condition     = can(regex("^(0|[1-9][0-9]{0,5}(s|m|h|d|w))$", var.grace))
    error_message = "A time is a number and s, m, h, d or w, such as 7d, or 0."
  }
}

variable "warn_before" {
  description = "Warn of keys that will be over the limit within this time; \"\": the program's own 24h. With a weekly purge 8d warns of everything that the next one takes."
  type        = string
  default     = ""

  validation {
    condition     = var.warn_before == "" || can(regex("^(0|[1-9][0-9]{0,5}(s|m|h|d|w))$", var.warn_before))
    error_message = "A time is a number and s, m, h, d or w, such as 8d, or 0."
  }
}

variable "unused_for" {
  description = "Disable only keys that were not used for so long; \"\": whether they are used does not count."
  type        = string
  default     = ""

  validation {
    condition     = var.unused_for == "" || can(regex("^[1-9][0-9]{0,5}(s|m|h|d|w)$", var.unused_for))
    error_message = "A time is a number and s, m, h, d or w, such as 10d."
  }
}

variable "exempt_groups" {
  description = "Members of these groups are spared."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for group in var.exempt_groups : can(regex("^[A-Za-z0-9_+=.@-]{1,128}$", group))])
    error_message = "A group is named by 1 to 128 letters, digits or +=.@_-, without its path."
  }
}

variable "exempt_tag" {
  description = "Whether the user tag keyrot-me/exempt = 'YYYY-MM-DD ticket reason' spares a user."
  type        = bool
  default     = false
}

variable "organization" {
  description = "All active accounts of the organization, through the role of modules/member-role in each."
  type        = bool
  default     = false

  validation {
    condition     = !(var.organization && length(var.accounts) > 0)
    error_message = "Give organization = true or accounts, not both."
  }
}

variable "organizational_units" {
  description = "Only accounts of these units and the units below them; needs organization = true."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for unit in var.organizational_units : can(regex("^(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32})$", unit))])
    error_message = "A unit has an id like ou-ab12-cdefghij (a root: r-ab12)."
  }
  validation {
    condition     = length(var.organizational_units) == 0 || var.organization
    error_message = "organizational_units needs organization = true."
  }
}

variable "accounts" {
  description = "These accounts, through the role of modules/member-role in each; [] without organization: the function's own account."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "An account id has twelve digits."
  }
  validation {
    condition     = length(var.accounts) <= 200
    error_message = "The function's environment has room for 200 accounts: give organization = true instead, with organizational_units where it is to be some of them."
  }
}

variable "member_role" {
  description = "Name of the role in each account."
  type        = string
  default     = "keyrot-me-purge"

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.member_role))
    error_message = "A role is named by 1 to 64 letters, digits or +=,.@_-, without its path."
  }
}

variable "external_id" {
  description = "External id that the role's trust policy asks for; needed with organization or accounts."
  type        = string
  default     = ""

  validation {
    condition     = var.external_id == "" || can(regex("^[A-Za-z0-9+=,.@:/_-]{2,}$", var.external_id)) && try(length(var.external_id) <= 1224, false)
    error_message = "An external id has 2 to 1224 letters, digits or _+=,.@:/-."
  }
  validation {
    condition     = var.external_id != "" || !(var.organization || length(var.accounts) > 0)
    error_message = "organization and accounts need external_id: a random text of your own, the same as in modules/member-role."
  }
}

variable "max_affected" {
  description = "An account in which more keys than this would be disabled or deleted is left untouched: 25% or a number; \"\": the program's own 25%, at least 10."
  type        = string
  default     = ""

  validation {
    condition     = var.max_affected == "" || can(regex("^([0-9]{1,6}|([0-9]|[1-9][0-9]|100)%)$", var.max_affected))
    error_message = "A cap is a number of keys, or a percentage such as 25%."
  }
}

variable "allow_empty" {
  description = "A group without members is no error."
  type        = bool
  default     = false
}
