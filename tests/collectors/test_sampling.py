"""The sampling loop: what it writes when a target answers, answers in part, or does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.clocks import UNMEASURED, ClockReading, same_host_clock
from rtoanalytics_collectors.failures import PartialLookError, TransientError
from rtoanalytics_collectors.sampling import Heart, SamplingLoop
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest

    from rtoanalytics_collectors.sampling import Sample

    Captured = Callable[[Path, str], list[dict[str, Any]]]


class Scripted:
    """A collector that gives what it was told to, look by look."""

    tables = ("events",)
    target = "somewhere"

    def __init__(self, *looks: list[dict[str, Any]] | Exception) -> None:
        self._looks: Iterator[list[dict[str, Any]] | Exception] = iter(looks)

    def collect(self) -> Sample:
        look = next(self._looks)
        if isinstance(look, Exception):
            raise look
        return {"events": look}


class StopAfter:
    """Stops a loop after some waits, and keeps how long each wait was asked to be."""

    def __init__(self, waits: int) -> None:
        self._waits = waits
        self.asked: list[float] = []

    def is_set(self) -> bool:
        return len(self.asked) >= self._waits

    def wait(self, timeout: float) -> bool:
        self.asked.append(timeout)
        return len(self.asked) > self._waits


def note(number: int) -> dict[str, Any]:
    """An event."""
    return {"occurred_at": number, "kind": "note"}


def tick(bundle: Path, *looks: list[dict[str, Any]] | Exception) -> SamplingLoop:
    """Run a scripted collector once per look."""
    with Spool(bundle, "events") as events, Spool(bundle, "heartbeats") as beats:
        heart = Heart(beats, clock=lambda: 7, reading=ClockReading(0.0, 0.5))
        loop = SamplingLoop(Scripted(*looks), {"events": events}, heart, 0.5)
        for _ in looks:
            loop.tick()
    return loop


def test_look_that_finds_nothing_is_a_heartbeat_without_rows(bundle: Path, captured: Captured) -> None:
    """Silence is told from zero: nothing new, and alive."""
    tick(bundle, [note(1), note(2)], [])
    assert [beat["rows"] for beat in captured(bundle, "heartbeats")] == [2, 2]
    assert len(captured(bundle, "events")) == 2


def test_look_that_did_not_get_to_the_end_keeps_its_rows_without_a_heartbeat(bundle: Path, captured: Captured) -> None:
    """What was read is not lost, and nothing vouches for what was not; the next whole look counts both."""
    loop = tick(bundle, PartialLookError("one partition has no leader", {"events": [note(1)]}), [note(2)])
    assert len(captured(bundle, "events")) == 2
    assert [beat["rows"] for beat in captured(bundle, "heartbeats")] == [2]
    assert (loop.counts.missed, loop.counts.last_failure) == (1, "one partition has no leader")


def test_heartbeat_carries_what_it_is_about(bundle: Path, captured: Captured) -> None:
    """A heartbeat names the table, the target, the interval and the clock."""
    tick(bundle, [])
    [beat] = captured(bundle, "heartbeats")
    assert beat.pop("occurred_at").timestamp() == 7e-6
    assert beat == {
        "collector": "events",
        "target": "somewhere",
        "interval_seconds": 0.5,
        "rows": 0,
        "clock_offset_ms": 0.0,
        "clock_error_ms": 0.5,
    }


def test_target_that_could_not_be_looked_at_leaves_a_hole(bundle: Path, captured: Captured) -> None:
    """No answer, or a refusal: neither rows nor a heartbeat, and the next look is tried all the same."""
    loop = tick(bundle, [note(1)], TransientError("no answer"), ClusterError("refused"), [note(2)])
    assert [beat["rows"] for beat in captured(bundle, "heartbeats")] == [1, 2]
    assert (loop.counts.ticks, loop.counts.missed, loop.counts.last_failure) == (4, 2, "refused")


def test_collector_that_cannot_keep_what_it_sees_does_not_beat(bundle: Path, captured: Captured) -> None:
    """A spool that has lost rows is no witness: its collector shows a hole from then on, this look included."""
    with Spool(bundle, "events", flush_seconds=60) as events, Spool(bundle, "heartbeats") as beats:
        loop = SamplingLoop(
            Scripted([note(1)], [{"kind": 5, "occurred_at": "x"}], []), {"events": events}, Heart(beats), 1
        )
        for _ in range(3):
            loop.tick()
    assert [beat["rows"] for beat in captured(bundle, "heartbeats")] == [1]


def test_rows_are_on_disk_before_their_heartbeat(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the two loses the heartbeat, never the rows that it vouches for."""
    with Spool(bundle, "events", flush_seconds=60) as events, Spool(bundle, "heartbeats") as beats:
        heart = Heart(beats)
        durable: list[int] = []
        monkeypatch.setattr(heart, "beat", lambda *_, **__: durable.append(events.durable_rows))
        SamplingLoop(Scripted([note(1), note(2)]), {"events": events}, heart, 1).tick()
    assert durable == [2]


