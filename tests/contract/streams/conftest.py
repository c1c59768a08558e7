"""A real Kafka broker."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def broker(running_store, certificate):
    """A broker of this test session: a port for anyone, and one for those who sign in by TLS."""
    return running_store("kafka", certificate.both)


@pytest.fixture(scope="session")
def kafka_broker(broker) -> int:
    """Its port for anyone."""
    return broker.port
