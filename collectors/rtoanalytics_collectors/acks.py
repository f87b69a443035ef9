"""Acks: the final outcome of every produce, by the application's own clock.

`AckRecorder` stands between the application and its producer. It never changes what the application sees: its
delivery callback runs, its exceptions pass, and evidence that cannot be written does not stop it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.identity import from_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.identity import RecordId
    from rtoanalytics_collectors.spool import Spool

ACKED, FAILED, INDETERMINATE = "acked", "failed", "indeterminate"

DEFINITE_ERRORS = frozenset(
    {
        # The client refused or dropped it before any broker saw it.
        "_QUEUE_FULL",
        "_PURGE_QUEUE",
        "_BAD_MSG",
        "_INVALID_ARG",
        "_KEY_SERIALIZATION",
        "_VALUE_SERIALIZATION",
        "_UNKNOWN_TOPIC",
        "_UNKNOWN_PARTITION",
        # The leader checks these before it appends.
        "MSG_SIZE_TOO_LARGE",
        "RECORD_LIST_TOO_LARGE",
        "INVALID_MSG",
        "INVALID_MSG_SIZE",
        "INVALID_RECORD",
        "INVALID_TIMESTAMP",
        "INVALID_REQUIRED_ACKS",
        "INVALID_REQUEST",
        "UNSUPPORTED_COMPRESSION_TYPE",
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        "TOPIC_EXCEPTION",
        "POLICY_VIOLATION",
        "UNKNOWN_TOPIC_OR_PART",
        "TOPIC_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "NOT_ENOUGH_REPLICAS",
    }
)
"""Errors after which a record is known not to be in the log. Any other error leaves it open: the record may be there
(timeouts, broken connections, purged in flight, NOT_ENOUGH_REPLICAS_AFTER_APPEND), and is neither lost nor failed."""

_RAISED = {"BufferError": "_QUEUE_FULL", "NotImplementedError": "_NOT_IMPLEMENTED"}
_ROOM_SECONDS = 0.05
DeliveryError = Any
"""The client's KafkaError in a delivery callback, or None."""
Delivered = Any
"""The client's Message in a delivery callback."""
Values = Any
"""An argument that is handed on to the producer as it is."""


class Producer(Protocol):
    """What is used of a producer: confluent_kafka.Producer has it."""

    @property
    def produce(self) -> Callable[..., None]:
        """Queue one record."""
        ...

    @property
    def poll(self) -> Callable[..., int]:
        """Run delivery callbacks."""
        ...

    @property
    def flush(self) -> Callable[..., int]:
        """Wait for outstanding records; the number still outstanding."""
        ...

    @property
    def purge(self) -> Callable[..., None]:
        """Drop records that are queued or in flight, with an outcome for each."""
        ...

    def __len__(self) -> int:
        """Records queued or in flight."""
        ...


def outcome_of(error_name: str | None) -> str:
    """The outcome that a delivery error stands for.

    >>> outcome_of(None), outcome_of("MSG_SIZE_TOO_LARGE"), outcome_of("_MSG_TIMED_OUT")
    ('acked', 'failed', 'indeterminate')
    """
    if error_name is None:
        return ACKED
    return FAILED if error_name in DEFINITE_ERRORS else INDETERMINATE


class AckRecorder:
    """Wraps a producer and records one row of `acks` per produce. As thread-safe as the producer.

    `sent_at` is taken when the application calls `produce`, `acked_at` in the delivery callback, both from `clock`:
    the broker's timestamp says neither. A record of acks=0 has no offset, so it is `indeterminate`.
    """

    def __init__(
        self,
        producer: Producer,
        spool: Spool,
        *,
        cluster: str,
        client_id: str,
        acks: str = "all",
        record_id: RecordId = from_key,
        clock: Clock = now_us,
    ) -> None:
        self._producer = producer
        self._spool = spool
        self._constants = {"cluster": cluster, "producer": client_id, "acks": acks}
        self._record_id = record_id
        self._clock = clock
        self.outcomes = {ACKED: 0, FAILED: 0, INDETERMINATE: 0}

    @property
    def outstanding(self) -> int:
        """Records queued or in flight."""
        return len(self._producer)

    def produce(
        self,
        topic: str,
        *,
        on_delivery: Callable[[DeliveryError, Delivered], None] | None = None,
        wait_seconds: float = 0.0,
        **values: Values,
    ) -> None:
        """Queue one record; `values` are the producer's own arguments (key, value, headers, partition, timestamp).

        When the local queue is full, waits up to `wait_seconds` for room. A produce that the client refuses at once
        is recorded as `failed`, and its exception is raised on.
        """
        row = self._row(topic, values)
        callback = self._callback(row, on_delivery)
        try:
            self._produce(time.monotonic() + wait_seconds, topic, on_delivery=callback, **values)
        except Exception as error:
            self._record(row, FAILED, _raised_name(error))
            raise

    def poll(self, timeout: float = 0.0) -> int:
        """Run delivery callbacks; returns how many."""
        return self._producer.poll(timeout)

    def flush(self, timeout: float = -1) -> int:
        """Wait for every outcome; returns how many are still open."""
        return self._producer.flush(timeout)

    def purge(self) -> None:
        """Drop every record without an outcome: `failed` while it was queued, `indeterminate` once it was sent."""
        self._producer.purge()
        self._producer.flush()

    def _produce(self, deadline: float, topic: str, **values: Values) -> None:
        """Queue one record; while the queue is full, make room until `deadline` (monotonic seconds)."""
        while True:
            try:
                return self._producer.produce(topic, **values)
            except BufferError:
                if time.monotonic() >= deadline:
                    raise
                self._producer.poll(_ROOM_SECONDS)

    def _row(self, topic: str, values: dict[str, Any]) -> dict[str, Any]:
        headers = values.get("headers") or ()
        pairs = headers.items() if isinstance(headers, dict) else headers
        identity = self._record_id(values.get("key"), pairs)
        return {**self._constants, "topic": topic, "record_id": identity, "sent_at": self._clock()}

    def _callback(
        self, row: dict[str, Any], on_delivery: Callable[[DeliveryError, Delivered], None] | None
    ) -> Callable[[DeliveryError, Delivered], None]:
        def delivered(error: DeliveryError, message: Delivered) -> None:
            self._delivered(row, error, message)
            if on_delivery:
                on_delivery(error, message)

        return delivered

    def _delivered(self, row: dict[str, Any], error: DeliveryError, message: Delivered) -> None:
        name = error.name() if error is not None else None
        row["partition"] = _not_negative(message.partition())
        row["record_offset"] = _not_negative(message.offset()) if name is None else None
        has_no_offset = name is None and row["record_offset"] is None
        self._record(row, INDETERMINATE if has_no_offset else outcome_of(name), name)

    def _record(self, row: dict[str, Any], outcome: str, error: str | None) -> None:
        row.update(acked_at=self._clock(), outcome=outcome, error=error)
        self._spool.append(row)
        self.outcomes[outcome] += 1


def _raised_name(error: Exception) -> str:
    """The error code of a client exception, or the name of any other one."""
    if error.args and hasattr(error.args[0], "name"):
        return str(error.args[0].name())
    return _RAISED.get(type(error).__name__, type(error).__name__)


def _not_negative(number: int | None) -> int | None:
    return number if number is not None and number >= 0 else None
