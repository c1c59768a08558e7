"""Worker processes that read sources: on this machine, or in a dask cluster by `--cluster tcp://…`.

Only reading and detection go to a worker. It keeps no state but the compiled detector; a task is a few datasets with
the scanner's settings, in which secrets are named and not told (the worker's own environment holds them), and its
answer is plain frozen observations. The starter alone writes, and takes in a task's answer when it is whole, so that
one that a dying worker began is begun again without a trace.
"""

from __future__ import annotations

import multiprocessing
import pickle
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from inventory.errors import ConfigError, InventoryError, SourceError
from inventory.model import Aspect, Covered, Finding, Observation, Severity
from inventory.scan.defects import defect
from scanners.base import Chunk, ChunkRead, DivisibleScanner, Progress, ScanContext, Scanner
from scanners.budget import Budget, Meter, Spent
from scanners.detection.interface import Detection

ATTEMPTS = 3  # at a chunk whose worker dies
STARTED = 30.0  # seconds to wait for a cluster's scheduler

Task = Callable[[], "Answer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker says; `error` is what kept it from saying more."""

    read: ChunkRead
    error: InventoryError | None = None


@dataclass(frozen=True, slots=True)
class ChunkTask:
    """Reads one chunk of a source."""

    scanner: DivisibleScanner
    detection: bytes = field(repr=False)  # holds the key of sketches
    basis: str
    chunk: Chunk
    budget: Budget

    def __call__(self) -> Answer:
        """Run in the worker. Raises nothing: what an error holds would be shown by whoever runs the worker."""
        context = ScanContext(_detection(self.detection), basis=self.basis)
        try:
            return Answer(self.scanner.read(context, self.chunk, self.budget))
        except InventoryError as error:
            return Answer(ChunkRead((), Spent()), error)
        except Exception as error:  # noqa: BLE001 - told as a finding
            return Answer(ChunkRead((), Spent()), defect(self.scanner, error))


@dataclass(frozen=True, slots=True)
class SourceTask:
    """Reads a whole source, of a kind that cannot be divided."""

    scanner: Scanner
    detection: bytes = field(repr=False)  # holds the key of sketches
    basis: str
    tokens: Mapping[str, str]

    def __call__(self) -> Answer:
        """Run in the worker. Raises nothing."""
        context = ScanContext(_detection(self.detection), tokens=self.tokens, basis=self.basis)
        said: list[Observation] = []
        failure: InventoryError | None = None
        try:
            said.extend(self.scanner.scan(context))
        except InventoryError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - told as a finding
            failure = defect(self.scanner, error)
        return Answer(ChunkRead(tuple(said), Spent()), failure)


@lru_cache(maxsize=4)
def _detection(pickled: bytes) -> Detection:
    """The starter's detector, made once in each process."""
    return pickle.loads(pickled)  # noqa: S301 - from our own starter, as the task itself is


class Workers:
    """Where tasks run: an executor, opened again when a dead process has broken it. Shared by threads."""

    def __init__(self, open_executor: Callable[[], Executor], count: int) -> None:
        self.count = count
        self._open = open_executor
        self._executor = open_executor()
        self._lock = threading.Lock()

    def submit(self, task: Task) -> Future[Answer]:
        """Run a task; BrokenProcessPool or CancelledError as its result when the worker was lost."""
        with self._lock:
            try:
                return self._executor.submit(_run, task)
            except BrokenProcessPool:
                self._executor.shutdown(wait=False)
                self._executor = self._open()
                return self._executor.submit(_run, task)

    def close(self) -> None:
        """Let the workers go."""
        self._executor.shutdown(wait=True)


def _run(task: Task) -> Answer:
    return task()


@contextmanager
def process_workers(count: int) -> Generator[Workers]:
    """Processes on this machine."""
    processes = multiprocessing.get_context("spawn")  # a fork would copy locks that our threads hold
    workers = Workers(lambda: ProcessPoolExecutor(count, mp_context=processes), count)
    try:
        yield workers
    finally:
        workers.close()


@contextmanager
def cluster_workers(address: str) -> Generator[Workers]:
    """The workers of a dask cluster, which need this package and the environment variables that secrets are in.

    Use `tls://` or a network of your own: what travels by `tcp://` (table names, comments) can be read on the way.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError("--cluster", "needs dask", "pip install 'privacy-inventory[cluster]'") from error
    try:
        client: Any = Client(address, timeout=STARTED, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigError(f"--cluster {address}", "no scheduler answers", "check address and network") from error
    try:
        count = max(1, sum(client.nthreads().values()))
        workers = Workers(lambda: client.get_executor(pure=False, retries=ATTEMPTS), count)
        try:
            yield workers
        finally:
            workers.close()
    finally:
        client.close()


# --- one source ---------------------------------------------------------------------------------------------


def fanned_out(scanner: Scanner, context: ScanContext, workers: Workers) -> Iterator[Observation]:
    """What `scanner.scan(context)` would say, read by workers; the order of the datasets differs."""
    detection = pickle.dumps(context.detection)
    if isinstance(scanner, DivisibleScanner):
        yield from _FanOut(scanner, context, workers, detection).observations()
        return
    known = {urn: token for urn, token in context.tokens.items() if urn.startswith(scanner.system)}
    answer = _insisted(workers, SourceTask(scanner, detection, context.basis, known))
    if answer is None:
        raise SourceError(scanner.settings.name, LOST, "look at the worker's memory", "worker-lost")
    yield from answer.read.observations
    if answer.error is not None:
        raise answer.error


LOST = f"{ATTEMPTS} workers died reading it"


class _FanOut:
    """The chunks of one source on their way through the workers."""

    def __init__(self, scanner: DivisibleScanner, context: ScanContext, workers: Workers, detection: bytes) -> None:
        self.scanner = scanner
        self.context = context
        self.workers = workers
        self.detection = detection
        self.budget = scanner.settings.budget
        self.at_once = min(self.budget.concurrency, workers.count)
        self.meter = Meter(self.budget)
        self.running: dict[Future[Answer], Chunk] = {}
        self.done = 0  # datasets
        self.lost = False  # some datasets were not even named

    def observations(self) -> Iterator[Observation]:
        for said in self.scanner.outline(self.context):
            if isinstance(said, Chunk):
                self.done = self.done or said.done  # those before the first chunk need no reading
                while len(self.running) >= self.at_once:
                    yield from self._next()
                self.running[self.workers.submit(self._task(said))] = said
            else:
                yield from self._rest()  # what the outline says last is true of all
                if not (self.lost and isinstance(said, Covered) and said.aspect is Aspect.LISTING):
                    yield said  # else the datasets that nobody named would be taken for gone
        yield from self._rest()

    def _task(self, chunk: Chunk) -> ChunkTask:
        share = self.budget.share(self.at_once, self.meter.rows, self.meter.bytes)
        return ChunkTask(self.scanner, self.detection, self.context.basis, chunk, share)

    def _rest(self) -> Iterator[Observation]:
        while self.running:
            yield from self._next()

    def _next(self) -> Iterator[Observation]:
        """The answers that are there; those of lost workers, or of a source that failed, are asked for once more."""
        finished, _ = wait(self.running, return_when=FIRST_COMPLETED)
        for future in finished:
            chunk = self.running.pop(future)
            answer = _answer_of(future)
            if answer is None or isinstance(answer.error, SourceError):
                answer = _insisted(self.workers, self._task(chunk), ATTEMPTS - 1)
            yield from self._taken(chunk, answer)

    def _taken(self, chunk: Chunk, answer: Answer | None) -> Iterator[Observation]:
        name = self.scanner.settings.name
        self.done += len(chunk.items)
        self.context.report(Progress(name, self.done, chunk.total))
        if answer is None:
            self.lost = True
            message = f"{name}: {len(chunk.items)} datasets were not read: {LOST} (look at the worker's memory)"
            yield Finding(self.scanner.system, "worker-lost", Severity.ERROR, message)
            return
        self.meter.count_sample(answer.read.spent.rows, answer.read.spent.bytes)
        yield from answer.read.observations
        if answer.error is not None:
            raise answer.error


def _insisted(workers: Workers, task: Task, attempts: int = ATTEMPTS) -> Answer | None:
    """The task's answer, begun again when its worker is lost; None when that happens each time."""
    for _ in range(attempts):
        answer = _answer_of(workers.submit(task))
        if answer is not None:
            return answer
    return None


def _answer_of(future: Future[Answer]) -> Answer | None:
    """None when the worker was lost."""
    try:
        return future.result()
    except (BrokenProcessPool, CancelledError, OSError):
        return None
    except Exception as error:
        if type(error).__name__ in ("KilledWorker", "CommClosedError"):  # of dask, which may not be installed
            return None
        raise
