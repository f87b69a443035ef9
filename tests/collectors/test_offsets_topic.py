"""Commits from `__consumer_offsets`: what becomes a row, when a look vouches for everything, and where it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics_collectors.commits.choosing import choose, may_read_offsets
from rtoanalytics_collectors.commits.offsets_topic import OffsetsTopic, partition_of
from rtoanalytics_collectors.commits.polled import Commits
from rtoanalytics_collectors.failures import PartialLookError, TransientError
from rtoanalytics_collectors.kafka import LogRecord
from rtoanalytics_collectors.kafka.fake import FakeCluster
from rtoanalytics_collectors.kafka.tailing import Drain, Gap, TailRecord
from tests.collectors import offsets_encoding as encode

if TYPE_CHECKING:
    from collections.abc import Iterable

BEGAN_US = 1_000_000_000
NOW_MS = 2_000_000
STABLE = {
    "protocol_type": "consumer",
    "generation": 3,
    "protocol": "range",
    "leader": "m",
    "members": [{"member_id": "m", "instance_id": None, "client_id": "c", "client_host": "/h", "assignment": b""}],
}
EMPTY = STABLE | {"generation": 4, "protocol": None, "leader": None, "members": []}


@dataclass
class ScriptedTail:
    """A tail that gives what a test has put into it, look by look."""

    looks: list[Drain] = field(default_factory=list)
    next_offsets: dict[int, int] = field(default_factory=lambda: {0: 0})
    refusal: ClusterError | None = None
    is_closed: bool = False

    def drain(self) -> Drain:
        if self.refusal:
            raise self.refusal
        drain = self.looks.pop(0) if self.looks else Drain([], BEGAN_US)
        self.next_offsets[0] = max([self.next_offsets[0], *(record.offset + 1 for record in drain.records)])
        return drain

    def close(self) -> None:
        self.is_closed = True


@dataclass
class OffsetsCluster(FakeCluster):
    """A cluster whose offsets topic has one partition, and whose records come from a scripted tail."""

    offsets: ScriptedTail = field(default_factory=ScriptedTail)

    def tail(self, topic: str, partitions: Iterable[int]) -> ScriptedTail:
        assert (topic, list(partitions)) == ("__consumer_offsets", [0])
        return self.offsets


def record(offset: int, key: bytes, value: bytes | None, *, history: bool = False) -> TailRecord:
    """One record of the offsets topic."""
    return TailRecord(0, offset, key, value, (), NOW_MS, "CreateTime", 0, history)


def commit(offset: int, committed: int, *, at_ms: int = NOW_MS, history: bool = False, group: str = "g") -> TailRecord:
    """A commit on t-0, by default after the tail began."""
    return record(offset, encode.key(1, group, "t", 0), encode.commit(3, committed, -1, "", at_ms), history=history)


def generation(offset: int, fields: dict[str, Any], *, history: bool = False) -> TailRecord:
    """A generation of the group."""
    return record(offset, encode.key(2, "g"), encode.group(3, fields), history=history)


def drained(*records: TailRecord, behind: dict[int, str] | None = None, gaps: tuple[Gap, ...] = ()) -> Drain:
    """One look."""
    return Drain(list(records), BEGAN_US, behind or {}, gaps)


def cluster(*looks: Drain) -> OffsetsCluster:
    """A cluster with the offsets topic, whose log end has been reached at every look."""
    return OffsetsCluster(logs={("__consumer_offsets", 0): []}, offsets=ScriptedTail(list(looks)))


def collector(*looks: Drain, instants: Iterable[float] = ()) -> OffsetsTopic:
    """A collector of group g."""
    monotonic = iter(instants)
    return OffsetsTopic(cluster(*looks), "g", clock=lambda: BEGAN_US, monotonic=lambda: next(monotonic, 0.0))


def found(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What a test compares of commits."""
    return [(row["committed_offset"], row["committed_at"], row["commit_seq"]) for row in rows]


@pytest.mark.parametrize(
    ("group", "partition"),
    [("payments-sink", 27), ("app", 1), ("grüppe", 12), ("😀x", 39), ("polygenelubricants", 0)],
)
def test_partition_of_a_group_is_that_of_the_coordinator(group: str, partition: int) -> None:
    """Java's hash over UTF-16, its absolute value, and 0 for the one hash that has none: as Kafka 4.3 computes it."""
    assert partition_of(group, 50) == partition


def test_history_is_the_commit_in_force_dated_at_the_beginning() -> None:
    """Of old commits only the last of each partition is a row, and it does not stretch the drill back to its day."""
    looks = drained(commit(3, 10, at_ms=5, history=True), commit(9, 20, at_ms=6, history=True))
    [row] = collector(looks).collect()["commits"]
    assert row == {
        "cluster": "primary",
        "group_id": "g",
        "topic": "t",
        "partition": 0,
        "committed_offset": 20,
        "committed_at": BEGAN_US,
        "observed_at": BEGAN_US,
        "commit_seq": 9,
        "leader_epoch": None,
        "method": "log",
    }


