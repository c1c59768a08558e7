"""SQL dumps: the rows of `INSERT … VALUES` and of PostgreSQL's `COPY`, by table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import Recognition, Table
from scanners.buckets.formats.labelled import tables_by_name
from scanners.buckets.text import lines
from scanners.detection.interface import ColumnContext
from scanners.records import JsonObject

_NAME = r'(?:"(?:[^"]|"")+"|`(?:[^`]|``)+`|\[[^\]]+\]|[\w$]+)'
_TABLE = rf"(?P<table>{_NAME}(?:\.{_NAME}){{0,2}})"
_CREATE = re.compile(
    rf"\s*CREATE (?:TEMPORARY |UNLOGGED |FOREIGN )?TABLE (?:IF NOT EXISTS )?{_TABLE}\s*\((?P<rest>.*)", re.I
)
_INSERT = re.compile(
    rf"\s*(?:INSERT|REPLACE) (?:IGNORE )?INTO {_TABLE}\s*(?:\((?P<columns>[^()]*)\)\s*)?"
    r"(?:OVERRIDING \w+ VALUE\s*)?VALUES?\s*",
    re.I,
)
_COPY = re.compile(rf"COPY {_TABLE} (?:\((?P<columns>[^)]*)\) )?FROM stdin", re.I)
_COLUMN = re.compile(rf"\s*(?P<name>{_NAME})\s+(?P<type>[A-Za-z][\w ]*(?:\([\d, ]*\))?)")
_NO_COLUMN = re.compile(
    r"\s*(?:CONSTRAINT|PRIMARY|FOREIGN|UNIQUE|KEY|INDEX|CHECK|EXCLUDE|FULLTEXT|SPATIAL|LIKE|PERIOD)\b", re.I
)
#: What ends a column's type.
_OPTION = re.compile(
    r"\b(?:NOT|NULL|DEFAULT|PRIMARY|UNIQUE|REFERENCES|CHECK|COLLATE|GENERATED|AUTO_INCREMENT|AUTOINCREMENT|COMMENT|"
    r"CONSTRAINT|CHARACTER SET|ON)\b.*",
    re.I,
)
_STATEMENTS = (_CREATE, _INSERT, _COPY)
_BANNER = re.compile(r"--\s*(?:PostgreSQL database dump|MySQL dump|MariaDB dump|Dump)|/\*!\d{5}", re.I)

_VALUE = re.compile(
    r"\s*(?:(?P<null>NULL)\b"
    r"|(?:_\w{1,9} |[A-Za-z]?)'(?P<text>(?:[^'\\]|''|\\.)*)'(?:::[\w\" ]+(?:\([\d, ]*\))?(?:\[\])?)?"
    r"|(?P<bare>[^\s,()']+(?:[ \t]+[^\s,()']+){0,4}(?:\([^()']*\))?))\s*(?P<after>[,)])",
    re.I | re.S,
)
#: The same where a backslash is a character like any other (PostgreSQL, SQLite).
_PLAIN_VALUE = re.compile(_VALUE.pattern.replace(r"[^'\\]|''|\\.", "[^']|''"), re.I | re.S)
_NAMES = re.compile(_NAME)
#: A statement's part that is not yet understood is no longer than a value and its neighbours.
_LONGEST = 4 * 2**20
#: Lines after which a row that is still not understood will not be.
_MOST_TRIES = 100
#: What stands between rows.
_BETWEEN = " \t\r\n,"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "", "Z": "\x1a"}
_ESCAPE = re.compile(r"\\(.)", re.S)


@dataclass(frozen=True, slots=True)
class SqlDump:
    """What pg_dump (plain), mysqldump, mariadb-dump and sqlite3's `.dump` write."""

    name: str = "sql"
    suffixes: frozenset[str] = frozenset({".sql", ".dump"})

    def recognises(self, content: Content) -> Recognition:
        """A dump's banner, or the beginning of a statement that makes or fills a table."""
        first = content.head.lines
        named = content.head.suffix in self.suffixes
        if any(_BANNER.match(line) for line in first[:5]):
            return Recognition.MAGIC
        if any(pattern.match(line) for line in first[: None if named else 20] for pattern in _STATEMENTS):
            return Recognition.MAGIC
        return Recognition.NAME if named and first else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """The rows of each table, then the tables that have none; columns and types from CREATE TABLE."""
        dump = _Dump(content)
        filled: set[str] = set()
        for table in tables_by_name(dump.rows(), sampling, dump.columns):
            filled.add(table.name)
            yield table
        for name, columns in dump.columns.items():
            if name not in filled:
                yield Table(columns, iter(()), name)


class _Lines:
    """Lines, of which the last one can be put back; `waiting` is what of a statement is not yet understood."""

    def __init__(self, source: Iterator[str]) -> None:
        self.waiting = ""
        self._source = source
        self._back: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        return self._back.pop() if self._back else next(self._source)

    def put_back(self, line: str) -> None:
        self._back.append(line)


