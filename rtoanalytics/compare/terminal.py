"""The comparison on a terminal: the outcome first, then why. Reads the same without color, and where it is piped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from rtoanalytics.compare import views
from rtoanalytics.report.terminal import STYLES, plain, print_page
from rtoanalytics.report.view import badge
from rtoanalytics.wording import counted, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_SERIES = 12
MAX_ITEMS = 15
MAX_FAULTS = 40
"""Most series, open items and faults on the terminal; --json and --csv have them all."""


def print_comparison(document: Mapping[str, Any], console: Console) -> None:
    """Print a comparison. `console` decides about color and width; what it cannot encode is replaced."""
    print_page(Group(*_page(document)), console)


def _page(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield from _outcome(document)
    drills = {drill["drill"]: drill for drill in document["drills"]}
    series = views.shown_series(document)
    for one in series[:MAX_SERIES]:
        yield from _series(one, drills)
    yield from _more(len(series) - MAX_SERIES, "series", "series")
    yield from _apart(document)
    yield from _expiry(document)
    yield from _faults(document)
    yield from _carried(document)
    yield from _platforms(document)


def _outcome(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    note = views.simulated_note(document)
    if note:
        yield Text.assemble((" SIMULATED CLUSTER ", "bold black on yellow"), " ", (plain(note), "yellow"))
        yield Text()
    shown = views.outcome_view(document["outcome"])
    yield Text.assemble(
        (f"{shown['symbol']} {shown['word'].upper()}", STYLES[shown["verdict"]]),
        "  ",
        (plain(document["reason"]), "bold"),
    )
    asked = f"{counted(len(document['drills']), 'drill')} as of {document['as_of']}"
    across = f", across {', '.join(document['across'])}" if document["across"] else ""
    yield Text(f"{asked}, proof expires after {document['cadence_days']} days{across}", style="bright_black")


def _series(series: Mapping[str, Any], drills: Mapping[str, Mapping[str, Any]]) -> Iterator[RenderableType]:
    shown = views.outcome_view(series["outcome"])
    columns = views.columns_of(series, drills)
    yield _heading(views.series_title(series))
    state = " (replaced by a later definition or sampling)" if series["is_superseded"] else ""
    yield Text.assemble(
        (f"{shown['symbol']} {shown['word']}{state}", STYLES[shown["verdict"]]), f": {plain(series['reason'])}"
    )
    names = [f"{name}\n{views.day(drill['occurred_at'])}" for name, drill in columns]
    table = _table("Measure", *names, "Change", "Trend", right=range(1, len(names) + 1))
    table.add_row("verdict", *(_badge(drill["verdict"]) for _, drill in columns), "", "")
    for row in views.measure_rows(series, columns):
        name = f"{row['name']}, {row['unit']}" if row["unit"] else row["name"]
        change = Text(row["change"] + ("" if row["is_decisive"] else " (no limit)"), style=STYLES[row["verdict"]])
        table.add_row(name, *row["cells"], change, row["trend"])
    yield table
    yield from _notes(series, columns)


def _notes(series: Mapping[str, Any], columns: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[RenderableType]:
    """What stands below the table of a series."""
    for note in (views.quiet_note(columns), views.trend_note(series)):
        if note:
            yield Text(plain(note), style="bright_black")
    for row in views.verdict_rows(series):
        change = f"{row['area']}, {row['check']}: {row['before']} → {row['after']}"
        yield Text(plain(change), style=STYLES[row["verdict"]])
    phases = views.phase_rows(columns)
    if phases:
        table = _table("Phase, seconds", *(name for name, _ in columns), right=range(1, len(columns) + 1))
        for phase in phases:
            table.add_row(plain(phase["name"]), *phase["cells"])
        yield table


def _apart(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    rows = views.apart_rows(document)
    if rows:
        yield _heading("Not comparable with the newest drill of their flow")
    for row in rows[:MAX_SERIES]:
        yield Text.assemble((plain(row["drills"]), "bold"), f": {plain(row['differs'])} as in {plain(row['from'])}")
    yield from _more(len(rows) - MAX_SERIES, "series", "series")


def _expiry(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    if not document["expiry"]:
        return
    yield _heading("Proof that a flow can be recovered")
    table = _table("Flow", "State", "Last passing drill", "Why", "Last drill")
    for row in document["expiry"]:
        state = Text("✗ expired", style="bold red") if row["is_expired"] else Text("✓ valid", style="green")
        last = _badge(row["last_verdict"]) if row["last_verdict"] else Text("none")
        table.add_row(plain(row["flow"]), state, plain(row["last_passing_drill"] or "none"), row["reason"], last)
    yield table


def _faults(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    cells = document["faults"]
    if not cells:
        return
    yield _heading("Flows and faults")
    table = _table("Flow", "Inject", "Last verdict", "Date", "Drills", right=[4])
    for cell in cells[:MAX_FAULTS]:
        verdict = _badge(cell["last_verdict"]) if cell["drills"] else Text("never drilled", style="yellow")
        date = views.day(cell["last_at"]) if cell["drills"] else ""
        table.add_row(plain(cell["flow"]), plain(cell["inject"] or "not named"), verdict, date, str(cell["drills"]))
    yield table
    yield from _more(len(cells) - MAX_FAULTS, "pair", "pairs")


def _carried(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    still_open = [item for item in document["carried"] if item["is_open"]]
    closed = [item for item in document["carried"] if item["closed_by"] == document["newest"]]
    if not (still_open or closed):
        return
    yield _heading("Carried from drill to drill")
    for item in still_open[:MAX_ITEMS]:
        since = f"open since {views.day(item['opened_at'])}, {counted(item['drills'], 'drill')}"
        place = f"{item['flow']} / {item['inject'] or 'no inject'}: {item['check']}"
        yield Text.assemble((plain(place), STYLES[item["verdict"]]), f" ({since}). {plain(item['next_action'] or '')}")
    yield from _more(len(still_open) - MAX_ITEMS, "open item", "open items")
    for item in closed[:MAX_ITEMS]:
        place = f"{item['flow']} / {item['inject'] or 'no inject'}: {item['check']}"
        yield Text.assemble((f"closed: {plain(place)}", "green"), f" (open since {views.day(item['opened_at'])})")


def _platforms(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    for pair in document["platforms"]:
        yield _heading(f"Platforms side by side: {pair['flow']} / {pair['inject'] or 'no inject'}")
        table = _table("Platform", "Verdict", "Recovery time", "Monthly cost", "Drill")
        for row in views.side_rows(pair):
            table.add_row(plain(row["platform"]), _badge(row["verdict"]), row["rta"], row["cost"], plain(row["drill"]))
        yield table
        differs = "; ".join(f"{item['platform']}: {views.difference_text(item)}" for item in pair["differs"])
        if differs:
            yield Text(plain(sentence(f"beside the platform they differ: {differs}")), style="yellow")


def _badge(verdict: str) -> Text:
    shown = badge(verdict)
    return Text(f"{shown['symbol']} {shown['word'].lower()}", style=STYLES[verdict])


def _heading(text: str) -> Text:
    return Text(f"\n{plain(text)}", style="bold")


def _table(*names: str, right: Sequence[int] = ()) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bright_black")
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place in right else "left", overflow="fold")
    return table


def _more(count: int, noun: str, nouns: str) -> Iterator[RenderableType]:
    if count > 0:
        yield Text(f"{counted(count, noun, nouns)} more: --json or --csv has them all", style="bright_black")
