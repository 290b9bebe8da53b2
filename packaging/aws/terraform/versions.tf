# What the module was tried with; variables' validation looks at other variables since Terraform 1.9.
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}
