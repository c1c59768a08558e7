"""Keyed sketches of fields: what two systems can be compared by when no value may leave a scanner.

Every value of a personal field is brought to one form (an e-mail address loses its case, a telephone number becomes
E.164) and hashed: by SHA-256, whose first 16 bytes go through AES-256 (FIPS 197) under a key of the installation. AES
is a pseudo-random permutation, so without the key no guess can be tried. (Ten times as fast as an HMAC for each value,
as one call takes all.) Of the hashes the K smallest are kept, a bottom-k sketch (Cohen and Kaplan, "Summarizing
data using bottom-k sketches", PODC 2007): below the smaller of two sketches' largest hashes both are complete, so what
they share there is an unbiased sample of what the fields share.

K = 1024 holds all of a sample of the default 1,000 rows, and bounds the standard error of a containment c of a larger
one by sqrt(c (1 - c) / K), at most 0.016. An estimate of distinct values by such a sketch has a relative standard
error of 1 / sqrt(K - 2), 0.031 (Beyer et al., "On synopses for distinct-value estimation under multiset operations",
SIGMOD 2007); within the sample they are counted.

`SketchingDetection` stands around a detection: batches are held until the verdicts on their table are there, then the
personal fields and the keys are sketched and the values dropped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scanners.detection.interface import (
    ColumnContext,
    Detection,
    FieldVerdict,
    Sketch,
    TableContext,
    TableDetection,
)
from scanners.places import values_at

VERSION = "sketches/1"
K = 1024
HELD_BYTES = 32 * 2**20  # most of one table's batches that wait for its verdicts; the rest is not sketched
SURE = 0.3  # a verdict below this says too little to sketch the field for

_pc: Any = pc
_FIRST_OF_PHONE = frozenset("+(0123456789")
_EXTENSION = re.compile(r"[a-z]|;", re.IGNORECASE)
_HEXADECIMAL = re.compile(rb"[0-9a-f]+")

_DIGEST_LENGTHS = (32, 40, 64)  # of MD5, SHA-1, SHA-256 in hexadecimal
_HASHED_KINDS = ("email", "phone")  # copies of these are found under the usual unkeyed hashes too
_BLOCK = 16  # bytes of AES

_CODES = ("user.government_id", "user.financial", "user.contact.address.postal_code", "user.device.device_id")


def kind_of_category(category: str) -> str:
    """How the values of a category are brought to one form."""
    if category == "user.contact.email":
        return "email"
    if category in ("user.contact.phone_number", "user.contact.fax_number"):
        return "phone"
    if category == "user.device.ip_address":
        return "ip"
    return "code" if category.startswith(_CODES) else "text"


# --- one form ---------------------------------------------------------------------------------------------------


def one_form(texts: pa.Array[Any], kind: str) -> list[bytes]:
    """The different values in their one form, as UTF-8; forms of different kinds agree where the values do.

    Unicode NFKC, lower case, no space around; then as the kind demands.
    """
    shaped = _pc.utf8_trim_whitespace(texts)
    if not _pc.all(_pc.string_is_ascii(shaped), min_count=0).as_py():
        shaped = _pc.utf8_trim_whitespace(_pc.utf8_normalize(shaped, form="NFKC"))
    shaped = _pc.utf8_lower(shaped)
    if kind == "phone":
        shaped = pa.array(_phones(shaped), pa.string())
    elif kind == "code":
        shaped = _pc.replace_substring_regex(shaped, r"[^0-9a-z]+", "")
    elif kind == "number":
        shaped = _pc.replace_substring_regex(shaped, r"^(-?\d+)\.0*$", r"\1")
    elif kind == "ip":  # as a PostgreSQL inet has it
        shaped = _pc.replace_substring_regex(shaped, r"/(32|128)$", "")
    elif kind == "email":
        shaped = _pc.utf8_rtrim(shaped, ".")
    different = _pc.drop_null(_pc.unique(shaped)).cast(pa.binary())
    return [form for form in cast("list[bytes]", different.to_pylist()) if form]


def _phones(texts: Any) -> list[str | None]:
    """E.164, with +1 where it names no country; the plain forms of North America without the library."""
    digits = cast("list[str | None]", _pc.replace_substring_regex(texts, r"\D+", "").to_pylist())
    given = cast("list[str | None]", texts.to_pylist())
    return [
        f"+{number}"
        if number
        and (text[0] == "+" or (len(number) == 11 and number[0] == "1"))
        and text.isascii()
        and not _EXTENSION.search(text)
        else f"+1{number}"
        if number and len(number) == 10 and not _EXTENSION.search(text)
        else _parsed_phone(text)
        for text, number in zip(given, digits, strict=True)
        if text
    ]


def _parsed_phone(text: str) -> str:
    if text[0] not in _FIRST_OF_PHONE:  # a text with a number in it
        return text
    try:
        number = phonenumbers.parse(text, "CA")
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# --- sketches ---------------------------------------------------------------------------------------------------


class Sketching:
    """Makes sketches under a key of 32 bytes, which shows in no `repr`.

    `name` tells the key apart from others, and nothing of it: 16 hexadecimal digits.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.name = f"{self._hashes([hashlib.sha256(b'name of the key').digest()])[0]:016x}"

    def sketch(self, texts: pa.Array[Any], kind: str, *, sampled: int, rows: int) -> list[Sketch]:
        """The sketch of a field's values; of e-mail addresses and telephone numbers also those of their MD5 and SHA-1.

        A copy by SHA-256 needs none: it is what every value is brought to first. None of a field without values.
        """
        forms = one_form(texts, kind)
        if not forms:
            return []
        if kind == "digest" and not all(map(_is_hexadecimal, forms)):
            kind = "text"
        if kind in ("text", "number"):
            kind = _text_or_number(forms, kind)
        if kind == "digest":
            return [self._bottom([bytes.fromhex(form.decode("ascii")) for form in forms], kind, "", sampled, rows)]
        sha256, sha1 = hashlib.sha256, hashlib.sha1
        found = [self._bottom([sha256(form).digest() for form in forms], kind, "", sampled, rows)]
        if kind in _HASHED_KINDS:
            md5 = [hashlib.md5(form, usedforsecurity=False).digest() for form in forms]
            found.append(self._bottom(md5, kind, "md5", sampled, rows))
            found.append(
                self._bottom(
                    [sha1(form, usedforsecurity=False).digest() for form in forms], kind, "sha1", sampled, rows
                )
            )
        return found

    def _bottom(self, digests: Sequence[bytes], kind: str, form: str, sampled: int, rows: int) -> Sketch:
        hashes = np.unique(self._hashes(digests))
        smallest = cast("list[int]", hashes[:K].tolist())
        return Sketch(kind, form, tuple(smallest), len(hashes), sampled, rows, self.name)

    def _hashes(self, digests: Sequence[bytes]) -> npt.NDArray[np.uint64]:
        """64 bits for each: the first half of the digest's first 16 bytes under AES.

        Every digest is a block of its own, for which AES is the pseudo-random function; all in one call.
        """
        blocks = b"".join([digest[:_BLOCK] for digest in digests])
        encryptor = Cipher(algorithms.AES256(self._key), modes.ECB()).encryptor()  # noqa: S305 - as a function
        return np.frombuffer(encryptor.update(blocks), dtype="<u8")[::2].astype(np.uint64)


