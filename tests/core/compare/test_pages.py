"""The comparison on a terminal and as a page: exactly so, offline, and not steered by what drills are called."""

from __future__ import annotations

import io
import json
import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.console import Console

from rtoanalytics.compare import figures
from rtoanalytics.compare.html import render_html
from rtoanalytics.compare.terminal import print_comparison
from tests.core.compare.libraries import Document, Facts, compared, quarters, story
from tests.core.report.goldens import assert_golden_in
from tests.core.report.test_html import HOSTILE, Outline, no_svg

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

EMPTY = [Facts("alone", is_dated=False)]


def printed(document: Document, width: int = 100, encoding: str = "utf-8") -> str:
    """What a terminal of that width receives."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    print_comparison(document, Console(file=file, width=width))
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [80, 110])
def test_terminal(width: int) -> None:
    """The story is exactly this text, and no line is longer than the terminal is wide."""
    text = printed(compared(*story()), width)
    assert_golden_in(__file__, f"terminal-{width}.txt", text)
    assert max(map(cell_len, text.splitlines())) <= width


def test_page() -> None:
    """The story's page is exactly this one, drawings aside."""
    assert_golden_in(__file__, "story.html", render_html(compared(*story()), no_svg))


@pytest.mark.parametrize("chart", ["recovery_history", "phase_history"])
def test_charts(chart: str) -> None:
    """The specification of each chart is exactly this one."""
    drills = [drill for drill in compared(*story())["drills"] if drill["flow"] in {"payments", "ledger"}]
    specification = getattr(figures, chart)(drills).to_dict(validate=False)
    assert_golden_in(__file__, f"{chart}.json", json.dumps(specification, indent=1, ensure_ascii=False) + "\n")


def test_same_input_same_bytes_and_nothing_from_outside() -> None:
    """Drawn twice the page is the same; it has no script, no link and no address but the names of XML vocabularies."""
    document = compared(*story())
    text = render_html(document)
    assert text == render_html(document)
    assert not re.findall(r"https?://(?!www\.w3\.org/(?:2000/svg|1999/xlink))", text)
    assert not re.findall(r"<script|@import|url\((?!#)|src=|javascript:", text)
    assert "default-src 'none'" in text


@pytest.mark.parametrize("drills", [story(), EMPTY, quarters(1)], ids=["story", "undated", "one"])
def test_markup_is_well_formed_and_accessible(drills: list[Facts]) -> None:
    """Elements close in order, identifiers are unique, links lead to them, tables and charts are described."""
    outline = Outline(render_html(compared(*drills), no_svg))
    assert not outline.open
    assert not outline.wrongly_closed
    identifiers = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(set(identifiers)) == len(identifiers)
    assert {str(link["href"]).removeprefix("#") for link in outline.all("a")} <= set(identifiers)
    assert len(outline.all("caption")) == len(outline.all("table"))
    assert all(header["scope"] in {"col", "row"} for header in outline.all("th"))
    drawn = [attributes for _, attributes in outline.elements if attributes.get("role") == "img"]
    assert all(attributes["aria-label"] for attributes in drawn)


def test_names_are_text() -> None:
    """Markup and control characters in the name of a flow, a fault or a platform are shown, never obeyed."""
    name = f"{HOSTILE}\x1b[2J[red]"
    document = compared(*quarters(2, flow="x"), Facts("p", date(2026, 1, 1), platform="other"))
    for drill in (*document["drills"], *document["series"], *document["expiry"], *document["faults"]):
        drill["flow"] = name
    assert HOSTILE not in render_html(document)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", printed(document))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_terminals_without_unicode(encoding: str) -> None:
    """What the terminal cannot show is replaced, never refused."""
    assert "REGRESSED" in printed(compared(*story()), encoding=encoding)


def test_simulated_before_everything() -> None:
    """Where a drill ran on a simulated cluster, the first words say so."""
    document = compared(*story())
    assert printed(document).startswith(" SIMULATED CLUSTER ")
    assert "Simulated cluster in sim-1, sim-2" in render_html(document, no_svg)


def test_charts_hold_the_newest_drills() -> None:
    """Of many drills, the newest are drawn."""
    document = compared(*quarters(30))
    (rows,) = figures.phase_history(document["drills"]).to_dict(validate=False)["datasets"].values()
    assert len({row["drill"] for row in rows}) == figures.MAX_DRILLS
    assert rows[-1]["drill"].endswith("q29")


def overheard(page: Page) -> list[str]:
    """What a page asks for and what its console says, from now on."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: seen.append(message.text))
    return seen


@pytest.mark.xdist_group("report-browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_opens_offline(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """In a real browser nothing is requested or complained about, nothing is wider than the screen, charts are seen."""
    path = tmp_path / "comparison.html"
    path.write_text(render_html(compared(*story())), "utf-8")
    for width, visible in ((1280, "wide"), (390, "narrow")):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)  # type: ignore[arg-type]
        seen = overheard(page)
        page.goto(path.as_uri())
        assert [heard for heard in seen if not heard.startswith(("data:", path.as_uri()))] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(f".chart .{visible} svg").first.is_visible()
        assert page.get_by_role("heading", name="What changed").is_visible()
        page.close()
