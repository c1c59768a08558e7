"""The declared map and the vocabulary as facts of the graph.

Everything here is `declared: true` (nodes) or of provenance `declared` (edges), so that it stays distinguishable from
what scans observe. An edge names in `clauses` the clauses that say so. Edges that a policy gives rise to:

DECLARED_IN   whatever a clause speaks of → the clause
FOR_PURPOSE   Category, Processor, RetentionRule → Purpose; `consent` when it rests on the person's consent
GOVERNED_BY   Category → RetentionRule, Right, or the Clause that forbids or leaves a choice
PROTECTED_BY  Category → Safeguard
DISCLOSED_TO  Category → Processor; `purposes`, and of these `consent_purposes`
LOCATED_IN    Processor → Region
BROADER       a term → the term above; Clause → its section; Processor → the class it is one of
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from inventory.graph.schema import EDGES, EdgeFact, NodeFact, NodeRef, Value
from inventory.model import Provenance
from inventory.policy.document import Clause, DeclaredMap, Organisation, Policy, Processor
from inventory.vocabulary import (
    Term,
    Vocabulary,
    categories,
    purposes,
    regions,
    rights,
    safeguards,
    subjects,
)

_LABELS: tuple[tuple[str, Callable[[], Vocabulary]], ...] = (
    ("Category", categories),
    ("Subject", subjects),
    ("Purpose", purposes),
    ("Right", rights),
    ("Safeguard", safeguards),
    ("Region", regions),
)


class Facts:
    """Gathers nodes and edges; what several clauses say of the same edge becomes one edge that names them all."""

    def __init__(self) -> None:
        self._nodes: dict[NodeRef, dict[str, Value]] = {}
        self._edges: dict[tuple[str, NodeRef, NodeRef], dict[str, Value]] = {}

    def node(self, ref: NodeRef, **properties: Value) -> None:
        """Add a node."""
        self._nodes[ref] = {"declared": True, **properties}

    def edge(self, kind: str, source: NodeRef, target: NodeRef, **properties: Value) -> None:
        """Add an edge, or to its lists; a condition such as `consent` holds only if all who say it agree."""
        known = self._edges.setdefault((kind, source, target), dict(properties))
        for name, value in properties.items():
            before = known[name]
            if isinstance(value, list) and isinstance(before, list):
                known[name] = sorted({*before, *value}, key=_in_order)
            elif isinstance(value, bool):
                known[name] = bool(before) and value

    @property
    def nodes(self) -> tuple[NodeFact, ...]:
        """What was added, in order."""
        return tuple(NodeFact(ref.label, ref.key, properties) for ref, properties in self._nodes.items())

    @property
    def edges(self) -> tuple[EdgeFact, ...]:
        """What was added, in order."""
        return tuple(_edge_fact(*named, properties) for named, properties in self._edges.items())


def _edge_fact(kind: str, source: NodeRef, target: NodeRef, properties: dict[str, Value]) -> EdgeFact:
    provenance: dict[str, Value] = {"provenance": Provenance.DECLARED.value}
    if "provenance" in EDGES[kind].identity:
        return EdgeFact(kind, source, target, provenance, properties)
    return EdgeFact(kind, source, target, properties=provenance | properties)


def _in_order(key: str) -> tuple[tuple[int, str], ...]:
    """So that clause 2.10 comes after 2.9."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in key.split("."))


# --- vocabulary -------------------------------------------------------------------------------------------


def vocabulary_facts() -> Facts:
    """Every category, subject, purpose, right, safeguard and region, each below the one above it."""
    facts = Facts()
    for label, load in _LABELS:
        vocabulary = load()
        for term in vocabulary:
            facts.node(NodeRef(label, term.key), **_term_properties(label, vocabulary, term))
            parent = vocabulary.parent(term.key)
            if parent is not None:
                facts.edge("BROADER", NodeRef(label, term.key), NodeRef(label, parent.key))
    return facts


def _term_properties(label: str, vocabulary: Vocabulary, term: Term) -> dict[str, Value]:
    properties: dict[str, Value] = {
        "name": term.name,
        "name_fr": term.name_fr,
        "description": term.description,
        "dpv": term.dpv,
        "fideslang": vocabulary.fideslang(term.key),
    }
    if label == "Category":
        properties |= {"personal": term.personal, "sensitive": term.sensitive}
    return properties


# --- policy -----------------------------------------------------------------------------------------------


def policy_facts(declared: DeclaredMap) -> Facts:
    """Every clause with what it declares, and every organisation with what it receives."""
    facts = Facts()
    policy = declared.policy
    for section in policy.sections:
        facts.node(NodeRef("Clause", section.key), name=section.name, kind="section", policy=policy.name)
        for clause in section.clauses:
            _add_clause(facts, policy, section.key, clause)
    _add_controller(facts, policy)
    with_consent = {purpose for clause in policy.clauses if clause.consent for purpose in clause.purposes}
    for processor in declared.processors:
        _add_processor(facts, processor, with_consent)
    return facts


