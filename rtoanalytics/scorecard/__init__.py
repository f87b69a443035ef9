"""Measures against objectives and criteria: seven rows that everybody in the review can read."""

from rtoanalytics.scorecard.document import scorecard_document
from rtoanalytics.scorecard.rows import ROWS, judge_rows

__all__ = ["ROWS", "judge_rows", "scorecard_document"]
