"""The spool: what was durable stays, whole, and once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics.bundle.spool import SegmentTail
from rtoanalytics.errors import DefectError, UsageError
from rtoanalytics.schemas import TABLES
from rtoanalytics_collectors.cli import recover as recover_command
from rtoanalytics_collectors.spool import Spool, recovery, runs, segments, writing
from rtoanalytics_collectors.spool.recovery import recover

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Captured = Callable[[Path, str], list[dict[str, Any]]]

WRITER = """
import pathlib, sys
from rtoanalytics_collectors.spool import Spool

spool = Spool(pathlib.Path(sys.argv[1]), "events", flush_seconds=60, rotate_seconds=0.03)
number = 0
while True:
    for _ in range(37):
        spool.append({"occurred_at": number, "kind": "note", "text": "x" * (number % 50)})
        number += 1
    spool.flush()
    print(number, flush=True)
"""


TORN = b"\xff\xff\xff\xff\x80\x00\x00\x00" + b"half a header..."
"""What a batch begins with, and then no more."""


def note(number: int) -> dict[str, Any]:
    """An event that can be told by its instant: `number` µs after the epoch."""
    return {"occurred_at": number, "kind": "note"}


def numbers(rows: list[dict[str, Any]]) -> list[int]:
    """The numbers of notes, in ascending order."""
    return sorted(int(row["occurred_at"].timestamp() * 1_000_000 + 0.5) for row in rows)


@pytest.mark.parametrize("seed", range(8))
def test_what_was_flushed_survives_kill_9(bundle: Path, captured: Captured, seed: int) -> None:
    """A writer killed at a random moment loses nothing that was durable, and nothing is captured twice."""
    flushes = random.Random(seed).randrange(1, 120)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(bundle)], stdout=subprocess.PIPE, text=True, env=environment
    ) as writer:
        assert writer.stdout
        durable = max(int(writer.stdout.readline()) for _ in range(flushes))
        writer.send_signal(signal.SIGKILL)
    recover(bundle)
    found = numbers(captured(bundle, "events"))
    assert found == list(range(len(found)))
    assert len(found) >= durable
    assert not (bundle / "spool").exists()


def segment_with(bundle: Path, batches: list[list[int]]) -> tuple[Path, list[int]]:
    """A segment left behind by a killed process, and its length after each batch."""
    spool = Spool(bundle, "events", flush_seconds=60)
    lengths = []
    path = bundle / "spool" / "events" / "1.arrows"
    for batch in batches:
        spool.append(*(note(number) for number in batch))
        spool.flush()
        lengths.append(path.stat().st_size)
    left = bundle / "left.arrows"
    shutil.copy(path, left)
    spool.close()
    shutil.rmtree(bundle / "evidence")
    path.parent.mkdir(parents=True)
    left.rename(path)
    return path, lengths


def test_torn_tail_keeps_every_whole_batch(tmp_path: Path, captured: Captured) -> None:
    """Cut anywhere, a segment gives exactly the batches that were whole before the cut."""
    batches = [list(range(40)), list(range(40, 45)), list(range(45, 200))]
    whole_path, lengths = segment_with(tmp_path / "whole", batches)
    content = whole_path.read_bytes()
    cuts = sorted({0, 1, 7, *lengths, *(length - 1 for length in lengths), *range(0, len(content), 97)})
    for cut in cuts:
        bundle = tmp_path / f"cut-{cut}"
        segment = bundle / "spool" / "events" / "1.arrows"
        segment.parent.mkdir(parents=True)
        segment.write_bytes(content[:cut])
        recoveries = recover(bundle)
        whole = [batch for batch, length in zip(batches, lengths, strict=True) if length <= cut]
        expected = [number for batch in whole for number in batch]
        assert numbers(captured(bundle, "events")) == expected
        assert [recovery.rows for recovery in recoveries] == [len(expected)]
        kept = lengths[len(whole) - 1] if whole else recoveries[0].torn_bytes
        assert whole == [] or recoveries[0].torn_bytes == cut - kept
        assert not segment.exists()


def test_segment_sealed_before_the_crash_is_not_captured_twice(bundle: Path, captured: Captured) -> None:
    """A process that dies between rename and delete leaves a segment whose rows are in the evidence already."""
    segment, _ = segment_with(bundle, [[1, 2, 3]])
    content = segment.read_bytes()
    recover(bundle)
    segment.parent.mkdir(parents=True)
    segment.write_bytes(content)
    recoveries = recover(bundle)
    assert [recovery.was_sealed for recovery in recoveries] == [True]
    assert numbers(captured(bundle, "events")) == [1, 2, 3]
    assert not segment.exists()


def test_torn_tail_is_said_in_the_evidence(bundle: Path, captured: Captured) -> None:
    """A recovered segment with a torn tail leaves a note that says what was kept and what was dropped."""
    with Spool(bundle, "commits", flush_seconds=60) as spool:
        spool.append({"cluster": "c"})
        spool.flush()
        content = (bundle / "spool" / "commits" / "1.arrows").read_bytes()
    segment = bundle / "spool" / "commits" / "5.arrows"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(content + TORN)
    recover(bundle)
    [event] = captured(bundle, "events")
    assert event["kind"] == "note"
    assert event["text"] == "spool/commits/5.arrows: torn tail, 1 whole batches (1 rows) kept, 24 bytes dropped"


def test_rto_recover_says_what_it_kept(bundle: Path, captured: Captured, capsys: pytest.CaptureFixture[str]) -> None:
    """The command makes evidence of every segment, one line each on standard output."""
    segment_with(bundle, [[1, 2]])
    recover_command(bundle)
    assert numbers(captured(bundle, "events")) == [1, 2]
    assert capsys.readouterr().out.endswith(".arrows: 2 rows kept\n")


def test_opening_a_spool_seals_what_was_left(bundle: Path, captured: Captured) -> None:
    """A restarted collector keeps what its killed predecessor had, and does not write over it."""
    segment_with(bundle, [[1, 2]])
    with Spool(bundle, "events") as spool:
        assert [recovery.rows for recovery in spool.recovered] == [2]
        spool.append(note(3))
    assert numbers(captured(bundle, "events")) == [1, 2, 3]
    assert len(list((bundle / "evidence" / "events").iterdir())) == 2


def test_rotation_by_size_loses_nothing(bundle: Path, captured: Captured) -> None:
    """A spool that rotates at every flush gives as many files as flushes, and every row once."""
    with Spool(bundle, "events", flush_seconds=60, rotate_bytes=1) as spool:
        for number in range(5):
            spool.append(note(number))
            spool.flush()
    assert numbers(captured(bundle, "events")) == list(range(5))
    names = sorted(path.name for path in (bundle / "evidence" / "events").iterdir())
    assert names == [f"events-{number}.parquet" for number in range(1, 6)]


def test_rows_become_durable_without_being_asked(
    bundle: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """A row is on disk within a moment, though nobody calls flush."""
    with Spool(bundle, "events") as spool:
        spool.append(note(1))
        wait_until(lambda: spool.durable_rows == 1)


def test_append_is_thread_safe(bundle: Path, captured: Captured) -> None:
    """Rows of many threads are all captured, each once."""
    with Spool(bundle, "events", flush_seconds=0.01) as spool:

        def write(first: int) -> None:
            for number in range(first, first + 500):
                spool.append(note(number))

        threads = [threading.Thread(target=write, args=(first,)) for first in range(0, 4_000, 500)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert numbers(captured(bundle, "events")) == list(range(4_000))


@pytest.mark.parametrize("broken", ["write", "half a write", "sync"])
def test_failing_disk_is_counted_and_costs_nothing_that_fits_in_memory(
    bundle: Path, captured: Captured, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """While the disk fails, append goes on; when it works again, every row is captured once."""
    spool = Spool(bundle, "events", flush_seconds=60)
    spool.append(note(0))
    spool.flush()
    with monkeypatch.context() as patch:
        _break(patch, broken)
        for number in range(1, 4):
            spool.append(note(number))
            spool.flush()
        assert spool.errors >= 3
        healthy = [spool.is_healthy]
        assert spool.durable_rows == 1
    spool.append(note(4))
    spool.flush()
    healthy.append(spool.is_healthy)
    spool.close()
    assert healthy == [False, True]
    assert numbers(captured(bundle, "events")) == [0, 1, 2, 3, 4]


def _break(patch: pytest.MonkeyPatch, what: str) -> None:
    write = os.write

    def full_disk(descriptor: int, content: memoryview) -> int:
        if what == "half a write" and len(content) > 64:
            return write(descriptor, content[:64])
        raise OSError(28, "No space left on device")

    def unsynced(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    if what == "sync":
        patch.setattr(segments, "_fdatasync", unsynced)
    else:
        patch.setattr(os, "write", full_disk)


def test_rows_after_the_end_are_counted(bundle: Path, captured: Captured) -> None:
    """A late delivery callback loses its row, and that is counted; the application is not hurt."""
    spool = Spool(bundle, "events")
    spool.append(note(1))
    spool.close()
    spool.append(note(2))
    spool.close()
    assert (spool.rows, spool.dropped_rows) == (2, 1)
    assert numbers(captured(bundle, "events")) == [1]


def test_disk_that_fails_to_the_end_costs_what_it_refused(
    bundle: Path, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was durable before the disk failed is sealed when the spool is closed; the rest is counted as dropped."""
    spool = Spool(bundle, "events", flush_seconds=60)
    spool.append(note(1))
    spool.flush()
    with monkeypatch.context() as patch:
        _break(patch, "write")
        spool.append(note(2))
        spool.flush()
        patch.setattr(spool, "_seal_leftovers", lambda: None)  # nor can it write Parquet
        spool.close()
    assert (spool.durable_rows, spool.dropped_rows) == (1, 1)
    assert [recovery.rows for recovery in recover(bundle)] == [1]
    assert numbers(captured(bundle, "events")) == [1]


