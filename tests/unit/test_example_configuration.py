"""The example configuration is one that works."""

from pathlib import Path

from inventory.scan.config import load_config

EXAMPLE = Path(__file__).parents[2] / "inventory.example.yaml"


def test_the_example_is_valid_and_names_every_kind_of_section():
    config = load_config(EXAMPLE)
    assert {scanner.settings.name for scanner in config.sources} >= {
        "control-plane",
        "ledger",
        "object-store",
        "payments",
    }
    assert config.flows
    assert config.data_dir == EXAMPLE.parent / ".inventory"
