"""What a record of `__consumer_offsets` says. Pure: bytes in, facts out, no client.

The first two bytes of a key are its version, which says what the record is about; those of a value, its layout. A
value that is null is a tombstone: what the key names is gone. `decode` knows every version that Kafka 4.x writes or
has written (keys 0 to 8 and 10 to 23, commits and group metadata 0 to 4); any other, and bytes that do not fit
their version, are `Undecodable` with the reason: counted by who reads them, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rtoanalytics_collectors.commits.wire import Cursor


class Protocol(Enum):
    """How the members of a group agree on who reads what."""

    CONSUMER = "consumer"
    """KIP-848: the coordinator assigns."""
    SHARE = "share"
    STREAMS = "streams"


@dataclass(frozen=True, slots=True)
class OffsetCommit:
    """A group says how far it has come on one partition."""

    group_id: str
    topic: str
    partition: int
    committed_offset: int
    """The next offset to read."""
    leader_epoch: int | None
    metadata: str
    commit_timestamp_ms: int
    """When the coordinator took the commit, by its clock, ms since the epoch."""


@dataclass(frozen=True, slots=True)
class OffsetRemoved:
    """The commit of a group on one partition is gone."""

    group_id: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a classic group."""

    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    assignment: bytes
    """As the group's leader sent it; `assigned_partitions` reads the consumers' form."""


@dataclass(frozen=True, slots=True)
class GroupMetadata:
    """One generation of a classic group, written when it is stable or has become empty."""

    group_id: str
    protocol_type: str
    generation: int
    protocol: str | None
    leader: str | None
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class GroupEpoch:
    """The epoch of a group whose coordinator assigns: it rises with every change of members or subscriptions."""

    group_id: str
    protocol: Protocol
    epoch: int


@dataclass(frozen=True, slots=True)
class TargetEpoch:
    """The epoch that the latest assignment was made for."""

    group_id: str
    protocol: Protocol
    epoch: int


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """A member of a group whose coordinator assigns, as it describes itself."""

    group_id: str
    protocol: Protocol
    member_id: str


@dataclass(frozen=True, slots=True)
class MemberEpoch:
    """How far a member has followed the assignment."""

    group_id: str
    protocol: Protocol
    member_id: str
    epoch: int
    is_stable: bool
    """Whether it has nothing left to revoke or to wait for."""


@dataclass(frozen=True, slots=True)
class MemberLeft:
    """A member is gone."""

    group_id: str
    protocol: Protocol
    member_id: str


@dataclass(frozen=True, slots=True)
class GroupRemoved:
    """A group is gone, or goes on under another protocol."""

    group_id: str
    protocol: Protocol | None
    """None for a classic group."""


@dataclass(frozen=True, slots=True)
class Irrelevant:
    """A record of a known kind that says nothing about commits, states or members."""

    group_id: str


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A record that cannot be read: an unknown version, or bytes that do not fit theirs."""

    reason: str
    group_id: str | None
    """None when the key cannot be read either."""
    may_be_commit: bool
    """Whether a commit may stand in it."""


Fact = (
    OffsetCommit
    | OffsetRemoved
    | GroupMetadata
    | GroupEpoch
    | TargetEpoch
    | MemberJoined
    | MemberEpoch
    | MemberLeft
    | GroupRemoved
    | Irrelevant
    | Undecodable
)


def assigned_partitions(assignment: bytes) -> dict[str, tuple[int, ...]]:
    """Partitions by topic in the assignment of a classic group of consumers; empty where there is none.

    Raises WireError when the bytes are not of that form, as in groups of other clients (Kafka Connect).
    """
    if not assignment:
        return {}
    cursor = Cursor(assignment)
    cursor.int16()
    return dict(cursor.array(lambda: (cursor.string(), cursor.array(cursor.int32))))
