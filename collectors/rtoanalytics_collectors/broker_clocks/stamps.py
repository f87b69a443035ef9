"""Commits of a group that nobody else uses, and the instants at which its coordinator took them."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from rtoanalytics_collectors.broker_clocks.known import Stamp
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.commits.decoding import decode
from rtoanalytics_collectors.commits.group_log import SOURCE
from rtoanalytics_collectors.commits.records import OffsetCommit
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import new_consumer
from rtoanalytics_collectors.kafka.client import asking, client_module, failure
from rtoanalytics_collectors.kafka.tailing import KafkaTail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.kafka.client import Client

_COMMITS = 3
_ANSWER_SECONDS = 1.5
_POLL_SECONDS = 0.01
_WRITER = {
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 250,
    "socket.timeout.ms": 2_000,  # a commit that a dead broker will not answer is over soon
}


class Stamps(Protocol):
    """What gets commits stamped: `GroupStamps`, or a list in a test."""

    def take(self) -> list[Stamp]:
        """Some commits, each with its stamp; at least one."""
        ...

    def close(self) -> None:
        """Release the connections."""
        ...


class GroupStamps:
    """Commits of one group, and the instants at which its coordinator took them. For one thread."""

    def __init__(
        self,
        cluster: str,
        bootstrap_servers: str,
        settings: Mapping[str, Any],
        group_id: str,
        partition: int,
        clock: Clock = now_us,
    ) -> None:
        """`partition` of `__consumer_offsets` holds the group."""
        self._what = f"commits of group {group_id}"
        self._cluster = cluster
        self._partition = partition
        self._clock = clock
        self._answer: tuple[int, Client] | None = None
        self._is_waiting = False
        ours = {"bootstrap.servers": bootstrap_servers, "group.id": group_id, "enable.auto.commit": False}
        with asking(cluster, self._what):
            self._writer = new_consumer({**_WRITER, **settings, **ours, "on_commit": self._on_commit})
        # uncommitted: an open transaction of another group must not hold a stamp back
        self._new_tail = partial(
            KafkaTail, cluster, bootstrap_servers, SOURCE, settings, start="end", isolation="read_uncommitted"
        )

    def take(self) -> list[Stamp]:
        """Commit, and read the stamps back.

        Raises TransientError when the coordinator or the log does not answer in time, ClusterError when refused.
        """
        tail = self._new_tail()
        tail.only = frozenset([self._partition])
        with closing(tail):  # one a look: an idle reader would go on fetching the commits of everybody
            tail.drain()  # begins at the end of the log: nothing up to here is ours
            asked = {mark: self._commit(mark) for mark in (uuid4().hex for _ in range(_COMMITS))}
            stamped = self._read_back(tail, asked)
        return [Stamp(*asked[mark], stamped_ms) for mark, stamped_ms in stamped.items()]

    def close(self) -> None:
        """Close the connections. A commit that is not answered is not waited for: that can take half a minute."""
        thread = threading.Thread(target=self._writer.close, name="close a clock group", daemon=True)
        thread.start()
        thread.join(0.0 if self._is_waiting else _ANSWER_SECONDS)

    def _commit(self, mark: str) -> tuple[int, int]:
        """This host's clock before and after one commit, µs."""
        if self._is_waiting:
            self._wait()  # an answer that came late: not a measurement, and not that of the next commit
        place = client_module().TopicPartition(SOURCE, self._partition, 0, mark)
        self._answer, self._is_waiting = None, True
        asked_at = self._clock()
        with asking(self._cluster, self._what):
            self._writer.commit(offsets=[place], asynchronous=True)
        answered_at, error = self._wait()
        if error is not None:
            raise failure(self._cluster, self._what, error)
        if answered_at < asked_at:
            msg = f'cluster "{self._cluster}": the clock of this host was set back during {self._what}'
            raise TransientError(msg)
        return asked_at, answered_at

    def _wait(self) -> tuple[int, Client]:
        deadline = time.monotonic() + _ANSWER_SECONDS
        while self._answer is None and time.monotonic() < deadline:
            self._refuse(self._writer.poll(_POLL_SECONDS))
        if self._answer is None:
            msg = f'cluster "{self._cluster}": no answer within {_ANSWER_SECONDS} s when asked for {self._what}'
            raise TransientError(msg)
        return self._answer

    def _refuse(self, message: Client | None) -> None:
        """A group that we may not use has no coordinator for us: its commits wait, and only the client says why."""
        error = None if message is None else message.error()
        if error is not None and error.name() == "GROUP_AUTHORIZATION_FAILED":
            raise failure(self._cluster, self._what, error)

    def _on_commit(self, error: Client, partitions: Iterable[Client]) -> None:
        answered_at = self._clock()
        of_partitions = (partition.error for partition in partitions or ())
        self._answer = answered_at, error or next(filter(None, of_partitions), None)
        self._is_waiting = False

    def _read_back(self, tail: KafkaTail, marks: Iterable[str]) -> dict[str, int]:
        """The coordinator's timestamps, ms, by mark."""
        wanted, found = set(marks), dict[str, int]()
        deadline = time.monotonic() + _ANSWER_SECONDS
        while len(found) < len(wanted) and time.monotonic() < deadline:
            for record in tail.drain().records:
                fact = decode(record.key, record.value)
                if isinstance(fact, OffsetCommit) and (mark := fact.metadata.rstrip("\0")) in wanted:
                    found[mark] = fact.commit_timestamp_ms
        if not found:
            msg = f'cluster "{self._cluster}", {SOURCE}-{self._partition}: the {self._what} are not in the log (yet)'
            raise TransientError(msg)
        return found
