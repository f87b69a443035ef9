"""MirrorMaker 2's topics: decoded as Kafka encodes them, dated so that what was before does not stretch the drill."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtoanalytics.schemas import MAX_OFFSET
from rtoanalytics_collectors.failures import PartialLookError
from rtoanalytics_collectors.mirror import (
    Checkpoints,
    OffsetSyncs,
    checkpoint,
    checkpoints_topic,
    offset_sync,
    offset_syncs_topic,
)
from rtoanalytics_collectors.spool import Spool
from tests.collectors.fake_tail import FakeTail, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = st.text(st.characters(codec="utf-8"), max_size=60)
PARTITIONS = st.integers(0, 2**31 - 1)
OFFSETS = st.integers(0, MAX_OFFSET)


def string(text: str) -> bytes:
    """Kafka's STRING."""
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def checkpoint_bytes(
    group: str, topic: str, partition: int, upstream: int, downstream: int, metadata: str = "", version: int = 0
) -> tuple[bytes, bytes]:
    """Key and value of a checkpoint."""
    key = string(group) + string(topic) + partition.to_bytes(4, "big")
    value = version.to_bytes(2, "big") + struct.pack(">qq", upstream, downstream) + string(metadata)
    return key, value


def sync_bytes(topic: str, partition: int, upstream: int, downstream: int) -> tuple[bytes, bytes]:
    """Key and value of an offset sync."""
    return string(topic) + partition.to_bytes(4, "big"), struct.pack(">qq", upstream, downstream)


@given(NAMES, NAMES, PARTITIONS, OFFSETS, OFFSETS, NAMES)
def test_checkpoint_is_decoded_as_it_was_encoded(
    group: str, topic: str, partition: int, upstream: int, downstream: int, metadata: str
) -> None:
    """Any group, topic and metadata, any offsets."""
    assert checkpoint(*checkpoint_bytes(group, topic, partition, upstream, downstream, metadata)) == {
        "group_id": group,
        "topic": topic,
        "partition": partition,
        "upstream_offset": upstream,
        "downstream_offset": downstream,
    }


@given(NAMES, PARTITIONS, OFFSETS, OFFSETS)
def test_offset_sync_is_decoded_as_it_was_encoded(topic: str, partition: int, upstream: int, downstream: int) -> None:
    """Any topic and offsets; there is no version in front."""
    assert offset_sync(*sync_bytes(topic, partition, upstream, downstream)) == {
        "topic": topic,
        "partition": partition,
        "upstream_offset": upstream,
        "downstream_offset": downstream,
    }


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_garbage_is_counted_not_raised(key: bytes, value: bytes) -> None:
    """Whatever bytes the topics hold, a look succeeds, and a record is a row or is counted."""
    for kind, table in ((Checkpoints, "checkpoints"), (OffsetSyncs, "offset_syncs")):
        collector = kind(FakeTail("t", [record(key, value)]), "a", "b")
        assert len(collector.collect()[table]) + collector.undecodable == 1


@given(st.data())
def test_record_that_is_cut_short_or_too_long_is_counted(data: st.DataObject) -> None:
    """No prefix of a key or a value is taken for a whole one, nor one with bytes behind it."""
    key, value = checkpoint_bytes("g", "t", 1, 2, 3, "m")
    cut_key = key[: data.draw(st.integers(0, len(key) - 1))]
    cut_value = value[: data.draw(st.integers(0, len(value) - 1))]
    for damaged in ((cut_key, value), (key, cut_value), (key + b"\0", value), (key, value + b"\0")):
        with pytest.raises(ValueError, match=r".+"):
            checkpoint(*damaged)


def test_other_versions_and_impossible_offsets_are_counted() -> None:
    """A version that is not known here, a translation of -1, a record without a timestamp: coverage, not evidence."""
    records = [
        record(*checkpoint_bytes("g", "t", 0, 1, 1, version=1)),
        record(string("g") + string("t") + b"\0\0\0\0", struct.pack(">hqq", 0, 5, -1) + string("")),
        record(*checkpoint_bytes("g", "t", 0, 1, 1), None),
    ]
    collector = Checkpoints(FakeTail("t", records), "a", "b")
    assert collector.collect() == {"checkpoints": []}
    assert collector.undecodable == 3


