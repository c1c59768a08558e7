"""Our own domains are said once for all sources, and otherwise for one that says so itself."""

from __future__ import annotations

import pytest

from inventory.errors import ConfigError
from inventory.scan.config import parse_config
from scanners.base import ScanContext


def sources(**document):
    document["sources"] = [
        {"type": "sqlite", "name": "shop", "path": "shop.db"},
        {"type": "sqlite", "name": "sister", "path": "sister.db", "own_domains": ["sister.example"]},
        {"type": "sqlite", "name": "none", "path": "none.db", "own_domains": []},
    ]
    return {each.settings.name: each.settings for each in parse_config(document, "inventory.yaml").sources}


def test_sources_have_the_domains_of_the_configuration_or_their_own():
    found = sources(own_domains=["example.com", "example.org"])
    assert found["shop"].own_domains == ("example.com", "example.org")
    assert found["sister"].own_domains == ("sister.example",)
    assert found["none"].own_domains == ()
    assert sources()["shop"].own_domains == ()


def test_a_mistake_in_them_is_told_once():
    with pytest.raises(ConfigError) as told:
        sources(own_domains="example.com")
    assert str(told.value).count("own_domains") == 1


def test_other_domains_let_a_dataset_be_read_again(small_detection):
    context = ScanContext(small_detection)
    before, after = sources(own_domains=["a.example"])["shop"], sources(own_domains=["b.example"])["shop"]
    assert context.token(before, "state") != context.token(after, "state")
