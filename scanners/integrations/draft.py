"""A first connector from a vendor's own description of its API, for a person to curate.

The lists are found by their answers, keys, pages and parents by how such things are named, and what a field holds by
the detector's analysis of its name or, less surely, of what the description says of it. Where only a person knows,
`TODO` stands, and `inventory connector lint` says so until it is gone. Of the description nothing is copied but facts:
methods, paths, names of fields.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, cast
from urllib.parse import urlsplit

import yaml

from inventory.errors import ConfigError
from inventory.vocabulary import is_personal
from scanners.detection.interface import ColumnContext, Detection, TableContext
from scanners.integrations.lint import SECRET_PARAMETERS, TODO
from scanners.integrations.openapi import Description, Merged, Operation, Parameter, Place, Schema

_LIST_NAMES = (
    "data",
    "items",
    "results",
    "result",
    "values",
    "value",
    "records",
    "entries",
    "list",
    "rows",
    "resources",
)
_NO_LISTS = frozenset(
    {"errors", "error", "warnings", "messages", "links", "meta", "metadata", "included", "facets", "tags"}
)
_SIZES = (
    "limit",
    "per_page",
    "page_size",
    "pagesize",
    "perpage",
    "max_results",
    "maxresults",
    "page[size]",
    "count",
    "size",
)
_TOKENS = frozenset(
    {"pagetoken", "nexttoken", "nextpagetoken", "cursor", "pagecursor", "after", "pageafter", "startingafter", "marker"}
    | {
        "continuation",
        "continuationtoken",
        "next",
        "nextcursor",
        "bookmark",
        "scrolltoken",
        "token",
        "nextpage",
        "page",
    }
)
#: Parameters that are a token only where the answer calls it so.
_UNCLEAR = {"page": ("nextpage", "nextpagetoken"), "from": ("next",), "token": ("nexttoken", "nextpagetoken")}
_NUMBERS = ("page", "page_number", "pagenumber", "page[number]", "page_num", "pageno")
_OFFSETS = ("offset", "skip", "start", "start_index", "startindex", "page[offset]")
_LEADS_ON = re.compile(r"(web_?)?hook|sink|destination|endpoint|stream|export|forward|subscription", re.IGNORECASE)
_ADDRESS = re.compile(r"(?i)(.*[_-])?(web_?hook_?)?(url|uri|endpoint)|.*(Url|Uri|URL|Endpoint)$")
_OPEN_NAMES = re.compile(
    r"(?i)(.*_)?(metadata|attributes|properties|traits|custom(_?(fields|attributes|data))?|tags|labels)"
)
_TECHNICAL_FORMATS = frozenset({"date-time", "date", "unix-time", "unix", "timestamp", "google-datetime", "duration"})
_MOST_TECHNICAL = 80
_MOST_FIELDS = 150  # of a resource, the shallowest
#: Of what a field's description says: a long one names much else.
_MOST_WORDS = 5
_BY_WORDS = 0.6


@dataclass(frozen=True, slots=True)
class Drafted:
    """The file's text, and how many lists there were and how many of them it has."""

    text: str
    lists: int
    resources: int


@dataclass(frozen=True, slots=True)
class _List:
    operation: Operation
    name: str
    records: str | None
    shape: str
    record: Schema
    answer: Merged
    places: tuple[Place, ...] = ()
    primary_key: str = ""
    categories: Mapping[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])


def draft(
    description: Description,
    detection: Detection,
    tags: Collection[str] = (),
    paths: Collection[str] = (),
    *,
    everything: bool = False,
) -> Drafted:
    """A connector of the description's lists: those of the tags and of the paths (or patterns of paths) that are given.

    Lists of which no field's name says that it holds something of a person are left out unless `everything`, but for
    those that others hang on. Raises ConfigError when there is no list.
    """
    found = list(_lists(description, tags, paths))
    if not found:
        raise ConfigError(description.source, "has no GET that answers a list of records", "look at --tag and --path")
    looked = [_looked(description, each, detection) for each in found]
    kept = _kept(looked, everything=everything)
    resources = [_resource(description, each, kept) for each in kept]
    content = _vendor(description, kept) | {"resources": resources}
    # What is asked for must be said in the order in which it can be asked.
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    return Drafted(text, len(found), len(kept))


# --- which lists ------------------------------------------------------------------------------------------


