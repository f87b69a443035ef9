"""The words of every report: verdicts, areas, numbers, and what a scorecard says in one sentence."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rtoanalytics.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERDICT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        Verdict.PASS: "Pass",
        Verdict.FAIL: "Fail",
        Verdict.INCONCLUSIVE: "Inconclusive",
        Verdict.NOT_APPLICABLE: "Not applicable",
    }
)
VERDICT_SYMBOLS: Mapping[str, str] = MappingProxyType(
    {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INCONCLUSIVE: "?", Verdict.NOT_APPLICABLE: "–"}
)
AREA_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "business_scope": "Business scope",
        "rto_target": "RTO target",
        "client_behavior": "Client behavior",
        "offset_integrity": "Offset integrity",
        "capacity": "Capacity",
        "governance": "Governance",
        "rollback": "Rollback",
    }
)
NOT_KNOWN = "—"
"""What stands where a value is null."""
FATES = ("once", "duplicated", "lost", "skipped", "pending", "filtered", "unresolved")
_SHORT_UNITS = MappingProxyType({"seconds": "s", "milliseconds": "ms", "minutes": "min", "ratio": "", "": ""})


def title_of(area: str) -> str:
    """The title of a row; an area without one is its own."""
    return AREA_TITLES.get(area, area.replace("_", " "))


def readable(name: str) -> str:
    """A name of the contract as words.

    >>> readable("offset_reset")
    'offset reset'
    """
    return name.replace("_", " ")


def number(value: object) -> str:
    """A value as people read it: thousands apart, at most three decimals, null as a dash.

    >>> number(12880), number(35.99999), number(0.0123456), number(None), number(True)
    ('12,880', '36', '0.0123', '—', 'yes')
    """
    if value is None:
        return NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _decimal(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def quantity(value: object, unit: str | None) -> str:
    """A value with its unit.

    >>> quantity(41.0, "seconds"), quantity(1, "records"), quantity(None, "records"), quantity(5, None)
    ('41 s', '1 record', '—', '5')
    """
    if value is None:
        return NOT_KNOWN
    short = _SHORT_UNITS.get(unit or "", unit or "")
    if value == 1 and short.endswith("s") and len(short) > 2 and " " not in short:  # noqa: PLR2004
        short = short.removesuffix("s")
    return f"{number(value)} {short}".rstrip()


def seconds(value: float | None) -> str:
    """Seconds with their unit, and as minutes or hours too once they are hard to picture.

    >>> seconds(41.0), seconds(330), seconds(None)
    ('41 s', '330 s (5 min 30 s)', '—')
    """
    if value is None:
        return NOT_KNOWN
    plain = f"{number(value)} s"
    if abs(value) < 180:  # noqa: PLR2004
        return plain
    hours, rest = divmod(round(abs(value)), 3600)
    parts = [(hours, "h"), (rest // 60, "min"), (rest % 60, "s")]
    return f"{plain} ({' '.join(f'{count} {unit}' for count, unit in parts if count)})"


def joined(names: Iterable[str]) -> str:
    """Names as a list in a sentence.

    >>> joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    *first, last = list(names) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def verdict_sentence(scorecard: Mapping[str, Any]) -> str:
    """Why the drill has its verdict: which rows decided it, and how long recovery took."""
    verdict = scorecard["verdict"]
    areas = [
        title_of(row["area"]).lower().replace("rto", "RTO") for row in scorecard["rows"] if row["verdict"] == verdict
    ]
    recovery = recovery_phrase(scorecard["recovery"])
    if verdict == Verdict.FAIL:
        return _sentence(f"{joined(areas)} did not hold; {recovery}")
    if verdict == Verdict.PASS:
        return _sentence(f"everything that was asked of the drill held; {recovery}")
    if not areas:
        return _sentence(f"the evidence judges nothing; {recovery}")
    return _sentence(f"the evidence does not settle {joined(areas)}; {recovery}")


def recovery_phrase(recovery: Mapping[str, Any]) -> str:
    """Recovery time against its objective, as part of a sentence."""
    objective = f"the objective is {seconds(recovery['rto_seconds'])}"
    match recovery["outcome"]:
        case "restored":
            return f"service was restored after {interval(recovery)}, {objective}"
        case "censored":
            return f"service was not restored within the capture ({interval(recovery)}), {objective}"
        case "no_impact":
            return "no condition of the service was ever broken, so the drill proves little about recovery"
        case _:
            reason = recovery.get("reason")
            return (
                f"recovery time is not known ({reason}), {objective}"
                if reason
                else f"recovery time is not known, {objective}"
            )


def interval(recovery: Mapping[str, Any]) -> str:
    """Recovery time actual as the interval it is known to lie in.

    >>> interval({"rta_seconds_low": 39.0, "rta_seconds_high": 41.0})
    '39 to 41 s'
    >>> interval({"rta_seconds_low": 150, "rta_seconds_high": None})
    '150 s or more'
    """
    low, high = recovery["rta_seconds_low"], recovery["rta_seconds_high"]
    if low is None:
        return "not known"
    if high is None:
        return f"{number(low)} s or more"
    return f"{number(high)} s" if low == high else f"{number(low)} to {number(high)} s"


def simulated_sentence(scorecard: Mapping[str, Any]) -> str:
    """The banner of a drill on a simulated cluster; empty for a real one."""
    names = scorecard["drill"].get("simulated_clusters") or []
    if not names:
        return ""
    unjudged = "replication, log loss, transactions and idempotence"
    return f"Simulated cluster ({joined(names)}): {unjudged} cannot be judged on it."


def balances(totals: Mapping[str, int]) -> list[tuple[str, str, bool]]:
    """The two equations of the ledger: in words, in numbers, and whether they hold."""
    return [
        _balance(totals, "acked", FATES),
        _balance(totals, "applied", ("distinct_applied", "extra", "unacked")),
    ]


def _balance(totals: Mapping[str, int], total: str, parts: tuple[str, ...]) -> tuple[str, str, bool]:
    words = f"{total} = {' + '.join(parts)}"
    numbers = f"{totals[total]:,} = {' + '.join(f'{totals[part]:,}' for part in parts)}"
    return words, numbers, totals[total] == sum(totals[part] for part in parts)


def _decimal(value: float) -> str:
    if value and abs(value) < 1:
        return f"{value:.3g}"
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
