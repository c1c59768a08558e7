"""The steps of the road from a configuration to an answer, each used by one or more commands.

The commands import this module when they run and not before, so that `--help` and a mistyped option answer at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from inventory.api.app import create_app, create_sign_in_link, serve
from inventory.api.audit import Audit
from inventory.api.context import OpenRegister
from inventory.api.contract import ask
from inventory.api.settings import ApiSettings, OidcSettings
from inventory.api.tokens import TokenStore
from inventory.cli.console import out, say
from inventory.cli.options import DEFAULT_CONFIG
from inventory.disclosures.register import DisclosureRegister
from inventory.errors import ConfigError, GraphError
from inventory.graph.catalogue import Catalogue
from inventory.graph.connection import Graph, GraphSettings
from inventory.graph.engine import EmbeddedEngine, engine_graph
from inventory.graph.schema import migrate
from inventory.graph.writer import GraphWriter, LoadReport, ScanRun, new_run_id
from inventory.installation import InstallationKey, installation_key
from inventory.lineage.categories import derive_categories
from inventory.lineage.dbt.loading import load_projects
from inventory.lineage.derive import Derived, Known, derive_flows
from inventory.lineage.overlap_flows import derive_overlap
from inventory.lineage.sketches import SketchStore
from inventory.model import Finding, Observation, ReviewState, Severity
from inventory.policy.declared import declare_policy, declare_vocabulary
from inventory.scan.config import Config, ServeSection, load_config
from inventory.scan.plan import SourcePlan, plan_scans
from inventory.scan.recording import Recording, record_to, replay
from inventory.scan.run import SourceOutcome, run_scans
from inventory.scan.workers import Workers, cluster_workers, process_workers
from scanners.base import Progress, ProgressSink, ScanContext, Scanner
from scanners.detection import ColumnDetector, Review
from scanners.detection.lint import extended
from scanners.detection.values import kind_of_declared
from scanners.sketching import VERSION as SKETCHES_VERSION
from scanners.sketching import Sketching, SketchingDetection

SCANS_AT_ONCE = 4

# --- opening ----------------------------------------------------------------------------------------------


def opened_config(path: Path) -> Config:
    """The configuration; without a file at the default place, the defaults."""
    if path == DEFAULT_CONFIG and not path.exists():
        return Config()
    return load_config(path)


def engine(config: Config) -> EmbeddedEngine:
    """The embedded engine that the configuration means."""
    return EmbeddedEngine(config.data_dir / "graph")


@contextmanager
def opened_graph(config: Config) -> Generator[Graph]:
    """The graph that the configuration names, with its constraints in place: a Neo4j, or the embedded engine."""
    with _connection(config) as graph:
        migrate(graph)
        yield graph


def _connection(config: Config) -> AbstractContextManager[Graph]:
    if not config.graph.uri:
        return engine_graph(config.data_dir / "graph")
    assert config.graph.password is not None  # the configuration was refused otherwise
    return Graph(
        GraphSettings(
            uri=config.graph.uri,
            user=config.graph.user,
            password=config.graph.password.reveal(),
            database=config.graph.database,
        )
    )


def opened_register(config: Config) -> DisclosureRegister:
    """The disclosure register of the configuration's `data_dir`."""
    return DisclosureRegister(config.data_dir, key_of(config))


def key_of(config: Config) -> InstallationKey:
    """The installation's key, made the first time."""
    given = config.installation_key.reveal().get_secret_value() if config.installation_key else ""
    return installation_key(config.data_dir, given)


def opened_tokens(config: Config) -> TokenStore:
    """The API tokens of the configuration's `data_dir`."""
    return TokenStore(config.data_dir)


def opened_sketches(config: Config) -> SketchStore:
    """The sketches of the configuration's `data_dir`."""
    return SketchStore(config.data_dir)


def chosen_scanners(config: Config, names: Sequence[str]) -> Sequence[Scanner]:
    """The configured scanners, or those of these names."""
    if not config.sources:
        raise ConfigError("sources", "none is configured", "add one to inventory.yaml, or try: inventory demo")
    known = {scanner.settings.name: scanner for scanner in config.sources}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigError(f"--source {unknown[0]}", "is not configured", f"configured are {', '.join(known)}")
    return [known[name] for name in names] or list(config.sources)


# --- loading ----------------------------------------------------------------------------------------------


def declare(graph: Graph, config: Config) -> dict[str, LoadReport]:
    """Load the vocabulary and the declared map; what each load did."""
    writer, now = GraphWriter(graph), datetime.now(UTC)
    return {
        "vocabulary": declare_vocabulary(writer, now),
        "policy": declare_policy(writer, config.declared.policy, config.declared.processors, now),
    }


def load_recording(graph: Graph, recording: Recording, config: Config) -> LoadReport:
    """Load what a recorded scan says."""
    run = ScanRun(new_run_id(), recording.source, recording.started_at)
    with closing(opened_sketches(config)) as sketches:
        return GraphWriter(graph).load(run, sketches.taken_from(replay(recording)))


