"""What the records of one group become in the evidence. Pure: records and instants in, rows out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.commits.group_states import GroupTracker
from rtoanalytics_collectors.commits.records import (
    Fact,
    GroupRemoved,
    OffsetCommit,
    OffsetRemoved,
    Undecodable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtoanalytics_collectors.commits.group_states import GroupState
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

SOURCE = "__consumer_offsets"
TABLES = ("commits", "group_states", "events")
_DAY_MS = 24 * 60 * 60 * 1000


class GroupLog:
    """The records of one group, in the order of the log, and the rows that they make.

    What was in the log when the capture began is its history: of it only the commit in force of each partition is a
    row, dated at `began_at`, because an old commit must not stretch the drill back to its own day. A commit behind the
    history has the coordinator's timestamp, but is never dated before `began_at`: it was written later, whatever that
    clock says.
    """

    def __init__(self, cluster: str, group_id: str, began_at: int, captured_seq: int | None = None) -> None:
        """`captured_seq`: the last offset of the log that an earlier process captured; commits behind it are new."""
        self.undecodable = 0
        """Records that could not be read, and may have been about this group."""
        self.lost_commits = 0
        """Those of them that may have been commits."""
        self._constants = {"cluster": cluster, "group_id": group_id}
        self._group_id = group_id
        self._began_at = began_at
        self._captured_seq = captured_seq
        self._is_in_history = True
        self._in_force: dict[tuple[str, int], tuple[int, OffsetCommit]] = {}
        self._tracker = GroupTracker()
        self._written_state: GroupState | None = None
        self._is_told_external = False
        self._commits: list[Row] = []
        self._events: list[Row] = []
        self._removed: list[tuple[OffsetRemoved, int, int | None]] = []
        self._is_group_removed = False

    def take(self, offset: int, fact: Fact, timestamp_ms: int | None, observed_at: int) -> None:
        """Take the record at `offset`; `timestamp_ms` is that of the record itself. Records come in offset order."""
        if isinstance(fact, Undecodable):
            self._count(offset, fact, observed_at)
        elif fact.group_id == self._group_id:
            self._take(offset, fact, timestamp_ms, observed_at)

    def end_history(self) -> None:
        """Make rows of the commits in force, once: everything that was in the log at the beginning has been taken."""
        if self._is_in_history and self._captured_seq is None:
            self._commits += [
                self._row(seq, commit, self._began_at, self._began_at) for seq, commit in self._in_force.values()
            ]
        self._is_in_history = False

    def note(self, text: str, observed_at: int) -> None:
        """Add a note event about this group."""
        self._events.append(self._event("note", text, observed_at))

    def sample(self, observed_at: int) -> Sample:
        """The rows since the last sample, observed at `observed_at`."""
        self._tell_removed()
        rows = {"commits": self._commits, "group_states": self._states(observed_at), "events": self._events}
        self._commits, self._events = [], []
        return rows

    def _take(self, offset: int, fact: Fact, timestamp_ms: int | None, observed_at: int) -> None:
        self._tracker.take(fact)
        self._is_told_external = self._is_told_external and self._tracker.is_without_members
        if isinstance(fact, OffsetCommit):
            self._commit(offset, fact, observed_at)
        elif isinstance(fact, OffsetRemoved):
            self._remove(offset, fact, timestamp_ms, observed_at)
        elif isinstance(fact, GroupRemoved):
            self._is_group_removed = True

    def _commit(self, offset: int, commit: OffsetCommit, observed_at: int) -> None:
        self._in_force[commit.topic, commit.partition] = (offset, commit)
        if self._is_new(offset):
            committed_at = max(commit.commit_timestamp_ms * 1000, self._began_at)
            self._commits.append(self._row(offset, commit, committed_at, observed_at))
            self._tell_external(commit, committed_at)

    def _remove(self, offset: int, removed: OffsetRemoved, timestamp_ms: int | None, observed_at: int) -> None:
        known = self._in_force.pop((removed.topic, removed.partition), None)
        if self._is_new(offset):
            removed_at = observed_at if timestamp_ms is None else max(timestamp_ms * 1000, self._began_at)
            age_ms = removed_at // 1000 - known[1].commit_timestamp_ms if known else None
            self._removed.append((removed, removed_at, age_ms))

    def _is_new(self, offset: int) -> bool:
        if self._captured_seq is None:
            return not self._is_in_history
        return offset > self._captured_seq

    def _count(self, offset: int, fact: Undecodable, observed_at: int) -> None:
        if fact.group_id not in {None, self._group_id}:
            return
        self.undecodable += 1
        self.lost_commits += fact.may_be_commit
        lost = "a commit may be missing from the evidence" if fact.may_be_commit else "its state may be wrong"
        self.note(f"group {self._group_id}: record {offset} cannot be read, {lost} ({fact.reason})", observed_at)

    def _tell_external(self, commit: OffsetCommit, committed_at: int) -> None:
        """Note the first commit made while nobody was in the group: a reset, or a consumer that assigns itself."""
        if self._tracker.is_without_members and not self._is_told_external:
            self._is_told_external = True
            place = f"{commit.topic}-{commit.partition} was set to {commit.committed_offset}"
            text = f"external commit: group {self._group_id} had no members when {place}"
            self._events.append(self._event("note", text, committed_at))

    def _tell_removed(self) -> None:
        for removed, removed_at, age_ms in self._removed:
            cause = _group_cause(age_ms) if self._is_group_removed else _offset_cause(age_ms)
            text = f"group {removed.group_id}: commit of {removed.topic}-{removed.partition} removed: {cause}"
            self._events.append(self._event("commit_removed", text, removed_at))
        self._removed = []
        self._is_group_removed = False

    def _states(self, observed_at: int) -> list[Row]:
        """The group's state, if it is another than the last one written."""
        state = self._tracker.state
        if self._is_in_history or state is None or state == self._written_state:
            return []
        self._written_state = state
        return [{**self._constants, **state._asdict(), "observed_at": observed_at}]

    def _row(self, seq: int, commit: OffsetCommit, committed_at: int, observed_at: int) -> Row:
        return self._constants | {
            "topic": commit.topic,
            "partition": commit.partition,
            "committed_offset": commit.committed_offset,
            "committed_at": committed_at,
            "observed_at": observed_at,
            "commit_seq": seq,
            "leader_epoch": commit.leader_epoch,
            "method": "log",
        }

    def _event(self, kind: str, text: str, occurred_at: int) -> Row:
        where = f"{text}, cluster {self._constants['cluster']}"
        return {"occurred_at": occurred_at, "kind": kind, "text": where, "source": SOURCE}


def captured_until(captured: Iterable[Row], cluster: str, group_id: str) -> tuple[int, int] | None:
    """The largest commit_seq of this group on this cluster that came from the log, and its first committed_at (µs).

    None when no commit of it was captured. Polled commits do not count: their commit_seq is no offset.
    """
    found = [
        row
        for row in captured
        if (row["cluster"], row["group_id"], row["method"]) == (cluster, group_id, "log")
        and row["commit_seq"] is not None
    ]
    if not found:
        return None
    return max(row["commit_seq"] for row in found), min(row["committed_at"] for row in found)


def _group_cause(age_ms: int | None) -> str:
    if age_ms is None or age_ms < _DAY_MS:
        return "the group was deleted"
    return f"the group was deleted or had expired ({age_ms / _DAY_MS:.1f} days after the commit)"


def _offset_cause(age_ms: int | None) -> str:
    if age_ms is None or age_ms < _DAY_MS:
        return "deleted by an administrator or with its topic, the group is still there"
    return f"deleted, or expired {age_ms / _DAY_MS:.1f} days after the commit, the group is still there"
