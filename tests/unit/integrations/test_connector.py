"""Reading vendors' files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from inventory.errors import ConfigError
from inventory.vocabulary import is_personal
from scanners.integrations.connector import FOLDER, connectors, load_connector
from scanners.integrations.vendor import VendorSettings


@pytest.fixture
def stripe_file(tmp_path: Path):
    """Stripe's file with some of it changed."""

    def write(change) -> Path:
        content = yaml.safe_load((FOLDER / "stripe.yaml").read_text(encoding="utf-8"))
        change(content)
        path = tmp_path / "vendor.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    return write


def test_every_connector_is_named_after_its_vendor():
    assert set(connectors()) == {path.stem for path in FOLDER.glob("*.yaml")}
    for connector in connectors().values():
        assert any(is_personal(rule.category) for r in connector.resources for rule in r.fields.values())


@pytest.mark.parametrize(
    "change, place, cause",
    [
        (lambda c: c.update(colour="blue"), ": colour", "unknown key"),
        (lambda c: c["resources"][0].update(pathe="/x"), ": resources.0.pathe", "unknown key"),
        (lambda c: c["resources"][0]["fields"].update({"/x": {"category": "user.emial"}}), "resources.0.fields./x", ""),
        (lambda c: c["resources"][0].update(method="DELETE"), ": resources.0.method", "'GET' or 'POST'"),
        (lambda c: c["resources"][0].update(method="POST"), ": resources.0", "read_only: true"),
        (lambda c: c.update(base_url="http://api.stripe.com"), ": base_url", "^https://"),
        (lambda c: c["resources"][0].update(references={"/x": "nothing/id"}), "", "unknown resource"),
        (lambda c: c["resources"].insert(0, c["resources"].pop(1)), "", "must stand before it"),
        (lambda c: c["auth"].update(scheme="magic"), ": auth", "bearer"),
    ],
)
def test_a_mistake_is_named_with_its_place(stripe_file, change, place: str, cause: str):
    path = stripe_file(change)
    with pytest.raises(ConfigError) as caught:
        load_connector(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert place in message
    assert cause in message
    assert "\n" not in message


def test_what_is_no_yaml_is_said_with_its_line(tmp_path: Path):
    path = tmp_path / "vendor.yaml"
    path.write_text("vendor: stripe\nname: [\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"vendor\.yaml, line 3: is not YAML"):
        load_connector(path)


@pytest.mark.parametrize(
    "base_url", ["http://api.stripe.com", "ftp://x", "https://key:secret@api.stripe.com", "https://api.stripe.com/?k=1"]
)
def test_an_unsafe_address_is_refused(base_url: str):
    with pytest.raises(ValueError, match="base_url"):
        VendorSettings(name="s", type="stripe", account="a", base_url=base_url)
