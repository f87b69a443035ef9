"""Connectors by the REST interface of Kafka Connect: what the workers say, and how far the connectors have come."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.connectors.progress import progress_of
from rtoanalytics_collectors.connectors.traces import fit_to_keep
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.http_get import TIMEOUT_SECONDS, Endpoint

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row


_INT32 = 2**31


class ConnectRest:
    """One row for each connector and each of its tasks, at every look.

    `progress` stands in the connector's row: for a sink the sum of its offsets over its partitions, for a source the
    sum of the numbers in its offsets, null where the worker does not say it in time. Tasks have none. A connector that
    is deleted or not there yet has no row. `observed_at` is when the worker's answer had come.
    """

    tables = ("connector_states",)

    def __init__(
        self,
        url: str,
        connectors: Collection[str] = (),
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Clock = now_us,
    ) -> None:
        """`connectors` empty: all. Raises UsageError for an address that is no URL; nothing is asked yet."""
        self._endpoint = Endpoint(
            url, username=username, password=password, token=token, timeout_seconds=timeout_seconds
        )
        self.target = self._endpoint.name
        self._connectors = frozenset(connectors)
        self._timeout_seconds = timeout_seconds
        self._clock = clock

    def collect(self) -> Sample:
        """Look once. Raises TransientError when the worker does not answer, or while the workers rebalance."""
        states = self._states()
        observed_at = self._clock()
        progress = self._progress(states)
        rows: list[Row] = []
        for name, state in sorted(states.items()):
            rows += _rows(name, state, progress.get(name), observed_at)
        return {"connector_states": rows}

    def _states(self) -> dict[str, Mapping[str, Any]]:
        answer = self._endpoint.get("/connectors", {"expand": "status"})
        if answer.status != HTTPStatus.OK:
            why = "the workers rebalance" if answer.status == HTTPStatus.CONFLICT else "is this a Connect worker?"
            msg = f"{self.target} answered /connectors with status {answer.status}; {why}"
            raise TransientError(msg)
        found = answer.json(self.target)
        if not isinstance(found, dict):
            msg = f"{self.target} answered /connectors with no map of connectors; Kafka Connect 2.3 or newer is needed"
            raise TransientError(msg)
        states = {name: expanded.get("status") for name, expanded in found.items() if isinstance(expanded, dict)}
        wanted = self._connectors or states.keys()
        return {name: state for name, state in states.items() if name in wanted and isinstance(state, dict)}

    def _progress(self, names: Collection[str]) -> dict[str, int | None]:
        """Progress by connector: as many as answer within one timeout, so that a dead broker delays no states."""
        deadline = time.monotonic() + self._timeout_seconds
        found: dict[str, int | None] = {}
        for name in sorted(names):
            if time.monotonic() < deadline:
                found[name] = self._progress_of(name)
        return found

    def _progress_of(self, name: str) -> int | None:
        try:
            answer = self._endpoint.get(f"/connectors/{quote(name, safe='')}/offsets")
            document = answer.json(self.target) if answer.status == HTTPStatus.OK else None
        except ClusterError:  # the state is known all the same
            return None
        return progress_of(document.get("offsets")) if isinstance(document, dict) else None


def _rows(name: str, status: Mapping[str, Any], progress: int | None, observed_at: int) -> list[Row]:
    connector, listed = status.get("connector"), status.get("tasks")
    tasks = [task for task in listed if _has_state(task)] if isinstance(listed, list) else []
    rows = [_row(name, None, connector, observed_at) | {"progress": progress}] if _has_state(connector) else []
    return rows + [_row(name, task["id"], task, observed_at) for task in tasks if _is_number(task.get("id"))]


def _has_state(entity: object) -> bool:
    return isinstance(entity, dict) and isinstance(entity.get("state"), str)


def _is_number(task_id: object) -> bool:
    return isinstance(task_id, int) and 0 <= task_id < _INT32


def _row(name: str, task_id: int | None, entity: Any, observed_at: int) -> Row:  # noqa: ANN401
    return {
        "connector": name,
        "task_id": task_id,
        "state": entity["state"],
        "worker_id": worker if isinstance(worker := entity.get("worker_id"), str) else None,
        "trace": fit_to_keep(entity.get("trace")),
        "observed_at": observed_at,
    }