def test_value_that_does_not_fit_is_dropped_and_counted(bundle: Path, captured: Captured) -> None:
    """A value of the wrong type costs its own row, not those that came with it, and the spool says so."""
    with Spool(bundle, "events", flush_seconds=60) as spool:
        spool.append(note(1))
        spool.flush()
        spool.append(note(2), {"occurred_at": "yesterday", "kind": "note"}, note(3))
        spool.flush()
        assert (spool.errors, spool.dropped_rows, spool.is_healthy) == (1, 1, False)
    assert numbers(captured(bundle, "events")) == [1, 2, 3]


def test_unknown_column_is_a_defect(bundle: Path) -> None:
    """A row with a column that the table does not have is refused where it is written."""
    with Spool(bundle, "events") as spool, pytest.raises(DefectError, match="events has no column when"):
        spool.append({"when": 1})


def test_sealed_bundle_is_refused(bundle: Path) -> None:
    """Evidence is not added to a bundle that has been sealed."""
    (bundle / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match=r"manifest\.json"):
        Spool(bundle, "events")


def test_one_writer_at_a_time(bundle: Path, captured: Captured) -> None:
    """A second writer is refused, and recovery leaves a spool alone that is being written."""
    with Spool(bundle, "events", flush_seconds=60) as spool:
        spool.append(note(1))
        spool.flush()
        with pytest.raises(UsageError, match="another process is writing"):
            Spool(bundle, "events")
        assert recover(bundle) == []
    assert numbers(captured(bundle, "events")) == [1]


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_table_is_written_with_the_types_of_the_contract(bundle: Path, table: str) -> None:
    """Names, types, order, encodings and compression of a captured file are those of the evidence table."""
    rows = [{column.name: None for column in TABLES[table].columns} for _ in range(3)]
    with Spool(bundle, table) as spool:
        spool.append(*rows)
    [path] = (bundle / "evidence" / table).iterdir()
    assert pq.read_schema(path).remove_metadata().equals(TABLES[table].arrow_schema)
    group = pq.read_metadata(path).row_group(0)
    assert {group.column(number).compression for number in range(group.num_columns)} == {"ZSTD"}


