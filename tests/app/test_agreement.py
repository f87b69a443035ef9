"""The report, the app and scorecard.json never disagree."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.report import view
from rtoanalytics.report.html import html_of
from rtoanalytics.report.key_figures import key_figures
from rtoanalytics.report.wording import interval, verdict_sentence

if TYPE_CHECKING:
    from pathlib import Path

    from tests.app.conftest import Visitor

pytestmark = pytest.mark.xdist_group("app")


class Text(HTMLParser):
    """The text of a page, without its style."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Leave out what is not read."""
        del attrs
        self._skipped += tag in {"style", "script", "svg"}

    def handle_endtag(self, tag: str) -> None:
        """Read on."""
        self._skipped -= tag in {"style", "script", "svg"}

    def handle_data(self, data: str) -> None:
        """Collect words."""
        if not self._skipped:
            self.words.append(data)


def plain(text: str) -> str:
    """Text with single spaces."""
    return re.sub(r"\s+", " ", text)


def text_of(page: str) -> str:
    """The words of an HTML page."""
    parser = Text()
    parser.feed(page)
    return plain(" ".join(parser.words))


def said(scorecard: dict[str, Any]) -> list[str]:
    """What must be read wherever this scorecard is shown."""
    rows = view.row_views(scorecard)
    figures = [text for figure in key_figures(scorecard) for text in (figure["value"], figure["note"])]
    checks = [check for row in rows for check in row["checks"]]
    return [
        view.badge(scorecard["verdict"])["word"],
        verdict_sentence(scorecard),
        interval(scorecard["recovery"]),
        *figures,
        *(row["headline"] for row in rows),
        *(row["next_action"] for row in rows if row["next_action"]),
        *(check["reason"] for check in checks),
    ]


@pytest.mark.parametrize("name", ["passing", "failing", "inconclusive", "empty"])
def test_report_app_and_scorecard_agree(visitor: Visitor, library: Path, name: str) -> None:
    """Verdict, sentence, figures, headlines, actions and every check read the same in the report and in the app."""
    scorecard = json.loads((library / name / "results" / "scorecard.json").read_text("utf-8"))
    report = text_of(html_of(library / name))
    page = visitor.open(f"scorecard?drill={name}")
    app = plain(" ".join(page.locator(".rto").all_text_contents()))
    assert not [text for text in said(scorecard) if plain(text) not in report]
    assert not [text for text in said(scorecard) if plain(text) not in app]


@pytest.mark.parametrize("name", ["passing", "failing", "inconclusive"])
def test_every_check_has_the_same_verdict_and_numbers(visitor: Visitor, library: Path, name: str) -> None:
    """Each check stands in the app with verdict, measured value and limit of scorecard.json, in its order."""
    scorecard = json.loads((library / name / "results" / "scorecard.json").read_text("utf-8"))
    page = visitor.open(f"scorecard?drill={name}")
    for row in view.row_views(scorecard):
        shown = [
            [plain(cell).strip() for cell in line.locator("td, th").all_text_contents()[:4]]
            for line in page.locator(f"#{row['area']} tbody tr").all()
        ]
        wanted = [
            [f"{check['symbol']}{check['word']}", check["name"], check["measured"], check["limit"]]
            for check in row["checks"]
        ]
        assert shown == wanted
