"""E-mail: messages (.eml) and boxes of them (mbox). Headers that name people, the text, and what is attached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from html import unescape
from typing import cast

from inventory.errors import UnreadableError
from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats import tables_of
from scanners.buckets.formats.damage import damaged
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.formats.labelled import MOST_TABLES
from scanners.buckets.grouping import split_suffix
from scanners.buckets.text import batches_of
from scanners.detection.interface import ColumnContext
from scanners.records import cut, text_batch

_HEADERS = ("from", "to", "cc", "bcc", "reply-to", "subject", "date")
_COLUMNS = ("from", "to", "cc", "bcc", "reply_to", "subject", "date", "body")
_KNOWN = re.compile(
    rb"(?im)^(from|to|subject|date|received|message-id|mime-version|return-path|delivered-to|reply-to|"
    rb"content-type|x-[a-z-]+):[ \t]"
)
#: A header's line, or more of the line before.
_HEADER = re.compile(rb"(?:[!-9;-~]+:[ \t]?|[ \t]+\S).*")
_BOX = re.compile(rb"From \S+.{0,30}\d\d:\d\d")
_NEXT = re.compile(rb"\n(?=From \S+[^\n]{0,30}\d\d:\d\d[^\n]*\n)")
_LARGEST = 4 * 2**20
_TAGS = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<[^>]*>")


@dataclass(frozen=True, slots=True)
class Mail:
    """Messages in the Internet Message Format (RFC 5322, MIME), one or many (RFC 4155)."""

    name: str = "mail"
    suffixes: frozenset[str] = frozenset({".eml", ".mbox", ".mbx"})

    def recognises(self, content: Content) -> Recognition:
        """It begins with a block of headers, of which three are a message's."""
        named = content.head.suffix in self.suffixes
        data = content.head.data.replace(b"\r\n", b"\n")
        if _BOX.match(data):
            data = data.partition(b"\n")[2]
        block = data.partition(b"\n\n")[0].split(b"\n")[:100]
        known = {match.group(1).lower() for line in block if (match := _KNOWN.match(line))}
        if len(known) >= (1 if named else 3) and all(_HEADER.match(line) for line in block[:-1]):
            return Recognition.MAGIC
        return Recognition.NAME if named else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """One row a message; the tables of attachments are `attachment.csv` and so on."""
        attached: list[tuple[str, bytes]] = []
        rows = _rows(content, sampling.value_bytes, attached)
        batches = (text_batch(_COLUMNS, batch) for batch in batches_of(rows, min(BATCH, sampling.rows)))
        yield Table(tuple(ColumnContext(name, "string") for name in _COLUMNS), batches)
        for name, data in attached:
            yield from _attachment(content, name, data, sampling)


def _rows(content: Content, value_bytes: int, attached: list[tuple[str, bytes]]) -> Iterator[tuple[str | None, ...]]:
    with damaged(content, "damaged-mail", "is a damaged message"):
        for data in _messages(content):
            message = BytesParser(policy=default).parsebytes(data)
            cells = (*(_header(message, name) for name in _HEADERS), _body(message))
            if any(cells):
                yield tuple(None if not cell else cut(_clean(cell), value_bytes) for cell in cells)
            if len(attached) < MOST_TABLES:
                attached.extend(_attachments(message))


def _messages(content: Content) -> Iterator[bytes]:
    """Each message's bytes; a longer one without its end."""
    rest = b""
    is_box = _BOX.match(content.head.data) is not None
    for chunk in content.chunks():
        rest += chunk.replace(b"\r\n", b"\n")
        if is_box:
            *whole, rest = _NEXT.split(rest)
            yield from (message.partition(b"\n")[2][:_LARGEST] for message in whole)
    yield (rest.partition(b"\n")[2] if is_box else rest)[: content.limit]


def _header(message: EmailMessage, name: str) -> str | None:
    try:
        values = message.get_all(name, [])
        return ", ".join(str(value) for value in values)
    except (MessageError, ValueError, IndexError, AttributeError, TypeError):
        return None  # the standard library stumbles over some malformed addresses


def _body(message: EmailMessage) -> str | None:
    part = message.get_body(("plain", "html"))
    if part is None:
        return None
    text = _text(cast(EmailMessage, part))
    return unescape(_TAGS.sub(" ", text)) if part.get_content_type() == "text/html" else text


def _text(part: EmailMessage) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def _clean(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()


def _attachments(message: EmailMessage) -> Iterator[tuple[str, bytes]]:
    for part in message.iter_attachments():
        data = part.get_payload(decode=True)
        if isinstance(data, bytes) and data:
            # The name itself is text that people wrote; what it says of the format is all that is needed.
            yield "attachment" + split_suffix(part.get_filename() or "")[1].lower(), data


def _attachment(content: Content, name: str, data: bytes, sampling: Sampling) -> Iterator[Table]:
    try:
        for table in tables_of(content.member(name, iter((data,))), sampling):
            yield replace(table, name="/".join(part for part in (name, table.name) if part))
    except UnreadableError as error:
        if error.code != "unknown-format":  # a picture, mostly
            content.remark("unread-attachment", "holds attachments that cannot be read")


FORMAT = Mail()