def test_numbers_are_delta_encoded_and_names_are_in_a_dictionary(bundle: Path) -> None:
    """Offsets, partitions and instants use DELTA_BINARY_PACKED, repeating names a dictionary, ids neither."""
    row = {"cluster": "c", "topic": "t", "partition": 1, "record_offset": 1, "record_id": "r", "acked_at": 1}
    with Spool(bundle, "acks") as spool:
        spool.append(row)
    [path] = (bundle / "evidence" / "acks").iterdir()
    group = pq.read_metadata(path).row_group(0)
    encodings = {
        group.column(number).path_in_schema: group.column(number).encodings for number in range(group.num_columns)
    }
    assert all("DELTA_BINARY_PACKED" in encodings[name] for name in ("partition", "record_offset", "acked_at"))
    assert all("RLE_DICTIONARY" in encodings[name] for name in ("cluster", "topic"))
    assert "RLE_DICTIONARY" not in encodings["record_id"]


def test_nothing_captured_leaves_no_folder(bundle: Path) -> None:
    """A table that was not captured has no folder."""
    Spool(bundle, "events").close()
    assert sorted(path.name for path in bundle.iterdir()) == ["drill.yaml"]


def test_segment_of_another_version_is_kept(bundle: Path) -> None:
    """A segment of a table that this version does not know is an error and stays where it is."""
    segment = bundle / "spool" / "future" / "1.arrows"
    segment.parent.mkdir(parents=True)
    schema = pa.schema([("a", pa.int64())], metadata={"rtoanalytics.table": "future"})
    with pa.ipc.new_stream(str(segment), schema) as stream:
        stream.write_batch(pa.record_batch([pa.array([1])], schema=schema))
    with pytest.raises(Exception, match='a segment of the table "future"'):
        recover(bundle)
    assert segment.exists()


