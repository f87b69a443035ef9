"""The HTML report: one file, the same bytes, nothing from outside, and evidence only ever as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import polars as pl

from rtoanalytics.report.html import render_html
from rtoanalytics.report.wording import AREA_TITLES
from tests.core.report import story
from tests.core.report.goldens import assert_golden

HOSTILE = '<script>alert("x")</script>'


def no_svg(specification: dict[str, Any], prefix: str) -> str:
    """Stands in for a drawing: charts are held to their specifications elsewhere."""
    return f'<svg data-chart="{prefix}" data-layers="{len(specification["layer"])}"></svg>'


def page(scorecard: story.Scorecard | None = None, frames: story.Frames | None = None) -> str:
    """The page without drawings."""
    return render_html(scorecard or story.scorecard(), frames or story.frames(), no_svg)


def empty_frames() -> story.Frames:
    """Results without a row."""
    return {name: frame.clear() for name, frame in story.frames().items()}


class Outline(HTMLParser):
    """Elements, text and headings of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrongly_closed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note an element that ends where another is open."""
        if not self.open or self.open.pop() != tag:
            self.wrongly_closed.append(tag)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def test_page() -> None:
    """The story's page is exactly this one, drawings aside."""
    assert_golden("report.html", page())


def test_same_input_same_bytes() -> None:
    """Rendering twice, drawings included, gives the same bytes."""
    assert render_html(story.scorecard(), story.frames()) == render_html(story.scorecard(), story.frames())


def test_nothing_from_outside() -> None:
    """No script, no link, no import, no address but the names of XML vocabularies; a policy forbids the rest."""
    text = render_html(story.scorecard(), story.frames())
    assert not re.findall(r"https?://(?!www\.w3\.org/(?:2000/svg|1999/xlink))", text)
    assert not re.findall(r"<script|@import|url\((?!#)|src=|javascript:", text)
    assert [link["href"] for link in Outline(text).all("link")] == ["data:,"]
    assert "default-src 'none'" in text


def test_seven_rows_in_order() -> None:
    """The seven rows stand in the order of the scorecard, each with symbol, word and headline."""
    text = page()
    places = [text.index(f'id="{area}"') for area in AREA_TITLES]
    assert places == sorted(places)
    for row in story.scorecard()["rows"]:
        assert row["headline"] in text


def test_markup_is_well_formed() -> None:
    """Every element is closed in order, identifiers are unique, and links lead to them."""
    outline = Outline(render_html(story.scorecard(), story.frames()))
    assert not outline.open
    assert not outline.wrongly_closed
    identifiers = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(set(identifiers)) == len(identifiers)
    assert {str(link["href"]).removeprefix("#") for link in outline.all("a")} <= set(identifiers)


def test_accessible() -> None:
    """Landmarks are there, each table has a caption and scoped headers, each chart says in words what it shows."""
    text = page()
    outline = Outline(text)
    assert all(outline.all(landmark) for landmark in ("header", "main", "nav", "footer"))
    assert outline.all("html") == [{"lang": "en"}]
    assert len(outline.all("caption")) == len(outline.all("table"))
    assert all(header["scope"] in {"col", "row"} for header in outline.all("th"))
    drawn = [attributes for _, attributes in outline.elements if attributes.get("role") == "img"]
    assert len(drawn) == 9
    assert all(attributes["aria-label"] for attributes in drawn)


def test_findings_are_escaped() -> None:
    """Markup in any name of a finding is text, in tables and in drawings."""
    frames = story.frames()
    names = ("topic", "cluster", "downstream", "group_id", "fate")
    hostile = [frames["findings"].with_columns(pl.lit(HOSTILE).alias(name)) for name in names]
    text = render_html(story.scorecard(), {**frames, "findings": pl.concat([frames["findings"], *hostile])})
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > len(names)


def test_scorecard_is_escaped() -> None:
    """Markup in any text of a scorecard is text."""
    text = page(replaced(story.scorecard()))
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_events_are_escaped() -> None:
    """Markup in what people wrote into the timeline, or in the name of a collector, is text."""
    frames = story.frames()
    columns = [pl.lit(HOSTILE).alias(name) for name in ("kind", "step", "actor", "text")]
    frames["timeline"] = frames["timeline"].with_columns(columns)
    frames["coverage"] = frames["coverage"].with_columns(collector=pl.lit(HOSTILE), target=pl.lit(HOSTILE))
    frames["recovery"] = frames["recovery"].with_columns(condition=pl.lit(HOSTILE))
    assert "<script" not in render_html(story.scorecard(), frames)


def replaced(value: Any) -> Any:  # noqa: ANN401  (any JSON)
    """A scorecard in which every text that comes from people or evidence is hostile."""
    fixed = {"verdict", "area", "outcome", "at"}
    if isinstance(value, dict):
        return {
            key: HOSTILE if isinstance(item, str) and key not in fixed and not key.endswith("_at") else replaced(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [HOSTILE if isinstance(item, str) else replaced(item) for item in value]
    return value


def test_simulated_stands_first() -> None:
    """On a simulated cluster the page says so before anything else; on a real one it never says it."""
    scorecard = story.scorecard()
    assert "Simulated cluster (" not in page(scorecard)
    scorecard["drill"]["simulated_clusters"] = ["primary"]
    text = page(scorecard)
    assert text.index("Simulated cluster (primary)") < text.index("<h1>")


def test_no_evidence() -> None:
    """A drill of which nothing was captured still gets a page, with what is missing said in each section."""
    scorecard = story.scorecard()
    scorecard |= {"ledger": [], "backlog": [], "coverage": [], "totals": dict.fromkeys(scorecard["totals"], 0)}
    scorecard["drill"] |= {
        "title": None,
        "started_at": None,
        "ended_at": None,
        "platform": {"name": None, "pattern": None},
    }
    scorecard["recovery"] |= {
        **dict.fromkeys(("clock_started_at", "impact_at", "restored_at", "rta_seconds_low", "rta_seconds_high")),
        "outcome": "unknown",
        "verdict": "inconclusive",
        "conditions": [],
        "phases": [],
    }
    text = render_html(scorecard, empty_frames())
    assert text.count('class="empty"') == 6
    assert "Recovery time <strong>not known</strong>" in text


def test_many_findings_are_cut_and_counted() -> None:
    """Beyond a sensible number the page says how many more there are, and the command that lists them."""
    frames = story.frames()
    frames["findings"] = pl.concat([frames["findings"]] * 20)
    text = page(frames=frames)
    assert "100 findings more: rto sql BUNDLE &#34;select * from findings&#34;" in text


def test_many_partitions_are_cut_by_damage() -> None:
    """Of too many partitions the most damaged ones are listed."""
    scorecard = story.scorecard()
    hurt = {**scorecard["ledger"][2], "partition": 999}
    whole = [{**scorecard["ledger"][0], "partition": number} for number in range(100)]
    scorecard["ledger"] = [*whole, hurt]
    text = page(scorecard)
    assert "payments-db / primary / payments / 999" in text
    assert "41 partitions more" in text


def test_recovery_point_without_a_judgment() -> None:
    """Where no scan can tell, the page shows no reassuring zero."""
    scorecard = story.scorecard()
    scorecard["recovery_point"] |= {"verdict": "inconclusive"}
    assert '<span class="value">Inconclusive</span>' in page(scorecard)
