"""Where a record carries its identity: what `record_id` holds in every table that has one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Headers = Iterable[tuple[str, str | bytes | None]]
RecordId = Callable[[str | bytes | None, Headers], str | None]
"""Gives the identity of a record from its key and headers, or None when it carries none."""


def from_key(key: str | bytes | None, headers: Headers) -> str | None:  # noqa: ARG001  (one signature for all)
    """The key is the identity.

    >>> from_key(b"pay-1", [])
    'pay-1'
    """
    return _text(key)


def from_header(name: str) -> RecordId:
    """The first header of this name is the identity.

    >>> from_header("id")(None, [("trace", b"x"), ("id", b"pay-1")])
    'pay-1'
    """

    def record_id(key: str | bytes | None, headers: Headers) -> str | None:  # noqa: ARG001
        return next((_text(value) for found, value in headers if found == name), None)

    return record_id


def _text(value: str | bytes | None) -> str | None:
    """Text as it is, UTF-8 decoded, other bytes in hexadecimal: two different values never look alike."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return "0x" + value.hex()
