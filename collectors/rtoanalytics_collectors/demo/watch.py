"""What the drill sees of its own flow while it runs: the monitor that detects the fault and the recovery.

It sees only what the collectors and the producer report, as an operator's monitor would; it knows nothing of the
fault. Instants are seconds of the monotonic clock.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from rtoanalytics_collectors.demo import flow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rtoanalytics_collectors.demo.pipes import Message
    from rtoanalytics_collectors.spool import Row

STALL_SECONDS = 2.0
"""No record applied for this long, while records are waiting, is an outage; commits are a second apart."""
BLIND_SECONDS = 3.0
"""A cluster that nobody could look at for this long is an outage."""


class Watch:
    """The latest of everything, and what is wrong with it. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._log_ends: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._brokers: set[int] = set(flow.BROKERS)
        self._seen: dict[str, float] = {}
        """When each table last had an answer."""
        self._applied_at = self._committed_at = self._unhealthy_at = monotonic()
        self.rows: dict[str, int] = {}
        """Rows captured so far by table."""
        self.applied = 0
        self.assigned = 0
        self.uncommitted = 0
        """Records applied and not committed, when the consumer has just said so."""
        self.outcomes: dict[str, int] = {}
        self.oldest_open_seconds = 0.0
        self.is_producer_finished = False

    def saw(self, table: str, rows: Sequence[Row]) -> None:
        """Take rows that a collector has just written."""
        now = self._monotonic()
        with self._lock:
            self._seen[table] = now
            self.rows[table] = self.rows.get(table, 0) + len(rows)
            if table == "watermarks":
                self._log_ends.update({row["partition"]: row["log_end_offset"] for row in rows})
            elif table == "commits":
                self._saw_commits({row["partition"]: row["committed_offset"] for row in rows}, now)
            elif table == "broker_states":
                self._brokers = {row["broker_id"] for row in rows}
            elif table == "applied" and rows:
                self.applied += len(rows)
                self._applied_at = now

    def heard_producer(self, message: Message) -> None:
        """Take a report of the producer."""
        with self._lock:
            outcomes = dict(message["outcomes"])
            if _not_acked(outcomes) > _not_acked(self.outcomes):
                self._unhealthy_at = self._monotonic()
            self.outcomes = outcomes
            self.rows["acks"] = sum(outcomes.values())
            self.oldest_open_seconds = message["oldest_open_seconds"]
            self.is_producer_finished = message.get("is_finished", False)

    def heard_consumer(self, message: Message) -> None:
        """Take a report of the consumer."""
        with self._lock:
            if "assigned" in message:
                self.assigned = message["assigned"]
            if "revoked" in message:
                self.assigned = 0
            self.uncommitted = message.get("uncommitted", 0)

    @property
    def log_ends(self) -> dict[int, int]:
        """Log end by partition."""
        with self._lock:
            return dict(self._log_ends)

    def lag_records(self) -> int | None:
        """Total lag of the group; None while a partition has no commit or no log end."""
        with self._lock:
            if not len(self._committed) == len(self._log_ends) == flow.PARTITIONS:
                return None
            return sum(max(0, end - self._committed[partition]) for partition, end in self._log_ends.items())

    def symptom(self) -> str | None:
        """The first thing that is wrong now, in words; None when nothing is."""
        symptoms = (self._missing_brokers(), self._slow_produce(), self._stalled_sink(), self._blind())
        return next((symptom for symptom in symptoms if symptom), None)

    def is_recovered(self, max_lag_records: int, quiet_seconds: float) -> bool:
        """Whether nothing is wrong, lag is at most `max_lag_records`, and all of it has lasted `quiet_seconds`."""
        lag = self.lag_records()
        now = self._monotonic()
        is_good = self.symptom() is None and lag is not None and lag <= max_lag_records and self._is_fresh("commits")
        with self._lock:
            if not is_good:
                self._unhealthy_at = now
            return now - self._unhealthy_at >= quiet_seconds

    def _saw_commits(self, committed: dict[int, int], now: float) -> None:
        if committed != self._committed:
            self._committed_at = now
        self._committed.update(committed)

    def _missing_brokers(self) -> str | None:
        missing = set(flow.BROKERS) - self._brokers
        return f"the metadata no longer names broker {', '.join(map(str, sorted(missing)))}" if missing else None

    def _slow_produce(self) -> str | None:
        age = self.oldest_open_seconds
        return f"a payment has waited {age:.1f} s for its acknowledgement" if age > 1.0 else None

    def _stalled_sink(self) -> str | None:
        now = self._monotonic()
        if now - self._applied_at > STALL_SECONDS:
            return f"no payment was applied for {now - self._applied_at:.1f} s"
        if now - self._committed_at > STALL_SECONDS + flow.COMMIT_SECONDS:
            return f"the group has not committed for {now - self._committed_at:.1f} s"
        return None

    def _blind(self) -> str | None:
        blind = [table for table in ("watermarks", "partition_states") if not self._is_fresh(table)]
        return f"the cluster does not answer ({', '.join(blind)})" if blind else None

    def _is_fresh(self, table: str) -> bool:
        return self._monotonic() - self._seen.get(table, float("-inf")) <= BLIND_SECONDS


def _not_acked(outcomes: dict[str, int]) -> int:
    return sum(count for outcome, count in outcomes.items() if outcome != "acked")
