"""The ack recorder: one row a produce, with the outcome that its error stands for."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors.acks import AckRecorder, outcome_of, transactions
from rtoanalytics_collectors.identity import from_header, from_key, hashed
from rtoanalytics_collectors.kafka import new_producer
from rtoanalytics_collectors.kafka.client import client_module
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics_collectors.identity import RecordId

    Captured = Callable[[Path, str], list[dict[str, Any]]]
    Wait = Callable[[Callable[[], bool]], None]
    Disk = Callable[[Path], AbstractContextManager[tuple["Refusing", str]]]

Values = Any
"""Anything."""
Refusing = Callable[[], AbstractContextManager[None]]
"""Within it the disk refuses what is written."""
MOCK: dict[str, Any] = {"test.mock.num.brokers": 1, "linger.ms": 1}


class FakeError:
    """A delivery error."""

    def __init__(self, name: str, *, is_fatal: bool = False) -> None:
        self._name = name
        self._is_fatal = is_fatal

    def name(self) -> str:
        return self._name

    def fatal(self) -> bool:
        return self._is_fatal


class FakeMessage:
    """A delivered message."""

    def __init__(self, partition: int | None, offset: int | None, key: bytes | None = None) -> None:
        self._key = key
        self._partition = partition
        self._offset = offset

    def partition(self) -> int | None:
        return self._partition

    def offset(self) -> int | None:
        return self._offset

    def latency(self) -> float:
        return 0.0001

    def key(self) -> bytes | None:
        return self._key


class FakeProducer:
    """Keeps callbacks until a test delivers them; its queue holds `room` records."""

    def __init__(self, room: int = 1_000) -> None:
        self.callbacks: list[Any] = []
        self.values: list[dict[str, Any]] = []
        self.room = room
        self.polls = 0
        self.end_error: FakeError | None = None

    def produce(self, _topic: str, *, on_delivery: Callable[[Any, Any], None], **_values: object) -> None:
        if self.room <= 0:
            raise BufferError
        self.room -= 1
        self.values.append(_values)
        self.callbacks.append(on_delivery)

    def poll(self, _timeout: float = 0) -> int:
        self.polls += 1
        self.room += 1
        return 0

    def flush(self, _timeout: float = -1) -> int:
        return 0

    def purge(self) -> None:
        """Not used here."""

    def begin_transaction(self) -> None:
        """A transaction that costs nothing."""

    def commit_transaction(self, _timeout: float = -1) -> None:
        if self.end_error is not None:
            raise RuntimeError(self.end_error)

    abort_transaction = commit_transaction

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
    """acked_at is read in the callback, sent_at is earlier by the client's own latency; the application's runs last."""
    seen = []
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    recorder.produce("t", key="id-1", value=b"v", on_delivery=lambda error, message: seen.append((error, message)))
    message = FakeMessage(3, 42, b"id-1")
    producer.callbacks[0](None, message)
    spool.close()
    [row] = captured(bundle, "acks")
    assert (row.pop("sent_at").timestamp(), row.pop("acked_at").timestamp()) == (0.0, 100e-6)
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
    assert sorted(found, key=str) == [
        ("indeterminate", "_MSG_TIMED_OUT", None, None),
        ("indeterminate", None, 0, None),
    ]


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
    assert {row["record_id"] for row in captured(bundle, "acks")} == {"a", "0xff", None}


def test_full_queue_is_waited_for(bundle: Path, captured: Captured) -> None:
    """With time to wait, a full queue is no failed produce; without, it is one, and the application is told."""
    producer = FakeProducer(room=0)
    recorder, spool = record_with(bundle, producer)
    recorder.produce("t", wait_seconds=5)
    assert (len(producer.callbacks), producer.polls) == (1, 1)
    producer.room = 0
    with pytest.raises(BufferError):
        recorder.produce("t")
    assert producer.polls == 1
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
    patient.flush()
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


def acked(offset: int, key: bytes | None = None) -> FakeMessage:
    """A record that was acknowledged at an offset of partition 0."""
    return FakeMessage(0, offset, key)


@pytest.mark.parametrize(
    ("end", "outcomes"),
    [
        ("commit_transaction", {("acked", None, 5), ("failed", "MSG_SIZE_TOO_LARGE", None)}),
        ("abort_transaction", {("aborted", None, 5), ("failed", "MSG_SIZE_TOO_LARGE", None)}),
    ],
)
def test_records_of_a_transaction_come_to_what_it_comes_to(
    bundle: Path, captured: Captured, end: str, outcomes: set[tuple[str, str | None, int | None]]
) -> None:
    """Nothing is recorded before the transaction has ended; then acknowledged records are acked, or aborted."""
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    recorder.begin_transaction()
    recorder.produce("t")
    recorder.produce("t")
    producer.callbacks[0](None, acked(5))
    producer.callbacks[1](FakeError("MSG_SIZE_TOO_LARGE"), FakeMessage(None, None))
    spool.flush()
    assert (spool.rows, sum(recorder.outcomes.values())) == (0, 0)
    getattr(recorder, end)()
    assert sum(recorder.outcomes.values()) == 2
    spool.close()
    assert {(row["outcome"], row["error"], row["record_offset"]) for row in captured(bundle, "acks")} == outcomes


def test_purged_records_of_an_aborted_transaction_are_aborted(bundle: Path, captured: Captured) -> None:
    """What may be in the log is invisible to readers all the same; the next transaction stands for itself."""
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    recorder.begin_transaction()
    recorder.produce("t")
    producer.callbacks[0](FakeError("_PURGE_INFLIGHT"), FakeMessage(0, None))
    recorder.abort_transaction(1.0)
    recorder.begin_transaction()
    recorder.produce("t")
    producer.callbacks[1](None, acked(6))
    recorder.commit_transaction()
    spool.close()
    assert sorted(row["outcome"] for row in captured(bundle, "acks")) == ["aborted", "acked"]


@pytest.mark.parametrize("is_fatal", [True, False])
def test_transaction_without_a_known_end_is_indeterminate(bundle: Path, captured: Captured, is_fatal: bool) -> None:
    """A fatal error ends it at once, any other leaves it open for another try, at the latest to the recorder's end.

    What was acknowledged is indeterminate then, and the reason is said.
    """
    producer = FakeProducer()
    producer.end_error = FakeError("_FENCED", is_fatal=is_fatal)
    recorder, spool = record_with(bundle, producer)
    recorder.begin_transaction()
    recorder.produce("t")
    producer.callbacks[0](None, acked(5))
    with pytest.raises(RuntimeError):
        recorder.commit_transaction()
    assert recorder.outcomes["indeterminate"] == int(is_fatal)
    spool.close()
    reason = "_FENCED" if is_fatal else "TRANSACTION_NOT_ENDED"
    assert [(row["outcome"], row["error"]) for row in captured(bundle, "acks")] == [("indeterminate", reason)]


def test_transaction_larger_than_memory_is_not_kept_back(
    bundle: Path, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that do not fit are written as indeterminate, oldest first: none is lost, and none is said to be acked."""
    monkeypatch.setattr(transactions, "MAX_HELD_ROWS", 1)
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    recorder.begin_transaction()
    for offset in range(2):
        recorder.produce("t")
        producer.callbacks[offset](None, acked(offset))
        spool.flush()
    recorder.commit_transaction()
    spool.close()
    found = {(row["record_offset"], row["outcome"], row["error"]) for row in captured(bundle, "acks")}
    assert found == {(0, "indeterminate", "TRANSACTION_TOO_LARGE"), (1, "acked", None)}


