"""The bytes of `__consumer_offsets`: every version round-trips; what is no such record is counted, never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtoanalytics_collectors.commits import records
from rtoanalytics_collectors.commits.decoding import decode
from rtoanalytics_collectors.commits.records import (
    GroupEpoch,
    GroupMetadata,
    GroupRemoved,
    Irrelevant,
    Member,
    MemberEpoch,
    MemberJoined,
    MemberLeft,
    OffsetCommit,
    OffsetRemoved,
    Protocol,
    TargetEpoch,
    Undecodable,
    assigned_partitions,
)
from rtoanalytics_collectors.commits.wire import WireError
from tests.collectors import offsets_encoding as encode

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=150)
NULLABLE = st.none() | NAMES
INT32 = st.integers(0, 2**31 - 1)
OFFSETS = st.integers(0, 2**63 - 2)
TIMES_MS = st.integers(0, 7_258_118_400_000 - 1)
MEMBERS = st.fixed_dictionaries(
    {
        "member_id": NAMES,
        "instance_id": NULLABLE,
        "client_id": NAMES,
        "client_host": NAMES,
        "assignment": st.binary(max_size=300),
    }
)
GROUPS = st.fixed_dictionaries(
    {
        "protocol_type": NAMES,
        "generation": st.integers(-1, 2**31 - 1),
        "protocol": NULLABLE,
        "leader": NULLABLE,
        "members": st.lists(MEMBERS, max_size=3),
    }
)
MODERN = {
    Protocol.CONSUMER: (3, 5, 6, 8, 0),
    Protocol.SHARE: (11, 10, 12, 14, 0),
    Protocol.STREAMS: (17, 19, 20, 22, 1),
}
"""Key versions of epoch, member, target assignment and current assignment, and the number of a stable member."""


@given(st.sampled_from([0, 1]), st.integers(0, 4), NAMES, NAMES, INT32, OFFSETS, st.integers(-1, 9), NAMES, TIMES_MS)
def test_commits_of_every_version_round_trip(  # noqa: PLR0913, PLR0917  (the fields of a commit)
    key_version: int,
    version: int,
    group: str,
    topic: str,
    partition: int,
    offset: int,
    epoch: int,
    metadata: str,
    timestamp_ms: int,
) -> None:
    """What an encoder wrote is what the decoder finds; an epoch that the version does not have is not known."""
    value = encode.commit(version, offset, epoch, metadata, timestamp_ms)
    known_epoch = epoch if version >= 3 and epoch >= 0 else None
    assert decode(encode.key(key_version, group, topic, partition), value) == OffsetCommit(
        group, topic, partition, offset, known_epoch, metadata, timestamp_ms
    )


@given(st.integers(0, 4), NAMES, GROUPS)
def test_group_metadata_of_every_version_round_trips(version: int, group: str, fields: dict[str, Any]) -> None:
    """Members, nullable strings and assignments come back; an instance id only where the version has one."""
    members = tuple(
        Member(**{**member, "instance_id": member["instance_id"] if version >= 3 else None})
        for member in fields["members"]
    )
    expected = GroupMetadata(
        group, fields["protocol_type"], fields["generation"], fields["protocol"], fields["leader"], members
    )
    assert decode(encode.key(2, group), encode.group(version, fields)) == expected


@given(st.sampled_from(Protocol), NAMES, NAMES, INT32)
def test_groups_whose_coordinator_assigns_round_trip(protocol: Protocol, group: str, member: str, epoch: int) -> None:
    """Epochs, members and how far they have followed, for consumer, share and streams groups."""
    group_key, member_key, target_key, current_key, stable = MODERN[protocol]
    assert decode(encode.key(group_key, group), encode.epoch(epoch)) == GroupEpoch(group, protocol, epoch)
    assert decode(encode.key(target_key, group), encode.epoch(epoch)) == TargetEpoch(group, protocol, epoch)
    assert decode(encode.key(member_key, group, member), encode.joined()) == MemberJoined(group, protocol, member)
    for state in (stable, stable + 1, stable + 2):
        followed = MemberEpoch(group, protocol, member, epoch, state == stable)
        assert decode(encode.key(current_key, group, member), encode.current(epoch, state)) == followed


def test_tombstones_name_what_is_gone() -> None:
    """A null value removes what its key names."""
    assert decode(encode.key(1, "g", "t", 3), None) == OffsetRemoved("g", "t", 3)
    assert decode(encode.key(2, "g"), None) == GroupRemoved("g", None)
    for protocol, (group_key, member_key, target_key, current_key, _) in MODERN.items():
        assert decode(encode.key(group_key, "g"), None) == GroupRemoved("g", protocol)
        assert decode(encode.key(member_key, "g", "m"), None) == MemberLeft("g", protocol, "m")
        assert decode(encode.key(target_key, "g"), None) == Irrelevant("g")
        assert decode(encode.key(current_key, "g", "m"), None) == Irrelevant("g")


def test_other_known_records_are_no_loss() -> None:
    """Topics, target assignments of members, regular expressions and topologies say nothing of commits."""
    for version in (4, 7, 13, 15, 16, 18, 21, 23):
        assert decode(encode.key(version, "g", "more"), b"\0\0anything") == Irrelevant("g")


@pytest.mark.parametrize("version", [-1, 9, 24, 99])
def test_unknown_key_version_may_be_a_commit(version: int) -> None:
    """A key of a later Kafka is not guessed at, and may hold a commit of any group."""
    assert decode(encode.key(version, "g"), None) == Undecodable(f"key: version {version} is unknown", None, True)  # noqa: FBT003


def test_unknown_value_version_is_a_loss_of_its_group() -> None:
    """A value of a later Kafka is not guessed at; the key says whose it is."""
    found = decode(encode.key(1, "g", "t", 0), encode.commit(5, 1, 1, "", 1))
    assert found == Undecodable("value of key version 1: version 5 is unknown", "g", True)  # noqa: FBT003
    found = decode(encode.key(3, "g"), b"\0\1" + encode.epoch(1)[2:])
    assert found == Undecodable("value of key version 3: version 1 is unknown", "g", False)  # noqa: FBT003


@given(st.integers(0, 4), st.data())
def test_torn_commits_are_counted(version: int, data: st.DataObject) -> None:
    """A value that ends anywhere but at its end, or goes on behind it, is no commit."""
    value = encode.commit(version, 7, 5, "metadata", 111)
    cut = data.draw(st.integers(0, len(value) - 1))
    for torn in (value[:cut], value + b"\0"):
        found = decode(encode.key(1, "g", "t", 0), torn)
        assert isinstance(found, Undecodable)
        assert (found.group_id, found.may_be_commit) == ("g", True)


@given(st.binary(max_size=60) | st.none(), st.binary(max_size=120) | st.none())
def test_garbage_never_raises(key: bytes | None, value: bytes | None) -> None:
    """Any bytes are a fact or a counted failure."""
    assert isinstance(decode(key, value), records.Fact)


@given(st.integers(0, 23), st.binary(max_size=120))
def test_garbage_behind_a_good_key_never_raises(version: int, value: bytes) -> None:
    """A key that can be read, and any bytes as its value."""
    for key in (encode.key(version, "g"), encode.key(version, "g", "m"), encode.key(version, "g", "t", 0)):
        assert isinstance(decode(key, value), records.Fact)


@pytest.mark.parametrize(
    ("offset", "timestamp_ms"), [(-1, 1), (2**63 - 1, 1), (1, -1), (1, 7_258_118_400_000), (1, 2**63 - 1)]
)
def test_impossible_commits_are_not_evidence(offset: int, timestamp_ms: int) -> None:
    """An offset or an instant that cannot be one never reaches a spool, where it would take others with it."""
    assert isinstance(decode(encode.key(1, "g", "t", 0), encode.commit(3, offset, 0, "", timestamp_ms)), Undecodable)


def test_long_flexible_strings_have_a_length_of_several_bytes() -> None:
    """The length of a flexible string is a varint: 200 bytes take two bytes of length."""
    value = encode.commit(4, 1, 0, "m" * 200, 5)
    assert value[14:16] == b"\xc9\x01"
    found = decode(encode.key(1, "g", "t", 0), value)
    assert isinstance(found, OffsetCommit)
    assert found.metadata == "m" * 200


def test_golden_bytes() -> None:
    """One commit, byte by byte: app reads orders-3, the next offset is 7, in leader epoch 5, at 111 ms."""
    key = bytes.fromhex("0001 0003 617070 0006 6f7264657273 00000003")
    value = bytes.fromhex("0003 0000000000000007 00000005 0001 6d 000000000000006f")
    assert decode(key, value) == OffsetCommit("app", "orders", 3, 7, 5, "m", 111)
    assert encode.key(1, "app", "orders", 3) == key
    assert encode.commit(3, 7, 5, "m", 111) == value


@given(st.dictionaries(NAMES, st.lists(INT32, max_size=4), max_size=3))
def test_assignments_of_consumers_are_read(partitions: dict[str, list[int]]) -> None:
    """The partitions that the leader of a classic group gave to a member."""
    found = assigned_partitions(encode.assignment(partitions))
    assert found == {topic: tuple(numbers) for topic, numbers in partitions.items()}


def test_assignment_of_another_form_is_refused() -> None:
    """Groups of other clients have assignments of their own form; an empty one assigns nothing."""
    assert assigned_partitions(b"") == {}
    with pytest.raises(WireError):
        assigned_partitions(b"\0\1connect")
