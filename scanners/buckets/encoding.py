"""Which encoding a text has, by its first bytes."""

from __future__ import annotations

import codecs

_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: Control characters that no text holds (all but tab, line feed, form feed, carriage return and escape).
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b\0"))
#: Share of controls or NUL bytes above which it is no text.
_MOST_CONTROLS = 0.02


def encoding_of(head: bytes) -> str:
    """The encoding of a text that begins so ("utf-8", "utf-16-le", "utf-16-be", "cp1252"), or "" when it is no text."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    utf16 = _utf16_of(head)
    if utf16:
        return utf16
    odd = len(head) - len(head.translate(None, _CONTROLS + b"\0"))
    if not head or odd > _MOST_CONTROLS * len(head):
        return ""
    return "utf-8" if _is_mostly_utf8(head) else "cp1252" if _looks_western(head) else ""


def _utf16_of(head: bytes) -> str:
    """Without a mark, UTF-16 of mostly Latin text shows by its zeros: nearly all on one side."""
    pairs = len(head) // 2
    even, odd = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if pairs >= 4 and odd > 0.6 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    if pairs >= 4 and even > 0.6 * pairs and odd < 0.05 * pairs:
        return "utf-16-be"
    return ""


def _is_mostly_utf8(head: bytes) -> bool:
    """Valid, or with more characters beyond ASCII that are valid than bytes that are not (a damaged file)."""
    try:
        head.decode()
    except UnicodeDecodeError:
        pass
    else:
        return True
    good = bad = 0
    text = head.decode("utf-8", "surrogateescape")
    for character in text:
        if "\udc80" <= character <= "\udcff":
            bad += 1
        elif character > "\x7f":
            good += 1
    if bad and not text[-1].isascii() and bad <= 3 and len(head) > 3:
        tail = sum(1 for c in text[-3:] if "\udc80" <= c <= "\udcff")
        bad -= tail  # a character cut at the end of the head
    return bad == 0 or good > bad


def _looks_western(head: bytes) -> bool:
    """Windows-1252 or Latin-1: what is beyond ASCII is mostly letters, and all of it is defined."""
    beyond = [byte for byte in head if byte > 0x7F]
    letters = sum(1 for byte in beyond if byte >= 0xC0 and byte not in (0xD7, 0xF7))
    undefined = sum(1 for byte in beyond if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
    return undefined == 0 and letters >= 0.7 * len(beyond) and len(beyond) < 0.3 * len(head)
