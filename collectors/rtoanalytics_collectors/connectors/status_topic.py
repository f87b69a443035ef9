"""Connectors by the topic in which the workers keep their status: every change, also between two looks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.connectors.traces import fit_to_keep
from rtoanalytics_collectors.failures import PartialLookError
from rtoanalytics_collectors.json_documents import parsed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from rtoanalytics_collectors.connectors.progress import SinkProgress
    from rtoanalytics_collectors.kafka.tailing import Drain, Tail, TailRecord
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

Entity = tuple[str, int | None]
"""Connector and task number; None for the connector itself."""
_CONNECTOR = re.compile(r"status-connector-(?P<connector>.+)", re.DOTALL)
_TASK = re.compile(r"status-task-(?P<connector>.+)-(?P<task>\d{1,9})", re.DOTALL)
DELETED = "DESTROYED"
"""The state of what was deleted: Kafka Connect's own word for it, which its REST interface never shows."""


class ConnectStatusTopic:
    """Every change of state with the worker's own timestamp, and at each look the state in force, dated at the look.

    What is in the topic when the tail begins is only the state in force then, dated at that look. A deletion (a
    record without a value) is a row with the state `DESTROYED`, after which the connector or task has no rows.
    Progress is not in this topic: `progress` asks for it; without, it is null. Records that are no status (the
    topics that a connector uses are kept here too) are left out, those that cannot be read are counted.
    """

    tables = ("connector_states",)
    is_continuous = True

    def __init__(self, tail: Tail, connectors: Collection[str] = (), progress: SinkProgress | None = None) -> None:
        """`tail` must start at the beginning of the topic. `connectors` empty: all."""
        self.target = tail.topic
        self.unreadable = 0
        """Records of the topic that are no status in any form known here."""
        self._tail = tail
        self._connectors = frozenset(connectors)
        self._progress = progress
        self._states: dict[Entity, Row] = {}
        self._since: int | None = None

    def resume(self, captured: Iterable[Row]) -> None:
        """Deliver every change since the earlier process began; one that is captured already is equal, counts once."""
        self._since = min((row["observed_at"] for row in captured), default=None)

    def collect(self) -> Sample:
        """Read what is new. Raises TransientError when the topic cannot be read; PartialLookError with what could."""
        drain = self._tail.drain()
        changes = [row for record in drain.records for row in self._take(record) if self._is_change(record, row)]
        if not drain.is_caught_up:
            msg = f"{self.target}: partition {_described(drain)}"
            raise PartialLookError(msg, {"connector_states": changes})
        return {"connector_states": changes + self._in_force(drain.asked_at)}

    def close(self) -> None:
        """Release the connections."""
        self._tail.close()

    def _is_change(self, record: TailRecord, row: Row) -> bool:
        """Whether it happened during the capture, this process's or the one it resumes."""
        return not record.is_history or (self._since is not None and row["observed_at"] >= self._since)

    def _take(self, record: TailRecord) -> list[Row]:
        entity = _entity(record.key)
        if entity is None or (self._connectors and entity[0] not in self._connectors):
            return []
        status = _status(record.value)
        changed_at = record.timestamp_us
        if changed_at is None or (status is None and record.value is not None):
            self.unreadable += 1
            return []
        if status is None:
            self._states.pop(entity, None)
            status = {"state": DELETED}
        else:
            self._states[entity] = status
        return [_named(entity) | status | {"observed_at": changed_at}]

    def _in_force(self, asked_at: int) -> list[Row]:
        rows = []
        for entity, status in sorted(self._states.items(), key=_place):
            progress = self._progress.of(entity[0]) if self._progress and entity[1] is None else None
            rows.append(_named(entity) | status | {"progress": progress, "observed_at": asked_at})
        return rows


def _place(item: tuple[Entity, Row]) -> tuple[str, int]:
    (connector, task), _ = item
    return connector, -1 if task is None else task


def _named(entity: Entity) -> Row:
    return {"connector": entity[0], "task_id": entity[1]}


def _entity(key: bytes | None) -> Entity | None:
    text = (key or b"").decode(errors="replace")
    if found := _TASK.fullmatch(text):
        return found["connector"], int(found["task"])
    found = _CONNECTOR.fullmatch(text)
    return (found["connector"], None) if found else None


def _status(value: bytes | None) -> Row | None:
    """State, worker and trace of a record; None for a deletion, and for what cannot be read."""
    try:
        document: Any = parsed(value or b"null")
    except ValueError:
        return None
    if not isinstance(document, dict) or not isinstance(document.get("state"), str):
        return None
    worker = document.get("worker_id")
    return {
        "state": document["state"],
        "worker_id": worker if isinstance(worker, str) else None,
        "trace": fit_to_keep(document.get("trace")),
    }


def _described(drain: Drain) -> str:
    return ", ".join(f"{partition} {why}" for partition, why in sorted(drain.behind.items()))
