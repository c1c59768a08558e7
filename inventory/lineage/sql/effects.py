"""What an expression does to its data: copies, changes, masks, aggregates or hashes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from inventory.lineage.sql.tables import Origin, Place
from inventory.model import Transformation

#: From what tells most of the data to what tells least.
STRENGTH = (
    Transformation.COPIED,
    Transformation.TRANSFORMED,
    Transformation.UNKNOWN,
    Transformation.MASKED,
    Transformation.AGGREGATED,
    Transformation.HASHED,
)

JSON_ACCESS = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar, exp.JSONValue)

#: Their result says that something is so, and nothing of a value.
TELLS_NO_VALUE = (exp.Predicate, exp.Connector, exp.Not)

_COPIES = (
    *(exp.Alias, exp.Paren, exp.Cast, exp.TryCast, exp.Coalesce, exp.Nullif, exp.Case, exp.If, exp.Collate),
    *(exp.Window, exp.Filter, exp.Ordered, exp.IgnoreNulls, exp.Distinct, exp.PropertyEQ),
    *(exp.FirstValue, exp.LastValue, exp.NthValue, exp.Lag, exp.Lead, exp.Greatest, exp.Least, exp.Nvl2),
)

#: Aggregates whose result is, or holds, single values.
_KEEPS_VALUES = (
    *(exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.ArgMax, exp.ArgMin, exp.Mode),
    *(exp.ArrayAgg, exp.ArrayUniqueAgg, exp.GroupConcat, exp.JSONArrayAgg, exp.JSONObjectAgg, exp.JSONBObjectAgg),
)

#: Aggregates of what they are ordered by.
_ORDERED_SETS = (exp.PercentileCont, exp.PercentileDisc, exp.Mode)

_HASHES = (exp.MD5, exp.MD5Digest, exp.SHA, exp.SHA1Digest, exp.SHA2, exp.SHA2Digest, exp.FarmFingerprint)
_HASH_NAMES = frozenset(
    [
        *("digest", "hmac", "crypt", "hash", "hashtext", "hashtextextended", "xxhash64", "xxhash", "blake3", "crc32"),
        *("md5", "sha", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3", "hashbytes", "standard_hash"),
        *("cityhash64", "siphash64", "siphash128", "murmurhash3_64", "murmurhash2_64", "murmur_hash", "inthash64"),
        *("md5_hex", "sha1_hex", "sha2_hex", "hash_md5", "hash_sha256", "checksum", "binary_checksum", "ora_hash"),
    ]
)
_MASK_WORDS = ("mask", "redact", "anonymi", "pseudonymi")


def effect(node: exp.Expr) -> Transformation:
    """What the outermost step of an expression does."""
    if isinstance(node, _COPIES):
        return Transformation.COPIED
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if isinstance(node, _HASHES) or name in _HASH_NAMES:
        return Transformation.HASHED
    if any(word in name for word in _MASK_WORDS) or _covers_the_rest(node):
        return Transformation.MASKED
    if isinstance(node, exp.WithinGroup):
        return effect(node.this)
    if isinstance(node, exp.AggFunc) and not isinstance(node, _KEEPS_VALUES):
        return Transformation.AGGREGATED
    return Transformation.TRANSFORMED


def _covers_the_rest(node: exp.Expr) -> bool:
    """`left(email, 2) || '***'`: a part of a value joined to constant text."""
    if not isinstance(node, (exp.DPipe, exp.Concat)):
        return False
    parts = [part.unnest() for part in (node.flatten() if isinstance(node, exp.DPipe) else node.expressions)]
    cut = [isinstance(part, (exp.Left, exp.Right, exp.Substring)) for part in parts]
    return any(cut) and all(is_cut or part.find(exp.Column) is None for is_cut, part in zip(cut, parts, strict=True))


def data_parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """The parts whose data is in the result; conditions, partitions and orders are not."""
    if isinstance(node, exp.Case):
        parts = [*(branch.args.get("true") for branch in node.args["ifs"]), node.args.get("default")]
    elif isinstance(node, (exp.If, exp.Nvl2)):
        parts = [node.args.get("true"), node.args.get("false")]
    elif isinstance(node, exp.WithinGroup) and isinstance(node.this, _ORDERED_SETS):
        parts = [ordered.this for ordered in node.expression.expressions]
    elif isinstance(node, (exp.Window, exp.Filter, exp.WithinGroup, exp.Nullif, exp.Ordered, exp.Order, exp.ArgMax)):
        parts = [node.this]
    elif isinstance(node, (exp.ArgMin, exp.FirstValue, exp.LastValue, exp.NthValue, exp.Limit, exp.PropertyEQ)):
        parts = [node.this if not isinstance(node, exp.PropertyEQ) else node.expression]
    elif isinstance(node, (exp.Lag, exp.Lead)):
        parts = [node.this, node.args.get("default")]
    elif isinstance(node, (exp.GroupConcat, exp.ArrayAgg, exp.Cast, exp.TryCast)):
        parts = [node.this]
    else:
        parts = list(node.iter_expressions())
    yield from (part for part in parts if isinstance(part, exp.Expr))


def stronger(one: Transformation, other: Transformation) -> Transformation:
    """What is left after both."""
    return max(one, other, key=STRENGTH.index)


def weakest(found: Iterable[Iterable[Origin]]) -> tuple[Origin, ...]:
    """Each place once, with what tells the most of it."""
    least: dict[Place, Transformation] = {}
    for origins in found:
        for place, how in origins:
            least[place] = min(least.get(place, how), how, key=STRENGTH.index)
    return tuple(least.items())
