"""The report in a real browser, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtoanalytics.report.html import render_html
from rtoanalytics.report.wording import AREA_TITLES
from tests.core.report import story

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Request

pytestmark = pytest.mark.xdist_group("report-browser")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story's report as a file."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_html(story.scorecard(), story.frames()), encoding="utf-8")
    return path


def opened(browser: Browser, report: Path, width: int, scheme: str) -> tuple[Page, list[str], list[str]]:
    """The page, what it asked for beside itself, and what the console complained about."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)  # type: ignore[arg-type]
    requests: list[str] = []
    complaints: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith("data:") and request.url != report.as_uri():
            requests.append(request.url)

    page.on("request", note)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report.as_uri())
    return page, requests, complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_opens_offline(browser: Browser, report: Path, width: int, scheme: str) -> None:
    """Nothing is requested, nothing is complained about, nothing is wider than the screen; all seven rows are seen."""
    page, requests, complaints = opened(browser, report, width, scheme)
    assert not requests
    assert not complaints
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for area, title in AREA_TITLES.items():
        assert page.locator(f"#{area} h3", has_text=title).is_visible()
    visible = "wide" if width > 560 else "narrow"
    assert page.locator(f".chart .{visible} svg").first.is_visible()
    assert page.locator(".chart svg:visible").count() == 9
    page.close()


def test_rows_open_by_keyboard(browser: Browser, report: Path) -> None:
    """The checks of a row open with the keyboard, and say measured value, limit and reason."""
    page, _, _ = opened(browser, report, 1280, "light")
    page.locator("#offset_integrity summary").focus()
    page.keyboard.press("Enter")
    table = page.get_by_role("table", name="Checks of Offset integrity")
    assert table.is_visible()
    assert table.get_by_role("row", name="duplicated").inner_text().split("\t")[2:4] == ["225 records", "100 records"]
    page.close()


def test_paper_shows_everything(browser: Browser, report: Path) -> None:
    """On paper the checks of every row follow the seven rows, closed or not, in dark ink on white."""
    page, _, _ = opened(browser, report, 1280, "dark")
    page.emulate_media(media="print")
    assert page.locator(".paper table:visible").count() == len(AREA_TITLES)
    assert page.locator("details.more table").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.close()


def test_dark_charts_can_be_read(browser: Browser, report: Path) -> None:
    """In dark surroundings no chart keeps ink of the light ones."""
    page, _, _ = opened(browser, report, 1280, "dark")
    colors = page.eval_on_selector_all(".chart .wide text", "nodes => nodes.map(node => getComputedStyle(node).fill)")
    assert colors
    assert min(sum(map(int, color[4:-1].split(","))) for color in set(colors) if color != "rgb(16, 21, 28)") > 3 * 128
    page.close()
