"""The brute-force twin: measures M1-M10 again, in plain Python, as literally as docs/measures.md defines them.

The twin exists to disagree: property tests compare it with the queries on random drills. It is slow, it holds every row
in memory and it shares no code with the package it checks. Nothing here is fit for real evidence.
"""

from .compute import compute

__all__ = ["compute"]
