"""Platforms that carry the same flow, side by side: the newest drill of each with the same fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.compare.comparability import Aspect, Difference, differences, engine_of, in_order
from rtoanalytics.compare.expiry import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtoanalytics.compare.readings import Reading


def platforms(drills: Iterable[Reading], load_ratio: float) -> list[dict[str, Any]]:
    """Each flow and inject that was drilled on two platforms or more, with what a month of each costs.

    `differs` says in what else the newest drills of two platforms differ: then the platform alone explains nothing.
    """
    newest: dict[tuple[str, str], dict[str, Reading]] = {}
    for drill in in_order(drills):
        if drill.platform is not None:
            newest.setdefault((drill.drill.flow.name, drill.inject or ""), {})[drill.platform] = drill
    return [
        {
            "flow": flow,
            "inject": inject or None,
            "sides": [_side(side) for _, side in sorted(sides.items())],
            "differs": _differs([side for _, side in sorted(sides.items())], load_ratio),
        }
        for (flow, inject), sides in sorted(newest.items())
        if len(sides) > 1
    ]


def difference_document(difference: Difference) -> dict[str, Any]:
    """One difference for people and programs."""
    return {
        "aspect": difference.aspect,
        "what": difference.what,
        "here": difference.here,
        "there": difference.there,
    }


def _side(drill: Reading) -> dict[str, Any]:
    recovery = drill.scorecard.recovery
    platform = drill.drill.platform
    return {
        "platform": drill.platform,
        "pattern": platform.pattern if platform else None,
        "engine": engine_of(drill),
        "drill": drill.id,
        "occurred_at": iso(drill),
        "verdict": drill.scorecard.verdict.value,
        "rta_seconds_low": recovery.rta_seconds_low,
        "rta_seconds_high": recovery.rta_seconds_high,
        "rto_seconds": recovery.rto_seconds,
        "costs": costs_document(drill),
    }


def costs_document(drill: Reading) -> list[dict[str, Any]]:
    """Monthly cost of a drill's platform by currency; empty where none is given."""
    return [{"currency": currency, "monthly": monthly} for currency, monthly in drill.costs]


def _differs(sides: list[Reading], load_ratio: float) -> list[dict[str, Any]]:
    found = [
        {"platform": side.platform, **difference_document(difference)}
        for side in sides[1:]
        for difference in differences(side, sides[0], load_ratio)
        if difference.aspect != Aspect.PLATFORM
    ]
    return list(found)
