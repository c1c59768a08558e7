"""Every kind of node: how a graph node becomes one, and how it is found by its key."""

from __future__ import annotations

from collections.abc import Mapping

from inventory.api.context import Info, Moment, Row
from inventory.api.types.categories import Category
from inventory.api.types.datasets import Dataset
from inventory.api.types.fields import Field
from inventory.api.types.flows import Job
from inventory.api.types.node import Node, node_row
from inventory.api.types.policy import Clause, Purpose, Region, RetentionRule, Right, Safeguard, Subject
from inventory.api.types.processors import Processor
from inventory.api.types.scans import Finding, Scan
from inventory.api.types.systems import System
from inventory.errors import QuestionError

NODE_TYPES: tuple[type[Node], ...] = (
    Category,
    Clause,
    Dataset,
    Field,
    Finding,
    Job,
    Processor,
    Purpose,
    Region,
    RetentionRule,
    Right,
    Safeguard,
    Scan,
    Subject,
    System,
)

_TYPE_BY_LABEL: Mapping[str, type[Node]] = {type_.__name__: type_ for type_ in NODE_TYPES}


def node_of(label: str, node: Row, at: Moment) -> Node:
    """The node of this label."""
    return _TYPE_BY_LABEL[label].of(node, at)


async def find_node(info: Info, label: str, key: str, at: Moment) -> Node | None:
    """The node of this label and key, if there is one at that moment."""
    if label not in _TYPE_BY_LABEL:
        raise QuestionError("argument `id`", "is no id of this inventory", "take `id` from an answer")
    row = await node_row(info, label, key, at)
    return node_of(label, row, at) if row else None