def emitted(rows: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Upstream offset and instant of each row."""
    return [(row["upstream_offset"], row["emitted_at"]) for row in rows]


def test_of_what_was_before_only_the_last_of_each_key_is_kept() -> None:
    """It was in force when the tail began and is dated so; what comes after has its own instant; none comes twice."""
    history = [
        record(*checkpoint_bytes("g", "t", 0, 10, 9), 100, is_history=True),
        record(*checkpoint_bytes("g", "t", 1, 50, 49), 100, is_history=True),
        record(*checkpoint_bytes("g", "t", 0, 20, 19), 200, is_history=True),
        record(*checkpoint_bytes("h", "t", 0, 30, 29), 200, is_history=True),
    ]
    tail = FakeTail("t", history, [record(*checkpoint_bytes("g", "t", 0, 40, 39), 5_000)])
    collector = Checkpoints(tail, "primary", "recovery")
    rows = collector.collect()["checkpoints"]
    assert sorted(emitted(rows)) == [(20, 1_000_000), (30, 1_000_000), (50, 1_000_000)]
    assert {(row["source_cluster"], row["target_cluster"]) for row in rows} == {("primary", "recovery")}
    assert emitted(collector.collect()["checkpoints"]) == [(40, 5_000_000)]
    assert collector.collect() == {"checkpoints": []}


def test_deletion_is_no_checkpoint() -> None:
    """A record without a value is compaction's, neither a row nor garbage."""
    collector = OffsetSyncs(FakeTail("t", [record(b"k", None)]), "a", "b")
    assert (collector.collect(), collector.undecodable) == ({"offset_syncs": []}, 0)


def test_partial_look_waits_with_what_was_in_force() -> None:
    """Until the topic was read to its end, the last of a key is not known: only new records are delivered."""
    tail = FakeTail(
        "t",
        [record(*sync_bytes("t", 0, 1, 1), 10, is_history=True), record(*sync_bytes("t", 1, 7, 7), 3_000)],
        [record(*sync_bytes("t", 0, 2, 2), 20, is_history=True)],
    )
    tail.behind = {0: "has more to read"}
    collector = OffsetSyncs(tail, "a", "b")
    with pytest.raises(PartialLookError) as look:
        collector.collect()
    assert emitted(look.value.sample["offset_syncs"]) == [(7, 3_000_000)]
    tail.behind = {}
    assert emitted(collector.collect()["offset_syncs"]) == [(2, 1_000_000)]


def test_restart_delivers_equal_rows_only(bundle: Path, captured: Callable[..., list[dict[str, Any]]]) -> None:
    """A capture that goes on in the same bundle keeps the first beginning: nothing is missing, nothing differs."""
    old = record(*checkpoint_bytes("g", "t", 0, 10, 9), 100, is_history=True)
    during = checkpoint_bytes("g", "t", 0, 20, 19)
    first = Checkpoints(FakeTail("t", [old], [record(*during, 5_000)]), "a", "b")
    before = first.collect()["checkpoints"] + first.collect()["checkpoints"]
    while_down = record(*checkpoint_bytes("g", "t", 0, 30, 29), 6_000, is_history=True)
    again = [old, record(*during, 5_000, is_history=True), while_down]
    second = Checkpoints(FakeTail("t", again, asked_at=9_000_000), "a", "b")
    second.resume(before)
    rows = second.collect()["checkpoints"]
    assert [row for row in rows if row not in before] == [
        before[0] | {"upstream_offset": 30, "downstream_offset": 29, "emitted_at": 6_000_000}
    ]
    with Spool(bundle, "checkpoints") as spool:
        spool.append(*rows)
    assert len(captured(bundle, "checkpoints")) == 3


def test_topics_are_named_as_mirrormaker_names_them() -> None:
    """With the default separator, and with another one."""
    assert checkpoints_topic("a", "_") == "a_checkpoints_internal"
    assert offset_syncs_topic("b", "_") == "mm2-offset-syncs_b_internal"
