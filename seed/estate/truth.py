"""The truth about the estate, read from `truth.yaml`: what each field holds and where data goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from inventory.model import Transformation, dataset_of, dataset_urn, field_urn
from seed.estate import names

_FILE = Path(__file__).with_name("truth.yaml")
_DECLARED = _FILE.parents[1] / "processors.yaml"
_ANY_FIELD = "*"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a field holds. Each of `required` must be found, by any one of its categories; `allowed` may be."""

    required: tuple[tuple[str, ...], ...] = ()
    optional: frozenset[str] = frozenset()

    @property
    def allowed(self) -> frozenset[str]:
        """Every category that is a right answer."""
        return self.optional.union(*self.required)

    def allows(self, category: str) -> bool:
        """Whether it is a right answer: an allowed category, or a broader one above it (less precise, not wrong)."""
        return any(right == category or right.startswith(f"{category}.") for right in self.allowed)


@dataclass(frozen=True, slots=True)
class TrueFlow:
    """Data of one field goes to another; when not `required`, saying so is right and silence is too."""

    source: str
    target: str
    transformation: Transformation
    required: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """All of it; fields and datasets are named by their URNs."""

    fields: Mapping[str, Expected]
    defaults: Mapping[str, Expected]  # by dataset: of every field that is not listed
    flows: tuple[TrueFlow, ...]
    recipients: frozenset[tuple[str, str]] = frozenset()  # an organisation's key, and a source that shows it
    copies: tuple[TrueFlow, ...] = ()  # that no pipeline made

    def expected(self, field: str) -> Expected | None:
        """What the field holds; None for one that the estate does not have."""
        listed = self.fields.get(field)
        inside = [found.allowed for other, found in self.fields.items() if other.startswith(f"{field}/")]
        if listed is None and not inside:
            return self.defaults.get(dataset_of(field))
        listed = listed or Expected()
        return Expected(listed.required, listed.optional.union(*inside))

    def golden(self) -> Iterator[str]:
        """`dataset | field | category` of all that must be found, sorted; "a or b" where either is right."""
        lines: set[str] = set()
        for field, expected in self.fields.items():
            dataset, _, path = field.partition("#")
            lines |= {f"{dataset} | {path} | {' or '.join(categories)}" for categories in expected.required}
        yield from sorted(lines)

    def golden_processors(self, declared: Iterable[str]) -> Iterator[str]:
        """`organisation | declared, observed or both | the sources that show it`, sorted, of all that there are."""
        declared, sources = set(declared), dict[str, list[str]]()
        for key, source in sorted(self.recipients):
            sources.setdefault(key, []).append(source)
        for key in sorted(declared | sources.keys()):
            standing = "both" if key in declared and key in sources else "observed" if key in sources else "declared"
            yield " | ".join([key, standing, *([", ".join(sources[key])] if key in sources else [])])


def declared_processors() -> list[str]:
    """The organisations, and classes of such, that the shipped policy declares."""
    document = yaml.safe_load(_DECLARED.read_text(encoding="utf-8"))
    return [each["key"] for each in document["processors"]]


@cache
def truth() -> Truth:
    """The truth as the file has it."""
    document = cast("dict[str, dict[str, dict[str, str]]]", yaml.safe_load(_FILE.read_text(encoding="utf-8")))
    flows, copies = document.pop("flows"), document.pop("copies")
    recipients = cast("dict[str, list[str]]", document.pop("recipients"))
    fields: dict[str, Expected] = {}
    defaults: dict[str, Expected] = {}
    for source, datasets in document.items():
        for name, entries in datasets.items():
            dataset = _dataset(source, name)
            for path, text in entries.items():
                if path == _ANY_FIELD:
                    defaults[dataset] = parse_expected(text)
                else:
                    fields[_field(dataset, path)] = parse_expected(text)
    by_name = {name: _dataset(source, name) for source, datasets in document.items() for name in datasets}
    pairs = frozenset((key, source) for key, sources in recipients.items() for source in sources)
    return Truth(fields, defaults, tuple(_flows(flows, by_name)), pairs, tuple(_flows(copies, by_name)))


def parse_expected(text: str) -> Expected:
    """Read the notation that `truth.yaml` explains at its top."""
    if text == "none":
        return Expected()
    required: list[tuple[str, ...]] = []
    optional: set[str] = set()
    for term in text.split("&"):
        categories = tuple(part.strip() for part in term.split("|"))
        if all(category.endswith("?") for category in categories):
            optional.update(category.removesuffix("?") for category in categories)
        else:
            required.append(categories)
    return Expected(tuple(required), frozenset(optional))


def _dataset(source: str, name: str) -> str:
    namespace, prefix = {
        "postgresql": (names.DATABASE_NAMESPACE, f"{names.DATABASE}."),
        "s3": (names.BUCKET_NAMESPACE, ""),
        "stripe": (names.VENDOR_NAMESPACE, ""),
    }[source]
    return dataset_urn(namespace, prefix + name)


def _field(dataset: str, path: str) -> str:
    column, slash, pointer = path.partition("/")
    return field_urn(dataset, column, slash + pointer)


def _flows(document: Mapping[str, Any], by_name: Mapping[str, str]) -> Iterator[TrueFlow]:
    for name, targets in document.items():
        for path, text in targets.items():
            how, _, sources = text.partition(" ")
            for source in sources.split(","):
                dataset, _, column = source.strip().removesuffix("?").rpartition(".")
                yield TrueFlow(
                    _field(by_name[dataset], column),
                    _field(by_name[name], path),
                    Transformation(how),
                    not source.endswith("?"),
                )


if __name__ == "__main__":
    import sys

    processors = sys.argv[1:] == ["processors"]
    lines = truth().golden_processors(declared_processors()) if processors else truth().golden()
    sys.stdout.writelines(f"{line}\n" for line in lines)
