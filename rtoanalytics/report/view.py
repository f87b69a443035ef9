"""What a report shows, ready to be written: the same content for HTML and Markdown, as text without markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from rtoanalytics.charts.elapsed import Moments, clock_text, instant
from rtoanalytics.report.wording import (
    VERDICT_SYMBOLS,
    VERDICT_WORDS,
    number,
    quantity,
    readable,
    seconds,
    title_of,
)
from rtoanalytics.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

MAX_FINDINGS = 40
MAX_LEDGER_ROWS = 60
MAX_TIMELINE_ROWS = 120
_DAMAGE = ("lost", "skipped", "duplicated", "unresolved", "pending")
_WORST_FIRST = (*_DAMAGE, "offset_reset", "commit_above_log_end", "commit_rewind", "commit_jump")


def row_views(scorecard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The seven rows with their checks."""
    return [
        {
            **badge(row["verdict"]),
            "area": row["area"],
            "title": title_of(row["area"]),
            "headline": row["headline"],
            "next_action": row["next_action"],
            "checks": [check_view(check) for check in row["checks"]],
        }
        for row in scorecard["rows"]
    ]


def check_view(check: Mapping[str, Any]) -> dict[str, Any]:
    """One check: what was measured against which limit, and why it has its verdict."""
    return {
        **badge(check["verdict"]),
        "name": readable(check["name"]),
        "measured": quantity(check["measured"], check["unit"]),
        "limit": quantity(check["limit"], check["unit"]),
        "reason": check["reason"] or "",
        "evidence": list(check["evidence"] or []),
    }


def badge(verdict: str) -> dict[str, str]:
    """A verdict as symbol and word."""
    return {"verdict": verdict, "symbol": VERDICT_SYMBOLS[verdict], "word": VERDICT_WORDS[verdict]}