def notes(first: int, last: int) -> pa.RecordBatch:
    """Notes of consecutive numbers as a batch."""
    rows = [{**dict.fromkeys(TABLES["events"].by_name), **note(number)} for number in range(first, last)]
    return pa.RecordBatch.from_pylist(rows, schema=TABLES["events"].arrow_schema)


def test_batches_and_rows_are_captured_alike(bundle: Path, captured: Captured) -> None:
    """Batches that are appended, and what sources give up to the end, are rows like any other."""
    left = [notes(10, 13), notes(13, 14)]
    asked: list[bool] = []

    def source(is_last: bool) -> list[pa.RecordBatch]:
        asked.append(is_last)
        return [left.pop()] if left else []

    with Spool(bundle, "events", flush_seconds=60) as spool:
        spool.add_source(source)
        spool.append_batch(notes(0, 3))
        spool.append(note(3))
        spool.flush()
        assert spool.durable_rows == 5
    assert asked.count(True) == 1
    assert (spool.rows, spool.dropped_rows) == (8, 0)
    assert numbers(captured(bundle, "events")) == [0, 1, 2, 3, 10, 11, 12, 13]


def test_source_that_gives_much_does_not_wake_the_writer(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are asked for are written by whoever asked; rows that are appended wake the writer early."""
    monkeypatch.setattr(writing, "FLUSH_ROWS", 2)
    with Spool(bundle, "events", flush_seconds=60) as spool:
        spool.add_source(lambda _: [notes(0, 5)])
        spool.flush()
        assert (spool.waiting_rows, spool.durable_rows, spool._wake.is_set()) == (0, 5, False)
        woken: list[bool] = []
        monkeypatch.setattr(spool._wake, "set", lambda: woken.append(True))
        spool.append_batch(notes(0, 5))
        assert woken == [True]
        monkeypatch.undo()


def test_batch_of_another_schema_is_a_defect(bundle: Path) -> None:
    """A batch that is not one of the table is refused where it is appended."""
    with Spool(bundle, "commits") as spool, pytest.raises(DefectError, match="another schema"):
        spool.append_batch(notes(0, 1))


def test_what_waits_for_a_failing_disk_is_bounded(
    bundle: Path, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk fails, memory holds so many rows and no more: the newest are dropped and counted."""
    monkeypatch.setattr(writing, "MAX_WAITING_ROWS", 5)
    with Spool(bundle, "events", flush_seconds=60) as spool:
        with monkeypatch.context() as patch:
            _break(patch, "write")
            spool.append_batch(notes(0, 3))
            spool.append(note(3))
            spool.flush()
            spool.append_batch(notes(4, 9))
        assert (spool.dropped_rows, spool.is_healthy) == (4, False)
    assert numbers(captured(bundle, "events")) == [0, 1, 2, 3, 4]


def test_large_segment_is_sealed_in_portions(bundle: Path, captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leftover becomes one file of several row groups: it is never in memory as a whole."""
    segment_with(bundle, [list(range(number, number + 10)) for number in range(0, 100, 10)])
    monkeypatch.setattr(recovery, "PORTION_ROWS", 25)
    [recovered] = recover(bundle)
    assert (recovered.rows, recovered.batches, recovered.torn_bytes) == (100, 10, 0)
    [path] = (bundle / "evidence" / "events").iterdir()
    assert pq.read_metadata(path).num_row_groups == 4
    assert numbers(captured(bundle, "events")) == list(range(100))


def test_nobody_waits_for_a_seal(bundle: Path, captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a segment is being sealed, what comes up is made durable as usual, by whoever flushes and by itself."""
    is_sealing, may_go_on = threading.Event(), threading.Event()
    seal = recovery._write_rows

    def slow_seal(
        bundle: Path, segment: segments.LeftSegment, collector: str, number: int, between: recovery.Between
    ) -> bool:
        is_sealing.set()
        assert may_go_on.wait(20)
        return seal(bundle, segment, collector, number, between)

    monkeypatch.setattr(recovery, "_write_rows", slow_seal)
    with Spool(bundle, "events", flush_seconds=0.01, rotate_bytes=1) as spool:
        spool.append(note(1))
        assert is_sealing.wait(20)
        spool.append(note(2))
        spool.flush()
        assert spool.durable_rows == 2
        may_go_on.set()
    assert numbers(captured(bundle, "events")) == [1, 2]


def test_long_seal_is_interrupted_for_what_comes_up(
    bundle: Path, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two portions of a seal, waiting rows are written at the usual pace."""
    monkeypatch.setattr(recovery, "PORTION_ROWS", 1)
    durable: list[int] = []
    with Spool(bundle, "events", flush_seconds=60) as spool:
        spool.append(note(1))
        spool.flush()
        spool._end_segment()
        spool.append(note(2))
        spool._flush_seconds = 0
        write_when_due = spool._write_when_due(lambda: 0.0)

        def between() -> None:
            write_when_due()
            durable.append(spool.durable_rows)

        list(recovery.recover_folder(bundle, bundle / "spool" / "events", between, below=2))
    assert durable == [2]
    assert numbers(captured(bundle, "events")) == [1, 2]


def test_what_a_kill_left_of_a_seal_is_removed(bundle: Path, captured: Captured) -> None:
    """A Parquet file that was being written when its process was killed is no evidence and does not stay."""
    segment_with(bundle, [[1]])
    half = bundle / "evidence" / "events" / ".events-1.parquet.123.tmp"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"PAR1 and no footer")
    recover(bundle)
    assert not half.exists()
    assert numbers(captured(bundle, "events")) == [1]


def test_failing_disk_is_not_taken_for_a_torn_tail(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that cannot be read stays where it is: only what Arrow says of the stream tells a torn tail."""
    segment, _ = segment_with(bundle, [[1]])

    def refuse(_source: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(pa.ipc, "open_stream", refuse)
        with pytest.raises(OSError, match="Input/output error"):
            recover(bundle)
    assert segment.exists()


def test_failing_disk_is_left_alone_for_longer_and_longer(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause between two tries doubles up to a bound, and is over when the disk works again."""
    with Spool(bundle, "events", flush_seconds=0.5) as spool:
        pauses = []
        with monkeypatch.context() as patch:
            _break(patch, "write")
            spool.append(note(1))
            for _ in range(6):
                spool.flush()
                pauses.append(spool._pause_seconds)
        spool.flush()
        assert (pauses[0], max(pauses), spool._pause_seconds) == (0.5, writing.MAX_PAUSE_SECONDS, 0.0)


def acknowledged(topic: str, numbers: range, outcomes: pa.Array[Any]) -> pa.RecordBatch:
    """Acks with names as runs."""
    values: dict[str, Any] = {"cluster": runs.repeated("c", len(numbers)), "topic": runs.repeated(topic, len(numbers))}
    values |= {"outcome": runs.as_runs(outcomes), "record_offset": pa.array(list(numbers), pa.int64())}
    schema = runs.runs_schema(TABLES["acks"])
    nothing = {True: runs.repeated(None, len(numbers))}
    arrays = [
        values.get(field.name, nothing.get(field.type == runs.RUNS, pa.nulls(len(numbers), field.type)))
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def test_names_as_runs_are_names_like_any_other(bundle: Path, captured: Captured) -> None:
    """Batches of several topics with names as runs, rows, and a part of a batch: evidence has the table's own types."""
    batch = acknowledged("a", range(6), pa.array(["acked", "acked", "failed", "failed", "acked", None]))
    with Spool(bundle, "acks", flush_seconds=60) as spool:
        spool.append_batch(batch)
        spool.append_batch(acknowledged("b", range(6, 8), pa.array(["aborted", "aborted"])))
        spool.append({"cluster": "c", "topic": "a", "record_offset": 8, "outcome": "acked"})
        spool.append_batch(batch.slice(1, 3))
        spool.flush()
        assert (spool.durable_rows, spool.errors) == (12, 0)
    paths = sorted((bundle / "evidence" / "acks").iterdir())
    assert all(pq.read_schema(path).remove_metadata().equals(TABLES["acks"].arrow_schema) for path in paths)
    rows = [(row["topic"], row["record_offset"], row["outcome"], row["error"]) for row in captured(bundle, "acks")]
    outcomes = ["acked", "acked", "failed", "failed", "acked", None]
    whole = [("a", number, outcome, None) for number, outcome in enumerate(outcomes)]
    others = [("b", 6, "aborted", None), ("b", 7, "aborted", None), ("a", 8, "acked", None)]
    assert sorted(rows, key=str) == sorted([*whole, *others, *whole[1:4]], key=str)


def test_names_of_many_topics_stay_in_dictionaries(bundle: Path) -> None:
    """Batches of topics in turn are sealed with one dictionary for all, not as text row by row."""
    with Spool(bundle, "acks", flush_seconds=60) as spool:
        for number in range(20):
            spool.append_batch(acknowledged(f"topic-{number % 3}", range(5), pa.array(["acked"] * 5)))
    [path] = (bundle / "evidence" / "acks").iterdir()
    column = pq.read_metadata(path).row_group(0).column(TABLES["acks"].arrow_schema.get_field_index("topic"))
    assert "RLE_DICTIONARY" in column.encodings
    assert column.total_uncompressed_size < 300


def test_live_readers_see_names_as_text(bundle: Path) -> None:
    """Whoever reads the segment while it is being written is given names, one a row."""
    with Spool(bundle, "acks", flush_seconds=60) as spool:
        spool.append_batch(acknowledged("a", range(3), pa.array(["acked", "failed", "failed"])))
        spool.flush()
        [batch] = SegmentTail(bundle / "spool" / "acks" / "1.arrows").read_new()
    assert batch.column("topic").to_pylist() == ["a"] * 3
    assert batch.column("outcome").to_pylist() == ["acked", "failed", "failed"]
    assert batch.schema.equals(TABLES["acks"].arrow_schema)
