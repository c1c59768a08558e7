"""One small estate for the tests that only look at it, and a place for those that make their own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from seed.estate import Estate

ROWS = 60


@pytest.fixture
def make_estate(tmp_path: Path) -> Iterator[Callable[..., Estate]]:
    """Makes estates that are deleted after the test. As root, pytest's own directories are closed to PostgreSQL's
    user, so that this also shows what happens then."""
    from seed.estate import Estate

    made: list[Estate] = []

    def make(directory: Path = tmp_path / "estate", **options: object) -> Estate:
        made.append(Estate(directory, **{"rows": 5, **options}))  # pyright: ignore[reportArgumentType]
        return made[-1]

    yield make
    for estate in made:
        estate.remove()


@pytest.fixture(scope="session")
def small_estate() -> Iterator[Estate]:
    """A running estate that no test changes."""
    from seed.estate import Estate

    with tempfile.TemporaryDirectory(prefix="estate-") as directory:
        Path(directory).chmod(0o711)
        estate = Estate(Path(directory, "estate"), rows=ROWS)
        with estate:
            yield estate
        estate.remove()
