"""What people do on the pages: choose, move, look behind, take away, print, watch."""

from __future__ import annotations

import io
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest
from playwright.sync_api import expect

from rtoanalytics.results import FOLDER
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.app.conftest import Visitor

pytestmark = pytest.mark.xdist_group("app")

OPEN_SECONDS = 2.0
WAIT_MS = 20_000
LIVE = """\
schema_version: 1
id: running
flow:
  name: payments
  topics: [{name: payments}]
  groups: [{id: payments-sink, topics: [payments]}]
objectives: {rto_seconds: 60}
runbook:
  - {step: declare, at_minute: 0, event: declare}
  - {step: switch, at_minute: 5, event: switch}
"""


def downloaded(page: Page, name: str, place: int = 0) -> bytes:
    """What a download button gives."""
    with page.expect_download(timeout=WAIT_MS) as waiting:
        page.get_by_role("button", name=name, exact=True).nth(place).click()
    return waiting.value.path().read_bytes()


def test_what_if_changes_the_verdict_and_nothing_else(visitor: Visitor, library: Path) -> None:
    """A shorter objective turns the pass into a fail on the page, and leaves every byte of results/ as it is."""
    before = {path.name: path.read_bytes() for path in (library / "passing" / FOLDER).iterdir()}
    page = visitor.open("what-if?drill=passing")
    tiles = page.locator(".rto .tiles")
    assert "✓ Pass" in tiles.inner_text()
    assert "✗" not in tiles.inner_text()
    page.get_by_label("Recovery time objective, s").fill("10")
    page.keyboard.press("Enter")
    expect(tiles).to_contain_text("✗ Fail", timeout=WAIT_MS)
    assert "✓ Pass" in tiles.inner_text()
    changed = page.get_by_role("table", name="Checks that differ from the stored result")
    assert "still broken 23 s after the clock start" in changed.inner_text()
    page.get_by_role("button", name="Back to the stored terms").click()
    expect(tiles).not_to_contain_text("✗", timeout=WAIT_MS)
    assert {path.name: path.read_bytes() for path in (library / "passing" / FOLDER).iterdir()} == before
    visitor.assert_quiet()


def test_what_if_moves_hold_and_lag(visitor: Visitor) -> None:
    """A hold time that the capture cannot show leaves the service unrestored, which the page says."""
    page = visitor.open("what-if?drill=passing")
    page.get_by_label("Must hold for, s").fill("600")
    page.keyboard.press("Enter")
    tiles = page.locator(".rto .tiles")
    expect(tiles).to_contain_text("or more", timeout=WAIT_MS)
    visitor.assert_quiet()


def test_a_brushed_stretch_filters_the_table(visitor: Visitor) -> None:
    """Dragging over the strip chooses a stretch of time: the heading of the table says it."""
    page = visitor.open("backlog?drill=failing")
    strip = page.get_by_test_id("stVegaLiteChart").first
    box = strip.bounding_box()
    assert box
    across = box["y"] + box["height"] * 0.35
    page.mouse.move(box["x"] + box["width"] * 0.4, across)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, across, steps=8)
    page.mouse.up()
    heading = page.get_by_role("heading", name=re.compile(r"Step by step from 0:0\d"))
    expect(heading).to_be_visible(timeout=WAIT_MS)
    visitor.assert_quiet()


def test_a_stretch_is_chosen_by_keyboard(visitor: Visitor) -> None:
    """The slider below the strip does the same with the arrow keys."""
    page = visitor.open("backlog?drill=failing")
    page.get_by_role("slider").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Step by step from −0:25 to 1:00")).to_be_visible(timeout=WAIT_MS)
    visitor.assert_quiet()


def test_from_a_finding_to_its_records(visitor: Visitor) -> None:
    """A range of a finding opens the very records of it."""
    page = visitor.open("integrity?drill=failing")
    expect(page.get_by_test_id("stDataFrame")).to_have_count(2)
    before = page.get_by_role("button", name="CSV", exact=True).count()
    page.get_by_label("Range", exact=True).click()
    page.keyboard.type("duplicated: payments-db payments-0")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stDataFrame")).to_have_count(3, timeout=WAIT_MS)
    expect(page.get_by_role("button", name="CSV", exact=True)).to_have_count(before + 1, timeout=WAIT_MS)
    records = pl.read_csv(downloaded(page, "CSV", -1))
    assert records.select("record_offset", "times_applied", "is_in_log").rows() == [(1000, 2, True)]
    visitor.assert_quiet()


