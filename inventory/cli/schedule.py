"""`inventory schedule`: scan sources at the times that they name."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import typer

from inventory.cli.console import out, print_json, say
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption

if TYPE_CHECKING:
    from inventory.scan.config import Config
    from scanners.base import Schedule

app = typer.Typer(no_args_is_help=True, help="Scan sources at the times that they name.")


@app.command("run")
def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Scan each source when its `schedule` says so, until interrupted; one such process runs at a time.

    A source that was due while nothing ran is scanned once on start (`catch_up: false` leaves that out); one that is
    due while its last scan still runs is left out that time. What is configured is read on start.

    [bold]Examples[/bold]

      inventory schedule run
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    from inventory.cli import road
    from inventory.errors import InventoryError
    from inventory.graph.writer import GraphWriter
    from inventory.scan.schedule import Scheduler, WallClock, only_scheduler

    settings = road.opened_config(config)
    schedules = _schedules(settings)
    scanners = {scanner.settings.name: scanner for scanner in settings.sources}
    stop = threading.Event()

    def ask_to_stop(number: int, frame: object) -> None:
        del number, frame
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    with only_scheduler(settings.data_dir), road.opened_graph(settings) as graph:
        road.declare(graph, settings)

        def scan(name: str) -> None:
            try:
                context = road.detection_context(settings, road.reviews(graph), lambda _: None)
                with closing(road.opened_sketches(settings)) as sketches:
                    (outcome,) = road.scan_into(graph, [scanners[name]], context, sketches=sketches)
                road.tell_outcome(outcome)
                road.tell_findings(road.derive(graph, settings).findings)
            except InventoryError as error:
                say(f"error: {name}: {error}", style="red")

        with ThreadPoolExecutor(max_workers=len(schedules), thread_name_prefix="schedule") as executor:

            def start(name: str) -> Future[None]:
                return executor.submit(scan, name)

            scheduler = Scheduler(schedules, GraphWriter(graph).last_started(), start, WallClock(stop))
            for name, at in sorted(scheduler.due.items(), key=lambda due: due[1]):
                say(f"{name}: {at:%Y-%m-%d %H:%M} UTC", style="dim")
            scheduler.run()
            say("Stopping when the scans that run are done", style="dim")


@app.command("list")
def list_(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Say when each source is scanned next.

    [bold]Examples[/bold]

      inventory schedule list --json
    """
    from datetime import UTC, datetime

    from inventory.cli import road
    from inventory.scan.schedule import next_time

    now = datetime.now(UTC)
    schedules = _schedules(road.opened_config(config))
    times = sorted((next_time(schedule, now), name, schedule) for name, schedule in schedules.items())
    if as_json:
        print_json(
            [
                {"source": name, "cron": schedule.cron, "timezone": schedule.timezone, "next": at.isoformat()}
                for at, name, schedule in times
            ]
        )
        return
    for at, name, schedule in times:
        out.print(f"{name}  {at:%Y-%m-%d %H:%M} UTC  ({schedule.cron} {schedule.timezone})", markup=False)


def _schedules(config: Config) -> dict[str, Schedule]:
    from inventory.errors import ConfigError

    found = {s.settings.name: s.settings.schedule for s in config.sources if s.settings.schedule is not None}
    if not found:
        raise ConfigError("sources", "none has a schedule", "give one: schedule: {cron: 15 3 * * *}")
    return found
