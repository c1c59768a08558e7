"""Scanners: what looks at databases, buckets, streams and vendors, and says what it saw as observations."""
