"""rtoanalytics: evidence of a Kafka resilience drill, reconciled and judged."""

__version__ = "0.1.0"
