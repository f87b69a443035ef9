"""What is captured survives the capture: append-only segments, sealed into Parquet, recovered after a crash."""

from rtoanalytics_collectors.spool.folder_lock import SpoolInUseError
from rtoanalytics_collectors.spool.waiting import Row
from rtoanalytics_collectors.spool.writing import FLUSH_SECONDS, Source, Spool

__all__ = ["FLUSH_SECONDS", "Row", "Source", "Spool", "SpoolInUseError"]
