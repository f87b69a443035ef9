"""Client statistics from files: one librdkafka statistics document a line, while applications write them.

A client that cannot be wrapped can log its `stats_cb` to a file. Files may be there already or appear later, grow, be
cut off and begun again. A last line without its end waits for it. Other text on a line, and lines that are no
statistics, are no error: they are counted. Compressed files are not read.
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US
from rtoanalytics_collectors.clients import client_stats
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.failures import PartialLookError, TransientError
from rtoanalytics_collectors.json_documents import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

ROLES = ("producer", "consumer")
_SECOND = 1_000_000
_BLOCK = 8 * 1024 * 1024
"""Bytes of one file read in one look; the rest comes with the next."""


@dataclass
class _Place:
    """How far one file has been read."""

    inode: int
    offset: int = 0


class ClientStatsFiles:
    """Rows of `client_stats` from every file that a pattern names, one client or many in a file.

    `observed_at` is the document's `time`: the client host's wall clock in whole seconds, so up to a second early.
    Documents from before the capture began are counted in `before`, not kept: they would stretch the drill.
    """

    tables = ("client_stats",)
    is_continuous = True

    def __init__(self, pattern: str, cluster: str | None = None, clock: Clock = now_us) -> None:
        """`pattern` as in a shell, `**` for folders at any depth; `cluster` is the one the clients talk to."""
        self.target = pattern
        self.other_lines = 0
        """Lines that hold no statistics document."""
        self.before = 0
        """Documents from before the capture began."""
        self._cluster = cluster
        self._since = clock() // _SECOND * _SECOND
        self._places: dict[str, _Place] = {}

    def resume(self, captured: Iterable[Row]) -> None:
        """Keep the beginning of the earlier process. A row that is captured already is equal, and counts once."""
        self._since = min((row["observed_at"] for row in captured), default=self._since)

    def collect(self) -> Sample:
        """Read what was appended. Raises TransientError when no file matches or one cannot be read."""
        paths = sorted(path for path in _matching(self.target) if Path(path).is_file())
        if not paths:
            msg = f"no file matches {self.target} (yet)"
            raise TransientError(msg)
        rows: list[Row] = []
        unread = []
        for path in paths:
            try:
                lines, is_complete = self._new_lines(path)
            except OSError as error:
                unread.append(f"{path} cannot be read: {error.strerror}")
                continue
            rows += [row for line in lines for row in self._rows(line)]
            unread += [] if is_complete else [f"{path} has more to read"]
        if unread:
            raise PartialLookError("; ".join(unread), {"client_stats": rows})
        return {"client_stats": rows}

    def _new_lines(self, path: str) -> tuple[list[bytes], bool]:
        """Lines that are whole, and whether they are all; a file that was begun again is read from its start."""
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            place = self._places.get(path)
            if place is None or place.inode != status.st_ino or status.st_size < place.offset:
                place = self._places[path] = _Place(status.st_ino)
            file.seek(place.offset)
            block = file.read(_BLOCK)
        whole = block[: block.rfind(b"\n") + 1]
        if not whole and len(block) == _BLOCK:  # no document is this long
            whole = block
        place.offset += len(whole)
        return whole.splitlines(), len(block) < _BLOCK

    def _rows(self, line: bytes) -> list[Row]:
        document = statistics_document(line)
        if document is None:
            self.other_lines += bool(line.strip())
            return []
        observed_at = document["time"] * _SECOND
        if observed_at < self._since:
            self.before += 1
            return []
        return client_stats(document, self._cluster, observed_at)


def _matching(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207  (a pattern may be absolute; Path.glob refuses that)


def statistics_document(line: bytes) -> dict[str, Any] | None:
    """The statistics document on a line, which may have other text before it; None when there is none.

    >>> statistics_document(b"not one") is None
    True
    """
    start = line.find(b"{")
    try:
        document = parsed(line[start:]) if start >= 0 else None
    except ValueError:
        return None
    return document if isinstance(document, dict) and _is_statistics(document) else None


def _is_statistics(document: dict[str, Any]) -> bool:
    """Whether the document has what its rows need, in the right types."""
    time, brokers = document.get("time"), document.get("brokers", {})
    is_dated = isinstance(time, int) and FIRST_INSTANT_US <= time * _SECOND < LAST_INSTANT_US
    is_client = isinstance(document.get("client_id"), str) and document.get("type") in ROLES
    is_connected = isinstance(brokers, dict) and all(_is_broker(broker) for broker in brokers.values())
    return is_dated and is_client and is_connected and isinstance(document.get("cgrp", {}), dict)


def _is_broker(broker: object) -> bool:
    return (
        isinstance(broker, dict)
        and isinstance(broker.get("state"), str)
        and isinstance(window := broker.get("rtt", {}), dict)
        and (not window.get("cnt") or isinstance(window.get("p99"), int | float))
    )