def _lists(description: Description, tags: Collection[str], paths: Collection[str]) -> Iterator[_List]:
    names: set[str] = set()
    for operation in sorted(description.operations(), key=lambda each: each.path.count("{")):
        if tags and not set(tags) & set(operation.tags):
            continue
        if paths and not any(operation.path.startswith(path) or fnmatchcase(operation.path, path) for path in paths):
            continue
        listed = _listed(description, operation)
        if listed is not None:
            name = _new_name(operation.path, names)
            names.add(name)
            yield replace(listed, name=name)


def _listed(description: Description, operation: Operation) -> _List | None:
    """Where the answer's records are; None when it is one thing."""
    if operation.path.rstrip("/").endswith("}"):
        return None
    answer = description.merged(operation.answer)
    item = _record_of(description, answer, frozenset(answer.references))
    if item is not None:
        return _List(operation, "", None, "list", item, answer)
    own = _words(operation.path)[-1:]
    best: tuple[tuple[int, int, int], _List] | None = None
    waiting = [("", answer, frozenset(answer.references), 0)]
    while waiting:
        pointer, holder, above, depth = waiting.pop(0)
        for name, schema in list(holder.properties.items())[:200]:
            if name.lower() in _NO_LISTS:
                continue
            inner = description.merged(schema, above)
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            item = _record_of(description, inner, above | set(inner.references))
            if item is not None:
                known = name.lower() in (*_LIST_NAMES, *own) or len(holder.properties) <= 8
                rank = (depth, 0 if name.lower() in (*own, *_LIST_NAMES) else 1, 0)
                if known and (best is None or rank < best[0]):
                    best = rank, _List(operation, "", place, "list", item, answer)
            elif inner.properties and depth < 2:
                waiting.append((place, inner, above | set(inner.references), depth + 1))
    if best is not None:
        return best[1]
    if answer.values is not None and description.merged(answer.values).properties:
        return _List(operation, "", None, "map", answer.values, answer)
    return None


def _record_of(description: Description, merged: Merged, above: frozenset[str]) -> Schema | None:
    """The schema of an array's records; None when it is no array, or one of plain values."""
    if merged.type != "array" or merged.items is None:
        return None
    item = description.merged(merged.items, above)
    return merged.items if item.properties else None


def _looked(description: Description, listed: _List, detection: Detection) -> _List:
    places = tuple(description.places(listed.record))
    key = _primary_key(places, listed.name)
    return replace(listed, places=places, primary_key=key, categories=_categories(places, listed.name, detection))


def _kept(lists: Sequence[_List], *, everything: bool) -> list[_List]:
    """Those that hold something of a person, and those that these hang on; parents first."""
    kept: dict[str, _List] = {}
    for each in lists:
        if everything or any(is_personal(category) for category, _ in each.categories.values()):
            chain = [each]
            while (above := _parent_of(chain[-1], lists)) is not None and above not in chain:
                chain.append(above)
            for one in reversed(chain):
                kept[one.name] = one
    if not kept:  # a list of things is a beginning as well
        kept = {each.name: each for each in lists[:1]}
    return list(kept.values())


def _parent_of(listed: _List, lists: Sequence[_List]) -> _List | None:
    """The list whose records the path's last parameter names."""
    above = _before_last_parameter(listed.operation.path)
    return next(
        (each for each in lists if above and each.operation.path.rstrip("/") == above and each is not listed), None
    )


def _before_last_parameter(path: str) -> str:
    parts = path.rstrip("/").split("/")
    places = [index for index, part in enumerate(parts) if part.startswith("{") and part.endswith("}")]
    return "/".join(parts[: places[-1]]) if places else ""


# --- what the fields hold ---------------------------------------------------------------------------------


def _categories(places: Sequence[Place], name: str, detection: Detection) -> dict[str, tuple[str, float]]:
    """Pointer to category and confidence; fields are judged beside those of the same holder."""
    groups: dict[tuple[str, str], list[Place]] = {}
    for place in places:
        if _may_hold(place.schema):
            groups.setdefault((place.pointer.rpartition("/")[0], place.holder), []).append(place)
    found: dict[str, tuple[str, float]] = {}
    for (_, holder), group in groups.items():
        by_name = _named(tuple(place.name for place in group), holder or name, detection)
        words = {place.pointer: _first_words(place.schema.description) for place in group if place.name not in by_name}
        by_words = _named(tuple(text for text in words.values() if text), holder or name, detection)
        for place in group:
            said = by_name.get(place.name)
            if said is None and words[place.pointer] in by_words:
                category, confidence = by_words[words[place.pointer]]
                said = category, round(_BY_WORDS * confidence, 2)
            if said is not None and is_personal(said[0]) and len(found) < _MOST_FIELDS:
                found[place.pointer] = said
    return found


