"""librdkafka's mock cluster as a program: commands in, answers out, one JSON object a line.

It runs in a process of its own, because a crash in C must not take the collectors down, and ends when its standard
input does, so it never outlives the drill. It simulates: clients, offsets, groups and faults are real to the client;
replication, log loss, transactions and idempotence are not, and nothing may be concluded about them.

The mock API is experimental and not covered by librdkafka's stability guarantees: `self_test` proves at start-up
that it does what the drill needs.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import ClusterError, RtoError
from rtoanalytics_collectors.kafka import KafkaCluster, client_library, client_version

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINE = "librdkafka-mock"
_PRODUCER = 0
_CONTROLLER = 1
_PTR, _STR, _I16, _I32, _SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int16, ctypes.c_int32, ctypes.c_size_t

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "rd_kafka_new": (_PTR, (ctypes.c_int, _PTR, _STR, _SIZE)),
    "rd_kafka_err2name": (_STR, (ctypes.c_int,)),
    "rd_kafka_mock_cluster_new": (_PTR, (_PTR, ctypes.c_int)),
    "rd_kafka_mock_cluster_bootstraps": (_STR, (_PTR,)),
    "rd_kafka_mock_set_controller_id": (ctypes.c_int, (_PTR, _I32)),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, (_PTR, _I32)),
    "rd_kafka_mock_topic_create": (ctypes.c_int, (_PTR, _STR, ctypes.c_int, ctypes.c_int)),
    "rd_kafka_mock_partition_set_leader": (ctypes.c_int, (_PTR, _STR, _I32, _I32)),
    "rd_kafka_mock_coordinator_set": (ctypes.c_int, (_PTR, _STR, _STR, _I32)),
    "rd_kafka_mock_broker_set_down": (ctypes.c_int, (_PTR, _I32)),
    "rd_kafka_mock_broker_set_up": (ctypes.c_int, (_PTR, _I32)),
    "rd_kafka_mock_broker_set_rtt": (ctypes.c_int, (_PTR, _I32, ctypes.c_int)),
    "rd_kafka_mock_push_request_errors_array": (None, (_PTR, _I16, _SIZE, ctypes.POINTER(ctypes.c_int))),
}


class MockCluster:
    """A mock cluster inside this process, and the faults it can be given. Broker ids start at 1."""

    def __init__(self, brokers: int) -> None:
        """Start `brokers` brokers on free ports of 127.0.0.1. Raises ClusterError when librdkafka cannot."""
        self._library = _bind(ctypes.CDLL(client_library()))
        message = ctypes.create_string_buffer(512)
        # The handle owns the mock cluster's threads; it lives as long as this process.
        handle = self._library.rd_kafka_new(_PRODUCER, None, message, len(message))
        self._cluster = handle and self._library.rd_kafka_mock_cluster_new(handle, brokers)
        if not self._cluster:
            msg = f"the embedded cluster did not start: {message.value.decode() or 'no reason given'}"
            raise ClusterError(msg)
        self._library.rd_kafka_mock_set_controller_id(self._cluster, _CONTROLLER)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)

    def bootstraps(self) -> str:
        """bootstrap.servers of the cluster."""
        address: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return address.decode()

    def topic_create(self, topic: str, partitions: int, replicas: int) -> None:
        """Create a topic."""
        self._do("topic_create", topic.encode(), partitions, replicas)

    def partition_set_leader(self, topic: str, partition: int, broker: int) -> None:
        """Make `broker` the leader of a partition."""
        self._do("partition_set_leader", topic.encode(), partition, broker)

    def coordinator_set(self, group_id: str, broker: int) -> None:
        """Make `broker` the coordinator of a group."""
        self._do("coordinator_set", b"group", group_id.encode(), broker)

    def broker_set_down(self, broker: int) -> None:
        """Close the broker's connections and refuse new ones."""
        self._do("broker_set_down", broker)

    def broker_set_up(self, broker: int) -> None:
        """Let the broker accept connections again, with everything it knew."""
        self._do("broker_set_up", broker)

    def broker_set_rtt(self, broker: int, milliseconds: int) -> None:
        """Delay every answer of a broker; 0 ends it."""
        self._do("broker_set_rtt", broker, milliseconds)

    def push_request_errors(self, api_key: int, errors: list[int]) -> None:
        """Answer the next requests of one API with these error codes."""
        codes = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(self._cluster, api_key, len(errors), codes)

    def _do(self, action: str, *arguments: bytes | int) -> None:
        code = getattr(self._library, f"rd_kafka_mock_{action}")(self._cluster, *arguments)
        if code:
            name = self._library.rd_kafka_err2name(code).decode()
            shown = ", ".join(a.decode() if isinstance(a, bytes) else str(a) for a in arguments)
            msg = f"the embedded cluster refused {action}({shown}): {name}"
            raise ClusterError(msg)


def _bind(library: ctypes.CDLL) -> ctypes.CDLL:
    missing = [name for name in _SIGNATURES if not hasattr(library, name)]
    if missing:
        msg = (
            f"librdkafka {client_version()} lacks {', '.join(missing)}, which the embedded cluster needs; "
            "install the confluent-kafka version that rtoanalytics pins: pip install --upgrade 'rtoanalytics[collect]'"
        )
        raise ClusterError(msg)
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def self_test(mock: MockCluster, brokers: int) -> None:
    """Prove that the mock API does what a drill needs: leaders move, a broker that is down is not named.

    Raises ClusterError with what was seen instead.
    """
    topic = "rtoanalytics-self-test"
    mock.topic_create(topic, 1, brokers)
    mock.partition_set_leader(topic, 0, brokers)
    cluster = KafkaCluster("self-test", mock.bootstraps(), timeout_seconds=5.0)
    found = cluster.metadata([topic])
    seen = (len(found.brokers), [p.leader for p in found.partitions])
    if seen != (brokers, [brokers]):
        msg = f"the embedded cluster failed its self-test: asked for {(brokers, [brokers])}, its metadata says {seen}"
        raise ClusterError(msg)


def _serve() -> None:
    """Read commands until standard input ends. The first must be `start`."""
    mock: MockCluster | None = None
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        try:
            if command["do"] == "start":
                mock = MockCluster(command["brokers"])
                self_test(mock, command["brokers"])
                _say({"ok": True, "bootstrap_servers": mock.bootstraps(), "version": client_version()})
            else:
                _command(mock, command["do"])(*command["arguments"])
                _say({"ok": True})
        except RtoError as error:
            _say({"ok": False, "error": str(error)})


def _command(mock: MockCluster | None, name: str) -> Callable[..., None]:
    if mock is None or name.startswith("_") or not hasattr(mock, name):
        msg = f'the embedded cluster knows no command "{name}" now; the first must be "start"'
        raise ClusterError(msg)
    command: Callable[..., None] = getattr(mock, name)
    return command


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve()
