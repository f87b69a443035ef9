"""What the relations of the query chain mean: one module a measure, each answers one question.

SQL computes what is computed over evidence; these modules turn a handful of its rows into intervals and verdicts.
"""

from rtoanalytics.measures.taking import Measures, take_measures

__all__ = ["Measures", "take_measures"]
