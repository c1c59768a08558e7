"""Scanners of vendor accounts: one YAML file a vendor (`connector.py` says what may stand in it), one HTTP engine."""
