"""Loads the declared map into the graph, by the same door as scans.

The vocabulary and the policy are two scopes: loading one again ends what it no longer says, and leaves the other.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from inventory.graph.writer import GraphWriter, LoadReport
from inventory.policy.document import read_declared
from inventory.policy.facts import policy_facts, vocabulary_facts

VOCABULARY_SCOPE = "vocabulary"
POLICY_SCOPE = "policy"


def declare_vocabulary(writer: GraphWriter, at: datetime) -> LoadReport:
    """Load every category, subject, purpose, right, safeguard and region."""
    facts = vocabulary_facts()
    return writer.declare(VOCABULARY_SCOPE, facts.nodes, facts.edges, at)


def declare_policy(writer: GraphWriter, policy: Path | None, processors: Path | None, at: datetime) -> LoadReport:
    """Load the policy's clauses and the organisations (None: the files that the project ships).

    The vocabulary is loaded before. Raises ConfigError naming file and place, and then nothing is written; GraphError.
    """
    facts = policy_facts(read_declared(policy, processors))
    return writer.declare(POLICY_SCOPE, facts.nodes, facts.edges, at)