_SHORT = 9  # digits of a number that others may have by chance


def _text_or_number(forms: Sequence[bytes], kind: str) -> str:
    """By the values, as a file has numbers as texts: long numbers are as telling as texts."""
    if max(map(len, forms)) > _SHORT:
        return "text"
    return "number" if b"".join(forms).isdigit() else kind


def _is_hexadecimal(form: bytes) -> bool:
    return len(form) in _DIGEST_LENGTHS and _HEXADECIMAL.fullmatch(form) is not None


class SketchingDetection:
    """A detection whose verdicts on personal fields, keys and digests carry sketches (`interface.Detection`)."""

    def __init__(self, detection: Detection, sketching: Sketching) -> None:
        self.plain = detection
        self._sketching = sketching

    @property
    def version(self) -> str:
        """The detection's own."""
        return self.plain.version

    def table(self, context: TableContext) -> TableDetection:
        """Begin on one table."""
        return _SketchedTable(self.plain.table(context), context, self._sketching)

    def redact(self, text: str) -> str:
        """As the detection does."""
        return self.plain.redact(text)


class _SketchedTable:
    """Detection in progress on a table whose batches wait for the verdicts."""

    def __init__(self, detection: TableDetection, context: TableContext, sketching: Sketching) -> None:
        self._detection = detection
        self._sketching = sketching
        self._keys = {column.name for column in context.columns if _is_key(column)}
        self._held: list[pa.RecordBatch] = []
        self._bytes = 0
        self._cut = False

    def feed(self, batch: pa.RecordBatch) -> bool:
        """Take in some rows."""
        self._bytes += batch.nbytes
        if self._bytes <= HELD_BYTES:
            self._held.append(batch)
        more = self._detection.feed(batch)
        self._cut = self._cut or not more or self._bytes > HELD_BYTES
        return more

    def verdicts(self) -> Sequence[FieldVerdict]:
        """The verdicts, with sketches; the values are dropped."""
        found = self._detection.verdicts()
        held, self._held = self._held, []
        rows = sum(batch.num_rows for batch in held)
        wanted = {(verdict.column, verdict.pointer): verdict for verdict in found if self._is_wanted(verdict)}
        if not rows or not wanted:
            return found
        inside = self._inside(held, wanted)
        return [
            replace(verdict, sketches=tuple(self._sketches(verdict, held, rows, inside)))
            if (verdict.column, verdict.pointer) in wanted
            else verdict
            for verdict in found
        ]

    def _inside(
        self, held: Sequence[pa.RecordBatch], wanted: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], list[pa.Array[Any]]]:
        """The values of the wanted places inside columns."""
        pointers: dict[str, list[str]] = {}
        for column, pointer in wanted:
            if pointer:
                pointers.setdefault(column, []).append(pointer)
        return {
            (column, pointer): arrays
            for column, some in pointers.items()
            for pointer, arrays in values_at(_arrays(held, column), some).items()
        }

    def _sketches(
        self,
        verdict: FieldVerdict,
        held: Sequence[pa.RecordBatch],
        rows: int,
        inside: Mapping[tuple[str, str], Sequence[pa.Array[Any]]],
    ) -> list[Sketch]:
        arrays = inside[verdict.column, verdict.pointer] if verdict.pointer else _arrays(held, verdict.column)
        values, numeric = _flat(arrays)
        numeric = numeric or (bool(verdict.pointer) and verdict.type in ("number", "integer"))
        sampled = sum(len(array) - array.null_count for array in values)
        texts = cast("pa.Array[Any]", pa.chunked_array(values, pa.string()).combine_chunks())
        found = self._sketching.sketch(texts, _kind(verdict, numeric=numeric), sampled=sampled, rows=rows)
        return [replace(sketch, cut=True) for sketch in found] if self._cut else found

    def _is_wanted(self, verdict: FieldVerdict) -> bool:
        if any(said.confidence >= SURE and not said.category.startswith("system") for said in verdict.verdicts):
            return True
        return (not verdict.pointer and verdict.column in self._keys) or _is_digest(verdict)


