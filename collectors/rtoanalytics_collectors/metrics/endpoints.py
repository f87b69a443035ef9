"""Metrics of an endpoint in the Prometheus text format: an exporter, a broker with jmx_exporter, an application."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.metrics.exposition import parse
from rtoanalytics_collectors.metrics.samples import SampleRows

if TYPE_CHECKING:
    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.http_get import Endpoint
    from rtoanalytics_collectors.metrics.mapping import Mapping
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

_ACCEPT = "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5"


class MetricsEndpoint:
    """Every sample of a page that is wanted, one row a sample and look.

    `observed_at` is the sample's own instant where the page has one, else when the page had come: exporters that ask
    the cluster on their own schedule show what was, up to their interval ago. A broker that is down has no page, so its
    metrics are missing, not zero.
    """

    tables = ("metrics",)

    def __init__(
        self,
        source: str,
        endpoint: Endpoint,
        mapping: Mapping | None = None,
        include: str | None = None,
        clock: Clock = now_us,
    ) -> None:
        """`source` names it in the evidence. Raises UsageError when `include` is no regular expression."""
        self.target = source
        self.samples = SampleRows(source, mapping, include)
        self._endpoint = endpoint
        self._clock = clock

    def collect(self) -> Sample:
        """Look once. Raises TransientError when there is no page of metrics."""
        answer = self._endpoint.get(accept=_ACCEPT)
        observed_at = self._clock()
        if answer.status != HTTPStatus.OK:
            msg = f"{self._endpoint.name} answered with status {answer.status}; is this the address of its metrics?"
            raise TransientError(msg)
        return {"metrics": self._rows(answer.body.decode("utf-8", "replace"), answer.content_type, observed_at)}

    def _rows(self, page: str, content_type: str, observed_at: int) -> list[Row]:
        rows: list[Row] = []
        try:
            for name, labels, value, sampled_at in parse(page, content_type):
                rows += self.samples.rows(name, labels, value, observed_at if sampled_at is None else sampled_at)
        except (ValueError, KeyError, IndexError, AttributeError, TypeError):  # what the parser raises for other text
            msg = f"{self._endpoint.name} answered with something that is no page of metrics in the Prometheus format"
            raise TransientError(msg) from None
        return rows
