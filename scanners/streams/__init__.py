"""Streams: one module for each kind of broker; see `scanners.registry`."""
