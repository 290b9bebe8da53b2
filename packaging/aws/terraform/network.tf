# Endpoints in the VPC of a function that lives in one. IAM and Organizations have none in most regions.

resource "aws_vpc_endpoint" "s3" {
  count             = var.endpoints_vpc_id == "" ? 0 : 1
  vpc_id            = var.endpoints_vpc_id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${local.region}.s3"
  route_table_ids   = var.endpoints_route_table_ids
  tags              = var.tags
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = var.endpoints_vpc_id == "" ? [] : toset(["secretsmanager", "sns", "sts"])
  vpc_id              = var.endpoints_vpc_id
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  subnet_ids          = var.subnet_ids
  security_group_ids  = var.security_group_ids
  tags                = var.tags
}