@dataclass(slots=True)
class _Dump:
    content: Content
    columns: dict[str, tuple[ColumnContext, ...]] = field(default_factory=dict[str, tuple[ColumnContext, ...]])
    backslashes: bool = False  # they escape in texts: MySQL's way

    def rows(self) -> Iterator[tuple[str, JsonObject]]:
        """Each row with its table's name."""
        following = _Lines(lines(self.content))
        for line in following:
            if "`" in line or line.startswith("/*!"):
                self.backslashes = True
            if create := _CREATE.match(line):
                self._create(_plain(create["table"]), create["rest"], following)
            elif copy := _COPY.match(line):
                yield from self._copied(_plain(copy["table"]), copy["columns"], following)
            elif insert := _INSERT.match(line):
                yield from self._inserted(insert, line[insert.end() :], following)

    def _create(self, table: str, first: str, following: _Lines) -> None:
        found: list[ColumnContext] = []
        text = first
        while True:
            for part in _split(text):
                column = None if _NO_COLUMN.match(part) else _COLUMN.match(part)
                if column is not None:
                    kind = _OPTION.sub("", column["type"]).strip().lower()
                    found.append(ColumnContext(_plain(column["name"]), kind))
            if ";" in text:
                break
            line = next(following, None)
            if line is None:
                break
            text = line
        self.columns[table] = tuple(found)

    def _copied(self, table: str, columns: str | None, following: _Lines) -> Iterator[tuple[str, JsonObject]]:
        names = self._names(table, columns)
        for line in following:
            if line == "\\.":
                return
            cells = [None if cell == "\\N" else _unescaped(cell) for cell in line.split("\t")]
            yield table, _row(names, cells)

    def _inserted(self, insert: re.Match[str], text: str, following: _Lines) -> Iterator[tuple[str, JsonObject]]:
        table = _plain(insert["table"])
        names = self._names(table, insert["columns"])
        for waiting in self._tries(text, following):
            rest = waiting.lstrip(_BETWEEN)
            while rest.startswith("("):
                cells, end = self._tuple(rest)
                if not end:
                    break
                yield table, _row(names, cells)
                rest = rest[end:].lstrip(_BETWEEN)
            following.waiting = rest

    def _tries(self, text: str, following: _Lines) -> Iterator[str]:
        """The statement's text so far, whenever no text value is open; what was not understood comes again."""
        following.waiting = text
        tries = 0
        while True:
            before = following.waiting
            yield before
            rest = following.waiting
            tries = tries + 1 if rest.lstrip(_BETWEEN) == before.lstrip(_BETWEEN) else 0
            if rest and not rest.startswith("("):
                return  # its end, or ON CONFLICT, RETURNING, a query: no more rows
            parts, length, whole = [rest], len(rest), _is_whole(rest)
            while True:
                line = next(following, None)
                if line is None:
                    return
                another = rest and whole and any(pattern.match(line) for pattern in _STATEMENTS)
                if another or length > _LONGEST or tries > _MOST_TRIES:
                    following.put_back(line)
                    self.content.remark("malformed-sql", "holds rows that are not understood, which were left out")
                    return
                parts.append(line)
                length += len(line)
                whole = whole == _is_whole(line)
                if whole:
                    break
            following.waiting = "\n".join(parts)

    def _tuple(self, text: str) -> tuple[list[str | None], int]:
        """The values between parentheses and where they end, 0 when they are not whole."""
        value = _VALUE if self.backslashes else _PLAIN_VALUE
        cells: list[str | None] = []
        position = 1
        while match := value.match(text, position):
            cells.append(self._cell(match))
            position = match.end()
            if match["after"] == ")":
                return cells, position
        return [], 0

    def _cell(self, match: re.Match[str]) -> str | None:
        if match["null"]:
            return None
        if match["bare"]:
            return match["bare"].strip()
        text = match["text"].replace("''", "'")
        return _unescaped(text) if self.backslashes else text

    def _names(self, table: str, columns: str | None) -> list[str]:
        if columns:
            names = [_unquoted(name) for name in _NAMES.findall(columns)]
            self.columns.setdefault(table, tuple(ColumnContext(name, "") for name in names))
            return names
        return [column.name for column in self.columns.get(table, ())]


def _is_whole(text: str) -> bool:
    return (text.count("'") - text.count("\\'")) % 2 == 0


def _row(names: list[str], cells: list[str | None]) -> JsonObject:
    return {
        (names[place] if place < len(names) else f"column_{place + 1}"): cell or None
        for place, cell in enumerate(cells)
    }


def _split(text: str) -> list[str]:
    """A part of CREATE TABLE's list at its commas, but not those within parentheses."""
    parts, depth, start = list[str](), 0, 0
    for place, character in enumerate(text):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _plain(name: str) -> str:
    """Without quotation marks, and without the schema that everything is in by itself."""
    parts = [_unquoted(part) for part in _NAMES.findall(name)]
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] in ("public", "dbo") else parts)


def _unquoted(name: str) -> str:
    if name[0] in '"`[':
        return name[1:-1].replace('""', '"').replace("``", "`")
    return name


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match.group(1), match.group(1)), text)


FORMAT = SqlDump()
