"""DOCX: the paragraphs of a document's text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.formats.zipped import MAGIC, opened, part
from scanners.buckets.text import batches_of
from scanners.detection.interface import ColumnContext
from scanners.records import cut, text_batch

_BODY = "word/document.xml"
#: What stands between two words that are two runs of text.
_SPACES = {"tab": "\t", "br": "\n", "cr": "\n"}
_COLUMN = "text"


@dataclass(frozen=True, slots=True)
class Docx:
    """Office Open XML text documents (ECMA-376)."""

    name: str = "docx"
    suffixes: frozenset[str] = frozenset({".docx", ".docm"})

    def recognises(self, content: Content) -> Recognition:
        """A ZIP archive with a text document in it."""
        if not content.head.data.startswith(MAGIC):
            return Recognition.NAME if content.head.suffix in self.suffixes else Recognition.NO
        inside = _BODY.encode() in content.head.data or content.head.suffix in self.suffixes
        return Recognition.EXACT if inside else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """One row a paragraph, those in cells of tables as well."""
        chunks = part(content, opened(content), _BODY)
        rows = ((cut(text, sampling.value_bytes),) for text in _paragraphs(content, chunks, sampling.value_bytes))
        batches = (text_batch((_COLUMN,), batch) for batch in batches_of(rows, min(BATCH, sampling.rows)))
        yield Table((ColumnContext(_COLUMN, "string"),), batches)


def _paragraphs(content: Content, chunks: Iterator[bytes], value_bytes: int) -> Iterator[str]:
    found: list[str] = []
    texts: list[str] = []
    reading = False

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal reading
        name = tag.rpartition(":")[2]
        reading = name == "t"
        texts.append(_SPACES.get(name, ""))

    def end(tag: str) -> None:
        nonlocal reading
        reading = False
        if tag.rpartition(":")[2] == "p":
            found.append("".join(texts).strip())
            texts.clear()

    def text(data: str) -> None:
        if reading and sum(map(len, texts[-2:])) < value_bytes:
            texts.append(data)

    def refuse(*_: object) -> None:
        raise content.unreadable("entities", "declares entities of its own, which are not read")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = text, refuse
    try:
        for chunk in chunks:
            parser.Parse(chunk)
            yield from (paragraph for paragraph in found if paragraph)
            found.clear()
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise content.unreadable("damaged-docx", "is a damaged text document", "write it again") from None


FORMAT = Docx()
