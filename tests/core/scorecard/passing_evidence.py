"""Evidence of a drill that goes well: half a minute of traffic, a broker lost for twenty seconds, and a clean recovery.

Written by hand as a plan of instants, in seconds after the clock start. A payment is sent every tenth of a second,
over three partitions in turn. From BROKEN to HEALED nothing is acknowledged; what was sent meanwhile is acknowledged in
order right after, and the consumer works it off. Nothing is lost, skipped, applied twice or reordered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = dict[str, Any]
Tables = dict[str, list[Row]]

CLOCK_US = 1_795_168_800_000_000
"""2026-11-20T10:00:00Z, when the broker is killed."""
FIRST, LAST = -30, 60
"""The capture, in seconds after the clock start."""
BROKEN, HEALED = 2.0, 20.0
FIRST_OFFSET = 1000
PARTITIONS = (0, 1, 2)
KEY: Row = {"cluster": "primary", "topic": "payments"}
COLLECTORS = {
    "acks": "primary",
    "commits": "primary",
    "applied": "payments-db",
    "watermarks": "primary",
    "partition_states": "primary",
    "broker_states": "primary",
    "group_states": "payments-sink",
    "connector_states": "payments-jdbc",
    "client_stats": None,
}
"""Collector → what its heartbeats say it watches."""
EVENTS = {
    "inject": 0,
    "detect": 3,
    "declare": 6,
    "decide": 9,
    "switch": 12,
    "heal": 18,
    "application_ok": 24,
    "stand_down": 50,
}


@dataclass(frozen=True)
class Payment:
    """One record: where it stands, and when what happened to it. Instants in seconds after the clock start."""

    number: int
    partition: int
    record_offset: int
    sent: float
    acked: float
    applied: float

    @property
    def record_id(self) -> str:
        """Its business id."""
        return f"payment-{self.number:05}"


def us(seconds: float) -> int:
    """An instant in microseconds since the epoch, from seconds after the clock start."""
    return CLOCK_US + round(seconds * 1_000_000)


def payments(*outages: tuple[float, float]) -> list[Payment]:
    """Every record of the drill, in the order in which it was sent."""
    return [_payment(number, outages) for number in range((LAST - FIRST) * 10)]


def _payment(number: int, outages: tuple[tuple[float, float], ...]) -> Payment:
    sent = FIRST + number / 10
    acked, applied = sent + 0.02, sent + 0.05
    for broken, healed in outages:
        # Held back by the producer, acknowledged 250 a second once the broker is back, applied 60 a second after that.
        acked = max(acked, healed + (sent - broken) / 25) if sent >= broken else acked
        applied = max(applied, healed + 0.5 + (sent - broken) / 6) if sent >= broken else applied
    return Payment(number, number % 3, FIRST_OFFSET + number // 3, sent, acked, applied)


def passing_tables(*outages: tuple[float, float]) -> Tables:
    """Every evidence table of the drill; without an outage given, one from BROKEN to HEALED."""
    records = payments(*(outages or ((BROKEN, HEALED),)))
    is_down = _down(outages or ((BROKEN, HEALED),))
    return {
        "acks": [_ack(payment) for payment in records],
        "log_records": [_log_record(payment) for payment in records],
        "log_scans": [_scan(partition, records) for partition in PARTITIONS],
        "commits": list(_commits(records)),
        "applied": [_applied(payment) for payment in records],
        "watermarks": list(_watermarks(records)),
        "partition_states": list(_partition_states(is_down)),
        "broker_states": list(_broker_states(is_down)),
        "group_states": list(_group_states()),
        "connector_states": list(_connector_states(is_down, records)),
        "client_stats": list(_client_stats(is_down, records)),
        "events": [_event(kind, second) for kind, second in EVENTS.items()],
        "cluster_info": [{"cluster": "primary", "engine": "kafka", "version": "4.1.0", "observed_at": us(FIRST)}],
        "heartbeats": list(_heartbeats()),
    }


def _down(outages: tuple[tuple[float, float], ...]) -> Callable[[float], bool]:
    return lambda second: any(broken - 1 <= second < healed - 2 for broken, healed in outages)


def _seconds() -> range:
    return range(FIRST, LAST + 1)


def _ack(payment: Payment) -> Row:
    return {
        **KEY,
        "partition": payment.partition,
        "record_offset": payment.record_offset,
        "record_id": payment.record_id,
        "producer": "payments-api",
        "sent_at": us(payment.sent),
        "acked_at": us(payment.acked),
        "outcome": "acked",
        "acks": "all",
    }


def _log_record(payment: Payment) -> Row:
    return {
        **KEY,
        "partition": payment.partition,
        "record_offset": payment.record_offset,
        "record_id": payment.record_id,
        "appended_at": us(payment.acked - 0.01),
        "scanned_at": us(LAST + 5),
    }


def _scan(partition: int, records: list[Payment]) -> Row:
    end = sum(payment.partition == partition for payment in records) + FIRST_OFFSET
    scan: Row = {"partition": partition, "from_offset": FIRST_OFFSET, "to_offset": end, "scanned_at": us(LAST + 5)}
    return {**KEY, **scan, "isolation": "read_committed"}


def _applied(payment: Payment) -> Row:
    return {
        "downstream": "payments-db",
        **KEY,
        "partition": payment.partition,
        "record_offset": payment.record_offset,
        "record_id": payment.record_id,
        "applied_at": us(payment.applied),
        "application_id": f"row-{payment.number}",
    }


def _commits(records: list[Payment]) -> Iterator[Row]:
    """Once a second, where something was applied since: the offset after the last record applied."""
    before = dict.fromkeys(PARTITIONS, FIRST_OFFSET)
    for second in _seconds():
        for partition, after in _ends([payment for payment in records if payment.applied <= second]).items():
            if after > before[partition] or second == FIRST:
                yield {**KEY, "group_id": "payments-sink", "partition": partition, "committed_offset": after,
                       "committed_at": us(second), "commit_seq": second - FIRST, "method": "log"}  # fmt: skip
            before[partition] = after


def _watermarks(records: list[Payment]) -> Iterator[Row]:
    for second in _seconds():
        for partition, end in _ends([payment for payment in records if payment.acked <= second]).items():
            yield {
                **KEY,
                "partition": partition,
                "log_start_offset": 0,
                "log_end_offset": end,
                "observed_at": us(second),
            }


def _ends(records: list[Payment]) -> dict[int, int]:
    """Partition → the offset after its last record."""
    ends = dict.fromkeys(PARTITIONS, FIRST_OFFSET)
    return ends | {payment.partition: payment.record_offset + 1 for payment in records}


def _partition_states(is_down: Callable[[float], bool]) -> Iterator[Row]:
    for second in _seconds():
        for partition in PARTITIONS:
            leader, in_sync = (3, 2) if is_down(second) else (2, 3)
            yield {
                **KEY,
                "partition": partition,
                "leader": leader,
                "replicas": 3,
                "in_sync": in_sync,
                "observed_at": us(second),
            }


def _broker_states(is_down: Callable[[float], bool]) -> Iterator[Row]:
    for second in _seconds():
        for broker_id in (1, 3) if is_down(second) else (1, 2, 3):
            yield {"cluster": "primary", "broker_id": broker_id, "observed_at": us(second)}


def _group_states() -> Iterator[Row]:
    for second in _seconds():
        yield {
            "cluster": "primary",
            "group_id": "payments-sink",
            "state": "Stable",
            "members": 1,
            "observed_at": us(second),
        }


def _connector_states(is_down: Callable[[float], bool], records: list[Payment]) -> Iterator[Row]:
    for second in _seconds():
        progress = sum(payment.applied <= second for payment in records)
        state: Row = {"connector": "payments-jdbc", "observed_at": us(second)}
        yield {**state, "task_id": None, "state": "RUNNING"}
        yield {**state, "task_id": 0, "state": "FAILED" if is_down(second) else "RUNNING", "progress": progress}


def _client_stats(is_down: Callable[[float], bool], records: list[Payment]) -> Iterator[Row]:
    for second in _seconds():
        sent = sum(payment.sent <= second for payment in records)
        for client_id, role in (("payments-api", "producer"), ("payments-sink-0", "consumer")):
            for broker in (1, 2):
                is_lost = broker == 2 and is_down(second)
                yield {"client_id": client_id, "role": role, "cluster": "primary", "broker": f"broker-{broker}:9092",
                       "broker_state": "DOWN" if is_lost else "UP", "observed_at": us(second), "messages_sent": sent,
                       "retries": 0, "timeouts": 0, "request_errors": 0, "rebalances": 0}  # fmt: skip


def _event(kind: str, second: float) -> Row:
    step = kind if kind in {"declare", "switch"} else None
    return {"occurred_at": us(second), "kind": kind, "step": step, "actor": "incident commander", "source": "rto mark"}


def _heartbeats() -> Iterator[Row]:
    for collector, target in COLLECTORS.items():
        for second in _seconds():
            yield {"collector": collector, "target": target, "occurred_at": us(second), "interval_seconds": 1.0,
                   "rows": second - FIRST, "clock_offset_ms": 1.5, "clock_error_ms": 0.5}  # fmt: skip
