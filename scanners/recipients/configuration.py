"""Settings that stand in tables: columns that say where something is sent, and tables of names and values.

An ordinary column is not looked at: customers' e-mail domains are no recipients. Which columns are, their names say
(`webhook_url`, `smtp_host`, `sentry_dsn`), so that most tables cost nothing. Only hosts are taken of their values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa

from inventory.model import Aspect, Observation, Provenance, field_urn
from scanners.detection.interface import Detection
from scanners.recipients.catalogue import Recipient, of_env, of_host
from scanners.recipients.endpoints import endpoint_hosts, is_plainly_endpoint, names_endpoint
from scanners.recipients.sightings import Sign, disclosures

FEW_ROWS = 200  # a column of a common name (`url`, `host`) is of settings only in a short table
FEW_UNKNOWN = 20  # more unknown hosts than so many are other people's
MOST_ROWS = 2000
_NAMES = frozenset(
    {"key", "name", "setting", "parameter", "option", "variable", "config_key", "setting_key", "cle", "nom"}
)
_VALUES = frozenset({"value", "val", "setting_value", "config_value", "content", "valeur"})


@dataclass(slots=True)
class _Watched:
    """One column: how many rows name which organisation, and by which host."""

    plain: bool  # its name alone says that something is sent there
    rows: int = 0
    found: Counter[str] = field(default_factory=Counter[str])
    hosts: dict[str, tuple[Recipient, str]] = field(default_factory=dict[str, tuple[Recipient, str]])


class Configuration:
    """Looks at the batches of one table's sample that detection is fed with, and says whom its settings name."""

    def __init__(self, columns: Iterable[str], own_domains: Iterable[str] = (), operator: str = "") -> None:
        """`operator` is the organisation that runs the source, of which the source's configuration speaks already."""
        names = list(columns)
        self._own = tuple(own_domains)
        self._operator = operator
        self._watched = {name: _Watched(is_plainly_endpoint(name)) for name in names if names_endpoint(name)}
        key = next((name for name in names if name.lower() in _NAMES), "")
        value = next((name for name in names if name.lower() in _VALUES), "")
        self._pair = (key, value) if key and value else None
        self._settings = _Watched(plain=True)
        self._keys: set[str] = set()

    def see(self, batch: pa.RecordBatch) -> None:
        """Take in some rows."""
        for name, watched in self._watched.items():
            if watched.rows <= (MOST_ROWS if watched.plain else FEW_ROWS):
                for text in _texts(batch, name):
                    watched.rows += 1
                    self._note(watched, endpoint_hosts(text) if text else ())
        if self._pair is not None and self._settings.rows <= MOST_ROWS:
            key, value = self._pair
            for name, text in zip(_texts(batch, key), _texts(batch, value), strict=False):
                self._note_setting(name or "", text or "")

    def sightings(self, dataset: str, detection: Detection) -> Iterator[Observation]:
        """What to say of the columns; it holds as long as what the table holds does."""
        said: set[str] = set()
        for name, watched in self._watched.items():
            if watched.found and (watched.plain or watched.rows <= FEW_ROWS):
                column = field_urn(dataset, detection.redact(name))
                signs = self._signs(watched, f"{detection.redact(name)} names hosts of")
                yield from disclosures(column, Provenance.CONFIG, signs, said, Aspect.CONTENT)
        if self._pair is not None and self._are_settings():
            column = field_urn(dataset, detection.redact(self._pair[1]))
            signs = self._signs(self._settings, "settings name")
            yield from disclosures(column, Provenance.CONFIG, signs, said, Aspect.CONTENT)

    def _note(self, watched: _Watched, hosts: Iterable[str]) -> None:
        for host in hosts:
            recipient = of_host(host, self._own)
            if recipient is not None:
                watched.hosts.setdefault(recipient.processor, (recipient, host))
                watched.found[recipient.processor] += 1

    def _note_setting(self, name: str, value: str) -> None:
        self._settings.rows += 1
        self._keys.add(name)
        if not value:
            return
        if names_endpoint(name):
            self._note(self._settings, endpoint_hosts(value))
        recipient = of_env(name.upper().replace(".", "_").replace("-", "_"))
        if recipient is not None and recipient.processor not in self._settings.found:
            self._settings.hosts[recipient.processor] = (recipient, "")
            self._settings.found[recipient.processor] += 1

    def _are_settings(self) -> bool:
        """Each name stands there once, and not for each of many people."""
        return bool(self._settings.found) and len(self._keys) * 2 > self._settings.rows <= MOST_ROWS

    def _signs(self, watched: _Watched, phrase: str) -> Iterator[Sign]:
        unknown = sum(not recipient.known for recipient, _ in watched.hosts.values())
        for key, times in watched.found.items():
            recipient, host = watched.hosts[key]
            if key == self._operator or (not recipient.known and (unknown > FEW_UNKNOWN or not watched.plain)):
                continue
            named = recipient.named_by(host) if host else recipient.name
            confidence = 0.7 if watched.plain and recipient.known else 0.5
            yield Sign(recipient, f"{phrase} {named} in {times} of {watched.rows} sampled rows", confidence)


def _texts(batch: pa.RecordBatch, name: str) -> list[str | None]:
    """A column's values that are texts; none of a column of another type."""
    position = batch.schema.get_field_index(name)
    if position < 0:
        return []
    column = cast("pa.Array[Any]", batch.column(position))
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return []
    return cast("list[str | None]", column.to_pylist())
