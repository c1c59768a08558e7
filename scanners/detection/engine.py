"""Finding the values inside texts: in hyperscan over whole Arrow buffers, or in plain Python with the same answers.

An engine answers, for a column of texts, which detectors have a valid value in which rows. Hyperscan scans the
column's one concatenated buffer in block mode (a column costs one call, whatever its rows) with each detector's
`anchor`, a short form that every value of it contains; what it reports is turned from an offset into a row, and only
there do the detector's own pattern and check run. The Python engine runs every pattern on every row.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Protocol, cast

import pyarrow as pa

from scanners.detection.catalogue import Detector
from scanners.detection.values import VALUE_BYTES

try:
    import hyperscan
except ImportError:  # no wheel for this platform
    hyperscan = None

_BLOCK = 1 << 30
"""Hyperscan counts bytes in 32 bits; a longer buffer is scanned in parts."""

_CHECKED = 400
"""So many rows of one detector are checked in one buffer; checking more would tell no more."""


@dataclass(slots=True)
class Hits:
    """Of one detector in one column: how many rows hold its form, and in which of them the check passed.

    `uncovered` rows at the end were not looked at, because there were hits enough before them.
    """

    shaped: int = 0
    valid: list[int] = field(default_factory=list[int])
    uncovered: int = 0


class Engine(Protocol):
    """Finds the values of its detectors inside texts."""

    def scan(self, array: pa.Array[Any], known: Set[str] = frozenset()) -> dict[str, Hits]:
        """Hits by detector in an Arrow array of strings or UTF-8 bytes; nulls have none.

        Of the detectors in `known` there were hits enough before: they are not looked for.
        """
        ...

    def rows(self, texts: Sequence[str]) -> Mapping[str, Sequence[int]]:
        """By detector, which of a few texts are worth searching for it: of the others none holds a value of it."""
        ...


def engine(detectors: Sequence[Detector]) -> Engine:
    """The fastest engine that this platform has."""
    return PythonEngine(detectors) if hyperscan is None else HyperscanEngine(detectors)


class Texts:
    """An Arrow array of strings or bytes by its buffers: no copy is made but of rows that are asked for."""

    def __init__(self, array: pa.Array[Any]) -> None:
        wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
        if not wide and not pa.types.is_string(array.type) and not pa.types.is_binary(array.type):
            array = array.cast(pa.large_binary())
            wide = True
        self._array = array
        self._null = array.null_count > 0
        _, offsets, data = array.buffers()
        if offsets is None or not len(array):
            self.offsets: memoryview[int] = memoryview(bytes(8)).cast("q")
        else:
            view = memoryview(cast("Any", offsets)).cast("q" if wide else "i")
            self.offsets = view[array.offset : array.offset + len(array) + 1]
        self.data: memoryview[int] = memoryview(cast("Any", data)) if data is not None else memoryview(b"")

    def __len__(self) -> int:
        return len(self._array)

    def text(self, row: int) -> str:
        """The row's text, cut to VALUE_BYTES; "" for null. Bytes that are no UTF-8 are replaced."""
        if self._null and not self._array[row].is_valid:
            return ""
        start, end = self.offsets[row], self.offsets[row + 1]
        return bytes(self.data[start : min(end, start + VALUE_BYTES)]).decode("utf-8", errors="replace")

    def block(self) -> memoryview:
        """All rows' bytes, one after the other."""
        return self.data[self.offsets[0] : self.offsets[-1]]


def _look(detector: Detector, text: str, row: int, hits: Hits) -> None:
    found = [hit.group() for hit in detector.inside.finditer(text)]
    if found:
        hits.shaped += 1
        if any(detector.text_check(each) for each in found):
            hits.valid.append(row)


