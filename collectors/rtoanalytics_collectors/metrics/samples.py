"""Samples chosen, named and judged fit to be kept, whatever they came from."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from rtoanalytics.errors import UsageError
from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US

if TYPE_CHECKING:
    from collections.abc import Mapping as Labels

    from rtoanalytics_collectors.metrics.mapping import Mapping
    from rtoanalytics_collectors.spool import Row


class SampleRows:
    """Makes rows of `metrics` of one source.

    With a mapping, what a rule names is kept under that name, and beside it what matches `include`, under its own.
    Without one, everything that matches `include`, by default everything. NaN and infinite values cannot be judged:
    they are left out and counted.
    """

    def __init__(self, source: str, mapping: Mapping | None = None, include: str | None = None) -> None:
        """`include` is a regular expression for whole names of the exporter. Raises UsageError when it is none."""
        self.not_finite = 0
        """Samples left out because their value is NaN or infinite, or their instant none."""
        self._source = source
        self._mapping = mapping
        self._include = _pattern(include) if include is not None else None

    def rows(self, name: str, labels: Labels[str, str], value: float, observed_at: int) -> list[Row]:
        """The row of one sample; none when it is not wanted or not fit."""
        named = self._named(name, labels)
        if named is None:
            return []
        if not math.isfinite(value) or not FIRST_INSTANT_US <= observed_at < LAST_INSTANT_US:
            self.not_finite += 1
            return []
        return [
            {
                "source": self._source,
                "name": named[0],
                "labels": sorted(named[1].items()),
                "value": float(value),
                "observed_at": observed_at,
            }
        ]

    def _named(self, name: str, labels: Labels[str, str]) -> tuple[str, dict[str, str]] | None:
        mapped = self._mapping.named(name, labels) if self._mapping else None
        if mapped is not None:
            return mapped
        is_included = self._include.fullmatch(name) is not None if self._include else self._mapping is None
        return (name, dict(labels)) if is_included else None


def _pattern(include: str) -> re.Pattern[str]:
    try:
        return re.compile(include)
    except re.error as error:
        msg = f"include is {include!r}, which is no regular expression: {error}"
        raise UsageError(msg) from None
