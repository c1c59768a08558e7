"""Scanning: what the configuration says, and running the scanners it names."""
