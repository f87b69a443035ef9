"""Where logs start and end, asked leader by leader: a broker that does not answer only silences its own partitions.

A leader that is late is not waited for once another has answered, and is not asked again before its question has
ended: so the partitions of the others are seen at every look while it is down.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.kafka.client import Client, admin_module, asking, client_module
from rtoanalytics_collectors.kafka.facts import LogEnds, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GRACE_SECONDS = 1.0
_PATIENCE = 0.25
"""The share of the timeout that a leader is waited for when another has answered."""


class Question:
    """Log start, log end and last stable offset of the partitions of one leader."""

    def __init__(
        self, cluster: str, admin: Client, partitions: Sequence[TopicPartition], timeout_seconds: float
    ) -> None:
        """Ask; nothing is waited for."""
        client = client_module()
        self._partitions = [client.TopicPartition(topic, partition) for topic, partition in partitions]
        self._asked = (cluster, admin, timeout_seconds)
        committed, uncommitted = client.IsolationLevel.READ_COMMITTED, client.IsolationLevel.READ_UNCOMMITTED
        self._starts = self._ask("earliest", uncommitted)
        self._ends = self._ask("latest", uncommitted)
        self._stables = self._ask("latest", committed)

    @property
    def futures(self) -> list[Future[Any]]:
        """What is waited for."""
        return [*self._starts.values(), *self._ends.values(), *self._stables.values()]

    @property
    def is_done(self) -> bool:
        """Whether there is an answer or a failure for all of it."""
        return all(future.done() for future in self.futures)

    def answer(self) -> dict[TopicPartition, LogEnds]:
        """What was answered so far; partitions without a log start and a log end are left out."""
        ends = {key: self._answer(key) for key in self._ends}
        return {key: end for key, end in ends.items() if end is not None}

    def _ask(self, which: str, isolation: Client) -> dict[TopicPartition, Future[Any]]:
        cluster, admin, timeout_seconds = self._asked
        spec = getattr(admin_module().OffsetSpec, which)()
        with asking(cluster, "log ends"):
            futures = admin.list_offsets(
                dict.fromkeys(self._partitions, spec), isolation_level=isolation, request_timeout=timeout_seconds
            )
        return {(tp.topic, tp.partition): future for tp, future in futures.items()}

    def _answer(self, key: TopicPartition) -> LogEnds | None:
        start, end, stable = (_result(answers[key]) for answers in (self._starts, self._ends, self._stables))
        if start is None or end is None:
            return None
        return LogEnds(start.offset, end.offset, stable.offset if stable else None, _epoch(end.leader_epoch))


class LogEndQuestions:
    """Asks the leaders of one cluster. Thread-safe."""

    def __init__(self, cluster: str, admin: Client, timeout_seconds: float) -> None:
        self._cluster = cluster
        self._admin = admin
        self._timeout_seconds = timeout_seconds
        self._late: dict[int, Question] = {}
        self._lock = threading.Lock()

    def ask(self, by_leader: Mapping[int, Sequence[TopicPartition]]) -> dict[TopicPartition, LogEnds]:
        """The ends of the partitions whose leader answers in time."""
        questions = {leader: self._question(keys) for leader, keys in by_leader.items() if self._may_ask(leader)}
        self._wait(questions.values())
        late = {leader: question for leader, question in questions.items() if not question.is_done}
        with self._lock:
            self._late |= late
        return {key: end for question in questions.values() for key, end in question.answer().items()}

    def _question(self, partitions: Sequence[TopicPartition]) -> Question:
        return Question(self._cluster, self._admin, partitions, self._timeout_seconds)

    def _may_ask(self, leader: int) -> bool:
        with self._lock:
            question = self._late.get(leader)
            if question is None or question.is_done:
                self._late.pop(leader, None)
                return True
            return False

    def _wait(self, questions: Any) -> None:  # noqa: ANN401  (a view of questions)
        """Wait for every question; no longer than the patience once one has been answered."""
        futures = [future for question in questions for future in question.futures]
        patience = self._timeout_seconds * _PATIENCE
        wait(futures, patience)
        if not any(question.is_done and question.answer() for question in questions):
            wait(futures, self._timeout_seconds + _GRACE_SECONDS - patience)


def _result(future: Future[Any]) -> Client | None:
    """The answer, if there is one with an offset: a leader that was too slow can come back as -1001, without error."""
    if not future.done() or future.exception() is not None or future.result().offset < 0:
        return None
    return future.result()


def _epoch(number: int | None) -> int | None:
    return None if number is None or number < 0 else number
