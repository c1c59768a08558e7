"""`python -m seed.estate --directory D --rows N [--serve]`: make the estate, print its sources, keep it running."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

import yaml

from inventory.errors import InventoryError
from seed.estate import DEFAULT_ROWS, Estate


def main() -> int:
    """Make the estate; print the configuration that scans it as YAML; with --serve, wait for Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m seed.estate", description="The demo estate: servers and data.")
    parser.add_argument("--directory", type=Path, required=True, help="where data, logs and secrets are kept")
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="number of customers (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same estate")
    parser.add_argument("--postgres", type=Path, help="directory of PostgreSQL's programs")
    parser.add_argument("--serve", action="store_true", help="keep the servers running until interrupted")
    options = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with Estate(options.directory, options.rows, options.seed, programs=options.postgres, report=_say) as estate:
            configuration = {"sources": estate.sources(), "flows": estate.flows()}
            sys.stdout.write(yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True))
            sys.stdout.flush()
            if options.serve:
                _say("Serving until interrupted")
                stopped.wait()
    except InventoryError as error:
        _say(str(error))
        return 1
    return 0


def _say(step: str) -> None:
    sys.stderr.write(f"{step}\n")


if __name__ == "__main__":
    sys.exit(main())
