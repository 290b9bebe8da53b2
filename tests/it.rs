mod aws_wire;
