"""Pages in the Prometheus text format or OpenMetrics, read by Prometheus' own client library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

PagedSample = tuple[str, dict[str, str], float, int | None]
"""Name as it stands on the page, labels, value, and the instant in microseconds where the page has one."""
_TOTAL = "_total"


def parse(page: str, content_type: str) -> Iterator[PagedSample]:
    """Samples of a page. Raises ValueError when it is none; MissingDependencyError without the client library."""
    is_open_metrics = "openmetrics" in content_type
    for family in _families(page, is_open_metrics=is_open_metrics):
        is_munged = family.type == "counter" and not is_open_metrics
        for sample in family.samples:
            name = _as_written(sample.name, page) if is_munged else sample.name
            yield name, dict(sample.labels), float(sample.value), _instant(sample.timestamp)


def _families(page: str, *, is_open_metrics: bool) -> Iterator[Any]:
    try:
        from prometheus_client import parser  # noqa: PLC0415  (of an extra)
        from prometheus_client.openmetrics import parser as open_metrics  # noqa: PLC0415
    except ImportError as error:
        what = "reading metrics"
        raise MissingDependencyError(what, "collect") from error
    chosen: Any = open_metrics if is_open_metrics else parser
    yield from chosen.text_string_to_metric_families(page)


def _as_written(name: str, page: str) -> str:
    """The parser adds _total to counters that lack it; the evidence keeps what the exporter says."""
    if not name.endswith(_TOTAL) or re.search(rf"^{re.escape(name)}[\s{{]", page, re.MULTILINE):
        return name
    return name.removesuffix(_TOTAL)


def _instant(timestamp: Any) -> int | None:  # noqa: ANN401  (seconds: int, float or OpenMetrics' own type)
    return None if timestamp is None else round(float(timestamp) * 1_000_000)
