"""Which organisations the road sees receive something of the estate, against the truth and the declared map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "golden" / "estate_processors.txt"


@pytest.fixture
def observed(scanned, graph_of):
    """What was observed: organisation, source, provenance, evidence."""
    from seed.estate import names

    sources = {
        names.DATABASE_NAMESPACE: names.DATABASE_SOURCE,
        names.BUCKET_NAMESPACE: names.BUCKET_SOURCE,
        names.VENDOR_NAMESPACE: names.VENDOR_SOURCE,
        names.ZONE_NAMESPACE: names.ZONE_SOURCE,
        names.REPOSITORY_NAMESPACE: names.REPOSITORY_SOURCE,
    }
    rows = graph_of(scanned[0]).graph.read(
        "MATCH (n)-[r:DISCLOSED_TO]->(p:Processor) WHERE r.valid_to IS NULL AND r.provenance <> 'declared' "
        "RETURN n.urn AS urn, p.key AS key, r.provenance AS provenance, r.evidence AS evidence"
    )
    return [
        (row["key"], next(name for urn, name in sources.items() if row["urn"].startswith(urn)), row) for row in rows
    ]


def test_observed_processors_agree_with_the_golden_file(scanned, graph_of, observed, figure):
    """Precision and recall, over pairs of an organisation and a source, are printed at the end of the run."""
    from seed.estate.score import score_recipients
    from seed.estate.truth import truth

    tally, mistakes = score_recipients({(key, source) for key, source, _ in observed}, truth())
    figure(f"estate, processors by source: {tally}")
    assert tally.precision >= 0.97, mistakes
    assert tally.recall >= 0.97, mistakes
    declared = {
        row["key"]
        for row in graph_of(scanned[0]).graph.read(
            "MATCH (p:Processor) WHERE p.declared_as <> '' AND p.role <> 'controller' RETURN p.key AS key"
        )
    }
    seen = replace(truth(), recipients=frozenset((key, source) for key, source, _ in observed))
    assert list(seen.golden_processors(declared)) == GOLDEN.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "key, source, provenance, evidence",
    [
        ("google", "domain", "dns", "MX names mail servers of Google (google.com)"),
        ("postmark", "domain", "dns", "a key that signs its mail is kept by Postmark (mtasv.net)"),
        ("postmark", "control-plane", "config", "settings name Postmark (postmarkapp.com) in 1 of 6 sampled rows"),
        ("zapier", "control-plane", "config", "webhook_url names hosts of Zapier (zapier.com) in 1 of 5 sampled rows"),
        ("sentry", "code", "sdk", "depends on sentry-sdk (pypi)"),
        ("datadog", "code", "config", "runs the image datadog/agent"),
        ("cloudflare", "code", "config", "needs the Terraform provider cloudflare/cloudflare"),
        ("cloudflare", "object-store", "config", "the configuration says that cloudflare runs the source object-store"),
        ("unknown:relais-fictif-setbytes.ca", "code", "config", "PARTNER_WEBHOOK_URL names a host of relais-fictif"),
    ],
)
def test_the_evidence_is_in_words(observed, key, source, provenance, evidence):
    said = [row for other, where, row in observed if (other, where) == (key, source)]
    assert any(row["provenance"] == provenance and evidence in row["evidence"] for row in said), said


def test_an_organisation_is_described_once_and_the_declared_map_stands_before_it(scanned, graph_of):
    rows = graph_of(scanned[0]).graph.read(
        "MATCH (p:Processor) WHERE p.valid_to IS NULL RETURN p.key AS key, p.name AS name, p.declared_as AS declared, "
        "p.service_classes AS services, p.role AS role"
    )
    found = {row["key"]: row for row in rows}
    assert len(found) == len(rows)
    assert found["stripe"]["declared"] == "instance"
    assert (found["sentry"]["name"], found["sentry"]["services"]) == ("Sentry", ["observability"])
    assert found["unknown:relais-fictif-setbytes.ca"]["role"] == "recipient"
