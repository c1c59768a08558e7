"""The one connection to the graph, by Bolt: the same for Neo4j and for the embedded engine."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, LiteralString, Self, TypeVar, cast
from weakref import WeakKeyDictionary

import neo4j
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConstraintError,
    CypherSyntaxError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from inventory.errors import GraphError

Row = dict[str, Any]
Result = TypeVar("Result")

# The server's remarks on statements (an unknown label in an empty graph) are for who writes the statements.
logging.getLogger("neo4j.notifications").setLevel(logging.ERROR)

REFUSED = "refused the password"

CONNECT_SECONDS = 10.0
RETRY_SECONDS = 60.0
STATEMENT_SECONDS = 120.0
COLLISIONS = 6  # attempts at a transaction that meets another writer's new node


class GraphSettings(BaseModel):
    """Where the graph is. `uri` is a Bolt address: `bolt://…`, or `neo4j+s://…` with TLS."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uri: str = Field(pattern=r"^(bolt|neo4j)(\+s|\+ssc)?://")
    user: str = "neo4j"
    password: SecretStr = SecretStr("")
    database: str = "neo4j"


class Graph:
    """A pool of connections to one graph database; shared by threads, and by event loops through `aread`.

    Statements take their values as parameters only, so that neither errors nor logs can hold one.
    """

    def __init__(self, settings: GraphSettings, retry_seconds: float = RETRY_SECONDS) -> None:
        self.settings = settings
        self._options = _options(settings, retry_seconds)
        self._driver = neo4j.GraphDatabase.driver(settings.uri, **self._options)  # pyright: ignore[reportUnknownMemberType]
        self._async_drivers: WeakKeyDictionary[asyncio.AbstractEventLoop, neo4j.AsyncDriver] = WeakKeyDictionary()

    # --- asking and writing -------------------------------------------------------------------------------

    def read(self, query: str, /, **parameters: Any) -> list[Row]:
        """The statement's rows. Raises GraphError."""
        return self._session_call("read", query, parameters)

    def write(self, query: str, /, **parameters: Any) -> list[Row]:
        """The same in a write transaction of its own, tried again when the server says that it may succeed."""
        return self._session_call("write", query, parameters)

    def transaction(self, work: Callable[[Transaction], Result]) -> Result:
        """Do `work` in one write transaction. It may run more than once (a deadlock), so it keeps no state."""

        @neo4j.unit_of_work(timeout=STATEMENT_SECONDS)
        def unit(transaction: neo4j.ManagedTransaction) -> Result:
            return work(Transaction(transaction))

        return self._written(unit)

    def stream(self, query: str, /, **parameters: Any) -> Iterator[Row]:
        """The rows one by one, for results larger than memory; not tried again."""
        with self._errors(), self._session() as session:
            for record in session.run(neo4j.Query(cast(LiteralString, query)), parameters):
                yield _row(record)

    async def aread(self, query: str, /, **parameters: Any) -> list[Row]:
        """`read` for an event loop, by a driver that is opened for it on first use."""

        @neo4j.unit_of_work(timeout=STATEMENT_SECONDS)
        async def unit(transaction: neo4j.AsyncManagedTransaction) -> list[Row]:
            result = await transaction.run(cast(LiteralString, query), parameters)
            return [_row(record) async for record in result]

        async with self._async_session() as session:
            return await session.execute_read(cast(Callable[..., Awaitable[list[Row]]], unit))

    def verify(self) -> None:
        """Ask the database something. Raises GraphError when it does not answer."""
        self.read("RETURN 1 AS one")

    # --- closing ------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the threads' connections; an event loop closes its own by `aclose`."""
        self._driver.close()

    async def aclose(self) -> None:
        """Close this event loop's connections."""
        driver = self._async_drivers.pop(asyncio.get_running_loop(), None)
        if driver is not None:
            await driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # --- inside -------------------------------------------------------------------------------------------

    def _session_call(self, access: str, query: str, parameters: Row) -> list[Row]:
        @neo4j.unit_of_work(timeout=STATEMENT_SECONDS)
        def unit(transaction: neo4j.ManagedTransaction) -> list[Row]:
            return Transaction(transaction).run(query, **parameters)

        if access == "write":
            return self._written(unit)
        with self._errors(), self._session() as session:
            return session.execute_read(unit)

    def _written(self, unit: Callable[[neo4j.ManagedTransaction], Result]) -> Result:
        """The driver tries again what the server calls transient; two writers that create one node meet here."""
        with self._errors(), self._session() as session:
            for attempt in range(COLLISIONS):
                try:
                    return session.execute_write(unit)
                except ConstraintError:
                    if attempt == COLLISIONS - 1:
                        raise
                    time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - spreads writers, no secret
        raise AssertionError  # the last attempt returned or raised

    def _session(self) -> neo4j.Session:
        return self._driver.session(database=self.settings.database)  # pyright: ignore[reportUnknownMemberType]

    @asynccontextmanager
    async def _async_session(self) -> AsyncGenerator[neo4j.AsyncSession]:
        loop = asyncio.get_running_loop()
        driver = self._async_drivers.get(loop)
        if driver is None:
            driver = neo4j.AsyncGraphDatabase.driver(self.settings.uri, **self._options)  # pyright: ignore[reportUnknownMemberType]
            self._async_drivers[loop] = driver
        with self._errors():
            async with driver.session(database=self.settings.database) as session:  # pyright: ignore[reportUnknownMemberType]
                yield session

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except (Neo4jError, DriverError) as error:
            cause, remedy = _explain(error, self.settings)
            failure = GraphError(f"graph {self.settings.uri}", cause, remedy)
        else:
            return
        raise failure from None  # the server's own text may quote values: no traceback shows it


