"""The scorecard on a terminal: the verdict first, then why. Reads the same without color, and where it is piped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rtoanalytics.report.view import next_actions, row_views
from rtoanalytics.report.wording import (
    NOT_KNOWN,
    VERDICT_SYMBOLS,
    VERDICT_WORDS,
    balances,
    interval,
    quantity,
    seconds,
    simulated_sentence,
    verdict_sentence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_WIDTH = 110
"""Columns beyond which lines get hard to read."""
STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "not_applicable": "bright_black"}
_ASCII = str.maketrans(
    {"✓": "+", "✗": "x", "–": "-", "—": "-", "━": "=", "┃": "|", "╌": ".", "·": "-", "×": "x", "−": "-", "▸": ">"}
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_WORD_WIDTH, _AREA_WIDTH = 16, 17


def print_scorecard(scorecard: Mapping[str, Any], console: Console) -> None:
    """Print one scorecard. `console` decides about color and width; what it cannot encode is replaced."""
    print_page(Group(*_page(scorecard, min(console.width, MAX_WIDTH))), console)


def print_page(page: RenderableType, console: Console) -> None:
    """Print a page no wider than MAX_WIDTH; what the console cannot encode is replaced."""
    width = min(console.width, MAX_WIDTH)
    if not console.options.ascii_only:
        console.print(page, width=width)
        return
    with console.capture() as capture:
        console.print(page, width=width)
    text = capture.get().translate(_ASCII)
    console.file.write(text.encode(console.encoding, "replace").decode(console.encoding))


def plain(text: object) -> str:
    r"""Text from evidence as one line without control characters: it must not steer the terminal.

    >>> plain("a\x1b[31mb\nc")
    'a [31mb c'
    """
    return _CONTROL.sub(" ", str(text))


def _page(scorecard: Mapping[str, Any], width: int) -> Iterator[RenderableType]:
    rows = row_views(scorecard)
    yield from _simulated(scorecard)
    yield from _verdict(scorecard)
    yield from _recovery(scorecard["recovery"], width)
    for row in rows:
        yield _row(row)
    yield from _next_actions(rows)
    yield from _ledger(scorecard["totals"])


def _simulated(scorecard: Mapping[str, Any]) -> Iterator[RenderableType]:
    sentence = simulated_sentence(scorecard)
    if sentence:
        yield Text.assemble((" SIMULATED CLUSTER ", "bold black on yellow"), " ", (plain(sentence), "yellow"))
        yield Text()


def _verdict(scorecard: Mapping[str, Any]) -> Iterator[RenderableType]:
    verdict, drill = scorecard["verdict"], scorecard["drill"]
    yield Text.assemble(
        (f"{VERDICT_SYMBOLS[verdict]} {VERDICT_WORDS[verdict].upper()}", STYLES[verdict]),
        "  ",
        (plain(verdict_sentence(scorecard)), "bold"),
    )
    yield Text(plain(f"{drill['title']} · {drill['id']}" if drill["title"] else drill["id"]), style="bright_black")
    yield Text()


def _recovery(recovery: Mapping[str, Any], width: int) -> Iterator[RenderableType]:
    """A bar of recovery time against the objective, with both in words."""
    label = "Recovery time"
    said = f"{interval(recovery)}, objective {seconds(recovery['rto_seconds'])}"
    if recovery["outcome"] == "no_impact":
        said = f"no impact, objective {seconds(recovery['rto_seconds'])}"
    yield Text.assemble((f"{label}  ", "bold"), said)
    if recovery["rta_seconds_low"] is not None and recovery["outcome"] != "no_impact":
        yield _bar(recovery, width - 2)
        yield Text("━ down, ? restored somewhere here, ┃ objective", style="bright_black")
    yield Text()


def _bar(recovery: Mapping[str, Any], cells: int) -> Text:
    rto, low, high = recovery["rto_seconds"], recovery["rta_seconds_low"], recovery["rta_seconds_high"]
    end = max(rto, low, high or 0, 1e-9) * (1.1 if high is not None else 1.3)
    bar = Text()
    for cell in range(cells):
        start, stop = end * cell / cells, end * (cell + 1) / cells
        bar.append(*_cell(start, stop, recovery))
    return bar


def _cell(start: float, stop: float, recovery: Mapping[str, Any]) -> tuple[str, str]:
    high = recovery["rta_seconds_high"]
    style = STYLES[recovery["verdict"]]
    if start <= recovery["rto_seconds"] < stop:
        return "┃", "bold"
    if stop <= recovery["rta_seconds_low"]:
        return "━", style
    return ("?", style) if high is None or start <= high else ("╌", "bright_black")


def _row(row: Mapping[str, Any]) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=_WORD_WIDTH, no_wrap=True)
    grid.add_column(width=_AREA_WIDTH, no_wrap=True)
    grid.add_column()
    verdict = row["verdict"]
    head = Text(f"{row['symbol']} {row['word']}", style=STYLES[verdict])
    grid.add_row(head, Text(plain(row["title"]), style="bold"), Text(plain(row["headline"])))
    open_checks = [check for check in row["checks"] if check["verdict"] in {"fail", "inconclusive"}]
    shown = [_check(check, is_said=_says(row["headline"], check["reason"])) for check in open_checks]
    return Group(grid, *(Padding(check, (0, 0, 0, 4)) for check in shown))


def _says(headline: str, reason: str) -> bool:
    return reason.lower() in headline.lower()


def _check(check: Mapping[str, Any], *, is_said: bool) -> RenderableType:
    """Symbol and word, name, measured against limit, and on the next lines the reason unless the row said it."""
    verdict = check["verdict"]
    limit = "" if check["limit"] == NOT_KNOWN else f", limit {check['limit']}"
    measured = "not measured" if check["measured"] == NOT_KNOWN else check["measured"]
    head = Text.assemble(
        (f"{check['symbol']} {check['word'].lower()} ", STYLES[verdict]),
        (plain(check["name"]), "bold"),
        f"  {plain(measured)}{plain(limit)}",
    )
    return head if is_said else Group(head, Padding(Text(plain(check["reason"])), (0, 0, 0, 2)))


def _next_actions(rows: list[dict[str, Any]]) -> Iterator[RenderableType]:
    actions = next_actions(rows)
    if not actions:
        return
    yield Text("\nBefore the next drill", style="bold")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for action in actions:
        grid.add_row("▸", Text.assemble((f"{plain(action['area'])}: ", "bold"), plain(action["action"])))
    yield grid


def _ledger(totals: Mapping[str, int]) -> Iterator[RenderableType]:
    yield Text("\nLedger, all downstreams", style="bold")
    for words, numbers, holds in balances(totals):
        yield Text(words, style="bright_black")
        verdict, said = ("pass", "balances") if holds else ("fail", "does not balance")
        yield Text.assemble(f"{numbers}  ", (f"{VERDICT_SYMBOLS[verdict]} {said}", STYLES[verdict]))
    others = ("before_capture", "log_missing", "overwritten", "reordered", "produced_twice")
    rest = ", ".join(f"{name.replace('_', ' ')} {quantity(totals[name], None)}" for name in others)
    yield Text(f"Beside them: {rest}", style="bright_black")