_NAMED_KEY = re.compile(r"(?:^|[a-z0-9]_)(?:id|uuid|guid)$|[a-z0-9]I[dD]$")


def _is_key(column: ColumnContext) -> bool:
    """Whether others may refer to it, or it to others, by what is declared or by its name."""
    return column.primary_key or bool(column.references) or _NAMED_KEY.search(column.name) is not None


def _is_digest(verdict: FieldVerdict) -> bool:
    """Whether the values may be hexadecimal hashes, by their lengths."""
    profile = verdict.profile
    return profile.min_length == profile.max_length and profile.min_length in _DIGEST_LENGTHS


def _kind(verdict: FieldVerdict, *, numeric: bool) -> str:
    surest = max(verdict.verdicts, key=lambda said: said.confidence, default=None)
    kind = kind_of_category(surest.category) if surest is not None and surest.confidence >= SURE else "text"
    if kind in ("text", "code") and _is_digest(verdict):
        return "digest"
    return "number" if kind == "text" and numeric else kind


# --- values -----------------------------------------------------------------------------------------------------


def _arrays(held: Iterable[pa.RecordBatch], column: str) -> list[pa.Array[Any]]:
    """The column in each batch that has it."""
    found: list[pa.Array[Any]] = []
    for batch in held:
        place = batch.schema.get_field_index(column)
        if place >= 0:
            found.append(cast("pa.Array[Any]", batch.column(place)))
    return found


def _flat(arrays: Iterable[pa.Array[Any]]) -> tuple[list[pa.Array[Any]], bool]:
    """The values of a flat column as texts, and whether they are numbers."""
    found: list[pa.Array[Any]] = []
    numeric = False
    for array in arrays:
        if isinstance(array.type, pa.BaseExtensionType):
            array = cast("pa.Array[Any]", cast("Any", array).storage)
        if pa.types.is_dictionary(array.type):
            array = cast("pa.Array[Any]", cast("Any", array).dictionary_decode())
        if pa.types.is_nested(array.type) or pa.types.is_boolean(array.type):
            continue
        kind = array.type
        numeric = numeric or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        found.append(_as_texts(array))
    return found, numeric


def _as_texts(array: pa.Array[Any]) -> pa.Array[Any]:
    """Bytes that are no UTF-8 stand for nothing."""
    try:
        return cast("pa.Array[Any]", array.cast(pa.string()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        values = cast("list[object]", array.to_pylist())
        return pa.array([None if value is None or isinstance(value, bytes) else str(value) for value in values])
