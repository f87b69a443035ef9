"""Measures against objectives and criteria: seven rows that a CTO, an SRE lead and an application owner can all read."""

from rtoanalytics.scorecard.document import scorecard_document
from rtoanalytics.scorecard.rows import ROWS, judge_rows

__all__ = ["ROWS", "judge_rows", "scorecard_document"]
