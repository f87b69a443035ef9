"""From the bytes of `__consumer_offsets` to facts. Pure; `records.py` says what the facts are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rtoanalytics.schemas import LAST_INSTANT_US, MAX_OFFSET
from rtoanalytics_collectors.commits.records import (
    Fact,
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
)
from rtoanalytics_collectors.commits.wire import Cursor, WireError

if TYPE_CHECKING:
    from collections.abc import Callable

_COMMIT_KEYS = (0, 1)
_GROUP_KEY = 2
_EPOCH_KEYS = {3: Protocol.CONSUMER, 11: Protocol.SHARE, 17: Protocol.STREAMS}
_MEMBER_KEYS = {5: Protocol.CONSUMER, 10: Protocol.SHARE, 19: Protocol.STREAMS}
_TARGET_KEYS = {6: Protocol.CONSUMER, 12: Protocol.SHARE, 20: Protocol.STREAMS}
_CURRENT_KEYS = {8: Protocol.CONSUMER, 14: Protocol.SHARE, 22: Protocol.STREAMS}
_OTHER_KEYS = (4, 7, 13, 15, 16, 18, 21, 23)
"""Subscribed topics, target assignments of members, share state, regular expressions, topologies."""
_FIRST_FLEXIBLE = 4
"""Commits and group metadata are flexible from this version on; the records of KIP-848 always."""
_KNOWN_KEYS = 10_000
"""Keys that are read only once."""
_STABLE = {Protocol.CONSUMER: 0, Protocol.SHARE: 0, Protocol.STREAMS: 1}
"""How the state of a member is numbered that has nothing left to revoke or to wait for."""


@dataclass(frozen=True, slots=True)
class _Key:
    version: int
    group_id: str
    topic: str = ""
    partition: int = 0
    member_id: str = ""


def decode(key: bytes | None, value: bytes | None) -> Fact:
    """The fact that a record states; a null value is a tombstone. Never raises for bytes."""
    try:
        name = _key(key or b"")
    except WireError as error:
        return Undecodable(f"key: {error}", None, may_be_commit=True)
    try:
        return _removed(name) if value is None else _stated(name, value)
    except WireError as error:
        is_commit = name.version in _COMMIT_KEYS
        return Undecodable(f"value of key version {name.version}: {error}", name.group_id, may_be_commit=is_commit)


@lru_cache(maxsize=_KNOWN_KEYS)
def _key(key: bytes) -> _Key:
    """What a key names. A group commits the same partitions again and again."""
    cursor = Cursor(key)
    version = cursor.int16()
    if version in _COMMIT_KEYS:
        name = _Key(version, cursor.string(), cursor.string(), _not_negative(cursor.int32(), "partition"))
    elif version in _MEMBER_KEYS or version in _CURRENT_KEYS:
        name = _Key(version, cursor.string(), member_id=cursor.string())
    elif version == _GROUP_KEY or version in _EPOCH_KEYS or version in _TARGET_KEYS:
        name = _Key(version, cursor.string())
    elif version in _OTHER_KEYS:
        return _Key(version, cursor.string())
    else:
        msg = f"version {version} is unknown"
        raise WireError(msg)
    cursor.end()
    return name


def _removed(key: _Key) -> Fact:
    if key.version in _COMMIT_KEYS:
        return OffsetRemoved(key.group_id, key.topic, key.partition)
    if key.version == _GROUP_KEY:
        return GroupRemoved(key.group_id, None)
    if key.version in _EPOCH_KEYS:
        return GroupRemoved(key.group_id, _EPOCH_KEYS[key.version])
    if key.version in _MEMBER_KEYS:
        return MemberLeft(key.group_id, _MEMBER_KEYS[key.version], key.member_id)
    return Irrelevant(key.group_id)  # the member's own tombstone says that it left


def _stated(key: _Key, value: bytes) -> Fact:
    if key.version in _OTHER_KEYS:
        return Irrelevant(key.group_id)
    cursor = Cursor(value)
    version = cursor.int16()
    highest = _FIRST_FLEXIBLE if key.version in {*_COMMIT_KEYS, _GROUP_KEY} else 0
    if not 0 <= version <= highest:
        msg = f"version {version} is unknown"
        raise WireError(msg)
    cursor.is_flexible = version >= _FIRST_FLEXIBLE or highest == 0
    return _reader(key)(key, version, cursor)


def _reader(key: _Key) -> Callable[[_Key, int, Cursor], Fact]:
    if key.version in _COMMIT_KEYS:
        return _commit
    if key.version == _GROUP_KEY:
        return _group
    return _modern


def _commit(key: _Key, version: int, cursor: Cursor) -> OffsetCommit:
    offset = _not_negative(cursor.int64(), "offset")
    epoch = cursor.int32() if version >= 3 else -1  # noqa: PLR2004
    metadata = cursor.string()
    committed_ms = _not_negative(cursor.int64(), "commit timestamp")
    if version == 1:
        cursor.int64()  # when it expires
    cursor.tags()
    cursor.end()
    if offset > MAX_OFFSET or committed_ms * 1000 >= LAST_INSTANT_US:
        msg = f"offset {offset}, committed {committed_ms} ms after 1970, cannot be"
        raise WireError(msg)
    known_epoch = epoch if epoch >= 0 else None
    return OffsetCommit(key.group_id, key.topic, key.partition, offset, known_epoch, metadata, committed_ms)


def _group(key: _Key, version: int, cursor: Cursor) -> GroupMetadata:
    protocol_type, generation = cursor.string(), cursor.int32()
    protocol, leader = cursor.nullable_string(), cursor.nullable_string()
    if version >= 2:  # noqa: PLR2004
        cursor.int64()  # when it came into this state
    members = cursor.array(lambda: _member(version, cursor))
    cursor.tags()
    cursor.end()
    return GroupMetadata(key.group_id, protocol_type, generation, protocol, leader, members)


def _member(version: int, cursor: Cursor) -> Member:
    member_id = cursor.string()
    instance_id = cursor.nullable_string() if version >= 3 else None  # noqa: PLR2004
    client_id, client_host = cursor.string(), cursor.string()
    if version >= 1:
        cursor.int32()  # rebalance timeout
    cursor.int32()  # session timeout
    cursor.blob()  # subscription
    assignment = cursor.blob()
    cursor.tags()
    return Member(member_id, instance_id, client_id, client_host, assignment)


def _modern(key: _Key, _version: int, cursor: Cursor) -> Fact:
    """A record of a group whose coordinator assigns. Only its first fields are read; those behind may grow."""
    if key.version in _EPOCH_KEYS:
        return GroupEpoch(key.group_id, _EPOCH_KEYS[key.version], cursor.int32())
    if key.version in _TARGET_KEYS:
        return TargetEpoch(key.group_id, _TARGET_KEYS[key.version], cursor.int32())
    if key.version in _MEMBER_KEYS:
        return MemberJoined(key.group_id, _MEMBER_KEYS[key.version], key.member_id)
    protocol, epoch = _CURRENT_KEYS[key.version], cursor.int32()
    cursor.int32()  # the epoch before it
    is_stable = cursor.int8() == _STABLE[protocol]
    return MemberEpoch(key.group_id, protocol, key.member_id, epoch, is_stable)


def _not_negative(number: int, what: str) -> int:
    if number < 0:
        msg = f"{what} {number} cannot be"
        raise WireError(msg)
    return number
