"""Log records: every partition read back after the drill, to find what was acknowledged and is not there."""

from rtoanalytics_collectors.log_records.scans import (
    MAX_ROUNDS,
    ROTATE_BYTES,
    LogReader,
    Pace,
    ScanProgress,
    SpoolError,
)

__all__ = ["MAX_ROUNDS", "ROTATE_BYTES", "LogReader", "Pace", "ScanProgress", "SpoolError"]