class Tailer(Scripted):
    """A scripted collector that reads a log, and measures its target's clock."""

    is_continuous = True

    def reading(self) -> ClockReading:
        return ClockReading(3.0, 1.0)


def beats_of(bundle: Path, captured: Captured) -> list[tuple[int, int, float | None]]:
    """Second, rows and clock offset of each heartbeat."""
    found = captured(bundle, "heartbeats")
    return [(round(beat["occurred_at"].timestamp()), beat["rows"], beat["clock_offset_ms"]) for beat in found]


def run_at(bundle: Path, collector: Scripted, *seconds: int, vouched_until: int | None = None) -> SamplingLoop:
    """Look once at each of these seconds."""
    clock = iter(second * 1_000_000 for second in seconds)
    now = next(clock)
    with Spool(bundle, "events") as events, Spool(bundle, "heartbeats") as beats:
        heart = Heart(beats, clock=lambda: now, reading=UNMEASURED)
        loop = SamplingLoop(collector, {"events": events}, heart, 1, vouched_until=vouched_until)
        loop.tick()
        for now in clock:  # noqa: B007  (the heart's clock reads it)
            loop.tick()
    return loop


def test_log_tailer_vouches_for_the_time_it_could_not_look(bundle: Path, captured: Captured) -> None:
    """What was written meanwhile is still in the log: the look that succeeds closes the hole, interval by interval."""
    looks: list[list[dict[str, Any]] | Exception] = [[note(1)], TransientError("no"), TransientError("no"), [note(2)]]
    loop = run_at(bundle, Tailer(*looks), 10, 11, 12, 15)
    assert beats_of(bundle, captured) == [
        (10, 1, 3.0),
        (11, 1, None),
        (12, 1, None),
        (13, 1, None),
        (14, 1, None),
        (15, 2, 3.0),
    ]
    assert (loop.counts.holes, loop.counts.missed) == (0, 2)


def test_sampler_vouches_for_nothing_it_did_not_see(bundle: Path, captured: Captured) -> None:
    """Between two samples that stand far apart there is a hole, and it is counted."""
    loop = run_at(bundle, Scripted([], TransientError("no"), []), 10, 12, 14)
    assert [second for second, _, _ in beats_of(bundle, captured)] == [10, 14]
    assert loop.counts.holes == 1


def test_tailer_that_resumes_vouches_since_the_last_heartbeat(bundle: Path, captured: Captured) -> None:
    """A restart that continues behind what was captured leaves no hole; a tailer never vouches before it began."""
    run_at(bundle, Tailer([]), 10, vouched_until=7_000_000)
    assert [second for second, _, _ in beats_of(bundle, captured)] == [8, 9, 10]


def test_loop_keeps_its_pace_and_looks_once_more_at_the_end(bundle: Path) -> None:
    """Looks are an interval apart; a slow look delays the next one and is not made up for; stopping looks again."""
    instants = iter([0.0, 0.0, 0.0, 0.1, 2.0, 2.0])  # start, wait, next due, wait, a look that took long, wait
    stop = StopAfter(2)
    with Spool(bundle, "events") as events, Spool(bundle, "heartbeats") as beats:
        loop = SamplingLoop(Scripted([], [], []), {"events": events}, Heart(beats), 0.5)
        loop.run(stop, monotonic=lambda: next(instants))
    assert loop.counts.ticks == 3
    assert stop.asked == [0.0, 0.4, 0.0]


def test_clock_of_the_reference_host_is_known_to_less_than_its_bracket() -> None:
    """On one host the offset is zero and the error is measured: more than nothing, less than a second."""
    reading = same_host_clock()
    assert reading.offset_ms == 0.0
    assert reading.error_ms is not None
    assert 0 < reading.error_ms < 1_000
