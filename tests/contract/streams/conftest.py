"""A real Kafka broker."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def kafka_broker(running_store) -> int:
    """The port of a broker of this test session."""
    return running_store("kafka")