def test_removed_commit_of_the_history_is_not_in_force() -> None:
    """A tombstone in the history takes the commit away, without an event: it is older than the capture."""
    looks = drained(commit(3, 10, history=True), record(4, encode.key(1, "g", "t", 0), None, history=True))
    sample = collector(looks).collect()
    assert (sample["commits"], sample["events"]) == ([], [])


def test_every_later_commit_is_a_row_with_the_coordinators_timestamp() -> None:
    """Commits of one group come as they were made, in the order of the log; those of other groups are not its own."""
    looks = drained(commit(10, 30), commit(11, 25, at_ms=NOW_MS + 1), commit(12, 99, group="other"))
    rows = collector(drained(), looks)
    assert rows.collect()["commits"] == []
    assert found(rows.collect()["commits"]) == [(30, NOW_MS * 1000, 10), (25, (NOW_MS + 1) * 1000, 11)]


def test_commit_behind_the_history_is_never_dated_before_it() -> None:
    """A coordinator whose clock is behind ours must not put a new commit in front of the one that was in force."""
    looks = drained(commit(3, 10, history=True), commit(4, 20, at_ms=BEGAN_US // 1000 - 7_000))
    assert found(collector(looks).collect()["commits"]) == [(10, BEGAN_US, 3), (20, BEGAN_US, 4)]


def test_look_that_is_behind_gives_its_rows_without_vouching() -> None:
    """A partition without a leader, or a long backlog: what was read is written, and no heartbeat."""
    behind = collector(drained(commit(10, 30), behind={0: "has more to read"}), drained())
    with pytest.raises(PartialLookError, match="has more to read") as failure:
        behind.collect()
    assert found(failure.value.sample["commits"]) == [(30, NOW_MS * 1000, 10)]
    assert behind.collect()["commits"] == []
    assert behind.is_continuous


def test_history_that_takes_many_looks_is_told_when_it_is_whole() -> None:
    """The commit in force is only known at the end of the history."""
    first = drained(commit(3, 10, history=True), behind={0: "has more to read"})
    slow = collector(first, drained(commit(9, 20, history=True)))
    with pytest.raises(PartialLookError) as failure:
        slow.collect()
    assert failure.value.sample["commits"] == []
    assert found(slow.collect()["commits"]) == [(20, BEGAN_US, 9)]


def test_open_transaction_that_holds_commits_back_is_no_complete_look() -> None:
    """The end of the log was not reached, although everything that may be read was: there may be commits behind it."""
    held = cluster(drained(), drained())
    held.logs["__consumer_offsets", 0] = [LogRecord(7, None, (), None, None, None)]
    looking = OffsetsTopic(held, "g", clock=lambda: BEGAN_US)
    with pytest.raises(PartialLookError, match="open transaction"):
        looking.collect()
    held.offsets.next_offsets[0] = 8
    assert looking.collect()["commits"] == []


def test_commit_that_cannot_be_read_leaves_a_hole_and_a_note() -> None:
    """More than three intervals without a heartbeat, a look behind them that does not vouch for the hole, a note."""
    unknown = record(5, encode.key(1, "g", "t", 0), encode.commit(9, 1, 1, "", 1))
    looking = collector(drained(), drained(unknown), instants=[100.0, 100.0, 101.7, 101.8])
    looking.collect()
    with pytest.raises(PartialLookError, match="may have been lost") as failure:
        looking.collect()
    [event] = failure.value.sample["events"]
    assert event["kind"] == "note"
    assert "record 5 cannot be read, a commit may be missing" in event["text"]
    with pytest.raises(PartialLookError):
        looking.collect()
    vouches: list[bool] = []
    for _ in range(2):
        looking.collect()
        vouches.append(looking.is_continuous)
    assert vouches == [False, True]
    assert looking.undecodable == 1


@pytest.mark.parametrize("group", ["other", "g"])
def test_other_records_that_cannot_be_read_are_no_hole(group: str) -> None:
    """Another group's commit is not ours; a state that cannot be read is noted, no commit is lost with it."""
    version = 1 if group == "other" else 3
    key = encode.key(version, group, "t", 0) if version == 1 else encode.key(version, group)
    looking = collector(drained(record(5, key, b"\0\x63")))
    sample = looking.collect()
    assert looking.undecodable == len(sample["events"]) == (0 if group == "other" else 1)


@pytest.mark.parametrize("reason", ["retention", "truncation"])
def test_offsets_that_are_gone_leave_a_hole_and_a_note(reason: str) -> None:
    """What can no longer be read may have been commits."""
    looking = collector(drained(gaps=(Gap(0, 5, 9, reason),)))
    with pytest.raises(PartialLookError) as failure:
        looking.collect()
    assert f"offsets 5 to 9 are gone ({reason})" in failure.value.sample["events"][0]["text"]


def test_deleted_group_and_deleted_offset_are_told_apart() -> None:
    """A commit that goes with its group, and one that goes alone; neither is a commit of 0."""
    alone = drained(commit(3, 10), record(4, encode.key(1, "g", "t", 0), None))
    together = drained(commit(5, 10), record(6, encode.key(1, "g", "t", 0), None), record(7, encode.key(2, "g"), None))
    looking = collector(drained(generation(1, STABLE, history=True)), alone, together)
    looking.collect()
    texts = [event["text"] for _ in range(2) for event in looking.collect()["events"]]
    assert [text.split("removed: ")[1] for text in texts] == [
        "deleted by an administrator or with its topic, the group is still there, cluster primary",
        "the group was deleted, cluster primary",
    ]


def test_removal_long_after_the_commit_may_be_expiry() -> None:
    """Retention of offsets is days: only then is expiry named."""
    old = commit(3, 10, at_ms=NOW_MS - 8 * 86_400_000 + 10**9, history=True)
    gone = TailRecord(0, 4, encode.key(1, "g", "t", 0), None, (), NOW_MS + 10**9, "CreateTime", 0, is_history=False)
    [event] = collector(drained(old, gone)).collect()["events"]
    assert "expired 8.0 days after the commit" in event["text"]
    assert event["kind"] == "commit_removed"


def test_commit_without_members_is_noted_once() -> None:
    """A reset, or a consumer that assigns itself, commits while nobody is in the group; with members none is noted."""
    looking = collector(
        drained(generation(1, STABLE, history=True)),
        drained(commit(2, 5), generation(3, EMPTY)),
        drained(commit(4, 1), commit(5, 2)),
    )
    looking.collect()
    assert looking.collect()["events"] == []
    [event] = looking.collect()["events"]
    assert "external commit: group g had no members when t-0 was set to 1" in event["text"]


def test_group_states_are_written_when_they_change() -> None:
    """State, members and generation, once for each that is seen."""
    looking = collector(
        drained(generation(1, STABLE, history=True)), drained(commit(2, 5)), drained(generation(3, EMPTY))
    )
    states = [
        [(r["state"], r["members"], r["generation"]) for r in looking.collect()["group_states"]] for _ in range(3)
    ]
    assert states == [[("Stable", 1, 3)], [], [("Empty", 0, 4)]]


def test_restart_goes_on_behind_what_was_captured() -> None:
    """Commits up to the largest commit_seq of the log are there already; those behind it keep their own instants."""
    looks = drained(
        generation(3, STABLE, history=True),
        commit(4, 10, history=True),
        commit(5, 20, at_ms=1_500_000, history=True),
        commit(6, 30, history=False),
    )
    looking = collector(looks)
    row = {"cluster": "primary", "group_id": "g", "method": "log", "commit_seq": 4, "committed_at": BEGAN_US}
    looking.resume(
        [
            row,
            row | {"commit_seq": 99, "method": "poll"},
            row | {"commit_seq": 98, "group_id": "other"},
            row | {"commit_seq": 97, "cluster": "recovery"},
        ]
    )
    sample = looking.collect()
    assert found(sample["commits"]) == [(20, 1_500_000_000, 5), (30, NOW_MS * 1000, 6)]
    assert [state["state"] for state in sample["group_states"]] == ["Stable"]


def test_restart_without_captured_commits_begins_anew() -> None:
    """Polled commits do not say where the log was read to."""
    looking = collector(drained(commit(3, 10, history=True)))
    looking.resume([{"cluster": "primary", "group_id": "g", "method": "poll", "commit_seq": 4, "committed_at": 1}])
    assert found(looking.collect()["commits"]) == [(10, BEGAN_US, 3)]


def test_topic_that_is_not_there_yet_is_waited_for() -> None:
    """A cluster on which no group has committed has no offsets topic: a look that could not be made."""
    fresh = OffsetsCluster()
    looking = OffsetsTopic(fresh, "g", clock=lambda: BEGAN_US)
    with pytest.raises(TransientError, match="not there"):
        looking.collect()
    fresh.logs["__consumer_offsets", 0] = []
    looking.collect()
    looking.close()
    assert fresh.offsets.is_closed


def test_commits_are_read_from_the_log_where_that_is_allowed() -> None:
    """By default the topic is tried; a refusal, and a simulated cluster that has no such topic, mean polling."""
    partitions = [("t", 0)]
    assert isinstance(choose(cluster(), "g", lambda: partitions), OffsetsTopic)
    refused = cluster()
    refused.offsets.refusal = ClusterError("TOPIC_AUTHORIZATION_FAILED")
    assert isinstance(choose(refused, "g", lambda: partitions), Commits)
    assert isinstance(choose(refused, "g", lambda: partitions, "log"), OffsetsTopic)
    assert isinstance(choose(cluster(), "g", lambda: partitions, "poll"), Commits)
    assert isinstance(choose(OffsetsCluster(cluster_id="mockCluster1"), "g", lambda: partitions), Commits)
    with pytest.raises(UsageError, match="allowed: auto, log, poll"):
        choose(cluster(), "g", lambda: partitions, "guess")


def test_topic_that_stays_hidden_is_not_waited_for() -> None:
    """A cluster that answers and never shows the topic is polled; one that does not answer is trusted to have it."""
    assert not may_read_offsets(OffsetsCluster(), "g", seconds=0.01)
    assert may_read_offsets(OffsetsCluster(is_down=True), "g", seconds=0.01)
