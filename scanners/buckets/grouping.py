"""Grouping objects by their keys: like-named objects are one dataset, named by a template.

`logs/access/2026/01/31/web-1.log.gz` and its thousands of siblings are `logs/access/{date}/web-{number}.log.gz`.
First each key is read on its own: dates, UUIDs, addresses, hexadecimal and other identifiers, and numbers become
placeholders, whether there is one such object or many, so that the name of a dataset does not change when a second
object arrives. Then keys are compared: where more than a few siblings differ only in a word, the word is `{name}`.

Keys hold personal data (`users/jane/photo.png`): below a folder named after a kind of person every name is a
placeholder, however few there are.

Memory is bounded by the number of groups, not of objects: siblings are merged while the listing streams by, and the
result does not depend on its order.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

#: Most sibling folders, and most sibling files with a table's suffix, that keep their own names.
MOST_TABLES = 64
#: Most sibling files with any other suffix that keep their own names: pictures and documents are named by people.
MOST_DOCUMENTS = 8
#: Most groups of one bucket; beyond it, fewer siblings keep their own names.
MOST_GROUPS = 2000
#: Templates of which the place is remembered, in times of the most groups.
_REMEMBERED = 8
#: Deeper folders are one placeholder.
MOST_FOLDERS = 16
#: A name with more placeholders than this is an identifier as a whole.
MOST_PLACEHOLDERS = 4

NAME, PATH, ID = "{name}", "{path}", "{id}"

_TABLE_SUFFIXES = frozenset(
    "csv tsv tab json jsonl ndjson parquet pq avro orc arrow feather xlsx xls sqlite db".split()  # noqa: SIM905
)
_COMPRESSIONS = frozenset(["gz", "bz2", "xz", "zst", "lz4", "snappy", "zip"])
#: Kinds of persons, in English and French; a plural by its "s" is understood.
_PEOPLE = frozenset(
    "user customer client member person people patient employee staff subscriber contact student profile avatar home "  # noqa: SIM905
    "candidate applicant utilisateur usager membre personne employe employé abonne abonné patiente étudiant".split()
)

_DAY = r"(?:19|20)\d\d(?P<sep>[-_./]?)(?:0[1-9]|1[0-2])(?P=sep)(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[T_ -]?(?:[01]\d|2[0-3])[-:_]?[0-5]\d(?:[-:_]?[0-5]\d)?(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?"
#: In this order: what an earlier one has taken is no longer there for a later one.
_WHOLE_KEY = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE), "{uuid}"),
    (re.compile(r"[^\s/=,;]+(?:@|%40)[^\s/=,;]+?\.[a-z]{2,}(?=$|[/=,;_ ]|\.[a-z0-9]+$)", re.IGNORECASE), "{email}"),
    (re.compile(rf"(?<!\d){_DAY}{_CLOCK}(?!\d)"), "{date}"),
    (re.compile(r"(?<!\d)(?:19|20)\d\d([-_/])(?:0[1-9]|1[0-2])(?!\d)"), "{date}"),
    (re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"), "{ip}"),
)
#: What may be a date or an address, for which the digits themselves count. (UUIDs have four hyphens, IPs three dots.)
_ON_ITS_OWN = re.compile(r"@|%40|(?<!\d)(?:19|20)\d\d")
_NUMBER = re.compile(r"(?<![^\W_])\d+(?![^\W_])")
_PLACEHOLDER = re.compile(r"\{[a-z]+\}")
_TOKEN = re.compile(r"\{[a-z]+\}|[^\W_]+")
_HEX = re.compile(r"(?=.*\d)(?=.*[a-fA-F])[0-9a-fA-F]{8,}|[0-9a-fA-F]{32,}")
_WORD_NUMBER = re.compile(r"([^\W\d_]+)\d+")
_SUFFIX = re.compile(r"(?:\.[A-Za-z][A-Za-z0-9]{0,8}){1,2}$")
_SHORT_WORD = 3  # "s3", "v2", "mp3" are words


class ObjectRef(NamedTuple):  # there are millions: a dataclass takes three times as long to make
    """An object as the listing gives it: `size` in bytes, `modified` in seconds since 1970."""

    key: str
    size: int
    modified: float
    etag: str | None = None
    version: str | None = None  # the store's own name for this state of the object


@dataclass(slots=True)
class Group:
    """Like-named objects: how many, and the few that would be read.

    The few are the oldest, the newest, and those whose keys have the smallest hashes: the same for the same objects,
    whatever the order of the listing, and spread evenly over all.
    """

    keep: int
    seed: int
    count: int = 0
    size: int = 0
    state: int = 0  # changes when an object comes, goes or is written again; the same in any order of the listing
    oldest: ObjectRef | None = None
    newest: ObjectRef | None = None
    spread: list[tuple[int, str, ObjectRef]] = field(default_factory=list[tuple[int, str, ObjectRef]])
    merged_into: Group | None = None

    @property
    def whole(self) -> Group:
        """The group that this one has become a part of: itself while it has not."""
        group = self
        while group.merged_into is not None:
            group = group.merged_into
        return group

    def add(self, ref: ObjectRef) -> None:
        """Count the object, and keep it if it is among the few. Empty objects are counted only."""
        self.count += 1
        self.size += ref.size
        self.state = (self.state + _state(ref)) & _STATE_BITS
        if ref.size:
            self._keep(ref)

    def merge(self, other: Group) -> None:
        """Take in another group, which is then a part of this one."""
        other.merged_into = self
        self.count += other.count
        self.size += other.size
        self.state = (self.state + other.state) & _STATE_BITS
        for ref in (other.oldest, other.newest, *(ref for *_, ref in other.spread)):
            if ref is not None:
                self._keep(ref)

    def sample(self) -> list[ObjectRef]:
        """At most `keep` objects that are not empty, the oldest first."""
        ends = [ref for ref in (self.newest, self.oldest) if ref is not None]
        between = [ref for *_, ref in sorted(self.spread, key=lambda entry: (-entry[0], entry[1]))]
        chosen = {ref.key: ref for ref in (*ends, *between)}
        return sorted(list(chosen.values())[: self.keep], key=_age)

    def _keep(self, ref: ObjectRef) -> None:
        age = (ref.modified, ref.key)
        if self.oldest is None or age < _age(self.oldest):
            self.oldest = ref
        if self.newest is None or age > _age(self.newest):
            self.newest = ref
        entry = (-_hash(self.seed, ref.key), ref.key, ref)
        if len(self.spread) >= self.keep + 2 and entry[:2] <= self.spread[0][:2]:
            return
        if any(key == ref.key for _, key, _ in self.spread):
            return
        if len(self.spread) < self.keep + 2:  # the two ends may be among them
            heapq.heappush(self.spread, entry)
        elif entry > self.spread[0]:
            heapq.heapreplace(self.spread, entry)


class Grouping:
    """Takes in the objects of a bucket one by one and says which groups they form."""

    def __init__(self, keep: int, seed: int, most: int = MOST_GROUPS) -> None:
        self._keep = keep
        self._seed = seed
        self._most = most
        self._limits = _Limits(MOST_TABLES, MOST_DOCUMENTS)
        self._root = _Folder()
        self._groups = 0
        self._places: dict[str, Group] = {}  # of templates that were met already

    def add(self, ref: ObjectRef) -> None:
        """Put the object into its group."""
        template = template_of(ref.key)
        group = self._places.get(template)
        if group is None or group.merged_into is not None:
            group = self._place(template) if group is None else group.whole
            self._places[template] = group
        group.add(ref)

    def _place(self, template: str) -> Group:
        """The group for keys of a template that was not met before, or that was forgotten."""
        *folders, name = template.split("/")
        folder = self._root
        if len(folders) > MOST_FOLDERS:
            folders = [*folders[:MOST_FOLDERS], PATH]
        for segment in folders:
            folder = folder.folder(segment, self._limits)
        group = Group(self._keep, self._seed)
        self._groups += 1
        folder.put(name, group, self._limits)
        if self._groups > 2 * self._most:
            self._shrink()
        if len(self._places) > _REMEMBERED * self._most:
            self._places.clear()
        return group.whole

    def groups(self) -> dict[str, Group]:
        """Every group by its template, in the order of the templates."""
        self._shrink()
        found: dict[str, Group] = {}
        for template, group in self._root.groups(""):
            _merge_into(found, template, group)
        return dict(sorted(found.items()))

    def _shrink(self) -> None:
        self._groups = sum(1 for _ in self._root.groups(""))
        while self._groups > self._most and self._limits.tables:
            self._limits = _Limits(self._limits.tables // 2, self._limits.documents // 2)
            self._root.tighten(self._limits)
            self._groups = sum(1 for _ in self._root.groups(""))


@dataclass(frozen=True, slots=True)
class _Limits:
    tables: int
    documents: int


class _Folder:
    """The folders and files below one prefix, siblings merged as far as the limits ask."""

    __slots__ = ("_any_suffix", "_files", "_folders", "_of_people")

    def __init__(self, segment: str = "") -> None:
        self._folders: dict[str, _Folder] = {}
        self._files: dict[str, dict[str, Group]] = {}
        self._any_suffix = False
        self._of_people = is_of_people(segment)

    def folder(self, segment: str, limits: _Limits) -> _Folder:
        if segment not in self._folders and NAME in self._folders and self._has_own_name(segment, limits):
            segment = NAME
        found = self._folders.get(segment)
        if found is None:
            found = self._folders[segment] = _Folder(segment)
            if self._merge_folders(limits):
                found = self._folders.get(segment) or self._folders[NAME]
        return found

    def put(self, name: str, group: Group, limits: _Limits) -> None:
        stem, suffix = (NAME, "") if self._any_suffix else split_suffix(name)
        files = self._files.setdefault(suffix, {})
        if NAME in files and stem not in files and self._has_own_name(stem, limits):
            stem = NAME
        _merge_into(files, stem, group)
        self._merge_files(suffix, limits)
        if len(self._files) > max(limits.documents, 1) * 2:
            self._merge_suffixes()

    def tighten(self, limits: _Limits) -> None:
        self._merge_folders(limits)
        for suffix in list(self._files):
            self._merge_files(suffix, limits)
        if len(self._files) > max(limits.documents, 1) * 2 or not limits.tables:
            self._merge_suffixes()
        for folder in self._folders.values():
            folder.tighten(limits)

    def merge(self, other: _Folder, limits: _Limits) -> None:
        for segment, folder in other._folders.items():
            self.folder(segment, limits).merge(folder, limits)
        for suffix, files in other._files.items():
            for stem, group in files.items():
                self.put(stem + suffix, group, limits)

    def groups(self, prefix: str) -> Iterator[tuple[str, Group]]:
        for segment, folder in self._folders.items():
            yield from folder.groups(f"{prefix}{segment}/")
        for suffix, files in self._files.items():
            for stem, group in files.items():
                yield f"{prefix}{stem}{suffix}", group

    def _has_own_name(self, segment: str, limits: _Limits) -> bool:
        """Whether it counts as one of the names that differ: a mere placeholder does not, until space is short."""
        return limits.tables < MOST_TABLES or bool(_PLACEHOLDER.sub("", segment).strip("-_. ="))

    def _merge_folders(self, limits: _Limits) -> bool:
        own = [segment for segment in self._folders if segment != NAME and self._has_own_name(segment, limits)]
        if not own or (NAME not in self._folders and len(own) <= (0 if self._of_people else limits.tables)):
            return False
        for segment in own:
            folder = self._folders.pop(segment)
            self._folders.setdefault(NAME, _Folder()).merge(folder, limits)
        return True

    def _merge_files(self, suffix: str, limits: _Limits) -> None:
        files = self._files[suffix]
        most = limits.tables if is_table(suffix) else limits.documents
        own = [stem for stem in files if stem != NAME and self._has_own_name(stem, limits)]
        if not own or (NAME not in files and len(own) <= (min(1, most) if self._of_people else most)):
            return
        for stem in own:
            _merge_into(files, NAME, files.pop(stem))

    def _merge_suffixes(self) -> None:
        merged: dict[str, Group] = {}
        for files in self._files.values():
            for group in files.values():
                _merge_into(merged, NAME, group)
        self._files = {"": merged}
        self._any_suffix = True


def _merge_into(groups: dict[str, Group], name: str, group: Group) -> None:
    if name in groups:
        groups[name].merge(group)
    else:
        groups[name] = group


def template_of(key: str) -> str:
    """The key with every part that varies by its own looks replaced by a placeholder."""
    folder, slash, name = key.rpartition("/")
    if slash and not (name[:1].isdigit() and folder[-1:].isdigit()):  # else a date may stand across the slash
        return whole_template(folder + "/") + _name_template(name)
    return whole_template(key)


def _name_template(name: str) -> str:
    """Of a key's last part. Names that differ in their numbers alone are looked at once."""
    if _ON_ITS_OWN.search(name) is None and name.count("-") < 4 and name.count(".") < 3:
        name = _NUMBER.sub("0", name)
    return whole_template(name)


