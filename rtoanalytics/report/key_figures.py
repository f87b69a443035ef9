"""The four numbers that stand beside the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.report.wording import number, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def key_figures(scorecard: Mapping[str, Any]) -> list[dict[str, str]]:
    """The four numbers beside the verdict, each with what it does not tell."""
    totals = scorecard["totals"]
    unresolved = f", {number(totals['unresolved'])} unresolved" if totals["unresolved"] else ""
    return [
        _recovery_point(scorecard["recovery_point"]),
        {
            "name": "Applied twice",
            "value": number(totals["duplicated"]),
            "note": f"of {number(totals['acked'])} acknowledged",
        },
        {
            "name": "Never applied",
            "value": number(totals["lost"] + totals["skipped"]),
            "note": f"{number(totals['lost'])} lost, {number(totals['skipped'])} skipped{unresolved}",
        },
        _peak_backlog(scorecard["backlog"]),
    ]


def _recovery_point(point: Mapping[str, Any]) -> dict[str, str]:
    """Records missing from the log; a number only where the evidence judges it."""
    missing, allowed = quantity(point["rpa_records"], "records"), point["rpo_records"]
    note = f"missing from the log, {number(allowed)} allowed"
    if point["verdict"] == "not_applicable":
        value, note = "Not judged", "no limit was set" if allowed is None else "the cluster is simulated"
    elif point["verdict"] == "inconclusive":
        value, note = "Inconclusive", f"{missing} seen missing, but not all could be judged"
    else:
        value = missing
    return {"name": "Recovery point", "value": value, "note": note}


def _peak_backlog(groups: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The largest backlog of any group, and the longest drain."""
    seen = [group for group in groups if group["peak_lag_records"] is not None]
    drains = [group["drain_seconds"] for group in seen]
    if not seen:
        return {"name": "Peak backlog", "value": number(None), "note": "no lag was measured"}
    drained = "not all drained" if None in drains else f"drained in {number(max(drains))} s"
    peak = max(group["peak_lag_records"] for group in seen)
    return {"name": "Peak backlog", "value": number(peak), "note": f"records, {drained}"}
