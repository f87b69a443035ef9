"""The client library: found, configured, and its errors turned into ours. The only importer of confluent_kafka.

Everything raised here is an RtoError: MissingDependencyError when the client is not installed, TransientError when
the cluster did not answer in time (the next try may), ClusterError when it refused.
"""

from __future__ import annotations

import importlib
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import ClusterError, MissingDependencyError
from rtoanalytics_collectors.failures import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confluent_kafka import Consumer, KafkaError, Producer

Client = Any
"""An object of the client library, known by its methods."""
QUIET = {"log_level": 0}
"""The client's own log lines; what matters of them is in the errors and the statistics."""


def new_producer(settings: Mapping[str, Any]) -> Producer:
    """A confluent-kafka producer."""
    producer: Producer = client_module().Producer({**QUIET, **settings})
    return producer


def new_consumer(settings: Mapping[str, Any]) -> Consumer:
    """A confluent-kafka consumer."""
    consumer: Consumer = client_module().Consumer({**QUIET, **settings})
    return consumer


def topic_partitions(topic: str, offsets: Mapping[int, int]) -> list[Any]:
    """The client's TopicPartition objects for offsets by partition."""
    client = client_module()
    return [client.TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]


def client_errors() -> type[Exception]:
    """The exception class that the client raises, for programs that drive it themselves."""
    errors: type[Exception] = client_module().KafkaException
    return errors


def client_version() -> str:
    """Version of librdkafka. Raises MissingDependencyError when there is none: a way to find out early."""
    return str(client_module().libversion()[0])


def client_library() -> str:
    """Path of the extension module through which every symbol of librdkafka can be resolved."""
    client_module()
    return str(importlib.import_module("confluent_kafka.cimpl").__file__)


def client_module() -> Client:
    """The module confluent_kafka."""
    try:
        return importlib.import_module("confluent_kafka")
    except ImportError as error:
        what = "talking to a Kafka cluster"
        raise MissingDependencyError(what, "collect") from error


def admin_module() -> Client:
    """The module confluent_kafka.admin."""
    client_module()
    return importlib.import_module("confluent_kafka.admin")


@contextmanager
def asking(cluster: str, what: str) -> Iterator[None]:
    """Turn the client's errors into ours: what was asked, of which cluster, and what came back."""
    try:
        yield
    except FutureTimeoutError:
        msg = f'cluster "{cluster}": no answer when asked for {what}'
        raise TransientError(msg) from None
    except client_errors() as error:
        raise failure(cluster, what, error.args[0]) from None


_REFUSALS = ("AUTHORIZATION", "AUTHENTICATION", "UNSUPPORTED", "INVALID_GROUP_ID", "_SSL", "_INVALID_ARG")


def failure(cluster: str, what: str, error: KafkaError) -> ClusterError:
    """Our error for the client's: ClusterError when it was refused, TransientError when the next try may work."""
    name, text = error.name(), error.str()
    if any(refusal in name for refusal in _REFUSALS):
        msg = f'cluster "{cluster}" refused {what}: {name} ({text}); check the connection settings and ACLs'
        return ClusterError(msg)
    return TransientError(f'cluster "{cluster}" did not answer when asked for {what}: {name} ({text})')


def raise_partition_errors(partitions: Iterable[Any]) -> None:
    """Raise the first error that a partition of an answer carries."""
    for partition in partitions:
        if partition.error is not None:
            raise client_errors()(partition.error)