def _may_hold(schema: Merged) -> bool:
    return not (_is_technical(schema) or schema.properties or schema.type == "array")


def _named(names: Sequence[str], holder: str, detection: Detection) -> dict[str, tuple[str, float]]:
    """What detection says of columns with these names, before it sees a value."""
    columns = tuple(ColumnContext(name, "string") for name in dict.fromkeys(names))
    found: dict[str, tuple[str, float]] = {}
    for verdict in detection.table(TableContext(holder, columns)).verdicts() if columns else ():
        best = max(verdict.verdicts, key=lambda each: each.confidence, default=None)
        if best is not None and not verdict.pointer:
            found[verdict.column] = best.category, round(min(best.confidence, 0.95), 2)
    return found


def _first_words(text: str) -> str:
    """Of a short description its words, without "the user's" before them; "" of a long one."""
    first = re.split(r"[.;:(\n]", text.strip(), maxsplit=1)[0].lower()
    words = [word for word in re.findall(r"[a-z]+(?:'s)?", first) if word not in ("the", "a", "an", "of", "this")]
    words = [word for word in words if not word.endswith("'s")]
    return " ".join(words) if 0 < len(words) <= _MOST_WORDS else ""


def _is_technical(schema: Merged) -> bool:
    return schema.type == "boolean" or schema.is_listed or schema.format in _TECHNICAL_FORMATS


def _technical_keys(lists: Sequence[_List]) -> list[str]:
    """Names that are technical wherever they stand in these lists."""
    technical: dict[str, bool] = {}
    for place in (place for each in lists for place in each.places):
        technical[place.name] = technical.get(place.name, True) and _is_technical(place.schema)
    kept = {pointer.rpartition("/")[2] for each in lists for pointer in each.categories}
    return [name for name, yes in technical.items() if yes and name not in kept][:_MOST_TECHNICAL]


def _primary_key(places: Sequence[Place], name: str) -> str:
    top = {place.name.lower(): place for place in places if place.pointer.count("/") == 1}
    one = _singular(name)
    for wanted in ("id", f"{one}_id", f"{one}id", "uuid", "gid", "sid", "key", "uid", "slug", "name"):
        place = top.get(wanted)
        if place is not None and place.schema.type in ("string", "integer", "number", ""):
            return place.pointer
    return ""


# --- one resource -----------------------------------------------------------------------------------------


def _resource(description: Description, listed: _List, lists: Sequence[_List]) -> dict[str, Any]:
    operation = listed.operation
    parent = _parent_of(listed, lists)
    said: dict[str, Any] = {"name": listed.name, "path": _path(operation.path, parent)}
    paging, sized = _paging(description, listed)
    parameters = sized | _required(operation, paging)
    if parameters:
        said["parameters"] = parameters
    if listed.records is not None:
        said["records"] = listed.records
    if listed.shape != "list":
        said["shape"] = listed.shape
    if listed.primary_key:
        said["primary_key"] = listed.primary_key
    said["description"] = TODO
    if parent is not None:
        said["parent"] = {
            "resource": parent.name,
            "key": parent.primary_key or "/id",
            "placeholder": _placeholder(
                operation.path.rstrip("/").split("/")[len(_before_last_parameter(operation.path).split("/"))]
            ),
        }
    references = _references(listed, lists)
    if references:
        said["references"] = references
    fields = {
        pointer: {"category": category, "provenance": "spec", "confidence": confidence}
        for pointer, (category, confidence) in listed.categories.items()
    }
    if fields:
        said["fields"] = fields
    maps = [place.pointer for place in listed.places if _is_open_map(place)]
    if maps:
        said["open_maps"] = maps
    onward = _onward(listed)
    if onward:
        said["onward"] = onward
    said["paging"] = paging
    if operation.scopes:
        said["scopes"] = list(operation.scopes)
    if operation.erases:
        key = (listed.primary_key or "/id").rpartition("/")[2]
        head = _path(operation.path, parent).rstrip("/")
        said["erase"] = {"method": "DELETE", "path": f"{head}/{{{_placeholder(key)}}}"}
    return said