class PythonEngine:
    """Every pattern on every row."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = tuple(detectors)

    def rows(self, texts: Sequence[str]) -> Mapping[str, Sequence[int]]:
        """By detector, which of a few texts are worth searching for it: all."""
        return {detector.detector: range(len(texts)) for detector in self._detectors}

    def scan(self, array: pa.Array[Any], known: Set[str] = frozenset()) -> dict[str, Hits]:
        """Hits by detector in an Arrow array of strings or UTF-8 bytes; nulls have none."""
        wanted = [(detector, Hits()) for detector in self._detectors if detector.detector not in known]
        texts = Texts(array)
        for row in range(len(texts)) if wanted else ():
            text = texts.text(row)
            for detector, hits in wanted if text else ():
                if hits.shaped < _CHECKED:
                    _look(detector, text, row, hits)
                    if hits.shaped == _CHECKED:
                        hits.uncovered = len(texts) - row - 1
        return {detector.detector: hits for detector, hits in wanted if hits.shaped}


class HyperscanEngine:
    """One scan of the column's buffer, then patterns and checks on the reported rows only."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        assert hyperscan is not None
        self._detectors = tuple(detector for detector in detectors if detector.anchor_for_bytes)
        # What cannot be said in bytes alone (user's patterns with \w, non-ASCII letters) goes the slow way.
        self._others = PythonEngine([detector for detector in detectors if not detector.anchor_for_bytes])
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        anchors = [detector.anchor_for_bytes.encode("ascii") for detector in self._detectors]
        self._database.compile(
            expressions=anchors, ids=list(range(len(anchors))), elements=len(anchors), flags=[0] * len(anchors)
        )
        self._threads = threading.local()

    def rows(self, texts: Sequence[str]) -> Mapping[str, Sequence[int]]:
        """By detector, which of a few texts are worth searching for it: those with its anchor, by one scan of all."""
        if not texts:
            return {}
        parts = [text.encode("utf-8", "replace") for text in texts]
        ends = list(accumulate(map(len, parts)))
        reported: set[tuple[int, int]] = set()

        def report(which: int, start: int, end: int, flags: int, context: object) -> None:
            reported.add((which, bisect_left(ends, end)))

        self._database.scan(cast("Any", b"".join(parts)), match_event_handler=report, scratch=self._scratch())
        found: dict[str, list[int]] = {}
        for which, row in sorted(reported):
            found.setdefault(self._detectors[which].detector, []).append(row)
        return {**found, **self._others.rows(texts)}

    def scan(self, array: pa.Array[Any], known: Set[str] = frozenset()) -> dict[str, Hits]:
        """Hits by detector in an Arrow array of strings or UTF-8 bytes; nulls have none."""
        texts = Texts(array)
        block = texts.block()
        if len(block) > _BLOCK:
            return self._in_halves(array, known)
        reported: list[list[int]] = [[] for _ in self._detectors]

        take = [ends.append for ends in reported]  # looked up once: there are millions of reports

        def report(which: int, start: int, end: int, flags: int, context: object) -> None:
            take[which](end)

        if len(block):
            self._database.scan(cast("Any", block), match_event_handler=report, scratch=self._scratch())
        found = self._others.scan(array, known)
        for detector, ends in zip(self._detectors, reported, strict=True):
            if ends and detector.detector not in known:
                hits = _rows(detector, texts, ends)
                if hits.shaped:
                    found[detector.detector] = hits
        return found

    def _in_halves(self, array: pa.Array[Any], known: Set[str]) -> dict[str, Hits]:
        if len(array) == 1:  # one value of more than a gigabyte: only its beginning is looked at
            return PythonEngine(self._detectors).scan(array, known)
        middle = len(array) // 2
        found = self.scan(array.slice(0, middle), known)
        for name, hits in self.scan(array.slice(middle), known).items():
            into = found.setdefault(name, Hits())
            into.shaped += hits.shaped
            into.valid.extend(row + middle for row in hits.valid)
            into.uncovered += hits.uncovered
        return found

    def _scratch(self) -> Any:
        """Scratch space is one a thread."""
        scratch = getattr(self._threads, "scratch", None)
        if scratch is None:
            assert hyperscan is not None
            scratch = self._threads.scratch = hyperscan.Scratch(self._database)
        return scratch


def _rows(detector: Detector, texts: Texts, ends: Sequence[int]) -> Hits:
    """Turn the ends of reports into rows, and look at each row once."""
    hits = Hits()
    offsets = texts.offsets
    base, row_end = offsets[0], -1
    for end in ends:
        end += base
        if end <= row_end:
            continue
        row = bisect_left(offsets, end) - 1
        row_end = offsets[row + 1]
        _look(detector, texts.text(row), row, hits)
        if hits.shaped == _CHECKED:
            hits.uncovered = len(texts) - row - 1
            break
    return hits