def test_tables_and_charts_are_taken_away(visitor: Visitor) -> None:
    """Tables download as CSV and Parquet with every row, charts as PNG and SVG, the report as HTML."""
    page = visitor.open("timeline?drill=failing")
    events = downloaded(page, "CSV", 3)
    assert events.decode().splitlines()[0].startswith("occurred_at,origin,kind,step,actor")
    phases = pl.read_parquet(io.BytesIO(downloaded(page, "Parquet")))
    assert phases["name"].to_list()[:2] == ["inject", "detect"]
    assert downloaded(page, "PNG").startswith(b"\x89PNG")
    assert downloaded(page, "SVG").startswith(b"<svg")
    report = downloaded(visitor.open("scorecard?drill=failing"), "Report (HTML)")
    assert b"<title>Fail: A drill that fails</title>" in report
    visitor.assert_quiet()


def test_the_scorecard_prints_whole(visitor: Visitor) -> None:
    """On paper there is no navigation, and the checks of every row are read, open or not."""
    page = visitor.open("scorecard?drill=failing")
    page.emulate_media(media="print")
    assert not page.get_by_test_id("stSidebar").is_visible()
    assert page.locator(".rto .checks:visible").count() == 7
    assert page.evaluate("getComputedStyle(document.querySelector('[data-testid=stMain]')).overflow") == "visible"


def test_drills_are_compared(visitor: Visitor) -> None:
    """Compared drills stand side by side, with where each spent its time, and what keeps others apart."""
    page = visitor.open("compare")
    assert page.get_by_role("table", name="Measures side by side").is_visible()
    assert page.get_by_text("Where each drill spent its time").is_visible()
    visitor.assert_quiet()


def test_a_drill_opens_within_two_seconds(visitor: Visitor) -> None:
    """After the first load, a drill opens in under two seconds."""
    visitor.open("scorecard?drill=passing")
    seconds = []
    for name in ("failing", "passing", "inconclusive"):
        started = time.monotonic()
        visitor.open(f"scorecard?drill={name}")
        seconds.append(time.monotonic() - started)
    assert min(seconds) < OPEN_SECONDS


@pytest.fixture
def running(library: Path) -> Iterator[Path]:
    """A bundle with a definition that something captures into; gone when the test ends."""
    bundle = library / "running"
    bundle.mkdir()
    (bundle / "drill.yaml").write_text(LIVE, "utf-8")
    yield bundle
    (bundle / "drill.yaml").unlink()


def test_the_live_view_sees_a_new_row(visitor: Visitor, running: Path) -> None:
    """What a capture writes into its spool is on the page a moment later, without anybody touching it."""
    place = {"cluster": "primary", "topic": "payments", "partition": 0}
    with Spool(running, "acks") as acks, Spool(running, "events") as events:
        acks.append({**place, "record_offset": 0, "acked_at": now_us(), "outcome": "acked"})
        acks.flush()
        page = visitor.open("live?drill=running")
        tiles = page.locator(".rto .tiles")
        expect(tiles).to_contain_text("1 outcomes so far", timeout=WAIT_MS)
        expect(tiles).to_contain_text("not started")
        acks.append({**place, "record_offset": 1, "acked_at": now_us(), "outcome": "acked"})
        acks.flush()
        events.append({"occurred_at": now_us(), "kind": "inject", "text": "kill -9 of broker 2"})
        events.flush()
        expect(tiles).to_contain_text("2 outcomes so far", timeout=WAIT_MS)
        expect(tiles).to_contain_text("declare", timeout=WAIT_MS)
        expect(tiles).to_contain_text("running")
        visitor.assert_quiet()


def now_us() -> int:
    """Microseconds since the epoch."""
    return int(datetime.now(UTC).timestamp() * 1_000_000)
