# One page: is there less to do each week, and did each week's purge see everything?

locals {
  widgets = [
    { title = "Users with access keys: the number that should go down", metrics = ["UsersWithKeys"], stat = "Maximum" },
    { title = "Disabled and deleted", metrics = ["KeysDisabled", "KeysDeleted"], stat = "Sum" },
    { title = "Warned, near the limit, exempt", metrics = ["KeysWarned", "KeysNearLimit", "KeysExempt"], stat = "Maximum" },
    { title = "Age of keys, in seconds", metrics = ["OldestKeyAge", "AverageKeyAge"], stat = "Maximum" },
    { title = "Accounts left open", metrics = ["AccountsIncomplete", "AccountsCapped"], stat = "Maximum" },
    { title = "Runs finished, keys scanned", metrics = ["RunsFinished", "KeysScanned"], stat = "Sum" },
  ]
}

resource "aws_cloudwatch_dashboard" "purge" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type   = "metric"
      x      = index % 2 * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = widget.title
        region  = local.region
        stat    = widget.stat
        period  = 86400
        view    = "timeSeries"
        metrics = [for metric in widget.metrics : [var.metrics_namespace, metric, "Function", var.name]]
      }
    }]
  })
}
