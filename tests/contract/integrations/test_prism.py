"""The engine before servers of vendors' own API descriptions."""

from __future__ import annotations

import pytest

from scanners.integrations.connector import NoPaging
from scanners.integrations.engine import Engine, Pages, Request


def read(address: str, path: str, pointer: str | None, **parameters: str) -> list:
    engine = Engine("crm", address, headers={"Authorization": "Bearer t"})
    try:
        return list(engine.records(Request("things", path, parameters=parameters), pointer, NoPaging(), Pages()))
    finally:
        engine.close()


def test_a_description_is_served_in_part(prism):
    address = prism("hetzner/hcloud.json", "/servers")
    assert read(address, "/servers", "/servers")[0]["public_net"]["ipv4"]["ip"]


@pytest.mark.parametrize("path", ["/nothing", "/servers/x"])
def test_what_the_description_does_not_know_is_refused(prism, path: str):
    from inventory.errors import UnreadableError

    with pytest.raises(UnreadableError):
        read(prism("hetzner/hcloud.json", "/servers"), path, "/servers")
