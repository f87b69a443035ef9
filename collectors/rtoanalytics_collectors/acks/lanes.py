"""Outcomes of one topic, kept by the delivery callback for as little as it can cost, and made columns by others.

An acknowledged record costs one call: four numbers, and its key where that is its identity, go packed into a buffer
(28 bytes a record, or 96). No lock is taken, since that one call is atomic, and no object is left behind. Only
identities that were told at the produce, and keys too long for their place, are kept as objects. A thread of the spool
takes what is there and makes Arrow of it.

Doubles hold an instant of this century exactly to 0.25 µs. `sent_at` is `acked_at` minus the
latency that the client measured with its monotonic clock from the produce to this callback: what passes between its
reading of that clock and ours makes it late, microseconds, or one turn of another Python thread.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import error as StructError  # noqa: N812  (a class)
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from rtoanalytics.schemas import TABLES, Kind
from rtoanalytics_collectors.acks.outcomes import ACKED, FAILED, INDETERMINATE, outcome_of
from rtoanalytics_collectors.acks.packed import (
    KEYED,
    MAX_KEY_BYTES,
    NUMBERS,
    Numbers,
    Packed,
    keys_of,
    numbers_of,
    texts_of,
)
from rtoanalytics_collectors.identity import from_key, reads_only_the_key
from rtoanalytics_collectors.spool.runs import as_runs, repeated, runs_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rtoanalytics import schemas
    from rtoanalytics_collectors.identity import RecordId

DeliveryError = Any
"""The client's KafkaError in a delivery callback, or None."""
Delivered = Any
"""The client's Message in a delivery callback."""
Column = Any
"""An Arrow array, or what one is made of."""
OnDelivery = Callable[[DeliveryError, Delivered], object]
"""A delivery callback."""

_WIDTH = 5
"""Values of one record in a list."""
_US = 1_000_000
_ACKS = TABLES["acks"]
_SCHEMA = runs_schema(_ACKS)


class Ended(NamedTuple):
    """A produce that was not simply acknowledged, or whose instants are not the usual ones; seconds of our clock."""

    partition: int | None
    record_offset: int | None
    sent_at: float | None
    acked_at: float
    outcome: str
    error: str | None
    record_id: str | None


