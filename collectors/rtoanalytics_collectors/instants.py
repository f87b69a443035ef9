"""Instants as people and programs write them."""

from __future__ import annotations

from datetime import UTC, datetime

from rtoanalytics.errors import UsageError


def instant(text: str) -> int:
    """Microseconds since the epoch of an ISO 8601 instant with a zone. Raises UsageError for anything else.

    >>> instant("1970-01-01T00:00:01Z")
    1000000
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        msg = f'"{text}" is no instant with a time zone; write it like 2026-11-20T10:40:00Z'
        raise UsageError(msg)
    since_epoch = value - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_epoch.days * 86_400 + since_epoch.seconds) * 1_000_000 + since_epoch.microseconds
