"""What pages and terminals show of a comparison, as text without markup: the same content for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.compare.trend import FEWEST_DRILLS
from rtoanalytics.report.view import badge
from rtoanalytics.report.wording import NOT_KNOWN, interval, number, readable, seconds, title_of
from rtoanalytics.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Facts = Mapping[str, Any]

OUTCOME_WORDS = {"regressed": "Regressed", "not_regressed": "Not regressed", "undecided": "Cannot be told"}
OUTCOME_VERDICTS = {"regressed": "fail", "not_regressed": "pass", "undecided": "inconclusive"}
"""Outcome → the verdict whose color and symbol it is shown in."""
CHANGE_VERDICTS = {
    "regression": "fail",
    "improvement": "pass",
    "unchanged": "not_applicable",
    "overlapping": "not_applicable",
    "unknown": "inconclusive",
}
_CHANGE_WORDS = {"unchanged": "the same", "overlapping": "no change told", "unknown": "not known"}
_TREND_WORDS = {
    "worsening": "worsening",
    "improving": "improving",
    "level": "level",
    "none": "no trend told",
    "undecided": "not known",
    "too_few": "",
}


def outcome_view(outcome: str) -> dict[str, str]:
    """An outcome as symbol and word, in the color of a verdict."""
    return {**badge(OUTCOME_VERDICTS[outcome]), "word": OUTCOME_WORDS[outcome]}


def day(instant: str | None) -> str:
    """The UTC day of an instant."""
    return instant[:10] if instant else "no date"


def span(low: float | None, high: float | None) -> str:
    """A quantity as the interval it lies in.

    >>> span(23, 24.5), span(7, 7), span(7, None), span(None, None)
    ('23 to 24.5', '7', '7 or more', '—')
    """
    if low is None:
        return NOT_KNOWN
    if high is None:
        return f"{number(low)} or more"
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def seconds_span(low: float | None, high: float | None) -> str:
    """A duration as the interval it lies in.

    >>> seconds_span(23, 24.5), seconds_span(150, None), seconds_span(None, None)
    ('23 to 24.5 s', '150 s or more', 'not known')
    """
    return interval({"rta_seconds_low": low, "rta_seconds_high": high})


def growth(low: float | None, high: float | None) -> str:
    """A difference as the interval it lies in, with its sign.

    >>> growth(6, 9), growth(-3, -3), growth(6, None), growth(-1, 2)
    ('+6 to +9', '−3', '+6 or more', '−1 to +2')
    """
    if low is None or high is None:
        return f"{_signed(low)} or more" if low is not None else f"{_signed(high or 0)} or less"
    return _signed(low) if low == high else f"{_signed(low)} to {_signed(high)}"


def series_title(series: Facts) -> str:
    """What the drills of a series have in common, in one line."""
    named = (series["flow"], series["inject"] or "no inject named", series["platform"] or "no platform named")
    simulated = ("simulated cluster",) if series["engine"] == "simulated" else ()
    return " · ".join((*named, *simulated))


def shown_series(document: Facts) -> list[Facts]:
    """The series with something to compare: those still current first, then those with the newest drills."""
    place_of = {drill["drill"]: place for place, drill in enumerate(document["drills"])}
    found = [one for one in document["series"] if len(one["drills"]) > 1]
    return sorted(found, key=lambda one: (one["is_superseded"], -place_of[one["newest"]]))


def columns_of(series: Facts, drills: Mapping[str, Facts]) -> list[tuple[str, Facts]]:
    """The drills that stand side by side: the first, the one before, and the newest."""
    ids = series["drills"]
    named = [("First", ids[0]), ("Before", ids[-2]), ("Newest", ids[-1])]
    return [(name, drills[drill]) for name, drill in (named if len(ids) > 2 else named[1:])]  # noqa: PLR2004


def measure_rows(series: Facts, columns: Sequence[tuple[str, Facts]]) -> list[dict[str, Any]]:
    """Each measure that says something: side by side, its change, its trend."""
    changed = {change["measure"]: change for change in series["since_previous"]["measures"]}
    trends = {found["measure"]: found for found in series["trends"]}
    rows = []
    for place, measure in enumerate(columns[-1][1]["measures"]):
        name = measure["measure"]
        values = [drill["measures"][place] for _, drill in columns]
        if is_quiet(values):
            continue
        change = changed[name]
        rows.append(
            {
                "name": readable(name),
                "unit": "" if measure["unit"] in name else measure["unit"],
                "cells": [span(value["low"], value["high"]) for value in values],
                "limit": number(measure["limit"]),
                "change": change_text(change),
                "verdict": CHANGE_VERDICTS[change["outcome"]],
                "is_decisive": change["is_decisive"],
                "trend": trend_text(trends[name]),
            }
        )
    return rows


def is_quiet(values: Sequence[Facts]) -> bool:
    """Whether a measure is the same exact number in every drill shown, or known in none of them."""
    first = (values[0]["low"], values[0]["high"])
    return first[0] == first[1] and all((value["low"], value["high"]) == first for value in values)


def quiet_note(columns: Sequence[tuple[str, Facts]]) -> str:
    """What the table of a series leaves out, in a sentence or two; empty if nothing."""
    same: list[str] = []
    unknown: list[str] = []
    for values in zip(*(drill["measures"] for _, drill in columns), strict=True):
        if is_quiet(values):
            name, low = readable(values[0]["measure"]), values[0]["low"]
            (unknown if low is None else same).append(name if low is None else f"{name} {number(low)}")
    said = [f"The same in all of them: {', '.join(same)}."] if same else []
    said += [f"Known in none of them: {', '.join(unknown)}."] if unknown else []
    return " ".join(said)


def change_text(change: Facts) -> str:
    """The change of a measure in words, with how much it is where anything changed."""
    outcome = change["outcome"]
    if outcome in {"regression", "improvement"}:
        return f"{outcome}, {growth(change['change_low'], change['change_high'])}"
    return _CHANGE_WORDS[outcome]


def trend_text(found: Facts) -> str:
    """A trend in words, with its interval per quarter."""
    word = _TREND_WORDS[found["direction"]]
    low, high = found["slope_low"], found["slope_high"]
    if found["direction"] in {"level", "too_few"} or low is None or high is None:
        return word
    return f"{word}, {growth(round(low, 1), round(high, 1))}"


def trend_note(series: Facts) -> str:
    """What the trends of a series are, or why there are none."""
    first = series["trends"][0]
    if first["direction"] == "too_few":
        return f"No trend: {counted(first['drills'], 'drill')}, {FEWEST_DRILLS} are needed."
    share = f"{first['confidence']:.1%}"
    return f"Trend per quarter over {counted(first['drills'], 'drill')} (Theil–Sen), with its interval of {share}."


def phase_rows(columns: Sequence[tuple[str, Facts]]) -> list[dict[str, Any]]:
    """Each phase that took time in any of the drills, side by side in seconds."""
    names = list(dict.fromkeys(phase["name"] for _, drill in columns for phase in drill["phases"]))
    took = [{phase["name"]: phase["seconds"] for phase in drill["phases"]} for _, drill in columns]
    return [
        {"name": readable(name), "cells": [number(one.get(name)) for one in took]}
        for name in names
        if any(one.get(name) for one in took)
    ]


def verdict_rows(series: Facts) -> list[dict[str, str]]:
    """The checks whose verdict changed since the drill before, the worse first."""
    order = ("regression", "unknown", "improvement")
    changed = sorted(series["since_previous"]["verdicts"], key=lambda change: order.index(change["outcome"]))
    return [
        {
            "area": title_of(change["area"]),
            "check": readable(change["check"]),
            "before": readable(change["before"] or "not there"),
            "after": readable(change["after"] or "not there"),
            "verdict": change["after"] or "not_applicable",
        }
        for change in changed
    ]


def apart_rows(document: Facts) -> list[dict[str, str]]:
    """The series that do not contain the newest drill of their flow, with what keeps them apart from it."""
    return [
        {
            "drills": ", ".join(series["drills"][-3:]) + (" …" if len(series["drills"]) > 3 else ""),  # noqa: PLR2004
            "count": counted(len(series["drills"]), "drill"),
            "from": series["differs_from"],
            "differs": "; ".join(difference_text(item) for item in series["differs"]),
        }
        for series in document["series"]
        if series["differs"]
    ]


def difference_text(item: Facts) -> str:
    """One difference in words."""
    what = "" if item["what"] == item["aspect"] or item["aspect"] == "load" else f" {item['what']}"
    return f"{item['aspect']}{what}: {_shown(item['here'])}, not {_shown(item['there'])}"


def cost_text(costs: Sequence[Facts]) -> str:
    """Monthly cost by currency."""
    return ", ".join(f"{number(cost['monthly'])} {cost['currency']}" for cost in costs) or NOT_KNOWN


def side_rows(pair: Facts) -> list[dict[str, str]]:
    """Each platform of one flow with its newest drill, recovery and cost."""
    return [
        {
            **badge(side["verdict"]),
            "platform": side["platform"] + (" (simulated)" if side["engine"] == "simulated" else ""),
            "pattern": side["pattern"] or NOT_KNOWN,
            "drill": side["drill"],
            "date": day(side["occurred_at"]),
            "rta": seconds_span(side["rta_seconds_low"], side["rta_seconds_high"]),
            "rto": seconds(side["rto_seconds"]),
            "cost": cost_text(side["costs"]),
        }
        for side in pair["sides"]
    ]


def simulated_note(document: Facts) -> str:
    """The banner where drills ran on simulated clusters; empty otherwise."""
    names = [drill["drill"] for drill in document["drills"] if drill["engine"] == "simulated"]
    if not names:
        return ""
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004
    return f"Simulated cluster in {shown}: loss and replication cannot be judged on it, and it renews no proof."


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "not set" if value is None else number(value)