class Transaction:
    """One transaction: statements that are all done or none."""

    def __init__(self, transaction: neo4j.ManagedTransaction) -> None:
        self._transaction = transaction

    def run(self, query: str, /, **parameters: Any) -> list[Row]:
        """The statement's rows."""
        return [_row(record) for record in self._transaction.run(cast(LiteralString, query), parameters)]


def _row(record: neo4j.Record) -> Row:
    """The record as it came: statements here answer with maps, lists and scalars, and never with nodes."""
    return dict(zip(record.keys(), record.values(), strict=True))


def _options(settings: GraphSettings, retry_seconds: float) -> dict[str, Any]:
    return {
        "auth": (settings.user, settings.password.get_secret_value()),
        "connection_timeout": CONNECT_SECONDS,
        "connection_acquisition_timeout": max(retry_seconds, 2.0),
        "max_transaction_retry_time": retry_seconds,
        "keep_alive": True,
        "user_agent": "privacy-inventory",
    }


def _explain(error: Neo4jError | DriverError, settings: GraphSettings) -> tuple[str, str]:
    """Cause and remedy in our words: the server's own text may quote parameter values."""
    if isinstance(error, AuthError):
        return f"{REFUSED} of user {settings.user}", "check the graph's user and password"
    if isinstance(error, (ServiceUnavailable, SessionExpired)):
        return "is not reachable", "start it with `inventory graph up`, or check its address"
    if isinstance(error, ConstraintError):
        return "refused what would break a constraint", "two writers may have run at once: try again"
    if isinstance(error, CypherSyntaxError):
        # Statements are constants of this program: what the parser says of one holds no value.
        return f"cannot parse a statement: {(error.message or '').splitlines()[0]}", "this is a fault of the program"
    if isinstance(error, TransientError):
        return f"is busy ({error.code})", "try again"
    if isinstance(error, ClientError):
        return f"refused a statement ({error.code})", "check the database's name and the user's rights"
    if isinstance(error, Neo4jError):
        return f"failed on a statement ({error.code})", "see the engine's log"
    return f"the connection failed ({type(error).__name__})", "check the graph's address"