def not_judged(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The checks that are neither pass nor fail, with the row they belong to."""
    return [
        {**check, "area": row["title"]}
        for row in rows
        for check in row["checks"]
        if check["verdict"] in {"inconclusive", "not_applicable"}
    ]


def next_actions(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What to invest in before the next drill, by row."""
    return [{"area": row["title"], "action": row["next_action"]} for row in rows if row["next_action"]]


def ledger_rows(scorecard: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The rows of the ledger with their place, and how many more there are; of too many, the most damaged ones."""
    rows = scorecard["ledger"]
    damaged = sorted(range(len(rows)), key=lambda index: (-_damage(rows[index]), index))[:MAX_LEDGER_ROWS]
    names = ("downstream", "cluster", "topic", "partition")
    return [{**rows[index], "place": _place(rows[index], names)} for index in sorted(damaged)], len(rows) - len(damaged)


def ledger_by_downstream(scorecard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ledger summed over partitions, one row a downstream, in the order of the scorecard."""
    sums: dict[str, dict[str, Any]] = {}
    for row in scorecard["ledger"]:
        total = sums.setdefault(
            row["downstream"], {"place": row["downstream"], **dict.fromkeys(scorecard["totals"], 0)}
        )
        for name in scorecard["totals"]:
            total[name] += row[name]
    return list(sums.values())


def findings_rows(frame: pl.DataFrame, moments: Moments) -> tuple[list[dict[str, str]], int]:
    """The worst findings as offset ranges, and how many more there are."""
    rows = [_finding(row, moments) for row in worst_first(frame).head(MAX_FINDINGS).to_dicts()]
    return rows, max(0, frame.height - MAX_FINDINGS)


def worst_first(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings in the order in which they are read: the worst kind first, then the most records."""
    rank = pl.coalesce("fate", "kind").replace_strict(
        {name: place for place, name in enumerate(_WORST_FIRST)}, default=99
    )
    return findings.sort(
        rank, pl.col("records").fill_null(0), "downstream", "cluster", "topic", "partition", "start_offset",
        "occurred_at",
        descending=[False, True, *[False] * 6], nulls_last=True,
    )  # fmt: skip


def timeline_rows(frame: pl.DataFrame, moments: Moments) -> tuple[list[dict[str, str]], int]:
    """What was planned, recorded and measured, in order of time, and how many more rows there are."""
    ordered = frame.sort("occurred_at", "origin", "kind", nulls_last=True, maintain_order=True)
    rows = [
        {
            "time": clock_text(moments.seconds(row["occurred_at"])),
            "origin": row["origin"],
            "kind": readable(row["kind"]),
            "step": row["step"] or "",
            "actor": row["actor"] or "",
            "text": row["text"] or "",
        }
        for row in ordered.head(MAX_TIMELINE_ROWS).to_dicts()
    ]
    return rows, max(0, frame.height - MAX_TIMELINE_ROWS)


def coverage_rows(frame: pl.DataFrame, moments: Moments) -> list[dict[str, str]]:
    """How each table was captured."""
    return [
        _coverage(row, moments) for row in frame.sort("table_name", "collector", "target", nulls_last=True).to_dicts()
    ]


def phase_rows(recovery: Mapping[str, Any], moments: Moments) -> list[dict[str, str]]:
    """When each phase ended, what it took, and which share of the recovery time objective that is."""
    return [
        {
            "name": readable(phase["name"]),
            "at": _at(instant(phase["at"]), moments),
            "took": seconds(phase["seconds"]),
            "share": _share(phase["seconds"], recovery["rto_seconds"]),
        }
        for phase in recovery["phases"]
    ]


def condition_rows(recovery: Mapping[str, Any], moments: Moments) -> list[dict[str, str]]:
    """When each condition broke and held again."""
    return [
        {
            "name": condition["name"],
            "impact": _at(instant(condition["impact_at"]), moments),
            "restored": _at(instant(condition["restored_at"]), moments),
            "low": seconds(condition.get("rta_seconds_low")),
            "high": seconds(condition.get("rta_seconds_high")),
            "outcome": readable(condition.get("outcome") or "unknown"),
        }
        for condition in recovery["conditions"]
    ]


def backlog_rows(scorecard: Mapping[str, Any], moments: Moments) -> list[dict[str, str]]:
    """How large the backlog of each group got, and when it was drained."""
    return [
        {
            "group": group["group_id"],
            "peak": number(group["peak_lag_records"]),
            "peak_at": _at(instant(group["peak_at"]), moments),
            "drained_at": _at(instant(group["drained_at"]), moments),
            "drain": seconds(group["drain_seconds"]),
            "rate": number(group["net_drain_rate"]),
            "area": number(group["backlog_area_record_seconds"]),
            "final": number(group["final_lag_records"]),
        }
        for group in scorecard["backlog"]
    ]


def facts(scorecard: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was drilled, and between which instants."""
    drill, recovery, platform = scorecard["drill"], scorecard["recovery"], scorecard["drill"]["platform"] or {}
    named = {
        "Drill": drill["id"],
        "Flow": drill["flow"],
        "Platform": platform.get("name"),
        "Pattern": platform.get("pattern"),
        "Captured from": drill["started_at"],
        "Captured until": drill["ended_at"],
        "Clock starts with": drill.get("clock_starts"),
        "Clock start": recovery["clock_started_at"],
        "Impact": recovery["impact_at"],
        "Restored": recovery["restored_at"],
        "Recovery time objective": seconds(recovery["rto_seconds"]),
        "Recovery point objective": quantity(scorecard["recovery_point"]["rpo_records"], "records"),
        "Relapses": number(recovery["relapses"]),
        "Simulated clusters": ", ".join(drill.get("simulated_clusters") or []) or "none",
    }
    return [(name, number(value)) for name, value in named.items()]


def more(count: int, noun: str, nouns: str, statement: str) -> str:
    """How many rows are not shown, and the command that lists them all; empty if none."""
    return f'{counted(count, noun, nouns)} more: rto sql BUNDLE "{statement}"' if count else ""


def _damage(row: Mapping[str, Any]) -> int:
    return int(sum(row[name] for name in (*_DAMAGE, "unacked")))


def _place(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return " / ".join(str(row[name]) for name in names if row[name] is not None)


def _finding(row: Mapping[str, Any], moments: Moments) -> dict[str, str]:
    if row["kind"] == "run":
        what, times = row["fate"], ("first_acked_at", "last_acked_at")
    else:
        what, times = readable(row["kind"]), ("occurred_at", "regained_at")
    first, last = (_at(row[name], moments) for name in times)
    return {
        "what": what + (f" to {row['reset_to']}" if row["reset_to"] else ""),
        "who": row["downstream"] or row["group_id"] or "",
        "place": _place(row, ("cluster", "topic", "partition")),
        "start": _offset(row["start_offset"]),
        "end": _offset(row["end_offset"]),
        "records": number(row["records"]),
        "first": first,
        "last": last,
        "applied": number(row["max_applied"]),
    }


def _coverage(row: Mapping[str, Any], moments: Moments) -> dict[str, str]:
    verdict = "pass" if row["is_complete"] else "inconclusive" if row["collector"] else "not_applicable"
    word = {"pass": "complete", "inconclusive": "incomplete", "not_applicable": "no heartbeats"}[verdict]
    return {
        "verdict": verdict,
        "symbol": VERDICT_SYMBOLS[verdict],
        "word": word,
        "table": row["table_name"],
        "collector": " · ".join(filter(None, (row["collector"], row["target"]))),
        "rows": number(row["row_count"]),
        "first": _at(row["first_row_at"], moments),
        "last": _at(row["last_row_at"], moments),
        "holes": number(row["holes"]),
        "longest": seconds(row["longest_hole_seconds"]),
        "clock": quantity(row["clock_offset_ms"], "milliseconds"),
    }


def _share(part: float | None, whole: float | None) -> str:
    """A part of a whole in percent; unknown where either is, or where there is no whole."""
    return number(None) if part is None or not whole else f"{part / whole:.0%}"


def _offset(value: int | None) -> str:
    """An offset as it is typed into other tools: without separators."""
    return number(None) if value is None else str(value)


def _at(when: datetime | None, moments: Moments) -> str:
    """An instant as time since the clock start."""
    return number(None) if when is None else clock_text(moments.seconds(when))
