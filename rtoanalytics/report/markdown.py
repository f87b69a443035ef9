"""The report as Markdown, for a change record or a merge request: tables, no pictures."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from rtoanalytics.charts.elapsed import moments_of
from rtoanalytics.report import view
from rtoanalytics.report.reading import read_frames, read_scorecard, write_result
from rtoanalytics.report.wording import balances, interval, number, seconds, simulated_sentence, verdict_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import polars as pl

_SPECIAL = re.compile(r"([\\`*_{}\[\]|~#!$])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_COUNTS = (
    "acked",
    "once",
    "duplicated",
    "lost",
    "skipped",
    "pending",
    "filtered",
    "unresolved",
    "applied",
    "extra",
    "unacked",
)


def write_markdown(bundle: Path) -> Path:
    """Write results/report.md of an analyzed bundle and return its path. Raises RtoError without results."""
    return write_result(bundle, "report.md", markdown_of(bundle))


def markdown_of(bundle: Path) -> str:
    """The Markdown report of an analyzed bundle. Raises RtoError without results."""
    return render_markdown(read_scorecard(bundle), read_frames(bundle))


def render_markdown(scorecard: Mapping[str, Any], frames: Mapping[str, pl.DataFrame]) -> str:
    """The document. `frames` by name, as results/ holds them."""
    return "\n".join([*_head(scorecard), *_rows(scorecard), *_evidence(scorecard, frames)]) + "\n"


def escaped(value: object) -> str:
    r"""Text from evidence as one line of Markdown that is only text.

    >>> escaped("a|b <script>\n*x*")
    'a\\|b &lt;script&gt; \\*x\\*'
    """
    one_line = html.escape(_CONTROL.sub(" ", str(value)), quote=False)
    return _SPECIAL.sub(r"\\\1", one_line).strip()


def table(titles: Sequence[str], rows: Iterable[Sequence[object]], *, numbers_from: int | None = None) -> list[str]:
    """A Markdown table; columns from `numbers_from` on are aligned to the right."""
    right = len(titles) if numbers_from is None else numbers_from
    rule = ["---" if index < right else "--:" for index in range(len(titles))]
    body = [f"| {' | '.join(escaped(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(titles)} |", f"| {' | '.join(rule)} |", *body, ""]


def _head(scorecard: Mapping[str, Any]) -> Iterator[str]:
    drill, verdict, recovery = scorecard["drill"], view.badge(scorecard["verdict"]), scorecard["recovery"]
    simulated = simulated_sentence(scorecard)
    if simulated:
        yield from (f"> **{escaped(simulated)}**", "")
    yield from (f"# {escaped(drill['title'] or drill['id'])}", "")
    yield from (f"**{verdict['symbol']} {verdict['word']}.** {escaped(verdict_sentence(scorecard))}", "")
    yield from (f"Recovery time {interval(recovery)}; objective {seconds(recovery['rto_seconds'])}.", "")


def _rows(scorecard: Mapping[str, Any]) -> Iterator[str]:
    rows = view.row_views(scorecard)
    cells = [(f"{row['symbol']} {row['word']}", row["title"], row["headline"]) for row in rows]
    yield from ("## Seven rows", "", *table(("Verdict", "Area", "What the evidence shows"), cells))
    actions = view.next_actions(rows)
    if actions:
        yield from ("## Before the next drill", "")
        yield from (
            f"{place}. **{escaped(item['area'])}.** {escaped(item['action'])}" for place, item in enumerate(actions, 1)
        )
        yield ""
    yield from ("## Checks", "")
    for row in rows:
        yield from (f"### {row['title']}", "", *table(_CHECK_TITLES, map(_check, row["checks"])))


_CHECK_TITLES = ("Verdict", "Check", "Measured", "Limit", "Why", "Evidence")


def _check(check: Mapping[str, Any]) -> tuple[object, ...]:
    verdict = f"{check['symbol']} {check['word']}"
    return verdict, check["name"], check["measured"], check["limit"], check["reason"], ", ".join(check["evidence"])


def _evidence(scorecard: Mapping[str, Any], frames: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    moments, recovery = moments_of(scorecard), scorecard["recovery"]
    phases = [(phase["name"], phase["at"], phase["took"]) for phase in view.phase_rows(recovery, moments)]
    yield from ("## Recovery", "", *table(("Phase", "Ended", "Took"), phases, numbers_from=1))
    conditions = [tuple(row.values()) for row in view.condition_rows(recovery, moments)]
    titles = ("Condition", "Broke", "Held again", "Not before", "At the latest", "Outcome")
    yield from table(titles, conditions) if conditions else ()
    groups = [tuple(row.values()) for row in view.backlog_rows(scorecard, moments)]
    group_titles = (
        "Group",
        "Peak, records",
        "at",
        "Drained",
        "Took",
        "Net rate, records/s",
        "Area, record·s",
        "At the end, records",
    )
    yield from ("## Backlog", "", *table(group_titles, groups, numbers_from=1))
    yield from _ledger(scorecard)
    yield from _findings(frames["findings"], scorecard)
    yield from _coverage(frames["coverage"], scorecard)
    yield from ("## Definition", "", *table(("Fact", "Value"), view.facts(scorecard)))


def _ledger(scorecard: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Ledger", "")
    for words, numbers, holds in balances(scorecard["totals"]):
        yield from (f"`{words}`  ", f"`{numbers}` {'✓ balances' if holds else '✗ does not balance'}", "")
    rows = [(row["place"], *(number(row[name]) for name in _COUNTS)) for row in view.ledger_by_downstream(scorecard)]
    yield from table(("Downstream", *(name.capitalize() for name in _COUNTS)), rows, numbers_from=1)


def _findings(frame: pl.DataFrame, scorecard: Mapping[str, Any]) -> Iterator[str]:
    rows, more = view.findings_rows(frame, moments_of(scorecard))
    titles = (
        "Finding",
        "Downstream or group",
        "Place",
        "From offset",
        "to (exclusive)",
        "Records",
        "First",
        "Last",
        "Applied",
    )
    yield from ("## Findings", "", *table(titles, [tuple(row.values()) for row in rows], numbers_from=3))
    if more:
        left_out = view.more(more, "finding", "findings", "select * from findings")
        yield from (f"`{left_out}`", "")


def _coverage(frame: pl.DataFrame, scorecard: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (f"{row['symbol']} {row['word']}", row["table"], row["collector"], row["rows"], row["holes"], row["longest"])
        for row in view.coverage_rows(frame, moments_of(scorecard))
    ]
    titles = ("Verdict", "Table", "Collector", "Rows", "Holes", "Longest")
    yield from ("## Coverage", "", *table(titles, rows, numbers_from=3))