def test_every_call_form_of_the_client_reaches_it(bundle: Path) -> None:
    """Arguments by position, by name and mixed arrive as they were given, and so does each callback's."""
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    seen: list[str] = []
    callbacks = {name: (lambda *_, name=name: seen.append(name)) for name in ("callback", "on_delivery", "sixth")}
    recorder.produce("t", b"v", b"k", 3, callbacks["callback"], None, 7, [("h", b"x")])
    recorder.produce("t", b"v", b"k", 3, None, callbacks["sixth"], timestamp=7, headers=[("h", b"x")])
    recorder.produce(
        topic="t",
        headers=[("h", b"x")],
        value=b"v",
        key=b"k",
        partition=3,
        on_delivery=callbacks["on_delivery"],
        timestamp=7,
    )
    for number, callback in enumerate(producer.callbacks):
        callback(None, acked(number))
    spool.close()
    expected = {"value": b"v", "key": b"k", "partition": 3, "timestamp": 7, "headers": [("h", b"x")]}
    assert producer.values == [expected] * 3
    assert seen == ["callback", "sixth", "on_delivery"]


def test_wrong_call_is_the_applications_own_error(bundle: Path) -> None:
    """An argument that the producer does not take raises its TypeError, and is no produce."""
    recorder, spool = record_with(bundle, FakeProducer())
    with pytest.raises(TypeError):
        recorder.produce("t", nonsense=1)  # type: ignore[call-arg]  # the point
    spool.close()
    assert recorder.outcomes == {"acked": 0, "failed": 0, "indeterminate": 0, "aborted": 0}


