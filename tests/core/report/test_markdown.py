"""The Markdown report: the same content as tables, and evidence only ever as text."""

from __future__ import annotations

import polars as pl

from rtoanalytics.report.markdown import render_markdown
from tests.core.report import story
from tests.core.report.goldens import assert_golden


def test_document() -> None:
    """The story's document is exactly this one."""
    assert_golden("report.md", render_markdown(story.scorecard(), story.frames()))


def test_text_from_evidence_is_only_text() -> None:
    """Pipes, tags, emphasis and line breaks in evidence neither break a table nor become markup."""
    frames = story.frames()
    frames["findings"] = frames["findings"].with_columns(topic=pl.lit("a|b <script> *x*\n# y [z](w)"))
    text = render_markdown(story.scorecard(), frames)
    assert "<script" not in text
    assert r"a\|b &lt;script&gt; \*x\* \# y \[z\](w)" in text
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert "# y" not in " ".join(heads)


def test_simulated_stands_first() -> None:
    """On a simulated cluster the document begins with saying so."""
    scorecard = story.scorecard()
    scorecard["drill"]["simulated_clusters"] = ["primary"]
    assert render_markdown(scorecard, story.frames()).startswith("> **Simulated cluster (primary)")
