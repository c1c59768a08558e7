"""What an S3 bucket's settings say, by Amazon's SDK (for this alone: bytes go through obstore)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast

from scanners.buckets.posture import Expiry, Posture

_NOBODYS = frozenset(
    {
        "http://acs.amazonaws.com/groups/global/AllUsers",
        "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    }
)
#: Answers that say that there is no such setting.
_NOT_SET = frozenset(
    {
        "NoSuchLifecycleConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchBucketPolicy",
        "ObjectLockConfigurationNotFoundError",
    }
)

_Answer = Mapping[str, Any]
_Ask = Callable[[str, str], _Answer | None]


def look(
    posture: Posture,
    bucket: str,
    region: str,
    endpoint: str,
    timeout_seconds: float,
    anonymous: bool,
    secrets: Mapping[str, str],
) -> None:
    """Ask for each setting; what is not granted, or not there in this server, is `unknown`."""
    ask = _asking(posture, bucket, region, endpoint, timeout_seconds, anonymous, secrets)
    if ask is None:
        posture.unknown.append("its settings (pip install privacy-inventory[s3])")
        return
    _public_access(posture, ask)
    _encryption(posture, ask)
    versioning = ask("get_bucket_versioning", "versioning")
    if versioning is not None:
        enabled = versioning.get("Status") == "Enabled"
        posture.state("versioning", enabled, "versioning is on" if enabled else "versioning is off")
    logging = ask("get_bucket_logging", "logging of access")
    if logging is not None:
        enabled = "LoggingEnabled" in logging
        posture.state("access_logging", enabled, "server access logging is on" if enabled else "it is off")
    _object_lock(posture, ask)
    rules = ask("get_bucket_lifecycle_configuration", "lifecycle rules")
    posture.expiries.extend(_expiries((rules or {}).get("Rules", ())))


def _asking(
    posture: Posture,
    bucket: str,
    region: str,
    endpoint: str,
    timeout_seconds: float,
    anonymous: bool,
    secrets: Mapping[str, str],
) -> _Ask | None:
    try:
        boto3, botocore, exceptions = map(import_module, ("boto3", "botocore.config", "botocore.exceptions"))
    except ImportError:
        return None
    unsigned = {"signature_version": import_module("botocore").UNSIGNED} if anonymous else {}
    config = botocore.Config(
        connect_timeout=min(timeout_seconds, 5),
        read_timeout=timeout_seconds,
        retries={"max_attempts": 1},
        s3={"addressing_style": "path"} if endpoint else {},
        **unsigned,
    )
    client: Any = boto3.client(
        "s3",
        region_name=region,
        endpoint_url=endpoint or None,
        aws_access_key_id=secrets.get("access_key_id"),
        aws_secret_access_key=secrets.get("secret_access_key"),
        aws_session_token=secrets.get("session_token"),
        config=config,
    )

    def ask(call: str, title: str) -> _Answer | None:
        try:
            return cast(_Answer, getattr(client, call)(Bucket=bucket))
        except exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") in _NOT_SET:
                return {}
        except exceptions.BotoCoreError:
            pass
        posture.unknown.append(title)
        return None

    return ask


def _public_access(posture: Posture, ask: _Ask) -> None:
    block = ask("get_public_access_block", "the public access block")
    acl = ask("get_bucket_acl", "the access list")
    policy = ask("get_bucket_policy", "the policy")
    blocked: _Answer = (block or {}).get("PublicAccessBlockConfiguration", {})
    by_acl = acl is not None and _grants_everyone(acl) and not blocked.get("IgnorePublicAcls")
    by_policy = policy is not None and _allows_everyone(policy) and not blocked.get("RestrictPublicBuckets")
    if by_acl or by_policy:
        what = "its access list" if by_acl else "its policy"
        posture.open_to_all(True, "READ" if by_acl else "s3:GetObject", f"{what} lets everyone in")
    elif acl is not None and policy is not None:
        posture.open_to_all(False, "", "neither its access list nor its policy lets everyone in")


def _grants_everyone(acl: _Answer) -> bool:
    return any(grant.get("Grantee", {}).get("URI") in _NOBODYS for grant in acl.get("Grants", ()))


def _allows_everyone(policy: _Answer) -> bool:
    try:
        statements: Any = json.loads(policy.get("Policy", "{}")).get("Statement", [])
    except (ValueError, AttributeError):
        return False
    each = cast("list[dict[str, Any]]", statements if isinstance(statements, list) else [statements])
    return any(
        statement.get("Effect") == "Allow"
        and statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        and not statement.get("Condition")
        for statement in each
    )


def _encryption(posture: Posture, ask: _Ask) -> None:
    answer = ask("get_bucket_encryption", "encryption at rest")
    if answer is None:
        return
    rules: list[_Answer] = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    ways = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "") for rule in rules]
    if ways:
        posture.state("encryption_at_rest", True, f"encrypted by default ({', '.join(sorted(set(ways)))})")
    else:
        posture.state("encryption_at_rest", False, "no encryption by default is set")


def _object_lock(posture: Posture, ask: _Ask) -> None:
    answer = ask("get_object_lock_configuration", "object lock")
    if answer is None:
        return
    settings: _Answer = answer.get("ObjectLockConfiguration", {})
    if settings.get("ObjectLockEnabled") != "Enabled":
        posture.state("object_lock", False, "object lock is off")
        return
    rule: _Answer = settings.get("Rule", {}).get("DefaultRetention", {})
    unit = next((unit for unit in ("Days", "Years") if rule.get(unit)), "")
    how = f"new objects for {rule[unit]} {unit.lower()} ({rule.get('Mode', '')})" if unit else "objects one by one"
    posture.state("object_lock", True, f"object lock is on: it locks {how}")


def _expiries(rules: list[_Answer]) -> list[Expiry]:
    """The rules that delete by age and by nothing else than the key's beginning."""
    found: list[Expiry] = []
    for rule in rules:
        days = rule.get("Expiration", {}).get("Days")
        narrowed: _Answer = rule.get("Filter") or {}
        by_more = set(narrowed) - {"Prefix"}
        if rule.get("Status") == "Enabled" and days and not by_more:
            found.append(Expiry(str(rule.get("Prefix") or narrowed.get("Prefix") or ""), float(days)))
    return found
