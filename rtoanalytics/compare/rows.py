"""The comparison in long form: one row per drill and measure, for spreadsheets and notebooks."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = (
    "series", "flow", "inject", "platform", "engine", "drill", "occurred_at", "drill_verdict", "measure", "unit",
    "low", "high", "limit", "verdict", "reason", "previous", "outcome",
)  # fmt: skip


def long_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per drill and measure, in the order of the document. `outcome` is against `previous`."""
    return [
        {
            "series": drill["series"],
            "flow": drill["flow"],
            "inject": drill["inject"],
            "platform": drill["platform"]["name"],
            "engine": drill["engine"],
            "drill": drill["drill"],
            "occurred_at": drill["occurred_at"],
            "drill_verdict": drill["verdict"],
            "previous": drill["previous"],
            **measure,
        }
        for drill in document["drills"]
        for measure in drill["measures"]
    ]


def csv_text(document: Mapping[str, Any]) -> str:
    """The rows as CSV with a header, commas, lines that end in a newline; what is not known is an empty field."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(long_rows(document))
    return written.getvalue()
