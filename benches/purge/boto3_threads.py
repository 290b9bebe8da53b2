"""The over-age keys of a group's members, as a plain script finds them: boto3 as it comes, and sixteen threads.

Exempt members are dropped before any call about them. With --role it goes through all accounts of the organization.
It prints the number of keys that it found. It has no pace, no report and no coverage.
"""

import argparse
import concurrent.futures
import datetime

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

THREADS = 16


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--group", required=True)
    parser.add_argument("--exempt-group", required=True)
    parser.add_argument("--max-age-days", type=int, required=True)
    parser.add_argument("--role")
    return parser.parse_args()


def iam_of(session):
    return session.client("iam", config=Config(max_pool_connections=THREADS))


def open_account(asked, account):
    role = f"arn:aws:iam::{account}:role/{asked.role}"
    try:
        answer = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="boto3-threads")
    except ClientError as refused:
        if refused.response["Error"]["Code"] == "AccessDenied":
            return None
        raise
    given = answer["Credentials"]
    return iam_of(
        boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
    )


def accounts_of(pool, asked):
    if not asked.role:
        return [iam_of(boto3.Session())]
    pages = boto3.client("organizations").get_paginator("list_accounts").paginate()
    ids = [account["Id"] for page in pages for account in page["Accounts"] if account["Status"] == "ACTIVE"]
    opened = pool.map(lambda account: open_account(asked, account), ids)
    return [iam for iam in opened if iam]


def members(iam, group):
    pages = iam.get_paginator("get_group").paginate(GroupName=group, PaginationConfig={"PageSize": 1000})
    return [user["UserName"] for page in pages for user in page["Users"]]


def targets(iam, asked):
    exempt = set(members(iam, asked.exempt_group))
    return [(iam, user) for user in members(iam, asked.group) if user not in exempt]


def over_age(iam, user, limit):
    keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    old = [key for key in keys if key["CreateDate"] <= limit]
    return [(key, iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])) for key in old]


def main():
    asked = arguments()
    limit = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=asked.max_age_days)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        accounts = accounts_of(pool, asked)
        users = [user for found in pool.map(lambda iam: targets(iam, asked), accounts) for user in found]
        found = pool.map(lambda it: over_age(*it, limit), users)
        print(sum(len(keys) for keys in found))


main()
