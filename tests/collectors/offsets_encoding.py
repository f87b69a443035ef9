"""Records of `__consumer_offsets` as a broker would write them: an encoder of its own, for the tests of the decoder."""

from __future__ import annotations

import struct
from typing import Any

TAGS = ((0, b"later"), (9, b""))
"""Tagged fields that no version has: a decoder passes over them."""


def varint(number: int) -> bytes:
    """An unsigned number of seven bits a byte, lowest first."""
    low, rest = number % 128, number // 128
    return bytes([low + 128]) + varint(rest) if rest else bytes([low])


def text(value: str | None, *, flexible: bool = False) -> bytes:
    """A string, nullable or not."""
    return run(None if value is None else value.encode(), ">h", flexible=flexible)


def run(value: bytes | None, width: str = ">i", *, flexible: bool = False) -> bytes:
    """Bytes behind their length."""
    if value is None:
        return varint(0) if flexible else struct.pack(width, -1)
    return (varint(len(value) + 1) if flexible else struct.pack(width, len(value))) + value


def array(items: list[bytes], *, flexible: bool = False) -> bytes:
    """Items behind their number."""
    return (varint(len(items) + 1) if flexible else struct.pack(">i", len(items))) + b"".join(items)


def tagged(fields: tuple[tuple[int, bytes], ...] = TAGS) -> bytes:
    """The tagged fields that end a flexible structure."""
    return varint(len(fields)) + b"".join(varint(tag) + varint(len(value)) + value for tag, value in fields)


def key(version: int, group: str, *more: str | int) -> bytes:
    """A key: the version, the group, and what else names the record."""
    parts = [struct.pack(">i", part) if isinstance(part, int) else text(part) for part in more]
    return struct.pack(">h", version) + text(group) + b"".join(parts)


def commit(version: int, offset: int, epoch: int, metadata: str, timestamp_ms: int) -> bytes:
    """The value of a commit."""
    flexible = version >= 4
    value = struct.pack(">hq", version, offset)
    if version >= 3:
        value += struct.pack(">i", epoch)
    value += text(metadata, flexible=flexible) + struct.pack(">q", timestamp_ms)
    if version == 1:
        value += struct.pack(">q", timestamp_ms + 1)
    return value + (tagged() if flexible else b"")


def group(version: int, fields: dict[str, Any]) -> bytes:
    """The value of group metadata: protocol_type, generation, protocol, leader, members."""
    flexible = version >= 4
    value = struct.pack(">h", version) + text(fields["protocol_type"], flexible=flexible)
    value += struct.pack(">i", fields["generation"])
    value += text(fields["protocol"], flexible=flexible) + text(fields["leader"], flexible=flexible)
    if version >= 2:
        value += struct.pack(">q", 1_000)
    value += array([member(version, fields) for fields in fields["members"]], flexible=flexible)
    return value + (tagged() if flexible else b"")


def member(version: int, fields: dict[str, Any]) -> bytes:
    """One member of group metadata."""
    flexible = version >= 4
    value = text(fields["member_id"], flexible=flexible)
    if version >= 3:
        value += text(fields["instance_id"], flexible=flexible)
    value += text(fields["client_id"], flexible=flexible) + text(fields["client_host"], flexible=flexible)
    value += struct.pack(">i", 60_000) if version >= 1 else b""
    value += struct.pack(">i", 45_000) + run(b"subscription", flexible=flexible)
    return value + run(fields["assignment"], flexible=flexible) + (tagged() if flexible else b"")


def epoch(number: int) -> bytes:
    """The value of a group epoch or a target assignment of a group whose coordinator assigns."""
    return struct.pack(">hi", 0, number) + tagged()


def current(member_epoch: int, state: int) -> bytes:
    """The value of a member's current assignment, without partitions."""
    return struct.pack(">hiib", 0, member_epoch, member_epoch - 1, state) + varint(1) + varint(1) + tagged()


def joined() -> bytes:
    """The value of a member's description of itself."""
    return (
        struct.pack(">h", 0) + varint(0) * 2 + text("client", flexible=True) + text("/host", flexible=True) + tagged()
    )


def assignment(partitions: dict[str, list[int]]) -> bytes:
    """What the leader of a classic group of consumers assigns to a member."""
    topics = [text(name) + array([struct.pack(">i", number) for number in of]) for name, of in partitions.items()]
    return struct.pack(">h", 1) + array(topics) + run(b"")
