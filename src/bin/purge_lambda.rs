//! The purge as an AWS Lambda function: hands over to the library.

fn main() {}