def _path(path: str, parent: _List | None) -> str:
    """With placeholders as a connector writes them: the parent's, `{account}`, or variables."""
    parts = path.split("/")
    last = len(_before_last_parameter(path).split("/")) if parent is not None else -1
    return "/".join(
        re.sub(r"\{([^}]*)\}", _as_placeholder if index == last else _as_variable, part)
        for index, part in enumerate(parts)
    )


def _as_placeholder(found: re.Match[str]) -> str:
    return f"{{{_placeholder(found[1])}}}"


def _as_variable(found: re.Match[str]) -> str:
    return f"{{{_variable(found[1])}}}"


def _placeholder(text: str) -> str:
    """As a connector may write it: letters and underscores."""
    return re.sub(r"[^a-z]+", "_", _snake(text.strip("{}+*"))).strip("_") or "id"


def _variable(text: str) -> str:
    """What the settings say: never named as a parent's placeholder may be."""
    name = _placeholder(text)
    whose = re.fullmatch(r"(account|tenant|organi[sz]ation|org|workspace)(_?id(entifier)?)?(_or_slug)?", name)
    return "account" if whose else f"one_{name}"


def _required(operation: Operation, paging: Mapping[str, Any]) -> dict[str, str]:
    """Parameters without which nothing is answered."""
    taken = {paging.get("parameter"), paging.get("size_parameter")}
    return {
        each.name: str(each.schema.get("default") or TODO)
        for each in operation.parameters
        if each.place == "query"
        and each.required
        and each.name not in taken
        and not SECRET_PARAMETERS.fullmatch(each.name)
    }


def _references(listed: _List, lists: Sequence[_List]) -> dict[str, str]:
    """Fields named as the key of another list: `customer` or `customer_id` of customers."""
    keys = {_singular(each.name): each for each in lists if each.primary_key}
    found: dict[str, str] = {}
    for place in listed.places:
        other = keys.get(re.sub(r"_?id$", "", _snake(place.name)))
        plain = place.schema.type in ("string", "integer") and place.pointer != listed.primary_key
        if other is not None and plain and "/-" not in place.pointer:
            found[place.pointer] = other.name + other.primary_key
    return found


def _is_open_map(place: Place) -> bool:
    schema = place.schema
    if schema.properties or schema.type != "object" or "/-" in place.pointer:
        return False
    return schema.values is not None or (schema.is_open and _OPEN_NAMES.fullmatch(place.name) is not None)


def _onward(listed: _List) -> list[dict[str, str]]:
    if not _LEADS_ON.search(listed.operation.path):
        return []
    return [
        {"at": place.pointer, "kind": "url", "note": TODO}
        for place in listed.places
        if _ADDRESS.fullmatch(place.name) and place.schema.type == "string"
    ]


# --- pages ------------------------------------------------------------------------------------------------


def _paging(description: Description, listed: _List) -> tuple[dict[str, Any], dict[str, str]]:
    """How its pages follow each other, and the parameter that makes them large."""
    query = {each.name.lower(): each for each in listed.operation.parameters if each.place == "query"}
    size = next((query[name] for name in _SIZES if name in query), None)
    largest = _largest(size)
    sized = {size.name: str(largest)} if size is not None else {}
    scalars = {place.pointer: place for place in _outside(description, listed)}
    if "starting_after" in query and "/has_more" in scalars:
        return {"style": "cursor", "parameter": "starting_after", "key": "/id", "more": "/has_more"}, sized
    token = _token(query, scalars)
    if token is not None:
        return {"style": "token", "parameter": token[0], "token": token[1]}, sized
    link = next((pointer for pointer in scalars if _is_next_link(pointer, scalars[pointer])), None)
    if link is not None:
        return {"style": "link", "next": link}, sized
    # A cursor that the body does not hold comes in the Link header, which many descriptions leave out.
    if listed.operation.has_link_header or (listed.records is None and "cursor" in query):
        return {"style": "link"}, sized
    offset = next((query[name] for name in _OFFSETS if name in query), None)
    if offset is not None and size is not None:
        return {"style": "offset", "parameter": offset.name, "size_parameter": size.name, "size": largest}, {}
    number = next((query[name] for name in _NUMBERS if name in query), None)
    if number is not None:
        said = {"style": "number", "parameter": number.name, "size": largest}
        first = number.schema.get("minimum", number.schema.get("default"))
        return said | ({"first": 0} if first == 0 else {}) | (
            {"size_parameter": size.name} if size is not None else {}
        ), {}
    return {"style": "none"}, sized


