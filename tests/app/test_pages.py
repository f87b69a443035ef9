"""Every page of every kind of bundle in a real browser: nothing fails or complains, nothing leaves the machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from rtoanalytics.analysis import analyze_bundle
from tests.app.conftest import visiting

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.app.conftest import Visitor

pytestmark = pytest.mark.xdist_group("app")

PAGES = ("scorecard", "timeline", "backlog", "integrity", "clients", "evidence", "what-if")
SHOWN = {
    "scorecard": "Seven rows",
    "timeline": "Phases of recovery",
    "backlog": "records behind",
    "integrity": "Ledger",
    "clients": "Produce outcomes",
    "evidence": "Coverage",
    "what-if": "Recovery time objective",
}
TITLES = {
    "passing": "A drill that passes",
    "failing": "A drill that fails",
    "inconclusive": "A drill with a hole",
    "empty": "empty",
}


@pytest.mark.parametrize("name", TITLES)
def test_every_page_of_a_drill(visitor: Visitor, name: str) -> None:
    """Each page opens by its address, says which drill it shows, and shows what it is for."""
    for page in PAGES:
        shown = visitor.open(f"{page}?drill={name}")
        assert shown.locator(".rto h1").first.inner_text().startswith(TITLES[name])
        if name != "empty":
            assert shown.get_by_text(SHOWN[page]).first.is_visible()
        assert shown.locator(".rto .problem").count() == 0
        visitor.assert_quiet()


@pytest.mark.parametrize("page", ["scorecard", "backlog", "clients"])
def test_pages_in_the_dark(browser: Browser, server: str, page: str) -> None:
    """Where the system asks for dark colors, page and charts are dark, and text on both is light."""
    for visitor in visiting(browser, server, "dark"):
        shown = visitor.open(f"{page}?drill=failing")
        background = shown.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
        ink = shown.evaluate("getComputedStyle(document.querySelector('.rto h1')).color")
        assert background == "rgb(16, 21, 28)"
        assert ink == "rgb(238, 242, 247)"
        visitor.assert_quiet()


def test_the_library(visitor: Visitor) -> None:
    """The library lists drills with verdict, recovery and damage, and the bundles that have none with the reason."""
    page = visitor.open("")
    table = page.get_by_role("table", name="Drills, newest first")
    assert table.get_by_role("row").count() == 1 + len(TITLES)
    failing = table.get_by_role("row", name="A drill that fails").inner_text().split("\t")
    assert [cell.strip().splitlines()[-1] for cell in failing] == [
        "Fail", "A drill that fails", "payments", "kafka-4.1-three-az", "2026-11-20 10:00", "23 to 24 s", "120 s",
        "2", "1", "1",
    ]  # fmt: skip
    others = page.get_by_role("table", name="Bundles without a verdict").inner_text()
    assert 'unknown key (did you mean "rto_seconds"?)' in others
    assert "not a scorecard" in others
    assert "has not been analyzed" in others
    visitor.assert_quiet()


def test_filters(visitor: Visitor) -> None:
    """A filter leaves the drills that fit it."""
    page = visitor.open("")
    page.get_by_label("Verdict", exact=True).click()
    page.get_by_role("option", name="Fail").click()
    page.get_by_text("1 of 4 drills: 1 fail").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("table", name="Drills, newest first").get_by_role("row")).to_have_count(2)
    visitor.assert_quiet()


@pytest.mark.parametrize("name", ["broken", "half"])
def test_a_broken_bundle_says_so(visitor: Visitor, name: str) -> None:
    """Every page of a bundle that cannot be read shows what is wrong and what to do, and the next drill opens."""
    for page in ("scorecard", "backlog", "live" if name == "broken" else "evidence"):
        shown = visitor.open(f"{page}?drill={name}")
        assert shown.get_by_role("alert").first.is_visible()
        visitor.assert_quiet()
    assert visitor.open("scorecard?drill=passing").get_by_text("Seven rows").is_visible()


def test_a_bundle_without_results_can_be_analyzed(visitor: Visitor, library: Path) -> None:
    """A bundle that nobody analyzed says the command, and a button has the core do it."""
    page = visitor.open("scorecard?drill=unanalyzed")
    assert page.get_by_text(f"rto analyze {library / 'unanalyzed'}").is_visible()
    page.get_by_role("button", name="Analyze now").click()
    page.get_by_text("Seven rows").wait_for(timeout=30_000)
    assert (library / "unanalyzed" / "results" / "scorecard.json").exists()
    visitor.assert_quiet()


def test_old_results_are_shown_as_old(visitor: Visitor, library: Path) -> None:
    """Results older than the definition are shown, under a warning with the command that renews them."""
    bundle = library / "empty"
    (bundle / "drill.yaml").touch()
    try:
        page = visitor.open("scorecard?drill=empty")
        deadline = time.monotonic() + 30
        while not page.get_by_text("The results are not current.").count() and time.monotonic() < deadline:
            visitor.open("scorecard?drill=empty")  # the library looks through its folders every few seconds
        assert page.get_by_text("The results are not current.").is_visible()
        assert page.get_by_text("Seven rows").is_visible()
        visitor.assert_quiet()
    finally:
        analyze_bundle(bundle)


def test_an_unknown_drill(visitor: Visitor) -> None:
    """An address that names no drill of the library says so and offers the others."""
    page = visitor.open("scorecard?drill=nobody")
    assert page.get_by_text('No drill "nobody" in the library.').is_visible()
    visitor.assert_quiet()


def test_the_drill_stays_while_pages_change(visitor: Visitor) -> None:
    """Whoever walks from page to page stays with the drill, and the address names both."""
    page = visitor.open("scorecard?drill=failing")
    page.get_by_role("link", name="Timeline").click()
    page.wait_for_url("**/timeline?drill=failing")
    visitor.wait()
    assert page.locator(".rto h1").first.inner_text().startswith("A drill that fails")
    visitor.assert_quiet()


def test_checks_lead_to_the_rows_behind_them(visitor: Visitor) -> None:
    """A check opens by keyboard and links to the page that shows the rows behind it, for the same drill."""
    page = visitor.open("scorecard?drill=failing")
    page.locator("#offset_integrity summary").focus()
    page.keyboard.press("Enter")
    link = page.locator("#offset_integrity").get_by_role("link", name="ledger.parquet").first
    link.wait_for()
    link.click()
    page.wait_for_url("**/integrity?drill=failing")
    visitor.wait()
    assert page.get_by_text("What became of").count() == 1
    visitor.assert_quiet()


def test_charts_are_told_to_screen_readers(visitor: Visitor) -> None:
    """Each chart carries its description in words; each page has one first heading and a language."""
    page = visitor.open("timeline?drill=failing")
    charts = page.get_by_test_id("stVegaLiteChart")
    assert charts.count() == 3
    for place in range(charts.count()):
        assert charts.nth(place).locator("[aria-label]").first.get_attribute("aria-label")
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
