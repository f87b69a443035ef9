"""A capture: one thread a collector, one spool a table, one heart, until it is told to stop.

Everything that the capture was given is on disk when it ends, however it ends: what is appended is flushed by its
spool four times a second, and what a killed capture leaves is sealed by the next one into the same bundle.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors.bundle import refuse_sealed, refuse_without_drill
from rtoanalytics_collectors.capture.guard import GuardedCollector
from rtoanalytics_collectors.capture.listening import ListeningLoop
from rtoanalytics_collectors.capture.resuming import captured_rows, last_heartbeats
from rtoanalytics_collectors.clocks import UNMEASURED
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.sampling import Heart, SamplingLoop, beats_as
from rtoanalytics_collectors.spool import Spool
from rtoanalytics_collectors.spool.recovery import recover

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rtoanalytics_collectors.capture.planned import Planned
    from rtoanalytics_collectors.capture.secrets import Secrets

Heartbeats = dict[tuple[str, str | None], int]
"""The last heartbeat by collector and target, microseconds since the epoch."""
MAX_PROCESSES = 64
"""Captures that may run into one bundle on one host at a time."""


@dataclass(frozen=True)
class Running:
    """One collector at work."""

    planned: Planned
    guard: GuardedCollector | ListeningLoop
    loop: SamplingLoop | ListeningLoop
    spools: dict[str, Spool]
    stop: threading.Event

    @property
    def disk_error(self) -> str | None:
        """What the disk says that does not take the rows, None while it does."""
        errors = (spool.last_error for spool in self.spools.values())
        return next((error for error in errors if error is not None and "[Errno " in error), None)


class Capture:
    """Collectors of one bundle at work. Use as a context manager: leaving it looks once more and seals everything."""

    def __init__(
        self, bundle: Path, planned: Sequence[Planned], secrets: Secrets, *, host: str, interval_seconds: float
    ) -> None:
        """Name what is captured; nothing is written yet. Raises UsageError for a sealed bundle or none."""
        refuse_without_drill(bundle)
        refuse_sealed(bundle)
        self._bundle = bundle
        self._planned = planned
        self._secrets = secrets
        self._host = host
        self._interval_seconds = interval_seconds
        self._stack = ExitStack()
        self._threads: list[threading.Thread] = []
        self.running: list[Running] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def stop(self) -> None:
        """Tell every collector to look once more and end. Returns at once."""
        for running in self.running:
            running.stop.set()

    def is_over(self) -> bool:
        """Whether no collector is at work any more."""
        return not any(thread.is_alive() for thread in self._threads)

    def refusals(self) -> list[str]:
        """Why collectors could not start, one line each."""
        return [f"{r.planned.name}: {r.guard.refusal}" for r in self.running if r.guard.refusal is not None]

    def disk_error(self) -> str | None:
        """What keeps evidence from being written, None while all is well."""
        found = ((running.planned.name, running.disk_error) for running in self.running)
        return next((f"{name}: {error}" for name, error in found if error is not None), None)

    def _open(self, stack: ExitStack) -> None:
        was_interrupted = bool(recover(self._bundle))
        heart = Heart(stack.enter_context(self._heartbeats()), reading=UNMEASURED)
        last = last_heartbeats(self._bundle)
        self._note_restart(last, was_interrupted=was_interrupted)
        places = _places(self._planned, self._host)
        self.running = [
            self._running(planned, place, heart, last, stack)
            for planned, place in zip(self._planned, places, strict=True)
        ]
        stack.callback(self._end)
        self._threads = [_start(running) for running in self.running]

    def _running(
        self,
        planned: Planned,
        place: str,
        heart: Heart,
        last: Heartbeats,
        stack: ExitStack,
    ) -> Running:
        spools = {
            table: stack.enter_context(Spool(self._bundle, table, f"{table}-{place}")) for table in planned.tables
        }
        stop = threading.Event()
        first = planned.tables[0]
        interval = planned.interval_seconds or self._interval_seconds
        if (serve := planned.serve) is not None:
            listening = ListeningLoop(planned.target, interval, lambda: serve(self._bundle, spools[first], heart))
            return Running(planned, listening, listening, spools, stop)
        guard = GuardedCollector(
            planned,
            self._secrets,
            lambda: captured_rows(self._bundle, first, spools[first].collector),
            stop.set,
        )
        beats = beats_as(first, planned.target, planned.on_cluster)
        loop = SamplingLoop(guard, spools, heart, interval, vouched_until=last.get(beats))
        return Running(planned, guard, loop, spools, stop)

    def _heartbeats(self) -> Spool:
        """The first spool of heartbeats that no other capture on this host is writing."""
        for number in range(1, MAX_PROCESSES + 1):
            name = f"heartbeats.{self._host}" + (f".{number}" if number > 1 else "")
            try:
                return Spool(self._bundle, "heartbeats", name)
            except UsageError:
                if number == MAX_PROCESSES:
                    raise
        raise AssertionError

    def _note_restart(self, last: Heartbeats, *, was_interrupted: bool) -> None:
        """Say in the evidence that an earlier capture ended without having been stopped."""
        names = {beats_as(table, p.target, p.on_cluster) for p in self._planned for table in p.tables}
        if was_interrupted and names & last.keys():
            mark(self._bundle, "note", actor="rto", text="capture restarted", source="rto collect")

    def _end(self) -> None:
        """Let every collector look once more, then release what it holds."""
        self.stop()
        for thread in self._threads:
            thread.join()


def _start(running: Running) -> threading.Thread:
    def work() -> None:
        try:
            running.loop.run(running.stop)
        finally:
            running.guard.close()

    thread = threading.Thread(target=work, name=f"collect {running.planned.name}", daemon=True)
    thread.start()
    return thread


def _places(planned: Sequence[Planned], host: str) -> Iterator[str]:
    """What each collector's spools are named for, the host last, so that copies of a bundle can be put together."""
    seen: dict[str, int] = {}
    for collector in planned:
        seen[collector.name] = count = seen.get(collector.name, 0) + 1
        yield f"{collector.place}.{host}" if count == 1 else f"{collector.place}.{host}.{count}"