def _add_clause(facts: Facts, policy: Policy, section: str, clause: Clause) -> None:
    ref = NodeRef("Clause", clause.key)
    facts.node(
        ref,
        name=clause.name,
        says=clause.says,
        kind=clause.kind,
        section=section,
        policy=policy.name,
        source=clause.source,
        laws=list(clause.laws),
        forbids=list(clause.forbids),
        channels=list(clause.channels),
        consent=clause.consent,
        effective=policy.effective.isoformat() if clause.kind == "effective" else "",
        contact_email=policy.contact.email if clause.kind == "contact" else "",
        contact_see=policy.contact.see if clause.kind == "contact" else "",
        jurisdictions=list(policy.jurisdictions) if clause.kind == "law" else [],
    )
    facts.edge("BROADER", ref, NodeRef("Clause", section))
    _add_retention(facts, clause)
    for spoken_of in _spoken_of(clause):
        facts.edge("DECLARED_IN", spoken_of, ref, clauses=[clause.key])
    for category in clause.applies_to:
        _add_promises(facts, NodeRef("Category", category), clause)


def _spoken_of(clause: Clause) -> Iterator[NodeRef]:
    """What the clause declares. Its recipients say themselves which clauses declare them."""
    yield from (NodeRef("Category", key) for key in clause.categories)
    yield from (NodeRef("Subject", key) for key in clause.subjects)
    yield from (NodeRef("Purpose", key) for key in clause.purposes)
    yield from (NodeRef("Safeguard", key) for key in clause.safeguards)
    yield from (NodeRef("Right", key) for key in clause.rights)
    if clause.retention:
        yield NodeRef("RetentionRule", clause.retention.key)


def _add_retention(facts: Facts, clause: Clause) -> None:
    rule = clause.retention
    if rule is None:
        return
    ref = NodeRef("RetentionRule", rule.key)
    facts.node(
        ref,
        name=rule.name,
        description=clause.says,
        action=rule.action,
        starts=rule.starts,
        until=rule.until,
        period=rule.period,
        clauses=[clause.key],
    )
    for purpose in clause.purposes:
        facts.edge("FOR_PURPOSE", ref, NodeRef("Purpose", purpose), clauses=[clause.key], consent=clause.consent)


def _add_promises(facts: Facts, category: NodeRef, clause: Clause) -> None:
    """What the clause says is done with this category."""
    if clause.retention is None:
        for key in clause.purposes:
            facts.edge("FOR_PURPOSE", category, NodeRef("Purpose", key), clauses=[clause.key], consent=clause.consent)
    else:
        facts.edge("GOVERNED_BY", category, NodeRef("RetentionRule", clause.retention.key), clauses=[clause.key])
    for key in clause.safeguards:
        facts.edge("PROTECTED_BY", category, NodeRef("Safeguard", key), clauses=[clause.key])
    for key in clause.rights:
        facts.edge("GOVERNED_BY", category, NodeRef("Right", key), clauses=[clause.key])
    if clause.kind in ("prohibition", "control"):
        facts.edge("GOVERNED_BY", category, NodeRef("Clause", clause.key), clauses=[clause.key])


def _add_controller(facts: Facts, policy: Policy) -> None:
    controller = policy.controller
    ref = _add_organisation(facts, controller, role="controller", declared_as="named")
    _declare_in(facts, ref, controller.clauses)


def _add_processor(facts: Facts, processor: Processor, with_consent: set[str]) -> None:
    ref = _add_organisation(
        facts,
        processor,
        role=processor.role,
        declared_as=processor.declared,
        contacts=[f"{kind}: {where}" for kind, where in sorted(processor.contacts.items())],
    )
    if processor.declared != "instance":  # an instance is our knowledge: the policy speaks of its class alone
        _declare_in(facts, ref, processor.clauses)
    if processor.member_of:
        facts.edge("BROADER", ref, NodeRef("Processor", processor.member_of))
    for receipt in processor.receives:
        asked = [purpose for purpose in receipt.purposes if _at_or_below(purpose, with_consent)]
        for purpose in receipt.purposes:
            facts.edge(
                "FOR_PURPOSE",
                ref,
                NodeRef("Purpose", purpose),
                clauses=list(receipt.clauses),
                consent=purpose in asked,
            )
        for category in receipt.categories:
            facts.edge(
                "DISCLOSED_TO",
                NodeRef("Category", category),
                ref,
                clauses=list(receipt.clauses),
                purposes=sorted(receipt.purposes),
                consent_purposes=sorted(asked),
                evidence=_evidence(processor),
                confidence=1.0,
            )


def _at_or_below(purpose: str, others: set[str]) -> bool:
    return purpose in others or any(term.key in others for term in purposes().ancestors(purpose))


def _evidence(processor: Processor) -> str:
    cited = " and ".join(processor.clauses)
    if processor.declared == "named":
        return f"clause {cited} names it"
    if processor.declared == "class":
        return f"clause {cited} speaks of such organisations"
    return f"one of those that clause {cited} speaks of without naming any"


def _add_organisation(facts: Facts, organisation: Organisation, **properties: Value) -> NodeRef:
    ref = NodeRef("Processor", organisation.key)
    facts.node(
        ref,
        name=organisation.name,
        description=organisation.description,
        service_classes=list(organisation.service_classes),
        regions=list(organisation.regions),
        head_office=organisation.head_office,
        clauses=list(organisation.clauses),
        **properties,
    )
    for region in organisation.regions:
        facts.edge("LOCATED_IN", ref, NodeRef("Region", region))
    return ref


def _declare_in(facts: Facts, ref: NodeRef, clauses: Iterable[str]) -> None:
    for key in clauses:
        facts.edge("DECLARED_IN", ref, NodeRef("Clause", key), clauses=[key])
