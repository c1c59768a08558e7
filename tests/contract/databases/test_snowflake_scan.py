"""The Snowflake scanner on fakesnow, which has the driver's interface over DuckDB: no foreign keys, no grants, no time
of change, and SQL as Snowflake's only as far as it is translated."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from inventory.errors import ConfigError
from scanners.databases.snowflake import SnowflakeScanner, SnowflakeSettings


def of(kind, said):
    return [properties for name, properties in said if name == kind]


def test_the_whole_of_a_database(fake_snowflake):
    said = fake_snowflake
    assert of("Finding", said) == []
    (system,) = of("SystemSeen", said)
    assert (system["urn"], system["engine"]) == ("snowflake://org-acc", "snowflake")
    assert said[-1] == ("Covered", {"scope": "snowflake://org-acc/SHOP.", "aspect": "listing", "token": ""})
    assert {one["name"]: (one["kind"], one["row_estimate"]) for one in of("DatasetSeen", said)} == {
        "SHOP.PUBLIC.USERS": ("table", 1),
        "SHOP.PUBLIC.ORDERS": ("table", 0),
        "SHOP.PUBLIC.MAILS": ("view", None),
        "SHOP.PUBLIC.lower case": ("table", 1),
        "SHOP.SALES.EMPTY": ("table", 0),
    }
    assert next(one["description"] for one in of("DatasetSeen", said) if one["name"].endswith("USERS")) == (
        "people; ask ‹email›"
    )
    fields = {one["urn"].rpartition("/")[2]: one for one in of("FieldSeen", said)}
    assert (fields["SHOP.PUBLIC.USERS#ID"]["primary_key"], fields["SHOP.PUBLIC.USERS#MAIL"]["nullable"]) == (
        True,
        False,
    )
    assert {one["field"].rpartition("/")[2] for one in of("FieldClassified", said)} == {
        "SHOP.PUBLIC.USERS#MAIL",
        "SHOP.PUBLIC.USERS#PAYLOAD",
        "SHOP.PUBLIC.MAILS#MAIL",
        "SHOP.PUBLIC.lower case#mixed Case",
    }
    (job,) = of("JobSeen", said)
    assert "canary" not in job["statement"]
    assert "USERS" in job["statement"]
    content = {one["scope"] for one in of("Covered", said) if one["aspect"] == "content"}
    assert content == {one["urn"] for one in of("DatasetSeen", said)}


def test_one_way_to_sign_in():
    given = {"name": "snow", "account": "org-acc", "database": "SHOP", "user": "u"}
    secret = {"env": "X"}
    with pytest.raises(ValidationError, match="give either password or private_key"):
        SnowflakeSettings.model_validate(given)
    with pytest.raises(ValidationError, match="give either password or private_key"):
        SnowflakeSettings.model_validate({**given, "password": secret, "private_key": secret})
    made = SnowflakeScanner(SnowflakeSettings.model_validate({**given, "password": secret}))
    assert (made.system, made.dataset_name("PUBLIC", "T")) == ("snowflake://org-acc", "SHOP.PUBLIC.T")


def test_a_key_that_is_none_is_a_configuration_error_without_the_key(monkeypatch):
    monkeypatch.setenv("TEST_SNOW_KEY", "-----BEGIN s3cret-----")
    given = {
        "name": "snow",
        "account": "org-acc",
        "database": "SHOP",
        "user": "u",
        "private_key": {"env": "TEST_SNOW_KEY"},
    }
    with pytest.raises(ConfigError, match="snow: private_key holds no PEM key") as raised:
        SnowflakeScanner(SnowflakeSettings.model_validate(given))._connect()
    assert "s3cret" not in repr((raised.value, raised.value.__context__))
