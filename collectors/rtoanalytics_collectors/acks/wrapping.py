"""What stands behind a recorder: a producer of the client library, or one that works like it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

ORDER = ("topic", "value", "key", "partition", "callback", "on_delivery", "timestamp", "headers")
"""Positional arguments of `confluent_kafka.Producer.produce`."""
Values = Any
"""An argument that is handed on to the producer as it is."""
Send = Any
"""A function of the arguments of `ORDER`, by position; `on_delivery` is None, and the last three may be left out."""


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


def positional_order(producer: Producer) -> tuple[str, ...]:
    """The order of positional arguments that the application knows: a SerializingProducer takes the key first."""
    names = tuple(_parameters(producer))
    return names if {"value", "key"} <= set(names) else ORDER


def sending(producer: Producer) -> Send:
    """How records are handed on: a function of the arguments of `ORDER`, by position.

    That is the client's own `produce`, which reads arguments without names in two thirds of the time; whatever else
    stands in its place is called by name.
    """
    produce = producer.produce
    if not _parameters(producer):
        return produce

    def send(
        topic: str,
        value: Values,
        key: Values,
        partition: int,
        callback: Values,
        _: None = None,
        timestamp: int = 0,
        headers: Values = None,
    ) -> None:
        produce(
            topic, value=value, key=key, partition=partition, on_delivery=callback, timestamp=timestamp, headers=headers
        )

    return send


def _parameters(producer: Producer) -> list[str]:
    """Names of what `produce` takes; none for a function that is not written in Python."""
    try:
        return list(inspect.signature(producer.produce).parameters)
    except (TypeError, ValueError):
        return []
