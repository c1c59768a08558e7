"""Enums of the contract: the model's own, with a description on every value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TypeVar, cast

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from inventory.disclosures.register import LegalBasis
from inventory.identifiers import IdentifierKind
from inventory.model import DatasetKind, PrincipalKind, Provenance, ReviewState, Severity, SystemKind, Transformation

EnumType = TypeVar("EnumType", bound=type[Enum])


class NodeKind(StrEnum):
    """The kinds of nodes that can be searched for."""

    CATEGORY = "Category"
    SYSTEM = "System"
    DATASET = "Dataset"
    FIELD = "Field"
    PROCESSOR = "Processor"


class ScanState(StrEnum):
    """How a scan ended."""

    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class ProcessorStanding(StrEnum):
    """How the declared map and what was observed agree on an organisation."""

    CONFIRMED = "confirmed"
    UNSEEN = "unseen"
    IMPLIED = "implied"
    UNDECLARED = "undeclared"


class Leaving(StrEnum):
    """How sure it is that what an organisation receives leaves a country."""

    CERTAIN = "certain"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"


class StepKind(StrEnum):
    """The edge types of a way that data takes."""

    FLOWS_TO = "FLOWS_TO"
    DISCLOSED_TO = "DISCLOSED_TO"


def _describe(enum: EnumType, description: str, values: Mapping[str, str]) -> EnumType:
    """Make an enum part of the contract; every value gets a description."""
    described = strawberry.enum(enum, description=description)
    definition = cast(StrawberryEnumDefinition, getattr(described, "__strawberry_definition__"))  # noqa: B009
    for value in definition.values:
        value.description = values[value.name]
    return described


_describe(
    SystemKind,
    "What a system is.",
    {
        "DATABASE": "A database server or file.",
        "BUCKET": "A bucket of objects.",
        "STREAM": "A message broker or log.",
        "INTEGRATION": "An account with a vendor, reached by its API.",
        "DNS_ZONE": "The records of a domain name.",
        "REPOSITORY": "A folder of source code and its settings.",
    },
)
_describe(
    DatasetKind,
    "What a dataset is, in the words of the system that holds it.",
    {
        "TABLE": "A table.",
        "VIEW": "A view: a stored query.",
        "MATERIALIZED_VIEW": "A view whose result is stored.",
        "COLLECTION": "A collection of documents.",
        "TOPIC": "A topic or queue.",
        "OBJECT_GROUP": "Objects of a bucket with the same form of name and content.",
        "API_RESOURCE": "A kind of record of a vendor's API.",
        "RECORD_SET": "The records of one domain name.",
        "FILE": "A file of source code or settings.",
    },
)
_describe(
    PrincipalKind,
    "What a system lets in.",
    {
        "USER": "An account that signs in.",
        "ROLE": "A role or group that accounts have.",
        "PUBLIC": "Everyone who reaches the system.",
    },
)
_describe(
    Provenance,
    "Where a statement about the data comes from.",
    {
        "CONSTRAINT": "A constraint of the database, such as a foreign key.",
        "COMMENT": "A comment in the source.",
        "CONFIG": "The configuration of a system or of this inventory.",
        "NAME": "The name of a field or dataset.",
        "VALUE": "Sampled values.",
        "OVERLAP": "The same values at both ends.",
        "SQL": "SQL that was read.",
        "DBT": "A dbt project.",
        "OPENLINEAGE": "An OpenLineage event.",
        "LINEAGE": "It follows from where the data comes from.",
        "API": "What an API answered.",
        "DNS": "What a domain name points to.",
        "SDK": "A program depends on the organisation's library.",
        "REGISTER": "People wrote down that it was disclosed.",
        "DECLARED": "Said in the declared map, such as the privacy policy; not observed.",
        "REVIEW": "A person's decision.",
    },
)
_describe(
    ProcessorStanding,
    "How the declared map and what was observed agree on an organisation.",
    {
        "CONFIRMED": "Declared, and observed: itself, or one of the organisations that it is the class of.",
        "UNSEEN": "Declared, and never observed.",
        "IMPLIED": "Observed; the policy does not name it and speaks of such organisations.",
        "UNDECLARED": "Observed, and nothing in the policy speaks of it.",
    },
)
_describe(
    Leaving,
    "How sure it is that what an organisation receives leaves a country.",
    {
        "CERTAIN": "All regions where it is known to hold data are outside.",
        "POSSIBLE": "Some of its regions are outside, or its head office is and nobody has said where it holds data.",
        "UNKNOWN": "Nobody has said where it is.",
    },
)
_describe(
    LegalBasis,
    "Why data could be disclosed (PIPEDA 7(3), and consent).",
    {
        "CONSENT": "The person agreed.",
        "WARRANT": "A subpoena, a warrant or a court's order: 7(3)(c).",
        "LAWFUL_AUTHORITY": "A government institution named its lawful authority: 7(3)(c.1).",
        "FINANCIAL_INTELLIGENCE": "Reports on proceeds of crime: 7(3)(c.2).",
        "OWN_INITIATIVE": "The organisation itself, on a breach of a law or national security: 7(3)(d).",
        "FRAUD_PREVENTION": "To another organisation, to detect or prevent fraud or a breach: 7(3)(d.1), (d.2).",
        "EMERGENCY": "A threat to someone's life, health or security: 7(3)(e).",
        "REQUIRED_BY_LAW": "A law requires it: 7(3)(i).",
        "CONTRACT": "A transfer for processing, under an agreement.",
    },
)
_describe(
    IdentifierKind,
    "What kind of identifier of a person it is.",
    {
        "EMAIL": "An e-mail address.",
        "PHONE": "A telephone number; without a country it is taken as Canadian or American.",
        "USERNAME": "The name a person signs in with.",
        "CUSTOMER_ID": "A customer's number.",
        "ACCOUNT_ID": "An account's number.",
        "IP_ADDRESS": "An IP address.",
        "OTHER": "Any other, compared as it is.",
    },
)
_describe(
    ReviewState,
    "What people have said of a classification.",
    {
        "SUGGESTED": "Nobody has looked at it yet.",
        "CONFIRMED": "A person confirmed it.",
        "REJECTED": "A person rejected it.",
    },
)
_describe(
    Transformation,
    "What a flow does to the data.",
    {
        "COPIED": "Passes it on as it is.",
        "TRANSFORMED": "Changes it.",
        "HASHED": "Passes on a hash.",
        "MASKED": "Passes on a masked form.",
        "AGGREGATED": "Passes on counts, sums or the like.",
        "UNKNOWN": "Not known.",
    },
)
_describe(
    Severity,
    "How much of the answer a finding takes away.",
    {
        "INFO": "Worth knowing.",
        "WARNING": "A part of the answer may be missing or wrong.",
        "ERROR": "A part of the answer is missing.",
    },
)
_describe(
    NodeKind,
    "What can be searched for.",
    {
        "CATEGORY": "A data category.",
        "SYSTEM": "A database server, bucket, stream or vendor account.",
        "DATASET": "A table, view, group of objects or the like.",
        "FIELD": "A column or a place inside one.",
        "PROCESSOR": "An organisation that receives data.",
    },
)
_describe(
    StepKind,
    "What a step does with the data.",
    {
        "FLOWS_TO": "Brings it to another of our places.",
        "DISCLOSED_TO": "Gives it to an outside organisation.",
    },
)
_describe(
    ScanState,
    "How a scan ended.",
    {
        "RUNNING": "It has not ended, or was killed and no other scan of the source has begun since.",
        "COMPLETED": "It looked at everything.",
        "PARTIAL": "It could not look at everything; its findings say what was left out.",
        "FAILED": "It could not look at the source.",
        "INTERRUPTED": "It was killed before it ended.",
    },
)