def _outside(description: Description, listed: _List) -> Iterator[Place]:
    """Plain values of the answer that stand beside its records."""
    for place in description.places({"type": "object", "properties": _without_records(listed)}):
        if place.schema.type in ("string", "boolean", "integer", "") and not place.schema.properties:
            yield place


def _without_records(listed: _List) -> dict[str, Schema]:
    first = (listed.records or "").split("/")[1:2]
    return {
        name: schema
        for name, schema in listed.answer.properties.items()
        if [name] != first or listed.records != f"/{name}"
    }


def _token(query: Mapping[str, Parameter], scalars: Mapping[str, Place]) -> tuple[str, str] | None:
    asked = {_plain(name): parameter for name, parameter in query.items() if _plain(name) in _TOKENS}
    best: tuple[int, str, str] | None = None
    for pointer, place in scalars.items():
        name = _plain(place.name)
        if "/-" in pointer or place.schema.type == "boolean" or place.schema.format == "uri":
            continue
        for wanted, parameter in asked.items():
            above = _plain(pointer)
            if wanted in _UNCLEAR and name not in _UNCLEAR[wanted]:
                continue
            exact = name in (f"next{wanted}", wanted) or above.endswith(f"next{wanted}")
            rank = (0 if "next" in above or "end" in above else 1) if exact else 2 if name.startswith("next") else 3
            if rank < 3 and (best is None or rank < best[0]):
                best = rank, parameter.name, pointer
    return None if best is None else (best[1], best[2])


def _is_next_link(pointer: str, place: Place) -> bool:
    name = _plain(place.name)
    if name in ("nexturl", "nexturi", "nextlink", "nextpageurl", "nextpageuri", "odatanextlink"):
        return True
    inside = re.search(r"(?i)(links|paging|pagination|pages|meta)/next(/href)?$", pointer) is not None
    return inside or (name == "next" and (place.schema.format == "uri" or "url" in place.schema.description.lower()))


def _largest(size: Parameter | None) -> int:
    if size is None:
        return 100
    said: Any = size.schema.get("maximum") or size.schema.get("default")
    return min(max(said, 1), 1000) if isinstance(said, int) else 100


# --- the vendor -------------------------------------------------------------------------------------------


def _vendor(description: Description, lists: Sequence[_List]) -> dict[str, Any]:
    info = cast("Mapping[str, Any]", description.content.get("info") or {})
    title = re.sub(r"(?i)\b(the|api|rest|admin|management|specification|openapi)\b", " ", str(info.get("title", "")))
    name = " ".join(title.split()) or TODO
    base_url, variables = _address(description)
    key = _key(base_url, name)
    paths = (_path(each.operation.path, _parent_of(each, lists)) for each in lists)
    variables |= {name: TODO for path in paths for name in re.findall(r"\{(one_[a-z_]+)\}", path)}
    said: dict[str, Any] = {
        "vendor": key,
        "name": name,
        "legal_entity": TODO,
        "processor": key.replace("_", "-"),
        "service_class": TODO,
        "role": "processor",
        "head_office": TODO,
        "regions": [],
        "documentation": _documentation(description),
        "verified": "specification",
        "api_version": str(info.get("version", "")),
        "contacts": {"privacy": TODO, "erasure": TODO},
        "base_url": base_url,
    }
    if variables:
        said["variables"] = variables
    said["auth"] = _auth(description)
    technical = _technical_keys(lists)
    if technical:
        said["technical_keys"] = technical
    cheap = next((each for each in lists if "{" not in each.operation.path), None)
    return said | {"check": cheap.operation.path if cheap is not None else f"/{TODO}"}


def _key(base_url: str, name: str) -> str:
    """By the domain, which says who it is more plainly than most titles do; Google's is that of all its services."""
    labels = (urlsplit(base_url).hostname or "").split(".")
    domain = labels[-2] if len(labels) > 1 and "{" not in labels[-2] and labels[-2] != "googleapis" else ""
    key = re.sub(r"[^a-z0-9]+", "_", (domain or name).lower()).strip("_")
    return key if re.fullmatch(r"[a-z][a-z0-9_]*", key) else "vendor"


