"""Every collector is killed at random moments: what was on disk is evidence, and the bundle can always be read."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter, deque
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from benchmarks.mock_cluster import mock_cluster
from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import open_engine, run_queries
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.kafka import new_producer
from rtoanalytics_collectors.spool.recovery import recover
from rtoanalytics_collectors.spool.segments import LeftSegment
from tests.collectors import crash_programs, crash_tails
from tests.collectors.crash_programs import PROGRAMS, collect
from tests.collectors.crash_tails import TAILS

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    Captured = Callable[[Path, str], list[dict[str, Any]]]

KILLS = 20
MAX_LIFE_SECONDS = 0.1
"""From the first rows on disk to the kill: long enough to seal a segment or two."""
_START_SECONDS = 30.0

COLLECT_DRILL = """\
schema_version: 1
id: crash
clusters: {{primary: {{bootstrap_servers: "{bootstrap_servers}"}}}}
flow:
  name: payments
  topics: [{{name: payments}}]
  groups: [{{id: sink, topics: [payments]}}]
objectives: {{rto_seconds: 60}}
"""
DRILL = """\
schema_version: 1
id: crash
flow: {name: payments, topics: [{name: payments}]}
objectives: {rto_seconds: 60}
"""


@pytest.fixture(scope="module")
def nursery() -> multiprocessing.context.ForkServerContext:
    """Processes that have everything imported when they begin."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.collectors.crash_programs", "tests.collectors.crash_tails"])
    return context


def killed_life(
    nursery: multiprocessing.context.ForkServerContext, kind: str, bundle: Path, seconds: float
) -> Counter[str]:
    """Let a collector capture and kill it some seconds after its first rows; rows by table that were on disk."""
    ours, theirs = nursery.Pipe(duplex=False)
    run = crash_tails.run if kind in TAILS else crash_programs.run
    process = nursery.Process(target=run, args=(kind, bundle, theirs), daemon=True)
    process.start()
    theirs.close()
    said: Counter[str] = Counter()
    started = time.monotonic()
    while not said:
        assert process.is_alive(), f"{kind} ended by itself"
        assert time.monotonic() < started + _START_SECONDS, f"{kind} captured nothing"
        said |= _said(ours, 0.1)
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        said |= _said(ours, left)
    process.kill()
    process.join()
    while ours.poll(0):
        more = _said(ours, 0)
        if not more:
            break
        said |= more
    ours.close()
    return said


def _said(pipe: Connection, seconds: float) -> Counter[str]:
    """One report, if one comes; a report that the kill has torn is none."""
    with suppress(EOFError, OSError):
        if pipe.poll(seconds):
            table, rows = pipe.recv()
            return Counter({table: rows})
    return Counter()


@pytest.mark.parametrize("kind", sorted(PROGRAMS | TAILS))
def test_what_was_on_disk_survives_twenty_kills(
    bundle: Path, captured: Captured, nursery: multiprocessing.context.ForkServerContext, kind: str
) -> None:
    """Killed twenty times into one bundle, a collector loses no row that was flushed, in any of its tables.

    Every row that was on disk is evidence, nothing is left in the spool, every file passes its checksums, `rto`
    reads the bundle, and no heartbeat speaks of more rows than there are.
    """
    (bundle / "drill.yaml").write_text(DRILL)
    chance = random.Random(kind)
    flushed: Counter[str] = Counter()
    for _ in range(KILLS):
        flushed += killed_life(nursery, kind, bundle, chance.uniform(0.0, MAX_LIFE_SECONDS))
    recover(bundle)
    found = {table: len(captured(bundle, table)) for table in flushed}
    assert sum(flushed.values()) > 0
    assert {table: rows for table, rows in flushed.items() if found[table] < rows} == {}
    assert not (bundle / "spool").exists()
    assert not list(bundle.glob("evidence/*/.*.tmp"))
    _refuse_boasting(captured(bundle, "heartbeats"), found)
    with open_engine(open_bundle(bundle)) as engine:
        run_queries(engine, ["coverage_gaps"])


