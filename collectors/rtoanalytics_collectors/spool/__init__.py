"""What is captured survives the capture: append-only segments, sealed into Parquet, recovered after a crash."""

from rtoanalytics_collectors.spool.writing import FLUSH_SECONDS, Row, Spool

__all__ = ["FLUSH_SECONDS", "Row", "Spool"]
