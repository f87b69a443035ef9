"""The ack recorder: one row a produce, with the outcome that its error stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics_collectors.acks import AckRecorder, outcome_of
from rtoanalytics_collectors.identity import from_header, from_key
from rtoanalytics_collectors.kafka import new_producer
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rtoanalytics_collectors.identity import RecordId

    Captured = Callable[[Path, str], list[dict[str, Any]]]


class FakeError:
    """A delivery error."""

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        return self._name


class FakeMessage:
    """A delivered message."""

    def __init__(self, partition: int | None, offset: int | None) -> None:
        self._partition = partition
        self._offset = offset

    def partition(self) -> int | None:
        return self._partition

    def offset(self) -> int | None:
        return self._offset


class FakeProducer:
    """Keeps callbacks until a test delivers them; its queue holds `room` records."""

    def __init__(self, room: int = 1_000) -> None:
        self.callbacks: list[Any] = []
        self.room = room
        self.polls = 0

    def produce(self, _topic: str, *, on_delivery: Callable[[Any, Any], None], **_values: object) -> None:
        if self.room <= 0:
            raise BufferError
        self.room -= 1
        self.callbacks.append(on_delivery)

    def poll(self, _timeout: float = 0) -> int:
        self.polls += 1
        self.room += 1
        return 0

    def flush(self, _timeout: float = -1) -> int:
        return 0

    def purge(self) -> None:
        """Not used here."""

    def __len__(self) -> int:
        return len(self.callbacks)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "acked"),
        ("_MSG_TIMED_OUT", "indeterminate"),
        ("_TIMED_OUT", "indeterminate"),
        ("REQUEST_TIMED_OUT", "indeterminate"),
        ("NOT_ENOUGH_REPLICAS_AFTER_APPEND", "indeterminate"),
        ("_TRANSPORT", "indeterminate"),
        ("_ALL_BROKERS_DOWN", "indeterminate"),
        ("NETWORK_EXCEPTION", "indeterminate"),
        ("_PURGE_INFLIGHT", "indeterminate"),
        ("UNKNOWN", "indeterminate"),
        ("an error of the year 2040", "indeterminate"),
        ("_PURGE_QUEUE", "failed"),
        ("_QUEUE_FULL", "failed"),
        ("MSG_SIZE_TOO_LARGE", "failed"),
        ("INVALID_RECORD", "failed"),
        ("TOPIC_AUTHORIZATION_FAILED", "failed"),
        ("NOT_ENOUGH_REPLICAS", "failed"),
    ],
)
def test_only_errors_known_to_come_before_the_append_are_failures(error: str | None, outcome: str) -> None:
    """What may be in the log is indeterminate; what cannot be is failed; what is not known is not failed."""
    assert outcome_of(error) == outcome


def record_with(bundle: Path, producer: FakeProducer, record_id: RecordId = from_key) -> tuple[AckRecorder, Spool]:
    """A recorder whose clock counts hundreds of microseconds, and its spool."""
    spool = Spool(bundle, "acks")
    instants = iter(range(100, 10_000, 100))
    recorder = AckRecorder(
        producer, spool, cluster="c", client_id="p", record_id=record_id, clock=lambda: next(instants)
    )
    return recorder, spool


def test_acked_row_has_both_instants_of_our_clock(bundle: Path, captured: Captured) -> None:
    """sent_at is taken at produce, acked_at in the callback, and the application's callback runs after it."""
    seen = []
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    recorder.produce("t", key="id-1", value=b"v", on_delivery=lambda error, message: seen.append((error, message)))
    message = FakeMessage(3, 42)
    producer.callbacks[0](None, message)
    spool.close()
    [row] = captured(bundle, "acks")
    assert (row.pop("sent_at").timestamp(), row.pop("acked_at").timestamp()) == (100e-6, 200e-6)
    assert row == {
        "cluster": "c",
        "topic": "t",
        "partition": 3,
        "record_offset": 42,
        "record_id": "id-1",
        "producer": "p",
        "outcome": "acked",
        "error": None,
        "acks": "all",
    }
    assert seen == [(None, message)]


def test_record_without_an_outcome_has_no_offset(bundle: Path, captured: Captured) -> None:
    """An error leaves the offset null, though the client shows one; so does acks=0, which acknowledges nothing."""
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    recorder.produce("t", key=None)
    recorder.produce("t", key=None)
    producer.callbacks[0](FakeError("_MSG_TIMED_OUT"), FakeMessage(-1, 5))
    producer.callbacks[1](None, FakeMessage(0, -1001))
    spool.close()
    rows = captured(bundle, "acks")
    found = [(row["outcome"], row["error"], row["partition"], row["record_offset"]) for row in rows]
    assert found == [("indeterminate", "_MSG_TIMED_OUT", None, None), ("indeterminate", None, 0, None)]


def test_identity_comes_from_a_header(bundle: Path, captured: Captured) -> None:
    """Headers may be a list of pairs or a mapping; bytes that are not text are kept apart."""
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer, record_id=from_header("id"))
    recorder.produce("t", headers=[("id", b"a")])
    recorder.produce("t", headers={"id": b"\xff"})
    recorder.produce("t")
    for callback in producer.callbacks:
        callback(None, FakeMessage(0, 0))
    spool.close()
    assert [row["record_id"] for row in captured(bundle, "acks")] == ["a", "0xff", None]


def test_full_queue_is_waited_for(bundle: Path, captured: Captured) -> None:
    """With time to wait, a full queue is no failed produce; without, it is one, and the application is told."""
    producer = FakeProducer(room=0)
    recorder, spool = record_with(bundle, producer)
    recorder.produce("t", wait_seconds=5)
    assert (len(producer.callbacks), producer.polls) == (1, 1)
    producer.room = 0
    with pytest.raises(BufferError):
        recorder.produce("t")
    spool.close()
    assert [(row["outcome"], row["error"]) for row in captured(bundle, "acks")] == [("failed", "_QUEUE_FULL")]


def test_real_client_without_a_broker(bundle: Path, captured: Captured) -> None:
    """Against nobody: too large is failed at once, timed out is indeterminate, purged from the queue is failed."""
    settings = {"bootstrap.servers": "127.0.0.1:1", "message.max.bytes": 2_000, "linger.ms": 0}
    spool = Spool(bundle, "acks")
    patient = AckRecorder(new_producer(settings), spool, cluster="c", client_id="patient")
    with pytest.raises(Exception, match="MSG_SIZE_TOO_LARGE"):
        patient.produce("t", key="large", value=b"x" * 5_000)
    patient.produce("t", key="purged", value=b"x")
    patient.purge()
    hasty = AckRecorder(new_producer({**settings, "delivery.timeout.ms": 200}), spool, cluster="c", client_id="hasty")
    hasty.produce("t", key="late", value=b"x")
    assert hasty.flush(10) == 0
    spool.close()
    found = {row["record_id"]: (row["outcome"], row["error"]) for row in captured(bundle, "acks")}
    assert found == {
        "large": ("failed", "MSG_SIZE_TOO_LARGE"),
        "purged": ("failed", "_PURGE_QUEUE"),
        "late": ("indeterminate", "_MSG_TIMED_OUT"),
    }