def _refuse_boasting(beats: list[dict[str, Any]], found: dict[str, int]) -> None:
    """A heartbeat counts rows of one life; none may count more than all lives together have left."""
    for beat in beats:
        table = next((table for table in found if beat["collector"].startswith(table)), None)
        assert table is None or beat["rows"] <= found[table]


def test_kill_shows_in_the_coverage(
    bundle: Path,
    nursery: multiprocessing.context.ForkServerContext,
) -> None:
    """After its last sign of life, a killed collector has a hole that lasts to the end of the capture."""
    (bundle / "drill.yaml").write_text(DRILL)
    killed_life(nursery, "watermarks", bundle, 0.05)
    mark(bundle, "note", text="the capture went on without it", occurred_at=int(time.time() * 1e6) + 10_000_000)
    recover(bundle)
    with open_engine(open_bundle(bundle)) as engine:
        run_queries(engine, ["coverage_gaps"])
        gaps = engine.rows("coverage_gaps")
    [last] = [gap for gap in gaps if gap["table_name"] == "watermarks" and gap["kind"] == "after"]
    assert last["until_us"] - last["from_us"] > 9_000_000


def test_rto_collect_survives_twenty_kills(
    bundle: Path,
    captured: Captured,
    wait_until: Callable[[Callable[[], bool], float], None],
    nursery: multiprocessing.context.ForkServerContext,
) -> None:
    """Killed twenty times, the command with all of its collectors loses nothing of any segment it had written to.

    Every start continues in the same bundle. What stood on disk just before a kill is in the evidence after it.
    Lives are shorter than heartbeats take to the disk; only the last one waits for its first.
    """
    chance = random.Random("rto collect")
    with mock_cluster() as bootstrap_servers:
        (bundle / "drill.yaml").write_text(COLLECT_DRILL.format(bootstrap_servers=bootstrap_servers))
        new_producer({"bootstrap.servers": bootstrap_servers}).list_topics("payments", timeout=10)  # makes the topic
        on_disk: Counter[str] = Counter()
        for number in range(KILLS):
            process = nursery.Process(target=collect, args=(bundle,), daemon=True)
            process.start()
            before = rows_on_disk(bundle)
            wait_until(lambda before=before: rows_on_disk(bundle) > before, _START_SECONDS)  # type: ignore[misc]
            time.sleep(chance.uniform(0.0, MAX_LIFE_SECONDS))
            if number == KILLS - 1:
                wait_until(lambda: has_heartbeats(bundle), _START_SECONDS)
            on_disk |= rows_on_disk(bundle)
            process.kill()
            process.join()
    recover(bundle)
    found = rows_on_disk(bundle)
    assert {name: rows for name, rows in on_disk.items() if found[name] < rows} == {}
    assert {path.parts[-2] for path in bundle.glob("evidence/*/*.parquet")} >= {"watermarks", "partition_states"}
    assert captured(bundle, "heartbeats")
    with open_engine(open_bundle(bundle)) as engine:
        run_queries(engine, ["coverage_gaps"])


def has_heartbeats(bundle: Path) -> bool:
    """Whether a sign of life stands on disk, as evidence or still in the spool."""
    return any(rows and name.startswith("heartbeats") for name, rows in rows_on_disk(bundle).items())


def rows_on_disk(bundle: Path) -> Counter[str]:
    """Rows by segment, as evidence or still in the spool; a segment that is being sealed is counted once."""
    rows: Counter[str] = Counter()
    for path in _segments(bundle):
        with suppress(FileNotFoundError), closing(LeftSegment(path)) as segment:  # sealed meanwhile: counted below
            deque(segment.read(), maxlen=0)
            rows[f"{path.parent.name}-{path.stem}"] = segment.rows
    for path in bundle.glob("evidence/*/*.parquet"):
        if not path.name.startswith("mark-"):
            rows[path.stem] = max(rows[path.stem], pq.read_metadata(path).num_rows)
    return rows


def _segments(bundle: Path) -> list[Path]:
    found: list[Path] = []
    for folder in bundle.glob("spool/*"):
        with suppress(FileNotFoundError):  # removed with its last segment
            found += [path for path in folder.iterdir() if path.suffix == ".arrows"]
    return found
