"""What is particular to PostgreSQL: a session that can only read, what it sees of others, and its clock."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from rtoanalytics_collectors.clocks import UNMEASURED, ClockReading, now_us

if TYPE_CHECKING:
    from rtoanalytics_collectors.clocks import Clock

_CONNECTION = {"connect_timeout": "5", "tcp_user_timeout": "10000", "application_name": "rtoanalytics"}
"""A database that has gone silent must not hold the collector for the minutes that TCP would wait."""
_SESSION = (
    "set transaction isolation level repeatable read, read only",
    "set local lock_timeout = '2s'",  # a locked table is an answer for later
    "set local statement_timeout = '120s'",
)
_SNAPSHOT = "select clock_timestamp(), txid_current_snapshot()::text"
_READINGS = 8
"""The best of this many clock readings counts: the one with the shortest way there and back."""


@dataclass
class ServerClock:
    """This host's clock minus the server's, by Cristian's method: the answer was given between two local readings."""

    clock: Clock = now_us
    _readings: deque[ClockReading] = field(default_factory=lambda: deque(maxlen=_READINGS))

    def best(self) -> ClockReading:
        """The reading with the smallest error of the last few; unmeasured before the first."""
        return min(self._readings, key=lambda reading: reading.error_ms or 0.0, default=UNMEASURED)

    def compare(self, asked_at: int, server_at: int, answered_at: int) -> None:
        """Take one reading: the server's instant, and this host's before and after it, microseconds since the epoch."""
        offset_us = (asked_at + answered_at) / 2 - server_at
        self._readings.append(ClockReading(offset_us / 1_000, max(1, answered_at - asked_at) / 2_000))

    def forget(self) -> None:
        """Drop what was read: the next connection may lead to another server."""
        self._readings.clear()


def connection_uri(uri: str) -> str:
    """The URI with bounds on how long a silent server is waited for, unless it sets them itself.

    >>> connection_uri("postgresql://db/payments?connect_timeout=9")
    'postgresql://db/payments?connect_timeout=9&tcp_user_timeout=10000&application_name=rtoanalytics'
    """
    if "://" not in uri:
        return uri
    parts = urlsplit(uri)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    missing = {name: value for name, value in _CONNECTION.items() if name not in given}
    return urlunsplit(parts._replace(query=urlencode(given | missing)))


def begin(cursor: Any, server_clock: ServerClock) -> frozenset[int]:  # noqa: ANN401  (a DB-API cursor, whichever driver)
    """Begin a transaction that can only read and sees one instant; gives the writers open at it. Reads the clock."""
    for statement in _SESSION:
        cursor.execute(statement)
    asked_at = server_clock.clock()
    cursor.execute(_SNAPSHOT)
    [[server_at, snapshot]] = cursor.fetchall()
    server_clock.compare(asked_at, round(server_at.timestamp() * 1_000_000), server_clock.clock())
    return open_transactions(snapshot)


def open_transactions(snapshot: str) -> frozenset[int]:
    """Transactions that a snapshot in PostgreSQL's own notation (`xmin:xmax:xip,xip`) names as open.

    >>> sorted(open_transactions("10:20:11,15"))
    [11, 15]
    >>> open_transactions("10:10:")
    frozenset()
    """
    names = snapshot.rsplit(":", 1)[-1]
    return frozenset(int(name) for name in names.split(",") if name)


def scrubbed(text: str, uri: str) -> str:
    """The text without the password that a connection URI or string carries.

    >>> scrubbed("cannot reach postgresql://u:p%40ss@db/x", "postgresql://u:p%40ss@db/x")
    'cannot reach postgresql://u:***@db/x'
    >>> scrubbed('bad: "password=s3cret host=db"', "password=s3cret host=db")
    'bad: "password=*** host=db"'
    """
    for secret in sorted(_secrets(uri), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _secrets(uri: str) -> set[str]:
    in_authority = re.findall(r"://[^/@?]*?:([^/?]*)@", uri)
    in_options = re.findall(r"(?i)pass(?:word|wd|phrase)?\s*=\s*('[^']*'|[^\s&']+)", uri)
    raw = [secret.strip("'") for secret in [*in_authority, *in_options]]
    return {secret for found in raw for secret in (found, unquote(found)) if secret}
