"""Acks: the final outcome of every produce, by the application's own clock.

Two lines in the application:

from rtoanalytics_collectors.acks import AckRecorder
producer = AckRecorder.wrap(Producer(settings), "drills/2026-q4", cluster="primary")
"""

from rtoanalytics_collectors.acks.capture import AckRecorder
from rtoanalytics_collectors.acks.outcomes import (
    ABORTED,
    ACKED,
    DEFINITE_ERRORS,
    FAILED,
    INDETERMINATE,
    outcome_of,
)
from rtoanalytics_collectors.acks.wrapping import Producer

__all__ = [
    "ABORTED",
    "ACKED",
    "DEFINITE_ERRORS",
    "FAILED",
    "INDETERMINATE",
    "AckRecorder",
    "Producer",
    "outcome_of",
]
