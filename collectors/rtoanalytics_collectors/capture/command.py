"""`rto collect BUNDLE` from the first check to the summary."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console

from rtoanalytics.drill import load_drill
from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics_collectors.bundle import refuse_sealed, refuse_without_drill
from rtoanalytics_collectors.capture.environment import Environment
from rtoanalytics_collectors.capture.plan import Plan
from rtoanalytics_collectors.capture.planned import chosen, host_name, refuse_missing
from rtoanalytics_collectors.capture.run import Capture
from rtoanalytics_collectors.capture.secrets import scrubbed
from rtoanalytics_collectors.capture.showing import Shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rtoanalytics_collectors.capture.planned import Planned
    from rtoanalytics_collectors.capture.run import Running

_POLL_SECONDS = 0.1
_INTERRUPTED = 130
_LONGEST_SECONDS = 7 * 86_400.0


def collect(
    bundle: Path,
    only: Sequence[str] = (),
    *,
    seconds: float | None = None,
    interval_seconds: float | None = None,
    host: str | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Capture until told to stop; what was captured, as `rto collect --json` prints it.

    Raises UsageError for a folder that takes no evidence or names that nothing has, DrillError for a definition that
    is none, ClusterError when no collector could start or the disk does not take the evidence. No message repeats a
    secret.
    """
    refuse_without_drill(bundle)
    refuse_sealed(bundle)
    environment = Environment(os.environ)
    with scrubbed(environment.secrets):
        _refuse_seconds("--for", seconds)
        _refuse_seconds("--interval", interval_seconds)
        plan = Plan(load_drill(bundle / "drill.yaml"), environment, interval_seconds)
        planned = chosen(plan.collectors, only)
        refuse_missing(planned)
        console = console or Console(stderr=True)
        for name in environment.unused(plan.drill):
            console.print(f"{name} is not used: drill.yaml names no such cluster", highlight=False, soft_wrap=True)
        capture = Capture(
            bundle, planned, environment.secrets, host=host_name(host), interval_seconds=plan.interval_seconds
        )
        try:
            return _run(capture, bundle, console, seconds)
        finally:
            plan.close()


def planned_lines(bundle: Path, only: Sequence[str] = ()) -> list[str]:
    """What `rto collect` would run and how each connects, one line a collector. Nothing is connected to."""
    refuse_without_drill(bundle)
    environment = Environment(os.environ)
    with scrubbed(environment.secrets):
        planned = chosen(Plan(load_drill(bundle / "drill.yaml"), environment).collectors, only)
        return [environment.secrets.scrub(_line(collector)) for collector in planned]


def _line(planned: Planned) -> str:
    return f"{planned.name}: {', '.join(planned.tables)} from {planned.connects}"


def _run(capture: Capture, bundle: Path, console: Console, seconds: float | None) -> dict[str, Any]:
    began = time.monotonic()
    deadline = None if seconds is None else began + seconds
    with _stopping() as stop, capture:
        with Shown(capture, console) as shown:
            while not _is_finished(capture, stop, deadline):
                shown.tell()
            shown.tell()
        disk_error = capture.disk_error()
    if disk_error is not None:
        msg = f"the capture stopped, because evidence cannot be written: {disk_error}; {_KEPT}"
        raise ClusterError(msg)
    refusals = capture.refusals()
    if len(refusals) == len(capture.running):
        raise ClusterError("no collector could start:\n" + "\n".join(f"  {line}" for line in refusals))
    return _summary(bundle, capture, time.monotonic() - began)


_KEPT = "what was captured until then is kept; make room, then rto collect continues and rto recover seals it"


def _is_finished(capture: Capture, stop: threading.Event, deadline: float | None) -> bool:
    """Wait a moment, then tell whether the capture is to end."""
    is_told = stop.wait(_POLL_SECONDS)
    is_late = deadline is not None and time.monotonic() >= deadline
    return is_told or is_late or capture.is_over() or capture.disk_error() is not None


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second ends the process where it stands."""
    stop = threading.Event()

    def told(*_: object) -> None:
        if stop.is_set():
            os._exit(_INTERRUPTED)
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summary(bundle: Path, capture: Capture, seconds: float) -> dict[str, Any]:
    collectors = [_of(running) for running in capture.running]
    return {
        "bundle": bundle.as_posix(),
        "seconds": round(seconds, 1),
        "rows": sum(collector["rows"] for collector in collectors),
        "collectors": collectors,
    }


def _of(running: Running) -> dict[str, Any]:
    counts = running.loop.counts
    return {
        "collector": running.planned.name,
        "target": running.guard.target,
        "tables": list(running.planned.tables),
        "rows": counts.rows,
        "looks": counts.ticks,
        "missed": counts.missed,
        "holes": counts.holes,
        "refusal": running.guard.refusal,
        "last_failure": counts.last_failure,
    }


def _refuse_seconds(option: str, seconds: float | None) -> None:
    if seconds is not None and not 0 < seconds <= _LONGEST_SECONDS:
        msg = f"{option} is {seconds:g}; allowed are seconds above 0 and up to {_LONGEST_SECONDS:g}"
        raise UsageError(msg)
