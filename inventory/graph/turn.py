"""One scan of a source at a time, in whichever process and on whichever machine: its Scan node says who runs it.

Two at once would each take what the other has not yet said for gone. A turn is kept by telling the graph every BEAT
seconds that it still runs. It is free again when the scan ends; when the process that ran it is seen to be gone, on the
same machine at once; and on any machine when nothing was heard of it for LEASE seconds. Two that begin in the very same
moment may both get it: then the graph is right again after the next scan.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from inventory.errors import GraphError, SourceError
from inventory.graph.catalogue import moment
from inventory.graph.connection import Graph, Row, Transaction

BEAT = 20.0  # seconds between two signs of life
LEASE = 120.0  # seconds without one after which a turn is free

_HOST = socket.gethostname()
_running_here: set[str] = set()  # the scans of this process, by URN


def take_turn(graph: Graph, scan: str, source: str, at: str) -> None:
    """Begin the Scan; what claims to run and does not was interrupted. SourceError when another one runs."""

    def work(transaction: Transaction) -> Row | None:
        others = transaction.run(
            "MATCH (s:Scan {source: $source}) WHERE s.state = 'running' AND s.urn <> $scan "
            "RETURN s.urn AS urn, s.host AS host, s.process AS process, s.alive_at AS alive_at, s.started_at AS began",
            source=source,
            scan=scan,
        )
        running = next((row for row in others if _runs(row)), None)
        if running is not None:
            return running
        transaction.run(
            "MATCH (s:Scan {source: $source}) WHERE s.state = 'running' AND s.urn <> $scan "
            "SET s.state = 'interrupted', s.finished_at = $at",
            source=source,
            scan=scan,
            at=at,
        )
        transaction.run(
            "MERGE (s:Scan {urn: $scan}) SET s.source = $source, s.state = 'running', s.started_at = $at, "
            "s.valid_from = $at, s.changed_at = $at, s.scan = $scan, "
            "s.host = $host, s.process = $process, s.alive_at = $now",
            scan=scan,
            source=source,
            at=at,
            host=_HOST,
            process=os.getpid(),
            now=moment(),
        )
        return None

    running = graph.transaction(work)
    if running is not None:
        where = f"process {running['process']} on {running['host']}, since {running['began'][:16]}"
        raise SourceError(source, f"is being scanned by {where}", "wait until it is done", "being-scanned")


@contextmanager
def kept_turn(graph: Graph, scan: str) -> Generator[None]:
    """Tell the graph again and again that the scan still runs, until the context ends."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT):
            with suppress(GraphError):  # the scan itself will meet it
                graph.write("MATCH (s:Scan {urn: $scan}) SET s.alive_at = $now", scan=scan, now=moment())

    _running_here.add(scan)
    thread = threading.Thread(target=beat, name="scan turn", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        _running_here.discard(scan)


def _runs(claim: Row) -> bool:
    if not claim["alive_at"] or claim["process"] is None:
        return False  # begun by a version that did not say
    silent = (datetime.now(UTC) - datetime.fromisoformat(claim["alive_at"])).total_seconds()
    if silent > LEASE:
        return False
    if claim["host"] != _HOST:
        return True
    return claim["urn"] in _running_here if claim["process"] == os.getpid() else _exists(claim["process"])


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True