@lru_cache(maxsize=65536)
def whole_template(key: str) -> str:
    """As `template_of`, with nothing known of the key's parts."""
    if "@" in key or "%40" in key or any(c.isdigit() for c in key):
        for pattern, placeholder in _WHOLE_KEY:
            key = pattern.sub(placeholder, key)
    return "/".join(_segment_template(segment) for segment in key.split("/"))


@lru_cache(maxsize=65536)
def _segment_template(segment: str) -> str:
    name, equals, value = segment.partition("=")
    if equals and is_of_people(name):  # Hive's way: `user=jane`
        return f"{name}={value if _PLACEHOLDER.fullmatch(value) else NAME}"
    stem, suffix = split_suffix(segment)
    template = _TOKEN.sub(lambda match: _token_template(match.group()), stem)
    if len(_PLACEHOLDER.findall(template)) > MOST_PLACEHOLDERS:
        template = ID
    return template + suffix


def _token_template(token: str) -> str:
    if token.startswith("{"):
        return token
    if token.isdigit():
        return "{number}"
    if _HEX.fullmatch(token):
        return "{hex}"
    if len(token) <= _SHORT_WORD or token.isalpha():
        return token if len(token) < 40 else ID
    word = _WORD_NUMBER.fullmatch(token)
    if word is not None:
        return word.group(1) + "{number}"
    return ID if len(token) >= 6 else re.sub(r"\d+", "{number}", token)


