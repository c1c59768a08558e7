"""Many statements at once, and what is kept of them."""

from __future__ import annotations

from inventory.errors import UnreadableError
from inventory.lineage.sql.batch import Asked, lineages
from inventory.lineage.sql.cache import LineageCache
from inventory.lineage.sql.statements import Lineage
from inventory.lineage.sql.tables import Table

USERS, VIEW = Table("s/users", "users", ("email", "phone")), Table("s/v", "v", ("e",))
SYSTEMS = {"s": [USERS, VIEW]}
ASKED = [
    Asked("SELECT email AS e FROM users WHERE phone = 'canary'", "postgres", VIEW, "s"),
    Asked("SELECT 'canary' (((", "postgres", VIEW, "s"),
    Asked("SELECT 1", "klingon", VIEW, "s"),
]


def said(found) -> list[tuple[str, ...] | str]:
    return [tuple(f.source for f in each.flows) if isinstance(each, Lineage) else each.cause for each in found]


EXPECTED = [
    ("s/users", "s/users#email"),
    "its SQL could not be parsed as postgres",
    "its SQL dialect 'klingon' is unknown",
]


def test_answers_come_in_order_and_again_from_the_cache_without_any_text_of_theirs(tmp_path, monkeypatch):
    cache = LineageCache(tmp_path)
    assert said(lineages(ASKED, SYSTEMS, cache)) == EXPECTED
    cache.close()
    assert b"canary" not in (tmp_path / "lineage-cache.sqlite").read_bytes()
    monkeypatch.setattr("inventory.lineage.sql.batch.flows_of_statement", None)  # nothing is read anew
    assert said(lineages(ASKED, SYSTEMS, LineageCache(tmp_path))) == EXPECTED


def test_another_schema_is_read_anew(tmp_path):
    cache = LineageCache(tmp_path)
    list(lineages(ASKED[:1], SYSTEMS, cache))
    renamed = {"s": [Table("s/users", "users", ("mail", "phone")), VIEW]}
    (anew,) = lineages(ASKED[:1], renamed, cache)
    assert isinstance(anew, Lineage)
    assert not anew.resolved


def test_a_damaged_cache_is_as_an_empty_one(tmp_path):
    (tmp_path / "lineage-cache.sqlite").write_bytes(b"no database" * 1000)
    assert said(lineages(ASKED, SYSTEMS, LineageCache(tmp_path))) == EXPECTED


def test_an_error_keeps_its_table():
    errors = [each for each in lineages(ASKED, SYSTEMS) if isinstance(each, UnreadableError)]
    assert {error.source for error in errors} == {"v"}
