"""What a capture knows of the process before it: rows to continue behind, and whether it may vouch for the gap."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.capture.captured_starts import CapturedStarts
from rtoanalytics_collectors.capture.guard import GuardedCollector
from rtoanalytics_collectors.capture.planned import Planned
from rtoanalytics_collectors.capture.resuming import captured_rows, last_heartbeats
from rtoanalytics_collectors.capture.run import Capture
from rtoanalytics_collectors.capture.secrets import Secrets
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

    WaitUntil = Callable[[Callable[[], bool]], None]


class Follower:
    """Reads a log of numbers, from behind what was captured."""

    tables = ("events",)
    target = "log"
    is_continuous = True

    def __init__(self) -> None:
        self.resumed: list[Row] = []
        self._next = 1

    def resume(self, captured: Iterable[Row]) -> None:
        self.resumed = list(captured)
        self._next = 1 + max(row["occurred_at"] for row in self.resumed)

    def collect(self) -> Sample:
        self._next += 1
        return {"events": [{"occurred_at": self._next - 1, "kind": "note"}]}


def guard(follower: Follower, captured: Iterable[Row]) -> GuardedCollector:
    """The follower under guard, in a process that found these rows."""
    planned = Planned("events", "log", ("events",), "", lambda: follower)
    return GuardedCollector(planned, Secrets(), lambda: captured, lambda: None)


def test_follower_continues_behind_what_was_captured_and_vouches_for_the_gap() -> None:
    """It is told of its rows once, before its first look."""
    follower = Follower()
    guarded = guard(follower, [{"occurred_at": 7}])
    assert guarded.collect() == {"events": [{"occurred_at": 8, "kind": "note"}]}
    assert guarded.is_continuous
    guarded.collect()
    assert len(follower.resumed) == 1


def test_follower_that_found_nothing_does_not_vouch_before_its_first_look() -> None:
    """Where it began nobody knows; from its second look on it vouches."""
    guarded = guard(Follower(), [])
    guarded.collect()
    assert not guarded.is_continuous
    guarded.collect()
    assert guarded.is_continuous


def test_own_rows_are_those_of_the_own_spool(bundle: Path) -> None:
    """In the order in which they were sealed, instants as numbers; another host's rows are its own affair."""
    for spool, instants in (("events-a.h", (1, 2)), ("events-a.h", (3,)), ("events-a.other", (9,))):
        with Spool(bundle, "events", spool) as events:
            events.append(*({"occurred_at": instant, "kind": "note"} for instant in instants))
    assert [row["occurred_at"] for row in captured_rows(bundle, "events", "events-a.h")] == [1, 2, 3]


def test_second_capture_continues_the_first_without_a_hole(
    bundle: Path, captured: Callable[[Path, str], list[dict[str, Any]]], wait_until: WaitUntil
) -> None:
    """Rows continue, and the heartbeats of a log tailer reach from one process to the next."""
    followers: list[Follower] = []

    def make() -> Follower:
        followers.append(Follower())
        return followers[-1]

    planned = [Planned("events", "log", ("events",), "", make)]
    for _ in range(2):
        with Capture(bundle, planned, Secrets(), host="h", interval_seconds=0.05) as capture:
            wait_until(lambda: capture.running[0].loop.counts.rows > 2)
    instants = sorted(row["occurred_at"] for row in captured(bundle, "events"))
    assert len(set(instants)) == len(instants)
    assert len(followers[1].resumed) > 2
    beats = sorted(row["occurred_at"] for row in captured(bundle, "heartbeats"))
    assert max((b - a).total_seconds() for a, b in itertools.pairwise(beats)) < 5
    assert list(last_heartbeats(bundle)) == [("events", "log")]


def evidence(bundle: Path, table: str, *rows: Row) -> None:
    """Seal rows of a table."""
    with Spool(bundle, table) as spool:
        spool.append(*rows)


def test_log_is_read_from_the_first_watermark_before_anything_was_acknowledged(bundle: Path) -> None:
    """Also on a cluster that only mirrors; never above what was acknowledged; from its start when nobody knows."""
    place = {"topic": "payments", "partition": 0}
    evidence(
        bundle,
        "watermarks",
        {"cluster": "primary", **place, "log_start_offset": 0, "log_end_offset": 50, "observed_at": 10},
        {"cluster": "recovery", **place, "log_start_offset": 0, "log_end_offset": 40, "observed_at": 11},
        {"cluster": "late", **place, "log_start_offset": 0, "log_end_offset": 90, "observed_at": 99},
    )
    evidence(
        bundle,
        "acks",
        {"cluster": "primary", **place, "record_offset": 48, "acked_at": 20, "outcome": "acked"},
    )
    starts = CapturedStarts(bundle)
    assert [starts.of(name, "payments", 0) for name in ("primary", "recovery", "late")] == [48, 40, 0]