def split_suffix(name: str) -> tuple[str, str]:
    """`access.log.gz` is `access` and `.log.gz`; `notes.v2.txt` is `notes.v2` and `.txt`."""
    match = _SUFFIX.search(name)
    if match is None or match.start() == 0:
        return name, ""
    suffix = match.group()
    parts = suffix.split(".")
    if len(parts) == 3 and parts[2].lower() not in _COMPRESSIONS:
        suffix = "." + parts[2]
    return name[: -len(suffix)], suffix


def is_of_people(name: str) -> bool:
    """Whether what is called so is named after persons: "users", "utilisateur"."""
    name = name.lower()
    return name in _PEOPLE or name.removesuffix("s") in _PEOPLE


def is_table(suffix: str) -> bool:
    """Whether files with this suffix are tables or logs, which programs name."""
    return any(part in _TABLE_SUFFIXES for part in suffix.lower().split("."))


def _age(ref: ObjectRef) -> tuple[float, str]:
    return ref.modified, ref.key


_STATE_BITS = 2**128 - 1


def _state(ref: ObjectRef) -> int:
    """The object as it is: what its store says of its version, and else when it was written."""
    said = f"{ref.key}\0{ref.size}\0{ref.version or ref.etag or ref.modified}"
    return int.from_bytes(hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=16).digest())


def _hash(seed: int, key: str) -> int:
    """Spreads keys evenly; nothing is to be hidden by it."""
    return crc32(key.encode("utf-8", "replace"), seed)
