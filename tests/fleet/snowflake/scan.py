"""Fills a fake Snowflake (fakesnow: the real driver's interface over DuckDB) and scans it, in an environment apart.

Prints one JSON line an observation: its type's name and its properties. Run as `python scan.py` with the repository
as PYTHONPATH.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re

import fakesnow
import snowflake.connector

from inventory.model import Evidence, Profile
from scanners.base import ScanContext
from scanners.databases.snowflake import SnowflakeScanner, SnowflakeSettings
from scanners.detection.interface import FieldVerdict, Verdict

MAIL = re.compile(r"[\w.]+@[\w.]+\.\w+")
STATEMENTS = (
    "CREATE TABLE users (id NUMBER PRIMARY KEY, mail VARCHAR NOT NULL, payload VARIANT, age FLOAT, ok BOOLEAN)",
    "COMMENT ON TABLE users IS 'people; ask jean@tremblay.ca'",
    """INSERT INTO users SELECT 1, 'a@b.ca', PARSE_JSON('{"mail": "c@d.ca"}'), 1.5, true""",
    "CREATE TABLE orders (a NUMBER, who NUMBER REFERENCES users (id), PRIMARY KEY (a))",
    "CREATE VIEW mails AS SELECT mail FROM users WHERE mail <> 'canary@vue.ca'",
    'CREATE TABLE "lower case" ("mixed Case" VARCHAR)',
    """INSERT INTO "lower case" VALUES ('e@f.ca')""",
    "CREATE SCHEMA sales",
    "CREATE TABLE sales.empty (x NUMBER)",
)


class Mails:
    """Finds e-mail addresses."""

    version = "mails/1"

    def redact(self, text):
        return MAIL.sub("‹email›", text)

    def table(self, context):
        hits = {column.name: 0 for column in context.columns}

        class Table:
            def feed(self, batch):
                for name in batch.schema.names:
                    hits[name] += sum(1 for value in batch.column(name).to_pylist() if MAIL.search(str(value)))
                return True

            def verdicts(self):
                found = (Verdict("user.contact.email", 0.9, (Evidence("value:email", "", 4.0),)),)
                return [FieldVerdict(n, "", "", Profile(1, 0.0, 1.0), found if hit else ()) for n, hit in hits.items()]

        return Table()


def main() -> None:
    os.environ["FAKE_SECRET"] = "s3cret"
    settings = SnowflakeSettings.model_validate(
        {
            "name": "snow",
            "account": "org-acc",
            "database": "SHOP",
            "user": "reader",
            "password": {"env": "FAKE_SECRET"},
        }
    )
    with fakesnow.patch():
        with snowflake.connector.connect(database="SHOP", schema="PUBLIC") as connection:
            for statement in STATEMENTS:
                connection.cursor().execute(statement)
        for said in SnowflakeScanner(settings).scan(ScanContext(Mails())):
            print(json.dumps([type(said).__name__, dataclasses.asdict(said)], default=str))


main()
