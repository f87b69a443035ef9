"""Where the partitions of one topic begin and end, asked leader by leader: a dead broker only silences its own."""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka.client import QUIET, Client, admin_module, asking, client_module, failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from concurrent.futures import Future

START, END = "earliest", "latest"
_TIMEOUT_SECONDS = 1.0
_GRACE_SECONDS = 1.0
_CONSUMING = ("group.id", "enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof", "auto.offset.reset")


class TailEnds:
    """Asks for the leaders of a topic, and for log starts and log ends (the last stable offset, if read_committed)."""

    def __init__(self, cluster: str, topic: str, reader: Client, settings: Mapping[str, Any]) -> None:
        self._cluster = cluster
        self._topic = topic
        self._reader = reader
        self._admin = admin_module().AdminClient({**QUIET, **_without_consuming(settings)})
        self._isolation = _isolation(str(settings["isolation.level"]))

    def leaders(self) -> dict[int, int | None]:
        """Leader of each partition, None where there is none. Raises TransientError when the topic is not there."""
        with asking(self._cluster, f"metadata of {self._topic}"):
            topic = self._reader.list_topics(self._topic, timeout=_TIMEOUT_SECONDS).topics[self._topic]
        if topic.error is not None:
            raise failure(self._cluster, f"metadata of {self._topic}", topic.error)
        if not topic.partitions:
            msg = f'cluster "{self._cluster}": topic {self._topic} is not there (yet)'
            raise TransientError(msg)
        return {p.id: p.leader if p.leader >= 0 else None for p in topic.partitions.values()}

    def ask(self, leaders: Mapping[int, int | None], which: str) -> dict[int, int]:
        """Log starts (`START`) or log ends (`END`) by partition; partitions that do not answer are left out."""
        spec = getattr(admin_module().OffsetSpec, which)()
        futures: dict[int, Future[Any]] = {}
        for leader in {leader for leader in leaders.values() if leader is not None}:
            futures |= self._ask_leader([p for p, led_by in leaders.items() if led_by == leader], spec)
        offsets = {partition: _offset(future) for partition, future in futures.items()}
        return {partition: offset for partition, offset in offsets.items() if offset is not None}

    def _ask_leader(self, partitions: Iterable[int], spec: Client) -> dict[int, Future[Any]]:
        client = client_module()
        question = {client.TopicPartition(self._topic, partition): spec for partition in partitions}
        with asking(self._cluster, f"log ends of {self._topic}"):
            answer = self._admin.list_offsets(
                question, isolation_level=self._isolation, request_timeout=_TIMEOUT_SECONDS
            )
        return {tp.partition: future for tp, future in answer.items()}


def _offset(future: Future[Any]) -> int | None:
    """A leader that was too slow can come back as a result without an error, whose offset is negative."""
    try:
        if future.exception(_TIMEOUT_SECONDS + _GRACE_SECONDS) is not None:
            return None
    except FutureTimeoutError:
        return None
    offset = int(future.result().offset)
    return offset if offset >= 0 else None


def _isolation(level: str) -> Client:
    return getattr(client_module().IsolationLevel, level.upper())


def _without_consuming(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What an Admin client may be told: properties of consumers would make it complain."""
    ours = (*_CONSUMING, "isolation.level", "fetch.wait.max.ms", "fetch.error.backoff.ms", "queued.max.messages.kbytes")
    return {name: value for name, value in settings.items() if name not in ours}