def reviews(graph: Graph) -> Iterator[dict[str, Any]]:
    """What people decided of classifications (catalogue entry `reviews`)."""
    return Catalogue(graph).pages("reviews")


def detection_context(config: Config, decided: Iterable[dict[str, Any]], report: ProgressSink) -> ScanContext:
    """What scans are given: the detector with the user's own detectors and what people decided before, which sketches
    what it finds under the installation's key.
    """
    rules = config.detection.rules
    reviewed = tuple(
        Review(
            column=row["node"].get("name", ""),
            kind=kind_of_declared(row["node"].get("type", "")),
            category=row["category"],
            confirmed=row["edge"]["state"] == ReviewState.CONFIRMED,
        )
        for row in decided
    )
    detection = ColumnDetector(extended(rules), reviews=reviewed)  # says it in a line when a file of rules is not there
    # Reviews are left out: a decision a day must not make everything be read anew. Fields like the reviewed one
    # follow when their data is next read, or with --full.
    # When the sketches were lost, or are of another key, what is unchanged is read anew as well.
    sketching = Sketching(key_of(config).derived("sketches"))
    with closing(opened_sketches(config)) as sketches:
        said = [SKETCHES_VERSION, sketching.name, sketches.identity, *(path.read_bytes() for path in rules)]
    basis = hashlib.sha256(repr(said).encode()).hexdigest()
    return ScanContext(detection=SketchingDetection(detection, sketching), report=report, basis=basis)


def known_states(graph: Graph, scanners: Sequence[Scanner], context: ScanContext) -> ScanContext:
    """The context with the state in which each dataset was last read, so that the unchanged are not read again."""
    writer = GraphWriter(graph)
    systems = {scanner.system for scanner in scanners}
    return replace(context, tokens={urn: token for system in systems for urn, token in writer.tokens(system).items()})


@contextmanager
def opened_workers(processes: int, cluster: str) -> Generator[Workers | None]:
    """Worker processes of this machine or of a cluster; None when the scan's own threads are to read."""
    if cluster:
        with cluster_workers(cluster) as workers:
            yield workers
    elif processes:
        with process_workers(processes) as workers:
            yield workers
    else:
        yield None


def plan(scanners: Sequence[Scanner], context: ScanContext) -> list[SourcePlan]:
    """What a scan would read of each source."""
    with ThreadPoolExecutor(max_workers=SCANS_AT_ONCE) as executor:
        return plan_scans(scanners, context, executor)


def scan_into(
    graph: Graph,
    scanners: Sequence[Scanner],
    context: ScanContext,
    *,
    full: bool = False,
    workers: Workers | None = None,
    sketches: SketchStore | None = None,
) -> list[SourceOutcome[LoadReport]]:
    """Scan side by side into the graph what changed, or with `full` everything; every source's outcome.

    The sketches of what was read go to their store.
    """
    writer, run, started = GraphWriter(graph), new_run_id(), datetime.now(UTC)
    context = replace(context, datasets=writer.datasets)
    if not full:
        context = known_states(graph, scanners, context)

    def load(source: str, observations: Iterable[Observation]) -> LoadReport:
        if sketches is not None:
            observations = sketches.taken_from(observations)
        return writer.load(ScanRun(run, source, started), observations)

    context = replace(context, report=kept_progress(context.report, writer, run, started))

    with ThreadPoolExecutor(max_workers=SCANS_AT_ONCE, thread_name_prefix="scan") as executor:
        outcomes = run_scans(scanners, context, load, executor, workers)
        return sorted(outcomes, key=lambda outcome: outcome.source)


PROGRESS_EVERY = 1.0  # seconds


def kept_progress(report: ProgressSink, writer: GraphWriter, run: str, started: datetime) -> ProgressSink:
    """Tells `report`, and about once a second the graph, where others watch (GraphQL `scanProgress`)."""
    last: dict[str, float] = {}
    silent = threading.Event()  # once the graph does not answer: the load itself says so, and must not wait for this

    def told(progress: Progress) -> None:
        report(progress)
        now = time.monotonic()
        if silent.is_set() or now - last.get(progress.source, -PROGRESS_EVERY) < PROGRESS_EVERY:
            return
        last[progress.source] = now
        try:
            writer.progress(ScanRun(run, progress.source, started), progress.done, progress.total, progress.dataset)
        except GraphError:
            silent.set()

    return told