def _documentation(description: Description) -> str:
    docs = description.content.get("externalDocs")
    url = str(cast("Mapping[str, Any]", docs).get("url", "")) if isinstance(docs, Mapping) else ""
    return url if re.fullmatch(r"https://\S+", url) else TODO


def _address(description: Description) -> tuple[str, dict[str, str]]:
    content = description.content
    variables: dict[str, str] = {}
    servers = cast("list[Mapping[str, Any]]", content.get("servers") or [])
    url = str(servers[0].get("url", "")) if servers else ""
    if not url and content.get("host"):  # Swagger 2
        url = f"https://{content['host']}{content.get('basePath', '')}"
    if servers:
        for name, said in cast("Mapping[str, Mapping[str, Any]]", servers[0].get("variables") or {}).items():
            only = said.get("enum") == [said.get("default")] or _snake(name) in (
                "protocol",
                "scheme",
                "version",
                "base_path",
            )
            if only:
                url = url.replace("{" + name + "}", str(said.get("default", "")))
            else:
                url = url.replace("{" + name + "}", "{" + _placeholder(name) + "}")
                variables[_placeholder(name)] = TODO
    url = re.sub(r"^http:", "https:", url).rstrip("/")
    try:
        good = url.startswith("https://") and bool(urlsplit(url).netloc) and "@" not in url
    except ValueError:
        good = False
    return (url, variables) if good else (f"https://{TODO}", {})


def _auth(description: Description) -> dict[str, Any]:
    """By the schemes that the description names; a key in the address is not taken."""
    content = description.content
    components = cast("Mapping[str, Any]", content.get("components") or {})
    schemes = cast("Mapping[str, Any]", components.get("securitySchemes") or content.get("securityDefinitions") or {})
    found = [cast("Mapping[str, Any]", description.followed(scheme)) for scheme in schemes.values()]
    headers = {
        str(each["name"]): _snake(str(each["name"]))
        for each in found
        if each.get("type") == "apiKey" and each.get("in") == "header"
    }
    for scheme in found:
        flows = cast("Mapping[str, Any]", scheme.get("flows") or {})
        client = cast("Mapping[str, Any]", flows.get("clientCredentials") or {})
        token_url = str(client.get("tokenUrl", ""))
        if re.fullmatch(r"(https:/)?/[^\s?#{}]+", token_url):
            client_names = {"client_id": "client_id", "client_secret": "client_secret"}
            return {"scheme": "oauth2_client_credentials", "token_url": token_url, **client_names}
    for scheme in found:
        match scheme.get("type"), str(scheme.get("scheme", "")).lower():
            case ("http", "basic") | ("basic", _):
                return {"scheme": "basic", "username": "username", "password": "password"}
            case ("http", "bearer"):
                return {"scheme": "bearer", "token": "token"}
            case ("google", _):
                return {"scheme": "oauth2_service_account", "key": "key_file", "scopes": [TODO]}
            case _:
                pass
    own = {name: credential for name, credential in headers.items() if name.lower() != "authorization"}
    return {"scheme": "header", "headers": own} if own else {"scheme": "bearer", "token": "token"}


# --- names ------------------------------------------------------------------------------------------------


def _words(path: str) -> list[str]:
    """The parts of a path that are no placeholders, as names."""
    parts = (re.sub(r"\.(json|xml)$", "", part) for part in path.split("/") if part and "{" not in part)
    return [_snake(part) for part in parts]


def _new_name(path: str, taken: Collection[str]) -> str:
    words = [word for word in _words(path) if word and not re.fullmatch(r"v\d+\w*|api|rest|_?", word)] or ["records"]
    name = words[-1]
    for before in reversed(words[:-1]):
        if name not in taken and name[:1].isalpha():
            break
        name = f"{_singular(before)}_{name}"
    name = name if name[:1].isalpha() else f"list_{name}"
    number, tried = 2, name
    while tried in taken:
        tried, number = f"{name}_{number}", number + 1
    return tried


def _snake(text: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _singular(name: str) -> str:
    if name in ("people", "children"):
        return {"people": "person", "children": "child"}[name]
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ses", "se"), ("s", "")):
        if name.endswith(ending) and not name.endswith("ss") and len(name) > len(ending) + 1:
            return name[: -len(ending)] + instead
    return name
