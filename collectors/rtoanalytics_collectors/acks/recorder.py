"""The ack recorder: stands between the application and its producer, and records what every produce came to.

It never changes what the application sees: its delivery callback runs, its exceptions pass, and evidence that cannot
be written neither stops nor slows it. Everything of the producer that is not spoken of here is the producer's own.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

from rtoanalytics_collectors.acks.lanes import Lane, failed_at_once
from rtoanalytics_collectors.acks.outcomes import ABORTED, ACKED, FAILED, INDETERMINATE, raised_name
from rtoanalytics_collectors.acks.producing import Callbacks, producing
from rtoanalytics_collectors.acks.transactions import NOT_ENDED, Held, aborted, unknown
from rtoanalytics_collectors.acks.wrapping import Values, sending
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.identity import from_key, reads_only_the_key, text_of
from rtoanalytics_collectors.spool.runs import runs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from rtoanalytics_collectors.acks.lanes import OnDelivery
    from rtoanalytics_collectors.acks.producing import Produce
    from rtoanalytics_collectors.acks.wrapping import Producer
    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.identity import Headers, RecordId
    from rtoanalytics_collectors.spool import Spool

_ROOM_SECONDS = 0.05


class Recorder:
    """A producer that records one row of `acks` per produce into a spool. As thread-safe as the producer.

    `acked_at` is read in the delivery callback, `sent_at` is when the application called `produce`, both by the clock
    of this host: the broker's timestamp says neither. A record of acks=0 has no offset, so it is `indeterminate`.
    Records of a transaction are recorded when the transaction has ended: those of an aborted one are `aborted`.

    With a Producer whose settings name an `on_delivery` of its own, give it to the recorder too: the producer only
    calls it for records that have no callback, and here every record has one.
    """

    def __init__(
        self,
        producer: Producer,
        spool: Spool | None,
        *,
        cluster: str,
        client_id: str,
        acks: str = "all",
        record_id: RecordId | None = from_key,
        on_delivery: OnDelivery | None = None,
        clock: Clock = now_us,
    ) -> None:
        """`record_id` None records no identities; `spool` None records nothing."""
        self._producer = producer
        self._send = sending(producer)
        self._constants = {"cluster": cluster, "producer": client_id, "acks": acks}
        self._record_id = record_id
        self._tells_identity = record_id is not None and not reads_only_the_key(record_id)
        self._on_delivery = on_delivery
        self._seconds = time.time if clock is now_us else lambda: clock() / 1e6
        self._lanes: dict[str, Lane] = {}
        self._callbacks = Callbacks(self._callback_for)
        self._lock = threading.Lock()
        self._ready: list[pa.RecordBatch] = []
        self._held = Held()
        self._is_in_transaction = False
        self._is_over = spool is None
        self._outcomes = dict.fromkeys((ACKED, FAILED, INDETERMINATE, ABORTED), 0)
        self.identity_errors = 0
        """Records whose identity could not be told, because the function for it raised; they are recorded without."""
        self.poll = producer.poll
        self.flush = producer.flush
        identified = self._identified if self._tells_identity else None
        self.produce: Produce = producing(self._send, self._callbacks, identified, on_delivery, self._is_sent_later)
        """Queue one record, as the producer does: see `Produce`."""
        if spool is not None:
            spool.add_source(self._take)

    def __getattr__(self, name: str) -> Values:
        """Whatever else a producer has."""
        return getattr(self._producer, name)

    def __len__(self) -> int:
        """Records queued or in flight."""
        return len(self._producer)

    def __bool__(self) -> bool:
        """A producer with nothing to send is a producer."""
        return True

    @property
    def outstanding(self) -> int:
        """Records queued or in flight."""
        return len(self._producer)

    @property
    def outcomes(self) -> dict[str, int]:
        """Records by outcome, so far; those of an open transaction have none yet."""
        with self._lock:
            self._gather()
            return dict(self._outcomes)

    def produce_batch(
        self,
        topic: str,
        messages: Sequence[dict[str, Any]],
        partition: int = -1,
        callback: OnDelivery | None = None,
        on_delivery: OnDelivery | None = None,
        **values: Values,
    ) -> int:
        """Queue records as the producer does; those that it marks with `_error` are recorded as `failed`."""
        lane = self._lane(topic)
        mine = callback or on_delivery or self._on_delivery
        copies = [self._with_callback(lane, message, mine) for message in messages]
        try:
            queued: int = self._producer.produce_batch(topic, copies, partition=partition, **values)  # type: ignore[attr-defined]
        finally:
            for message, copy in zip(messages, copies, strict=True):
                if "_error" in copy:
                    message["_error"] = copy["_error"]
                    self._refused(lane, Exception(copy["_error"]), self._identity(message.get("key"), None))
        return queued

    def begin_transaction(self) -> None:
        """Begin a transaction."""
        with self._lock:
            self._gather()
            was_open, self._is_in_transaction = self._is_in_transaction, True
        try:
            self._producer.begin_transaction()  # type: ignore[attr-defined]
        except Exception:
            self._is_in_transaction = was_open
            raise

    def commit_transaction(self, *arguments: Values) -> None:
        """Commit the transaction: its records are recorded as they were acknowledged."""
        self._end_transaction(self._producer.commit_transaction, arguments, lambda batch: batch)  # type: ignore[attr-defined]

    def abort_transaction(self, *arguments: Values) -> None:
        """Abort the transaction: its records are recorded as `aborted`, whether acknowledged or not."""
        self._end_transaction(self._producer.abort_transaction, arguments, aborted)  # type: ignore[attr-defined]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the producer as it is left itself."""
        if hasattr(self._producer, "__exit__"):
            self._producer.__exit__(*error)

    def _end_transaction(
        self,
        end: Callable[..., None],
        arguments: tuple[Values, ...],
        change: Callable[[pa.RecordBatch], pa.RecordBatch],
    ) -> None:
        try:
            end(*arguments)
        except Exception as error:
            if _is_fatal(error):  # nobody will tell how it ended
                name = raised_name(error)
                self._settle(lambda batch: unknown(batch, name))
            raise
        self._settle(change)

    def _settle(self, change: Callable[[pa.RecordBatch], pa.RecordBatch]) -> None:
        """The transaction has ended: make its rows what they came to."""
        with self._lock:
            self._gather()
            self._is_in_transaction = False
            self._add_ready([change(batch) for batch in self._held.release()])

    def _take(self, is_last: bool) -> list[pa.RecordBatch]:  # noqa: FBT001  (a source of a spool)
        """Rows for the spool; called from its threads."""
        with self._lock:
            self._gather()
            if is_last:
                self._add_ready([unknown(batch, NOT_ENDED) for batch in self._held.release()])
                self._mute()
            ready, self._ready = self._ready, []
        return ready

    def _gather(self) -> None:
        batches = [batch for lane in list(self._lanes.values()) for batch in lane.take()]
        self._add_ready(self._held.hold(batches) if self._is_in_transaction else batches)

    def _add_ready(self, batches: list[pa.RecordBatch]) -> None:
        for batch in batches:
            for outcome, rows in runs_of(batch.column("outcome")):
                self._outcomes[outcome] += rows
        self._ready += batches

    def _mute(self) -> None:
        self._is_over = True
        for lane in self._lanes.values():
            lane.mute()
        self._callbacks.end()

    def _lane(self, topic: str) -> Lane:
        return self._lanes.get(topic) or self._new_lane(topic)

    def _new_lane(self, topic: str) -> Lane:
        with self._lock:
            if topic not in self._lanes:
                lane = Lane(topic, self._constants, self._record_id, self._seconds)
                if self._is_over:
                    lane.mute()
                self._lanes[topic] = lane
            return self._lanes[topic]

    def _callback_for(self, topic: str, mine: OnDelivery | None) -> OnDelivery | None:
        return self._lane(topic).callback_for(mine, None)

    def _identified(self, topic: str, mine: OnDelivery | None, key: Values, headers: Values) -> OnDelivery | None:
        return self._lane(topic).callback_for(mine, self._identity(key, headers))

    def _with_callback(self, lane: Lane, message: dict[str, Any], mine: OnDelivery | None) -> dict[str, Any]:
        identity = self._identity(message.get("key"), None) if self._tells_identity else None
        return {**message, "callback": lane.callback_for(message.get("callback") or mine, identity)}

    def _is_sent_later(self, error: Exception, wait_seconds: float, values: tuple[Values, ...]) -> bool:
        """Whether a record that was refused for want of room was sent after all; if not, it is recorded as failed."""
        topic, value, key, partition, mine, *rest = values
        lane = self._lane(topic)
        deadline = time.monotonic() + wait_seconds
        identity = self._identity(key, values[-1])
        deliver = lane.callback_for(mine, identity, self._seconds())
        while isinstance(error, BufferError) and time.monotonic() < deadline:
            self._producer.poll(_ROOM_SECONDS)
            try:
                self._send(topic, value, key, partition, deliver, *rest)
            except BufferError:
                continue
            except Exception as other:
                self._refused(lane, other, identity)
                raise
            return True
        self._refused(lane, error, identity)
        return False

    def _refused(self, lane: Lane, error: Exception, identity: str | None) -> None:
        """Record a produce that raised; a wrong call (TypeError) was none."""
        if not self._is_over and not isinstance(error, TypeError):
            lane.end(failed_at_once(self._seconds(), raised_name(error), identity))

    def _identity(self, key: Values, headers: Values) -> str | None:
        if self._record_id is None:
            return None
        try:
            return text_of(self._record_id(key, _pairs(headers)))
        except Exception:  # noqa: BLE001  (it is the application's function, and its produce goes on)
            self.identity_errors += 1
            return None


def _pairs(headers: Mapping[str, str | bytes | None] | Headers | None) -> Headers:
    if headers is None:
        return ()
    return headers.items() if hasattr(headers, "items") else headers


def _is_fatal(error: Exception) -> bool:
    return bool(error.args and hasattr(error.args[0], "fatal") and error.args[0].fatal())
