"""What a program depends on directly, as its manifest says: one reader a kind of file."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, cast

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring  # pyright: ignore[reportUnknownVariableType]

from scanners.recipients.organisation import Ecosystem

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True, slots=True)
class Dependency:
    """A library, by the name that its ecosystem gives it; `developing`: the running program does without it."""

    ecosystem: Ecosystem
    name: str
    developing: bool = False


class Malformed(Exception):
    """The manifest is not of its format."""


def reader_of(path: str) -> Callable[[str], Iterator[Dependency]] | None:
    """The reader for a manifest of that name; None if it is no manifest."""
    name = path.rpartition("/")[2]
    for pattern, reader in _READERS:
        if fnmatch(path if "/" in pattern else name, pattern):
            return reader
    return None


# --- Python -------------------------------------------------------------------------------------------------


def _requirements(text: str) -> Iterator[Dependency]:
    """A requirements file (pip); of a compiled one, what nothing else asked for (`# via`)."""
    waiting = ""
    via: list[str] = []
    for line in [*text.splitlines(), "end"]:
        comment = re.match(r"\s+#\s*(?:via\s*)?(.*)", line)
        if comment is not None and waiting:
            via.append(comment[1].strip())
            continue
        if waiting and not _is_transitive(via):
            yield Dependency("pypi", waiting)
        waiting, via = "", []
        found = _REQUIREMENT.match(line)
        if found is not None and line[:1] not in ("-", "#", " ", "\t") and "://" not in line.split("@")[0]:
            waiting = found[1]
            via = [part.strip() for part in re.findall(r"#\s*via\s+(.*)", line)]
    return


def _is_transitive(via: Iterable[str]) -> bool:
    by = [part for part in via if part]
    return bool(by) and not any("-r " in part or "-c " in part or "(" in part or "pyproject" in part for part in by)


def _pyproject(text: str) -> Iterator[Dependency]:
    document = _toml(text)
    project = _table(document, "project")
    yield from _specified(project.get("dependencies"))
    for group in _table(project, "optional-dependencies").values():
        yield from _specified(group)
    for group in _table(document, "dependency-groups").values():
        yield from _specified(group, developing=True)
    poetry = _table(document, "tool", "poetry")
    yield from _named("pypi", _table(poetry, "dependencies"))
    yield from _named("pypi", _table(poetry, "dev-dependencies"), developing=True)
    for group in _table(poetry, "group").values():
        yield from _named("pypi", _table(group, "dependencies"), developing=True)


def _specified(group: Any, developing: bool = False) -> Iterator[Dependency]:
    for each in cast("list[Any]", group) if isinstance(group, list) else ():
        found = _REQUIREMENT.match(each) if isinstance(each, str) else None
        if found is not None:
            yield Dependency("pypi", found[1], developing)


def _pipfile(text: str) -> Iterator[Dependency]:
    document = _toml(text)
    yield from _named("pypi", _table(document, "packages"))
    yield from _named("pypi", _table(document, "dev-packages"), developing=True)


def _setup_cfg(text: str) -> Iterator[Dependency]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        raise Malformed from None
    yield from _specified(parser.get("options", "install_requires", fallback="").splitlines())


# --- JavaScript, PHP ------------------------------------------------------------------------------------------


def _package_json(text: str) -> Iterator[Dependency]:
    document = _json(text)
    for section in ("dependencies", "optionalDependencies", "peerDependencies", "devDependencies"):
        yield from _named("npm", _table(document, section), developing=section == "devDependencies")


def _composer_json(text: str) -> Iterator[Dependency]:
    document = _json(text)
    yield from _named("composer", _table(document, "require"))
    yield from _named("composer", _table(document, "require-dev"), developing=True)


# --- Go, Rust, Ruby -------------------------------------------------------------------------------------------


def _go_mod(text: str) -> Iterator[Dependency]:
    inside = False
    for line in text.splitlines():
        code, _, comment = line.partition("//")
        words = code.split()
        if words[:2] == ["require", "("]:
            inside = True
        elif words == [")"]:
            inside = False
        elif "indirect" not in comment:
            if inside and len(words) == 2:
                yield Dependency("go", words[0])
            elif words[:1] == ["require"] and len(words) == 3:
                yield Dependency("go", words[1])


def _cargo_toml(text: str) -> Iterator[Dependency]:
    document = _toml(text)
    for holder in (document, _table(document, "workspace"), *_table(document, "target").values()):
        yield from _named("cargo", _table(holder, "dependencies"))
        yield from _named("cargo", _table(holder, "build-dependencies"), developing=True)
        yield from _named("cargo", _table(holder, "dev-dependencies"), developing=True)


def _gemfile(text: str) -> Iterator[Dependency]:
    for name in re.findall(r"""^[ \t]*gem[ \t(]+["']([\w.-]+)["']""", text, re.MULTILINE):
        yield Dependency("gem", name)


def _gemspec(text: str) -> Iterator[Dependency]:
    for name in re.findall(r"""\.add_(?:runtime_)?dependency[\s(]+["']([\w.-]+)["']""", text):
        yield Dependency("gem", name)


# --- Java, .NET -----------------------------------------------------------------------------------------------


def _pom(text: str) -> Iterator[Dependency]:
    for element in _xml_elements(text, "dependency"):
        part = {_local(child.tag): (child.text or "").strip() for child in element}
        name = f"{part.get('groupId', '')}:{part.get('artifactId', '')}"
        yield Dependency("maven", name, part.get("scope") == "test")


def _gradle(text: str) -> Iterator[Dependency]:
    for scope, name in re.findall(r"""^[ \t]*(\w+)[ \t(]+["']([\w.-]+:[\w.-]+)(?::[^"']*)?["']""", text, re.MULTILINE):
        if re.search(r"implementation|api|compile|runtime|kapt", scope, re.IGNORECASE):
            yield Dependency("maven", name, scope.startswith("test"))


def _version_catalog(text: str) -> Iterator[Dependency]:
    for entry in _table(_toml(text), "libraries").values():
        if isinstance(entry, str):
            yield Dependency("maven", ":".join(entry.split(":")[:2]))
        elif isinstance(entry, dict):
            said = cast("dict[str, Any]", entry)
            yield Dependency("maven", str(said.get("module") or f"{said.get('group')}:{said.get('name')}"))


def _nuget(text: str) -> Iterator[Dependency]:
    for tag in ("PackageReference", "PackageVersion", "package"):
        for element in _xml_elements(text, tag):
            name = element.get("Include") or element.get("id")
            if name:
                yield Dependency("nuget", name)


_READERS: tuple[tuple[str, Callable[[str], Iterator[Dependency]]], ...] = (
    ("*requirements*.txt", _requirements),
    ("*requirements*.in", _requirements),
    ("requirements/*.txt", _requirements),
    ("requirements/*.in", _requirements),
    ("*/requirements/*.txt", _requirements),
    ("*/requirements/*.in", _requirements),
    ("pyproject.toml", _pyproject),
    ("Pipfile", _pipfile),
    ("setup.cfg", _setup_cfg),
    ("package.json", _package_json),
    ("composer.json", _composer_json),
    ("go.mod", _go_mod),
    ("Cargo.toml", _cargo_toml),
    ("Gemfile", _gemfile),
    ("*.gemspec", _gemspec),
    ("pom.xml", _pom),
    ("*.gradle", _gradle),
    ("*.gradle.kts", _gradle),
    ("*.versions.toml", _version_catalog),
    ("*.csproj", _nuget),
    ("Directory.Packages.props", _nuget),
    ("packages.config", _nuget),
)


# --- formats ----------------------------------------------------------------------------------------------------


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed from None


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        raise Malformed from None


def _table(document: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        document = cast("dict[str, Any]", document).get(key) if isinstance(document, dict) else None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def _named(ecosystem: Ecosystem, table: Mapping[str, Any], developing: bool = False) -> Iterator[Dependency]:
    for name in table:
        yield Dependency(ecosystem, name, developing)


def _xml_elements(text: str, tag: str) -> Iterator[Any]:
    try:
        root: Any = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError):
        raise Malformed from None
    return (element for element in root.iter() if _local(element.tag) == tag)


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]
