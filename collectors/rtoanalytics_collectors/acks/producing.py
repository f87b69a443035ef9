"""What the application calls for every record, as one function that is made with the recorder.

A function that finds all it needs among names of its own costs a fifth less than a method that looks through its
object, and arguments that the application left out are not handed on. That pays for a good part of what the delivery
callback costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from rtoanalytics_collectors.acks.lanes import OnDelivery
from rtoanalytics_collectors.acks.wrapping import Send, Values

Identified = Callable[[str, OnDelivery | None, Values, Values], OnDelivery | None]
"""The callback of one record whose identity is told at its produce: topic, the application's callback, key, headers."""
Retry = Callable[[Exception, float, tuple[Values, ...]], bool]
"""Whether a record that was refused was sent after all within so many seconds; gets the arguments of `ORDER`."""
Value = TypeVar("Value")


class Produce(Protocol):
    """Queue one record: everything but `wait_seconds` is what the producer itself takes."""

    def __call__(  # noqa: PLR0913  (the client's own arguments, in its order)
        self,
        topic: str,
        value: Values = None,
        key: Values = None,
        partition: int = -1,
        callback: OnDelivery | None = None,
        on_delivery: OnDelivery | None = None,
        timestamp: int = 0,
        headers: Values = None,
        *,
        wait_seconds: float = 0.0,
    ) -> None:
        """When the local queue is full, wait up to `wait_seconds` for room.

        A produce that the client refuses at once is recorded as `failed`, and its exception is raised on.
        """
        ...


class Callbacks:
    """Delivery callbacks that serve many records: most applications have none of their own, or one for all records."""

    def __init__(self, make: Callable[[str, OnDelivery | None], OnDelivery | None]) -> None:
        """`make` gives the callback of a topic's records around the application's own, or that itself."""
        self._make = make
        self._is_over = False
        self.plain: dict[str, OnDelivery | None] = _ByTopic(lambda topic: self.made(topic, None))
        """By topic, for records without a callback of the application."""
        self.latest: dict[str, tuple[OnDelivery | None, OnDelivery | None]] = _ByTopic(lambda _: (None, None))
        """By topic, the application's last callback, and the one that was made around it."""

    def made(self, topic: str, mine: OnDelivery | None) -> OnDelivery | None:
        """A callback around the application's own, kept for its next record."""
        deliver = self._make(topic, mine)
        if mine is None:
            self.plain[topic] = deliver
        else:
            self.latest[topic] = (mine, deliver)
        if self._is_over:  # perhaps since it was made
            self._forget()
        return deliver

    def end(self) -> None:
        """Keep none any more: from now on `make` gives others."""
        self._is_over = True
        self._forget()

    def _forget(self) -> None:
        self.plain.clear()
        self.latest.clear()


class _ByTopic(dict[str, Value]):
    """Values that are made when they are first asked for."""

    def __init__(self, make: Callable[[str], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, topic: str) -> Value:
        return self._make(topic)


def producing(
    send: Send, callbacks: Callbacks, identified: Identified | None, default: OnDelivery | None, retry: Retry
) -> Produce:
    """The function that an application produces with; `default` is for records that come without a callback."""
    plain, latest, made = callbacks.plain, callbacks.latest, callbacks.made

    def produce(  # noqa: PLR0913  (the client's own arguments, in its order)
        topic: str,
        value: Values = None,
        key: Values = None,
        partition: int = -1,
        callback: OnDelivery | None = None,
        on_delivery: OnDelivery | None = None,
        timestamp: int = 0,
        headers: Values = None,
        *,
        wait_seconds: float = 0.0,
    ) -> None:
        mine = callback or on_delivery or default
        if identified is not None:
            deliver = identified(topic, mine, key, headers)
        elif mine is None:
            deliver = plain[topic]
        else:
            last, deliver = latest[topic]
            if last is not mine:
                deliver = made(topic, mine)
        try:
            if headers is None and timestamp == 0:
                send(topic, value, key, partition, deliver)
            else:
                send(topic, value, key, partition, deliver, None, timestamp, headers)
        except Exception as error:
            if not retry(error, wait_seconds, (topic, value, key, partition, mine, None, timestamp, headers)):
                raise

    return produce


def in_order(produce: Produce, order: tuple[str, ...]) -> Produce:
    """The same with its positional arguments in another order, that of the producer behind it."""

    def reordered(*arguments: Values, **values: Values) -> None:
        produce(**dict(zip(order, arguments, strict=False)), **values)

    return reordered
