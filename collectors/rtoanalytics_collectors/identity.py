"""Where a record carries its identity: what `record_id` holds in every table that has one.

The same function serves the producer, the log that is read back and the downstream, so that their identities meet.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rtoanalytics.errors import UsageError

Headers = Iterable[tuple[str, str | bytes | None]]
RecordId = Callable[[str | bytes | None, Headers], str | None]
"""Gives the identity of a record from its key and headers, or None when it carries none."""

MIN_KEY_BYTES = 16
HASH_BYTES = 16


def from_key(key: str | bytes | None, headers: Headers) -> str | None:  # noqa: ARG001  (one signature for all)
    """The key is the identity.

    >>> from_key(b"pay-1", [])
    'pay-1'
    """
    return text_of(key)


def from_header(name: str) -> RecordId:
    """The first header of this name is the identity.

    >>> from_header("id")(None, [("trace", b"x"), ("id", b"pay-1")])
    'pay-1'
    """

    def record_id(key: str | bytes | None, headers: Headers) -> str | None:  # noqa: ARG001
        return next((text_of(value) for found, value in headers if found == name), None)

    return record_id


@dataclass(frozen=True)
class HashedIdentity:
    """An identity that only who holds the key can tell: HMAC-SHA256 of another identity, 128 bits in hexadecimal."""

    record_id: RecordId
    """Gives the identity that is hashed."""
    key: bytes

    def __call__(self, key: str | bytes | None, headers: Headers) -> str | None:
        """The hash of a record's identity; None for a record without one."""
        identity = self.record_id(key, headers)
        return None if identity is None else hashed_text(identity, self.key)

    def __repr__(self) -> str:
        """The key is a secret: it is not shown."""
        return f"hashed({self.record_id!r}, key=…)"


def hashed(record_id: RecordId, key: bytes) -> RecordId:
    """`record_id` as a keyed hash: no payload leaves the process, and equal identities still meet under one key.

    Raises UsageError for a key shorter than 16 bytes: short keys, and with them the identities, can be guessed.

    >>> hashed(from_key, b"sixteen or more!")(b"pay-1", [])
    'ed71c2befd5a969b76271d28e955c97f'
    """
    if len(key) < MIN_KEY_BYTES:
        msg = (
            f"the key of record identities has {len(key)} bytes; allowed are {MIN_KEY_BYTES} or more, chosen at random"
        )
        raise UsageError(msg)
    return HashedIdentity(record_id, key)


def hashed_text(identity: str, key: bytes) -> str:
    """The keyed hash of one identity: the first 128 bits of HMAC-SHA256 of its UTF-8 bytes, in hexadecimal."""
    return hmac.digest(key, identity.encode("utf-8", "surrogatepass"), "sha256")[:HASH_BYTES].hex()


def reads_only_the_key(record_id: RecordId) -> bool:
    """Whether an identity can be told from the key alone, so also later than the produce.

    >>> reads_only_the_key(from_key), reads_only_the_key(from_header("id"))
    (True, False)
    """
    while isinstance(record_id, HashedIdentity):
        record_id = record_id.record_id
    return record_id is from_key


def text_of(value: object) -> str | None:
    """Text as it is, UTF-8 decoded, other bytes in hexadecimal: two different values never look alike.

    >>> text_of("a"), text_of(b"a"), text_of(bytes([255])), text_of(None)
    ('a', 'a', '0xff', None)
    """
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, bytes | bytearray | memoryview):
        return str(value)
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        return "0x" + bytes(value).hex()
