"""Many drills against each other: which can be compared, what changed, where it is going, what has expired.

It reads results/ and drill.yaml of each bundle, never evidence, and judges no drill anew.
"""

from rtoanalytics.compare.comparability import Aspect, Rule
from rtoanalytics.compare.document import Question, compare_library, document_bytes
from rtoanalytics.compare.drill_library import Library, Unread, read_library

__all__ = [
    "Aspect",
    "Library",
    "Question",
    "Rule",
    "Unread",
    "compare_library",
    "document_bytes",
    "read_library",
]
