"""Clusters as a capture reaches them: asked once whether they take us, before any collector connects.

A cluster that does not answer is waited for: a drill may begin before its recovery cluster is there. One that refuses
us (a wrong password, a certificate that is not trusted) is asked no second time: collectors that look twice a second
would lock the account.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import KafkaCluster
from rtoanalytics_collectors.kafka.client import QUIET, admin_module, asking
from rtoanalytics_collectors.kafka.tailing import KafkaTail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtoanalytics_collectors.capture.environment import Connection

_ASK_SECONDS = 3.0
_AGAIN_SECONDS = 1.0
_REFUSALS = ("_AUTHENTICATION", "_SSL", "SASL_AUTHENTICATION_FAILED", "UNSUPPORTED_SASL_MECHANISM")


class Gate:
    """One cluster, shared by the collectors that look at it. Thread-safe."""

    def __init__(self, connection: Connection, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.connection = connection
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._cluster: KafkaCluster | None = None
        self._answer: ClusterError | None = None
        self._asked_at = float("-inf")

    def open(self) -> KafkaCluster:
        """The cluster, once it has taken us.

        Raises TransientError while it does not answer, ClusterError when it refuses us: the same one every time.
        """
        with self._lock:
            if self._cluster is None:
                self._knock()
                self._cluster = KafkaCluster(self.connection.cluster, self.bootstrap_servers, self.connection.settings)
            return self._cluster

    @property
    def bootstrap_servers(self) -> str:
        """bootstrap.servers of the cluster. Raises UsageError when it has none."""
        if not self.connection.bootstrap_servers:
            name = self.connection.cluster
            msg = f'cluster "{name}" has no bootstrap_servers; write them in drill.yaml under clusters.{name}'
            raise UsageError(msg)
        return self.connection.bootstrap_servers

    def tail(self, topic: str, start: str | Mapping[int, int] = "beginning") -> KafkaTail:
        """The end of a topic, followed with connections of its own. Raises like `open`."""
        self.open()
        connection = self.connection
        return KafkaTail(connection.cluster, self.bootstrap_servers, topic, connection.settings, start=start)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._cluster is not None:
                self._cluster.close()

    def _knock(self) -> None:
        is_final = self._answer is not None and not isinstance(self._answer, TransientError)
        if self._answer is None or not (is_final or self._monotonic() - self._asked_at < _AGAIN_SECONDS):
            self._answer = self._ask()
            self._asked_at = self._monotonic()
        if self._answer is not None:
            raise self._answer

    def _ask(self) -> ClusterError | None:
        try:
            ask_for_metadata(self.connection.cluster, self.bootstrap_servers, dict(self.connection.settings))
        except ClusterError as error:
            return error
        return None


def ask_for_metadata(cluster: str, bootstrap_servers: str, settings: dict[str, Any]) -> None:
    """Connect and ask for the brokers.

    Raises ClusterError when the settings are wrong or the brokers refuse us, TransientError when none answers, with
    what the client says about it.
    """
    errors: list[Any] = []
    with asking(cluster, "a connection"):
        callback = {"error_cb": errors.append}
        admin = admin_module().AdminClient({**QUIET, **settings, "bootstrap.servers": bootstrap_servers, **callback})
    try:
        with asking(cluster, "a connection"):
            admin.list_topics("__consumer_offsets", timeout=_ASK_SECONDS)
    except TransientError as error:
        admin.poll(0.1)
        raise _explained(cluster, str(error), errors) from None


def _explained(cluster: str, message: str, errors: list[Any]) -> ClusterError:
    refusal = next((error for error in errors if error.name() in _REFUSALS), None)
    if refusal is not None:
        msg = f'cluster "{cluster}" refused the connection: {refusal.str()}; check its settings, user and password'
        return ClusterError(msg)
    reasons = dict.fromkeys(error.str() for error in errors if error.name() != "_ALL_BROKERS_DOWN")
    longest = max(reasons, key=len, default="")
    return TransientError(f"{message}: {longest}" if longest else message)
