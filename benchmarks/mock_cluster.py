"""A librdkafka mock cluster in a process of its own, so that its processor time is not the application's."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rtoanalytics_collectors.kafka import new_producer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtoanalytics_collectors.kafka import Client

BUSY_PRODUCER = {"linger.ms": 20, "batch.num.messages": 10_000, "compression.type": "lz4"}
"""Batches as large as busy producers send; compressed, since the mock cluster keeps five megabytes of a partition."""
_ROOM_SECONDS = 0.01


def insist(producer: Client, topic: str, value: bytes, key: bytes, partition: int) -> None:
    """Produce one record, and wait for room in the queue where there is none."""
    while True:
        try:
            producer.produce(topic, value, key, partition)
        except BufferError:
            producer.poll(_ROOM_SECONDS)
        else:
            return


@contextmanager
def mock_cluster() -> Iterator[str]:
    """Three simulated brokers on loopback; their addresses. They end with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mock_cluster"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin  # noqa: S101  (a pipe was asked for)
        assert process.stdout  # noqa: S101
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def _serve() -> None:
    client = new_producer({"test.mock.num.brokers": 3})
    brokers = client.list_topics(timeout=10).brokers.values()
    print(",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve()
