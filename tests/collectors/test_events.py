"""Marking events: one small file each, only on a bundle that is being captured."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors.cli import mark as mark_command
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.instants import instant
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Captured = Callable[[Path, str], list[dict[str, Any]]]


def test_event_is_added_as_it_was_said(bundle: Path, captured: Captured) -> None:
    """Every column is kept, the instant to the microsecond."""
    path = mark(
        bundle, " declare ", step="s", actor="a", channel="c", text="t", source="x", occurred_at=1_700_000_000_000_001
    )
    assert path.parent == bundle / "evidence" / "events"
    [event] = captured(bundle, "events")
    assert event.pop("occurred_at").isoformat() == "2023-11-14T22:13:20.000001+00:00"
    assert event == {"kind": "declare", "step": "s", "actor": "a", "channel": "c", "text": "t", "source": "x"}


def test_event_without_an_instant_happens_now(bundle: Path, captured: Captured) -> None:
    """Two events marked one after the other stand in that order."""
    mark(bundle, "declare")
    mark(bundle, "decide")
    events = sorted(captured(bundle, "events"), key=lambda event: event["occurred_at"])
    assert [event["kind"] for event in events] == ["declare", "decide"]


def test_many_may_mark_while_a_collector_captures(bundle: Path, captured: Captured) -> None:
    """People and programs on one bundle do not wait for each other, and nothing is lost."""
    with Spool(bundle, "events") as spool:
        spool.append({"occurred_at": 1, "kind": "note"})
        threads = [threading.Thread(target=mark, args=(bundle, "note")) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(captured(bundle, "events")) == 17
    assert not [path for path in (bundle / "evidence" / "events").iterdir() if path.suffix != ".parquet"]


def test_folder_without_a_drill_is_refused(tmp_path: Path) -> None:
    """A folder that is no bundle gets no evidence."""
    with pytest.raises(UsageError, match=r"found no drill\.yaml"):
        mark(tmp_path, "note")
    assert list(tmp_path.iterdir()) == []


def test_sealed_bundle_is_refused(bundle: Path) -> None:
    """A sealed bundle takes no more events, and the message says why."""
    (bundle / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="is sealed"):
        mark(bundle, "note")
    assert not (bundle / "evidence").exists()


@pytest.mark.parametrize(("kind", "occurred_at"), [("  ", 1), ("note", -1), ("note", 10**18)])
def test_event_that_cannot_be_is_refused(bundle: Path, kind: str, occurred_at: int) -> None:
    """No kind, before 1970, after 2199: refused before anything is written."""
    with pytest.raises(UsageError):
        mark(bundle, kind, occurred_at=occurred_at)
    assert not (bundle / "evidence").exists()


def test_command_says_which_file_it_wrote(bundle: Path, captured: Captured, capsys: pytest.CaptureFixture[str]) -> None:
    """`rto mark` prints the file, and takes an instant of any zone."""
    mark_command(bundle, "declare", at="2026-11-20T11:40:00+01:00")
    written = capsys.readouterr().out.strip()
    assert written.startswith(str(bundle / "evidence" / "events" / "mark-"))
    [event] = captured(bundle, "events")
    assert event["occurred_at"].isoformat() == "2026-11-20T10:40:00+00:00"


@pytest.mark.parametrize("text", ["2026-11-20T10:40:00", "yesterday", "", "2026-13-01T00:00:00Z"])
def test_instant_needs_a_zone(text: str) -> None:
    """An instant without a zone, or none at all, is refused with one that would do."""
    with pytest.raises(UsageError, match="write it like 2026-11-20T10:40:00Z"):
        instant(text)
