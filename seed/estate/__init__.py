"""The demo estate of a Canadian platform provider: real servers, made-up people, and the truth about where they are."""

from seed.estate.estate import DEFAULT_ROWS, Estate

__all__ = ["DEFAULT_ROWS", "Estate"]
