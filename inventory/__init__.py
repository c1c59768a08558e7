"""Data inventory and lineage graph for privacy."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("privacy-inventory")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"