def record_into(
    folder: Path, scanners: Sequence[Scanner], context: ScanContext, *, workers: Workers | None = None
) -> list[SourceOutcome[int]]:
    """Scan side by side, each source into a recording in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC)

    def write(source: str, observations: Iterable[Observation]) -> int:
        path = folder / f"{source}.jsonl"
        count = record_to(path, source, started, observations)
        say(f"{path}: {count} observations")
        return count

    with ThreadPoolExecutor(max_workers=SCANS_AT_ONCE, thread_name_prefix="scan") as executor:
        outcomes = run_scans(scanners, context, write, executor, workers)
        return sorted(outcomes, key=lambda outcome: outcome.source)


def derive(graph: Graph, config: Config) -> Derived:
    """Derive the flows from what the graph holds and the configuration knows."""
    known = Known(config.flows, config.references, config.lineage.sql, config.data_dir)
    projects = load_projects(graph, config.lineage.dbt)
    flows = derive_flows(graph, known)
    with closing(opened_sketches(config)) as sketches:
        copies = derive_overlap(graph, sketches)
    steps = (projects, flows, copies, derive_categories(graph))
    return Derived(
        tuple(load for step in steps for load in step.loads), tuple(said for step in steps for said in step.findings)
    )


# --- telling ----------------------------------------------------------------------------------------------


def tell_outcome(outcome: SourceOutcome[LoadReport]) -> None:
    """A line on what was loaded of a source, and one for each thing that could not be looked at."""
    if outcome.report is not None:
        say(f"{outcome.source}: {outcome.report.summary}", style="green" if outcome.complete else "yellow")
    tell_trouble(outcome)


def tell_trouble(outcome: SourceOutcome[LoadReport] | SourceOutcome[int]) -> None:
    """One line for each thing that could not be looked at."""
    if outcome.error is not None:
        say(f"error: {outcome.error}", style="red")
    tell_findings(outcome.findings)


def tell_findings(findings: Iterable[Finding]) -> None:
    """One line for each finding that takes something away."""
    for finding in findings:
        if finding.severity is not Severity.INFO:
            say(f"{finding.severity}: {finding.message}", style="yellow")


def outcome_document(outcome: SourceOutcome[LoadReport]) -> dict[str, object]:
    """An outcome as JSON holds it."""
    return {
        "source": outcome.source,
        "complete": outcome.complete,
        "error": str(outcome.error) if outcome.error else None,
        "findings": [
            {"about": f.about, "code": f.code, "severity": str(f.severity), "message": f.message}
            for f in outcome.findings
        ],
        "loaded": outcome.report.counts if outcome.report else None,
    }


def plan_document(plan: SourcePlan) -> dict[str, object]:
    """A plan as JSON holds it."""
    return {
        "source": plan.source,
        "reason": plan.reason or None,
        "datasets": len(plan.datasets),
        "unchanged": plan.unchanged,
        "rows": plan.rows,
        "bytes": plan.bytes,
        "queries": plan.queries,
        "to_read": [
            {"dataset": d.dataset, "rows": d.rows, "bytes": d.bytes, "queries": d.queries}
            for d in plan.datasets
            if not d.unchanged
        ],
    }


def tell_plans(plans: Sequence[SourcePlan]) -> None:
    """What a scan would read of each source, as a table."""
    table = Table("Source", box=None, pad_edge=False)
    for heading in ("Datasets", "Unchanged", "Rows", "Bytes", "Queries"):
        table.add_column(heading, justify="right")
    for one in plans:
        if not one.reason:
            figures = (len(one.datasets), one.unchanged, one.rows, one.bytes, one.queries)
            table.add_row(one.source, *(f"{figure:,}" for figure in figures))
    out.print(table)
    for one in plans:
        if one.reason:
            say(one.reason, style="yellow")


# --- answering --------------------------------------------------------------------------------------------


def answer(
    graph: Graph, question: str, variables: dict[str, str], register: OpenRegister | None = None
) -> dict[str, Any]:
    """The data that answers a named question."""

    async def run() -> dict[str, Any]:
        try:
            return await ask(Catalogue(graph), question, variables, register)
        finally:
            await graph.aclose()

    return asyncio.run(run())


def served(section: ServeSection) -> ApiSettings:
    """The service's settings, with the secrets in hand."""
    oidc = None
    if section.oidc is not None:
        secret = section.oidc.client_secret
        known = section.oidc.model_dump(exclude={"client_secret"})
        oidc = OidcSettings(**known, client_secret=secret.reveal() if secret else None)
    return ApiSettings(
        host=section.host,
        port=section.port,
        hosts=section.allowed_hosts,
        https=section.https,
        tokens=() if section.token is None else (section.token.reveal(),),
        token_roles=section.token_roles,
        oidc=oidc,
        cors=section.cors,
        session_minutes=section.session_minutes,
        ad_hoc=section.ad_hoc,
        limits=section.limits,
    )


def serve_graph(graph: Graph, config: Config, section: ServeSection) -> None:
    """Serve until interrupted, and print where and with which link to sign in."""
    with closing(Audit(config.data_dir, key_of(config))) as audit:
        _serve(graph, config, section, audit)


def _serve(graph: Graph, config: Config, section: ServeSection, audit: Audit) -> None:
    app = create_app(
        Catalogue(graph),
        served(section),
        lambda: opened_register(config),
        tokens=opened_tokens(config),
        pseudonym_key=key_of(config).derived("callers") if section.oidc else b"",
        audit=audit,
    )

    def ready(address: str) -> None:
        # Whoever is on this machine reaches a service that listens on all its addresses by loopback.
        reached = address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
        out.print(f"GraphQL at {reached}/graphql", soft_wrap=True)
        out.print(f"Sign in, once, at {create_sign_in_link(app, reached)}", soft_wrap=True)
        say("Press Ctrl-C to stop", style="dim")

    serve(app, ready=ready)
