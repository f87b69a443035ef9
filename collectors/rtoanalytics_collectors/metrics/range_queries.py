"""Metrics of a Prometheus server by range queries: live, or for a drill's window after the fact."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.metrics.samples import SampleRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.http_get import Endpoint
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

MAX_POINTS = 10_000
"""Points of one question; a server refuses more than 11,000 for each series."""
_SECOND = 1_000_000


def query_range(
    endpoint: Endpoint, query: str, start_at: int, end_at: int, step_us: int
) -> Iterator[tuple[dict[str, str], float, int]]:
    """Labels, value and instant (µs) of every point from `start_at` to `end_at`, both µs and inclusive.

    The window is asked in pieces that the server allows. Raises TransientError when it does not answer, ClusterError
    when it refuses the query.
    """
    piece_us = step_us * (MAX_POINTS - 1)
    while start_at <= end_at:
        piece_end = min(end_at, start_at + piece_us)
        yield from _points(_asked(endpoint, query, start_at, piece_end, step_us), endpoint.name)
        start_at = piece_end - (piece_end - start_at) % step_us + step_us


class RangeQueries:
    """The results of some queries, one row a series and step, instants on whole steps since the epoch.

    A server keeps what it scraped, so a look has everything since the look before it, also when nobody could look in
    between; with `start_at` and `end_at` one look has the whole window of a drill. A point is what the server had last
    scraped, up to its scrape interval (and five minutes, if the target was lost) before its instant.
    """

    tables = ("metrics",)
    is_continuous = True

    def __init__(
        self,
        source: str,
        endpoint: Endpoint,
        queries: Mapping[str, str],
        *,
        step_seconds: float = 5.0,
        start_at: int | None = None,
        end_at: int | None = None,
        clock: Clock = now_us,
    ) -> None:
        """`queries` are PromQL by the name that the result gets. Instants in µs; default: from the first look on.

        Raises UsageError for a step that is not above zero.
        """
        if step_seconds <= 0:
            msg = f"step_seconds is {step_seconds:g}; allowed are numbers above 0"
            raise UsageError(msg)
        self.target = source
        self.samples = SampleRows(source)
        self._endpoint = endpoint
        self._queries = dict(queries)
        self._step_us = max(1_000, round(step_seconds * 1_000) * 1_000)
        self._next_at = None if start_at is None else self._on_step(start_at)
        self._end_at = end_at
        self._clock = clock

    def resume(self, captured: Iterable[Row]) -> None:
        """Continue after the last instant of this source that is captured already."""
        last = max((row["observed_at"] for row in captured if row["source"] == self.target), default=None)
        if last is not None:
            self._next_at = self._on_step(last + 1)

    def collect(self) -> Sample:
        """Ask for every step since the last look. Raises TransientError when the server does not answer."""
        now = self._clock()
        until = now if self._end_at is None else min(now, self._end_at)
        start_at = until - until % self._step_us if self._next_at is None else self._next_at
        rows: list[Row] = []
        for name, query in self._queries.items():
            for labels, value, observed_at in query_range(self._endpoint, query, start_at, until, self._step_us):
                rows += self.samples.rows(name, labels, value, observed_at)
        self._next_at = max(start_at, self._on_step(until + 1))
        return {"metrics": rows}

    def _on_step(self, instant: int) -> int:
        """The first whole step at or after an instant."""
        return instant + (-instant) % self._step_us


def _asked(endpoint: Endpoint, query: str, start_at: int, end_at: int, step_us: int) -> Any:  # noqa: ANN401
    window = {"start": _seconds(start_at), "end": _seconds(end_at), "step": _seconds(step_us)}
    answer = endpoint.get("/api/v1/query_range", {"query": query, **window})
    if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        msg = f"{endpoint.name} refused the query {query!r}; try it in the server's own page"
        raise ClusterError(msg)
    if answer.status != HTTPStatus.OK:
        msg = f"{endpoint.name} answered /api/v1/query_range with status {answer.status}; is this a Prometheus server?"
        raise TransientError(msg)
    return answer.json(endpoint.name)


def _points(document: Any, server: str) -> Iterator[tuple[dict[str, str], float, int]]:  # noqa: ANN401
    try:
        for series in {"matrix": document["data"]["result"]}[document["data"]["resultType"]]:
            labels = {str(name): str(value) for name, value in series["metric"].items() if name != "__name__"}
            for at, value in series.get("values", ()):
                yield labels, float(value), round(float(at) * _SECOND)
    except (KeyError, TypeError, ValueError, AttributeError):
        msg = f"{server} answered with something that is no matrix of a range query"
        raise TransientError(msg) from None


def _seconds(microseconds: int) -> str:
    return f"{microseconds / _SECOND:.3f}"
