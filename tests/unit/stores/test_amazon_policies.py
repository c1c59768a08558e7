"""Who may read by Amazon's policies, as AWS evaluates them."""

from __future__ import annotations

import json

import pytest

from inventory.model import PrincipalKind
from scanners.databases.policies import Identity, readers_by_identity, readers_by_resource

TABLE = "arn:aws:dynamodb:ca-central-1:123456789012:table/people"
READING = ("dynamodb:Scan", "dynamodb:GetItem")
ALLOW = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*"}


def may_read(*statements):
    identity = Identity("user/jo", PrincipalKind.USER, tuple(("", each) for each in statements))
    return [each.privilege for each in readers_by_identity([identity], READING, TABLE)]


@pytest.mark.parametrize(
    "statements, expected",
    [
        ([ALLOW], ["dynamodb:Scan"]),
        ([{**ALLOW, "Action": ["s3:*", "dynamodb:get*"]}], ["dynamodb:GetItem"]),
        ([{**ALLOW, "Resource": TABLE[:-1] + "?"}], ["dynamodb:Scan"]),
        ([{**ALLOW, "Resource": TABLE + "/index/*"}], []),
        ([{**ALLOW, "Resource": TABLE + "x"}], []),
        ([ALLOW, {**ALLOW, "Effect": "Deny"}], []),
        ([{**ALLOW, "Action": "*"}, {**ALLOW, "Effect": "Deny"}], ["dynamodb:GetItem"]),
        (
            [ALLOW, {**ALLOW, "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}],
            ["dynamodb:Scan"],
        ),
        ([{**ALLOW, "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}], ["dynamodb:Scan"]),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], ["dynamodb:Scan"]),
        ([{"Effect": "Allow", "NotAction": "dynamodb:*", "Resource": "*"}], []),
        ([{"Effect": "Allow", "Action": "*", "NotResource": TABLE}], []),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::*"}], ["dynamodb:Scan"]),
        ([], []),
    ],
)
def test_allows_and_denies(statements, expected):
    assert may_read(*statements) == expected


def by_resource(*statements):
    policy = json.dumps({"Statement": list(statements)})
    return [(each.principal, each.kind.value) for each in readers_by_resource(policy, READING, TABLE, "123456789012")]


def test_principals_of_a_resources_policy():
    assert by_resource({**ALLOW, "Principal": "*"}) == [("everyone", "public")]
    assert by_resource({**ALLOW, "Principal": {"AWS": "999999999999"}}) == [("account/999999999999", "role")]
    assert by_resource({**ALLOW, "Principal": {"AWS": "arn:aws:iam::999999999999:root"}}) == [
        ("account/999999999999", "role")
    ]
    assert by_resource({**ALLOW, "Principal": {"Service": "glue.amazonaws.com"}}) == [
        ("service/glue.amazonaws.com", "role")
    ]
    jo = {"AWS": "arn:aws:iam::123456789012:user/jo"}
    assert by_resource({**ALLOW, "Principal": jo}) == [("user/jo", "user")]
    assert by_resource({**ALLOW, "Principal": jo}, {**ALLOW, "Effect": "Deny", "Principal": jo}) == []
    assert list(readers_by_resource("{no policy", READING, TABLE, "1")) == []
