"""Files as Arrow batches, for a look at one file without any server: CSV, JSON Lines, JSON, Parquet, plain lines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from inventory.errors import UnreadableError

_LINES = 5_000


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows of a file by its ending. Raises UnreadableError that names the file and the cause, never a value."""
    ending = "".join(path.suffixes[-2:]).removesuffix(".gz").rpartition(".")[2].lower()
    readers = {
        "csv": _csv, "tsv": _csv, "parquet": _parquet, "jsonl": _json_lines, "ndjson": _json_lines, "json": _json,
    }  # fmt: skip
    if not path.is_file():
        raise UnreadableError(str(path), "is no file")
    try:
        yield from readers.get(ending, _lines)(path)
    except pa.ArrowInvalid as error:
        raise UnreadableError(str(path), f"is no readable {ending.upper() or 'text'} file") from error
    except OSError as error:
        raise UnreadableError(str(path), error.strerror or "cannot be read") from error


def _csv(path: Path) -> Iterator[pa.RecordBatch]:
    """Every column as text, so that nothing is guessed before detection looks; broken rows are passed over."""
    with _opened(path) as source:
        head = source.readline()
    separator = max((b",", b";", b"\t", b"|"), key=head.count).decode()
    # Two columns may have one name; the reader wants names for its types.
    names = [name.strip().strip('"') for name in head.decode("utf-8-sig", "replace").rstrip("\r\n").split(separator)]
    kinds = {name: pa.binary() for name in names}
    options = cast("Any", pacsv)
    reader = options.open_csv(
        pa.input_stream(str(path)),
        parse_options=options.ParseOptions(
            delimiter=separator, newlines_in_values=True, invalid_row_handler=_pass_over
        ),
        convert_options=options.ConvertOptions(column_types=kinds, check_utf8=False, strings_can_be_null=True),
    )
    yield from reader


def _pass_over(_: object) -> str:
    return "skip"


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from cast("Any", file).iter_batches(batch_size=_LINES)


def _opened(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _text_lines(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as source:
        lines: list[str] = []
        for line in source:
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if len(lines) == _LINES:
                yield lines
                lines = []
        yield lines


def _lines(path: Path) -> Iterator[pa.RecordBatch]:
    for lines in _text_lines(path):
        yield pa.RecordBatch.from_pydict({"line": pa.array(lines, pa.string())})


def _json_lines(path: Path) -> Iterator[pa.RecordBatch]:
    for lines in _text_lines(path):
        yield _documents([line for line in lines if line])


def _json(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        document = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (ValueError, RecursionError):
        raise UnreadableError(str(path), "is no JSON document") from None
    items = cast("list[object]", document) if isinstance(document, list) else [cast("object", document)]
    for start in range(0, max(1, len(items)), _LINES):
        yield _documents([json.dumps(item) for item in items[start : start + _LINES]])


def _documents(lines: list[str]) -> pa.RecordBatch:
    """One column per key of the documents' top level; what is below stays JSON."""
    columns: dict[str, list[str | None]] = {}
    for row, line in enumerate(lines):
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            document = {"line": line}
        members = cast("dict[str, object]", document) if isinstance(document, dict) else {"value": document}
        for key, value in members.items():
            column = columns.setdefault(key, [None] * row)
            column.extend([None] * (row - len(column)))
            column.append(value if isinstance(value, str) else None if value is None else json.dumps(value))
    return pa.RecordBatch.from_pydict(
        {
            key: pa.array([_clean(v) for v in column + [None] * (len(lines) - len(column))], pa.string())
            for key, column in columns.items()
        }
        or {"line": pa.array([], pa.string())}
    )


def _clean(text: str | None) -> str | None:
    """Lone surrogates, which JSON escapes can write and UTF-8 cannot, are replaced."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")