def test_identity_function_that_raises_costs_the_identity_only(bundle: Path, captured: Captured) -> None:
    """The record is produced and recorded without an identity, and that is counted."""

    def broken(_key: object, _headers: object) -> str:
        raise LookupError

    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer, record_id=broken)
    recorder.produce("t", key=b"k")
    producer.callbacks[0](None, acked(1))
    spool.close()
    assert [row["record_id"] for row in captured(bundle, "acks")] == [None]
    assert recorder.identity_errors == 1


def test_keys_that_are_no_text_stay_apart(bundle: Path, captured: Captured) -> None:
    """One key that is no UTF-8 changes nothing for the others; a record without a key has no identity."""
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    for number, key in enumerate([b"a", b"\xff", None]):
        recorder.produce("t", key=key)
        producer.callbacks[number](None, acked(number, key))
    spool.close()
    found = {row["record_offset"]: row["record_id"] for row in captured(bundle, "acks")}
    assert found == {0: "a", 1: "0xff", 2: None}


@pytest.mark.parametrize("record_id", [from_key, hashed(from_key, b"a key of 16 bytes or more")])
@pytest.mark.parametrize(
    "keys",
    [
        [b"", b"short", "grüße".encode(), b"k" * 67],
        [b"a", b"k" * 68, b"k" * 1_000, None],
        [b"ends in zero\0", b"\0", b"\0\0between\0"],
        [b"\xff", b"text", b"\xe2\x82"],
        [b""],
        [None],
    ],
    ids=["texts", "long ones", "zeros", "no text", "empty", "none"],
)
def test_key_of_any_kind_is_kept_as_it_is(
    bundle: Path, captured: Captured, keys: list[bytes | None], record_id: RecordId
) -> None:
    """Short, long, empty, missing, filled with zeros or no text: each record has the identity of its own key."""
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer, record_id=record_id)
    for number, key in enumerate(keys):
        recorder.produce("t", key=key)
        producer.callbacks[number](None, FakeMessage(number, number * 10**12, key))
    spool.close()
    rows = captured(bundle, "acks")
    assert {row["record_offset"]: (row["partition"], row["record_id"]) for row in rows} == {
        number * 10**12: (number, record_id(key, ())) for number, key in enumerate(keys)
    }
    assert all((row["acked_at"] - row["sent_at"]).total_seconds() == 100e-6 for row in rows)


def test_callback_of_the_application_runs_once_whatever_the_outcome(bundle: Path) -> None:
    """Two callbacks in turn, records with and without a key or an error: each callback sees its own records."""
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    seen: list[tuple[str, int]] = []
    callbacks = [lambda _, message, name=name: seen.append((name, message.offset())) for name in "ab"]
    messages = [acked(0, b"key"), acked(1, b"k" * 100), acked(2), acked(3, b"key")]
    for number in range(len(messages)):
        recorder.produce("t", on_delivery=callbacks[number % 2])
    for number, (callback, message) in enumerate(zip(producer.callbacks, messages, strict=True)):
        callback(FakeError("_MSG_TIMED_OUT") if number == 3 else None, message)
    spool.close()
    assert seen == [("a", 0), ("b", 1), ("a", 2), ("b", 3)]
    assert recorder.outcomes == {"acked": 3, "failed": 0, "indeterminate": 1, "aborted": 0}


def test_recorder_that_has_ended_is_out_of_the_way(bundle: Path, captured: Captured) -> None:
    """Behind its end records go on with the application's own callback, or none; nothing of them is kept."""
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer)
    own = lambda *_: None  # noqa: E731
    recorder.produce("t", on_delivery=own)
    recorder.produce("t")
    spool.close()
    recorder.produce("t", on_delivery=own)
    recorder.produce("t")
    recorder.produce("another", on_delivery=own)
    assert producer.callbacks[2:] == [own, None, own]
    assert captured(bundle, "acks") == []


