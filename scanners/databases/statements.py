"""SQL text without the values that people wrote into it."""

from __future__ import annotations

import logging
import re

from sqlglot import exp, parse_one
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

logging.getLogger("sqlglot").addFilter(lambda record: False)  # its warnings quote the SQL, values and all

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_PATH = re.compile(rf"{_IDENTIFIER.pattern}|\{{{_IDENTIFIER.pattern}(,{_IDENTIFIER.pattern})*\}}")  # a, or {a,b}
_TEXT, _NUMBER = "?", "0"

_TEXT_NODES = (exp.National, exp.RawString, exp.ByteString, exp.UnicodeString, exp.HexString, exp.BitString)
_TEXT_TOKENS = {
    TokenType.STRING,
    TokenType.NATIONAL_STRING,
    TokenType.RAW_STRING,
    TokenType.HEREDOC_STRING,
    TokenType.UNICODE_STRING,
    TokenType.BYTE_STRING,
    TokenType.HEX_STRING,
    TokenType.BIT_STRING,
}


def without_literals(statement: str, dialect: str) -> str:
    """`statement` on one line with every literal replaced and every comment dropped; "" when it is no SQL at all.

    What stays is what names a field or a shape, never a value: the arguments of types (`varchar(320)`), column
    positions in GROUP BY and ORDER BY, and the keys of JSON paths (`payload ->> 'email'`) that look like
    identifiers. `dialect` is sqlglot's name of it.
    """
    try:
        tree = parse_one(statement, dialect=dialect)
        if isinstance(tree, exp.Command):  # sqlglot keeps the text of what it does not understand
            return _replaced_tokens(statement, dialect)
        return tree.transform(_replaced).sql(dialect=dialect, comments=False)
    except (SqlglotError, RecursionError, ValueError):
        return _replaced_tokens(statement, dialect)


def _replaced(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Literal):
        if _names_a_field(node):
            return node
        return exp.Literal.string(_TEXT) if node.is_string else exp.Literal.number(_NUMBER)
    if isinstance(node, _TEXT_NODES):
        return exp.Literal.string(_TEXT)
    if isinstance(node, exp.JSONPathKey) and not _is_identifier(node.this):
        return exp.JSONPathKey(this=_TEXT)
    if isinstance(node, (exp.JSONPathFilter, exp.JSONPathScript, exp.JSONPathUnion)):
        return exp.JSONPathKey(this=_TEXT)
    return node


def _is_identifier(text: object) -> bool:
    return isinstance(text, str) and _IDENTIFIER.fullmatch(text) is not None


def _names_a_field(literal: exp.Literal) -> bool:
    parent = literal.parent
    if isinstance(parent, (exp.DataTypeParam, exp.Group)):
        return not literal.is_string
    if isinstance(parent, exp.Ordered):
        return not literal.is_string and isinstance(parent.parent, exp.Order)
    child: exp.Expr = literal
    while isinstance(parent, (exp.Cast, exp.Paren)) and child.arg_key == "this":
        parent, child = parent.parent, parent
    if isinstance(parent, (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)):
        return child.arg_key == "expression" and _PATH.fullmatch(literal.name) is not None
    return False


def _replaced_tokens(statement: str, dialect: str) -> str:
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(statement)
    except SqlglotError:
        return ""
    words: list[str] = []
    for token in tokens:
        if token.token_type in _TEXT_TOKENS:
            words.append(f"'{_TEXT}'")
        elif token.token_type is TokenType.NUMBER:
            words.append(_NUMBER)
        else:
            words.append(statement[token.start : token.end + 1])
    return " ".join(words)
