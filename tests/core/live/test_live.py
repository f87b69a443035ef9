"""A capture as it stands now: counted once, wherever its rows are, and in the words of an analysis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.errors import RtoError
from rtoanalytics.live import LiveCapture
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics_collectors.spool import Row

NOW = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
DRILL = """\
schema_version: 1
id: live
flow:
  name: payments
  topics: [{name: payments}]
  groups: [{id: payments-sink, topics: [payments]}]
objectives: {rto_seconds: 60}
runbook:
  - {step: declare, at_minute: 0, event: declare}
  - {step: switch, at_minute: 5, event: switch}
"""
PLACE: Row = {"cluster": "primary", "topic": "payments", "partition": 0}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with a definition and nothing else."""
    (tmp_path / "drill.yaml").write_text(DRILL, "utf-8")
    return tmp_path


def us(seconds: float) -> int:
    """An instant in microseconds, in seconds before (negative) or after NOW."""
    return round((NOW.timestamp() + seconds) * 1_000_000)


def ack(offset: int, seconds: float, outcome: str = "acked") -> Row:
    """One produce outcome."""
    return {**PLACE, "record_offset": offset, "acked_at": us(seconds), "outcome": outcome}


def test_nothing_captured_yet(bundle: Path) -> None:
    """A bundle in which nothing was captured has no clock, no lag and no heartbeat; the first step is next."""
    look = LiveCapture(bundle).look(NOW)
    assert (look.is_capturing, look.clock_started_at, look.is_recent) == (False, None, False)
    assert look.burn_down.is_empty()
    assert look.heartbeats.is_empty()
    assert look.next_step is not None
    assert look.next_step["step"] == "declare"


def test_rows_count_once_while_they_become_evidence(bundle: Path) -> None:
    """Rows are counted in the spool, and once they are evidence they are counted there and nowhere else."""
    capture = LiveCapture(bundle)
    with Spool(bundle, "acks") as spool:
        spool.append(ack(0, -3))
        spool.append(ack(1, -2, "failed"))
        spool.flush()
        first = capture.look(NOW)
        assert (first.is_capturing, first.captured_rows["acks"]) == (True, 2)
        spool.append(ack(2, -1))
    ended = capture.look(NOW)
    assert (ended.is_capturing, ended.captured_rows["acks"]) == (False, 3)
    assert ended.acks.select("outcome", "rows").rows() == [("acked", 1), ("failed", 1), ("acked", 1)]


def test_lag_is_that_of_the_analysis(bundle: Path) -> None:
    """Lag is log end minus committed offset as of each step, also where the commit is older than the window."""
    with Spool(bundle, "watermarks") as ends, Spool(bundle, "commits") as commits:
        commits.append(
            {**PLACE, "group_id": "payments-sink", "committed_offset": 40, "committed_at": us(-3600), "method": "log"}
        )
        ends.append({**PLACE, "log_end_offset": 100, "observed_at": us(-5)})
        for spool in (ends, commits):
            spool.flush()
        look = LiveCapture(bundle).look(NOW)
    assert look.burn_down["lag_records"].to_list()[-1] == 60


def test_steps_and_overdue_collectors(bundle: Path) -> None:
    """A step that happened is past, the next one is due; a collector silent for three intervals is overdue."""
    beats: list[Row] = [
        {"collector": name, "occurred_at": us(-age), "interval_seconds": 1.0, "rows": 5}
        for name, age in (("acks", 1.0), ("commits", 3.5))
    ]
    events: list[Row] = [
        {"occurred_at": us(-60), "kind": "inject"},
        {"occurred_at": us(-50), "kind": "declare"},
    ]
    with Spool(bundle, "heartbeats") as signs, Spool(bundle, "events") as said:
        for spool, rows in ((signs, beats), (said, events)):
            for row in rows:
                spool.append(row)
            spool.flush()
        look = LiveCapture(bundle).look(NOW)
    assert look.clock_started_at == NOW - timedelta(seconds=60)
    assert look.next_step is not None
    assert (look.next_step["step"], look.next_step["planned_at"]) == ("switch", NOW + timedelta(seconds=240))
    assert dict(zip(look.heartbeats["collector"], look.heartbeats["is_overdue"], strict=True)) == {
        "acks": False,
        "commits": True,
    }
    assert look.events["kind"].to_list() == ["declare", "inject"]


def test_a_broken_definition_is_one_clear_error(tmp_path: Path) -> None:
    """A folder whose drill.yaml cannot be read is refused with the reason."""
    (tmp_path / "drill.yaml").write_text("schema_version: 1\n", "utf-8")
    with pytest.raises(RtoError, match="objectives"):
        LiveCapture(tmp_path)