def test_hashed_keys_leave_no_payload(bundle: Path, captured: Captured) -> None:
    """What is recorded is the hash that the same function gives wherever else the record is seen."""
    record_id = hashed(from_key, b"a key of 16 bytes or more")
    producer = FakeProducer()
    recorder, spool = record_with(bundle, producer, record_id=record_id)
    recorder.produce("t", key="account-7")
    producer.callbacks[0](None, acked(1, b"account-7"))
    spool.close()
    assert [row["record_id"] for row in captured(bundle, "acks")] == [record_id("account-7", ())]


def test_two_lines_record_a_real_producer(bundle: Path, captured: Captured, wait_until: Wait) -> None:
    """Wrapped, a producer of the client library does what it did; rows, heartbeats and a clean end come with it."""
    seen: list[int] = []
    producer = new_producer(MOCK)
    recorder = AckRecorder.wrap(producer, bundle, cluster="primary", client_id="My App")
    for number in range(1_000):
        recorder.produce("t", b"v", f"id-{number}", on_delivery=lambda _, message: seen.append(message.offset()))
    assert recorder.flush(10) == 0
    assert len(recorder) == 0
    assert "t" in recorder.list_topics(timeout=5).topics
    wait_until(lambda: len(list(bundle.glob("spool/heartbeats-*/*"))) > 0)
    recorder.close()
    recorder.close()
    rows = captured(bundle, "acks")
    assert sorted(row["record_offset"] for row in rows) == sorted(seen)
    assert {row["record_id"] for row in rows} == {f"id-{number}" for number in range(1_000)}
    assert all(row["sent_at"] <= row["acked_at"] for row in rows)
    beats = captured(bundle, "heartbeats")
    assert {(beat["collector"].split(".")[0], beat["target"]) for beat in beats} == {("acks-my-app", "primary")}
    assert max(beat["rows"] for beat in beats) == 1_000
    assert not (bundle / "spool").exists()


def test_connected_recorder_knows_the_settings(bundle: Path, captured: Captured, wait_until: Wait) -> None:
    """The default callback and the statistics callback of the settings still run; acks and client.id are recorded."""
    settled: list[Any] = []
    documents: list[str] = []
    settings = {**MOCK, "client.id": "app", "acks": 1, "on_delivery": lambda *_: settled.append(1)}
    settings |= {"stats_cb": documents.append, "statistics.interval.ms": 20}
    with AckRecorder.connect(settings, bundle, cluster="primary", client_stats=True) as recorder:
        recorder.produce("t", b"v")
        recorder.flush(10)
        wait_until(lambda: bool(recorder.poll(0.01) or documents))
    assert (len(settled), len(documents) > 0) == (1, True)
    [row] = captured(bundle, "acks")
    assert (row["producer"], row["acks"], row["outcome"]) == ("app", "1", "acked")
    assert {row["client_id"] for row in captured(bundle, "client_stats")} == {"app"}


def test_batches_are_recorded_message_by_message(bundle: Path, captured: Captured) -> None:
    """Each message of a batch has a row, its own callback, and the application's list stays as the client leaves it."""
    own: list[Any] = []
    default: list[Any] = []
    messages: list[dict[str, Any]] = [
        {"value": b"1", "key": b"a", "callback": lambda *_: own.append(1)},
        {"value": b"2", "key": b"b"},
    ]
    with AckRecorder.wrap(new_producer(MOCK), bundle, cluster="primary") as recorder:
        assert recorder.produce_batch("t", messages, on_delivery=lambda *_: default.append(1)) == 2
        recorder.flush(10)
    assert (len(own), len(default), set(messages[1])) == (1, 1, {"value", "key"})
    assert {row["record_id"] for row in captured(bundle, "acks")} == {"a", "b"}


def test_workers_with_one_client_id_have_spools_of_their_own(bundle: Path, captured: Captured) -> None:
    """A second recorder of the same name records beside the first: no worker fails to start because of another."""
    recorders = [AckRecorder.wrap(new_producer(MOCK), bundle, cluster="primary", client_id="app") for _ in range(2)]
    for recorder in recorders:
        recorder.produce("t", b"v")
        recorder.flush(10)
    for recorder in recorders:
        recorder.close()
    assert len(captured(bundle, "acks")) == 2
    assert len({beat["collector"] for beat in captured(bundle, "heartbeats")}) == 2


