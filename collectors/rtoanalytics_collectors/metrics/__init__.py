"""Metrics: Prometheus text endpoints and range queries of a Prometheus server, under names that stay the same."""

from rtoanalytics_collectors.metrics.endpoints import MetricsEndpoint
from rtoanalytics_collectors.metrics.mapping import Mapping, load_mapping, shipped_mappings
from rtoanalytics_collectors.metrics.range_queries import RangeQueries, query_range

__all__ = ["Mapping", "MetricsEndpoint", "RangeQueries", "load_mapping", "query_range", "shipped_mappings"]
