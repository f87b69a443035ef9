"""One drill's folder: open it, check it, and read its evidence as SQL."""

from rtoanalytics.bundle.files import Bundle, EvidenceFile
from rtoanalytics.bundle.opening import check_bundle, open_bundle, open_capture_problems
from rtoanalytics.bundle.select import evidence_select, microseconds_name
from rtoanalytics.bundle.values import check_values

__all__ = [
    "Bundle",
    "EvidenceFile",
    "check_bundle",
    "check_values",
    "evidence_select",
    "microseconds_name",
    "open_bundle",
    "open_capture_problems",
]