class Lane:
    """Outcomes of one topic that have not been taken yet. Thread-safe."""

    def __init__(
        self, topic: str, constants: Mapping[str, str], record_id: RecordId | None, seconds: Callable[[], float]
    ) -> None:
        """`constants` are the columns that are the same in every row; `seconds` reads the clock."""
        self.topic = topic
        self._constants = {**constants, "topic": topic}
        self._key_identity = record_id if record_id is not None and reads_only_the_key(record_id) else None
        self._seconds = seconds
        self._numbers = Packed(NUMBERS)
        self._keyed = Packed(KEYED)
        self._identified: list[Any] = []
        self._ended: list[Ended] = []
        self._is_mute = False

    @property
    def waiting(self) -> int:
        """Outcomes that have not been taken."""
        return len(self._numbers) + len(self._keyed) + len(self._identified) // _WIDTH + len(self._ended)

    def callback_for(
        self, on_delivery: OnDelivery | None, identity: str | None, sent_at: float | None = None
    ) -> OnDelivery | None:
        """A delivery callback that keeps the outcome and then calls the application's own.

        `identity` is the record's, where it was told at the produce, `sent_at` the instant where the client's is too
        late. The application's callback runs last, so what it raises goes where it always went.
        """
        if self._is_mute:
            return on_delivery
        if sent_at is not None:
            return self._keep_late(on_delivery, identity, sent_at)
        if identity is not None:
            return self._keep_identity(on_delivery, identity)
        return self._keep_key(on_delivery) if self._key_identity else self._keep(on_delivery)

    def end(self, ended: Ended) -> None:
        """Keep one outcome that no delivery callback tells."""
        self._ended.append(ended)

    def take(self) -> list[pa.RecordBatch]:
        """Everything that has not been taken, as batches of `acks`. One thread at a time."""
        batches = [self._take_numbers(), self._take_keyed(), self._take_identified(), self._take_ended()]
        return [batch for batch in batches if batch is not None]

    def mute(self) -> None:
        """Keep no more: records that are produced from now on have the application's own callback."""
        self._is_mute = True

    def _keep(self, on_delivery: OnDelivery | None) -> OnDelivery:
        put, pack, seconds, end = self._numbers.put, NUMBERS.pack, self._seconds, self._end_delivered

        def keep(error: DeliveryError, message: Delivered) -> None:
            if error is None:
                try:
                    put(pack(message.offset(), message.latency(), seconds(), message.partition()))
                except StructError:  # something is not known
                    end(error, message, None)
            else:
                end(error, message, None)
            if on_delivery is not None:
                on_delivery(error, message)

        return keep

    def _keep_key(self, on_delivery: OnDelivery | None) -> OnDelivery:
        put, pack, seconds, end = self._keyed.put, KEYED.pack, self._seconds, self._end_delivered
        put_other = self._put_other

        def keep(error: DeliveryError, message: Delivered) -> None:
            if error is None:
                try:
                    key = message.key()
                    if key is not None and len(key) <= MAX_KEY_BYTES:
                        put(pack(message.offset(), message.latency(), seconds(), message.partition(), key))
                    else:
                        put_other(message, key)
                except StructError:  # something is not known
                    end(error, message, None)
            else:
                end(error, message, None)
            if on_delivery is not None:
                on_delivery(error, message)

        return keep

    def _put_other(self, message: Delivered, key: bytes | None) -> None:
        """Keep a record without a key, or with one that is too long for its place."""
        numbers = (message.offset(), message.latency(), self._seconds(), message.partition())
        if key is None:
            self._numbers.put(NUMBERS.pack(*numbers))
        else:
            self._identified.extend((*numbers, key))

    def _keep_identity(self, on_delivery: OnDelivery | None, identity: str) -> OnDelivery:
        put, seconds, end = self._identified.extend, self._seconds, self._end_delivered

        def keep(error: DeliveryError, message: Delivered) -> None:
            if error is None:
                put((message.offset(), message.latency(), seconds(), message.partition(), identity))
            else:
                end(error, message, identity)
            if on_delivery is not None:
                on_delivery(error, message)

        return keep

    def _keep_late(self, on_delivery: OnDelivery | None, identity: str | None, sent_at: float) -> OnDelivery:
        def keep(error: DeliveryError, message: Delivered) -> None:
            self._end_delivered(error, message, identity, sent_at)
            if on_delivery is not None:
                on_delivery(error, message)

        return keep

    def _end_delivered(
        self, error: DeliveryError, message: Delivered, identity: str | None, sent_at: float | None = None
    ) -> None:
        """Whatever is not an acknowledgement with everything known."""
        acked_at = self._seconds()
        name = error.name() if error is not None else None
        offset = _known(message.offset()) if name is None else None
        if sent_at is None and (latency := message.latency()) is not None:
            sent_at = acked_at - latency
        if identity is None and self._key_identity:
            identity = self._key_identity(message.key(), ())
        outcome = INDETERMINATE if name is None and offset is None else outcome_of(name)
        self._ended.append(Ended(_known(message.partition()), offset, sent_at, acked_at, outcome, name, identity))

    def _take_numbers(self) -> pa.RecordBatch | None:
        taken = self._numbers.take()
        return self._acked(numbers_of(taken, NUMBERS.size), None) if taken else None

    def _take_keyed(self) -> pa.RecordBatch | None:
        taken = self._keyed.take()
        if not taken:
            return None
        texts = texts_of(taken) if self._key_identity is from_key else None
        identities = self._identities(keys_of(taken)) if texts is None else texts
        return self._acked(numbers_of(taken, KEYED.size), identities)

    def _take_identified(self) -> pa.RecordBatch | None:
        end = len(self._identified) // _WIDTH * _WIDTH
        if not end:
            return None
        offsets, latencies, instants, partitions, identities = (self._identified[n:end:_WIDTH] for n in range(_WIDTH))
        del self._identified[:end]
        numbers = Numbers(
            pa.array(offsets, pa.int64()),
            pa.array(latencies, pa.float64()),
            pa.array(instants, pa.float64()),
            pa.array(partitions, pa.int32()),
        )
        return self._acked(numbers, self._identities(identities))

    def _take_ended(self) -> pa.RecordBatch | None:
        taken = self._ended[:]
        del self._ended[: len(taken)]
        if not taken:
            return None
        columns: dict[str, Any] = dict(zip(Ended._fields, zip(*taken, strict=True), strict=True))
        for name in ("sent_at", "acked_at"):
            columns[name] = [None if instant is None else round(instant * _US) for instant in columns[name]]
        return self._batch(columns, len(taken))

    def _acked(self, numbers: Numbers, identities: Column | None) -> pa.RecordBatch:
        offsets, instants = numbers.offsets, numbers.instants
        has_offset = pc.greater_equal(offsets, pa.scalar(0))  # null or below 0 with acks=0, which proves nothing
        columns = {
            "partition": numbers.partitions,
            "record_offset": pc.if_else(has_offset, offsets, pa.scalar(None, pa.int64())),
            "sent_at": _instants(pc.subtract(instants, numbers.latencies)),
            "acked_at": _instants(instants),
            "record_id": identities,
        }
        outcomes = ACKED if pc.all(has_offset, skip_nulls=False).as_py() else _outcomes(has_offset)
        return self._batch({**columns, "outcome": outcomes}, len(instants))

    def _batch(self, columns: Mapping[str, Any], rows: int) -> pa.RecordBatch:
        values = {**self._constants, **columns}
        arrays = [_column(values.get(column.name), column, rows) for column in _ACKS.columns]
        return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)

    def _identities(self, carried: Sequence[Any]) -> Column:
        """Identities told at the produce are text already; keys are turned into theirs here."""
        if self._key_identity is not None:
            identity = self._key_identity
            carried = [identity(key, ()) for key in carried]
        return pa.array(carried, pa.string())


def failed_at_once(acked_at: float, error: str, identity: str | None) -> Ended:
    """What the client refused when it was produced."""
    return Ended(None, None, acked_at, acked_at, FAILED, error, identity)


def _column(values: Column, column: schemas.Column, rows: int) -> Column:
    if column.kind is Kind.NAME:
        return repeated(values, rows) if values is None or isinstance(values, str) else as_runs(_array(values, column))
    kind: Any = column.arrow_type  # the stubs want to know which
    return pa.nulls(rows, kind) if values is None else _array(values, column)


def _array(values: Column, column: schemas.Column) -> Column:
    return values if isinstance(values, pa.Array) else pa.array(values, column.arrow_type)


def _outcomes(has_offset: Column) -> Column:
    return pa.array([ACKED if known else INDETERMINATE for known in has_offset.to_pylist()])


def _instants(seconds: Column) -> Column:
    """Rounded by cutting half more off, an eighth of the time of the function that rounds."""
    microseconds = pc.add(pc.multiply(seconds, float(_US)), 0.5).cast(pa.int64(), safe=False)
    return microseconds.cast(_ACKS.by_name["acked_at"].arrow_type)


def _known(number: int | None) -> int | None:
    return number if number is not None and number >= 0 else None