def test_serializing_producer_takes_the_key_first(bundle: Path, captured: Captured) -> None:
    """Positional arguments mean what they mean to the producer that is wrapped; the identity is the serialized key."""

    class KeyFirst(FakeProducer):
        def produce(  # type: ignore[override]  # the order of a SerializingProducer
            self, topic: str, key: object = None, value: object = None, on_delivery: Values = None, **_: object
        ) -> None:
            super().produce(topic, key=key, value=value, on_delivery=on_delivery)

    producer = KeyFirst()
    recorder = AckRecorder.wrap(producer, bundle, cluster="primary")
    recorder.produce("t", "the key", "the value")
    producer.callbacks[0](None, acked(1, b"the key"))
    recorder.close()
    assert producer.values == [{"key": "the key", "value": "the value"}]
    assert [row["record_id"] for row in captured(bundle, "acks")] == ["the key"]


def test_real_serializing_producer_is_recorded(bundle: Path, captured: Captured) -> None:
    """The client's own class, key first: what it serializes is sent, and its key is the identity."""
    settings = {**MOCK, "key.serializer": lambda key, _context: f"payment-{key}".encode()}
    producer = client_module().SerializingProducer(settings)
    delivered = []
    with AckRecorder.wrap(producer, bundle, cluster="primary") as recorder:
        recorder.produce("t", 7, b"by position", on_delivery=lambda error, message: delivered.append((error, message)))
        recorder.produce(topic="t", value=b"by name", key=8)
        assert recorder.flush(10) == 0
    [(error, message)] = delivered
    assert (error, message.key(), message.value()) == (None, b"payment-7", b"by position")
    rows = captured(bundle, "acks")
    assert sorted((row["record_id"], row["outcome"]) for row in rows) == [
        ("payment-7", "acked"),
        ("payment-8", "acked"),
    ]


def test_disk_that_refuses_does_not_keep_an_application_from_starting(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a read-only folder the application produces as before, without evidence and without a heartbeat."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    recorder = AckRecorder.wrap(producer := FakeProducer(), bundle, cluster="primary")
    own = lambda *_: None  # noqa: E731
    recorder.produce("t", on_delivery=own)
    assert producer.callbacks == [own]
    assert not recorder.is_healthy
    assert "Read-only file system" in (recorder.last_error or "")
    recorder.close()


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    """A mistake in the wiring is told when the application starts, not found out after the drill."""
    with pytest.raises(UsageError, match=r"drill\.yaml"):
        AckRecorder.wrap(FakeProducer(), tmp_path, cluster="primary")


@contextmanager
def full(bundle: Path) -> Iterator[tuple[Refusing, str]]:
    """A small disk of its own for the bundle, which is full within the inner context."""

    @contextmanager
    def refusing() -> Iterator[None]:
        filler = bundle / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4_096)
        yield
        filler.unlink()

    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(bundle)], check=True)  # noqa: S607
    try:
        (bundle / "drill.yaml").write_text("schema_version: 1\n")
        yield refusing, "No space left on device"
    finally:
        subprocess.run(["umount", str(bundle)], check=False)  # noqa: S607


@contextmanager
def limited(_bundle: Path) -> Iterator[tuple[Refusing, str]]:
    """Files that the system lets grow no more within the inner context, as a quota does."""

    @contextmanager
    def refusing() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    yield refusing, "File too large"


DISKS = [limited, full] if os.geteuid() == 0 else [limited]
"""Only root may mount a disk; a limit is anybody's."""


@pytest.mark.parametrize("disk", DISKS)
def test_full_disk_never_hurts_the_application(bundle: Path, captured: Captured, wait_until: Wait, disk: Disk) -> None:
    """A disk that really refuses: every produce and callback goes on, heartbeats stop, what was captured is kept."""
    producer = FakeProducer(room=100_000)
    with disk(bundle) as (refusing, message), AckRecorder.wrap(producer, bundle, cluster="primary") as recorder:
        settle(recorder, producer, 0, 500)
        capture = recorder._capture
        assert capture is not None
        capture.beat()
        assert capture.acks.durable_rows == 500
        with refusing():
            settle(recorder, producer, 500, 30_000)
            wait_until(lambda: not recorder.is_healthy)
            beats = capture._beats.rows
            capture.beat()
            assert capture._beats.rows == beats
            assert message in (recorder.last_error or "")
        recorder.close()
        assert len(captured(bundle, "acks")) == 30_000


def settle(recorder: AckRecorder, producer: FakeProducer, first: int, last: int) -> None:
    """Produce records and acknowledge them."""
    for number in range(first, last):
        recorder.produce("t", key=None)
        producer.callbacks[number](None, acked(number, b"%d" % (number * 7919)))
