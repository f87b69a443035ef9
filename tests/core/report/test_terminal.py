"""The scorecard on a terminal: fits, says everything without color, and is not steered by evidence."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from rtoanalytics.report.terminal import print_scorecard
from tests.core.report import story
from tests.core.report.goldens import assert_golden

ESCAPE = "\x1b"


def printed(scorecard: story.Scorecard, width: int = 80, *, color: bool = False, encoding: str = "utf-8") -> str:
    """What a terminal of that width receives."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    print_scorecard(
        scorecard, Console(file=file, width=width, force_terminal=color, color_system="standard" if color else None)
    )
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [80, 100])
def test_scorecard(width: int) -> None:
    """The story's scorecard is exactly this text, and no line is longer than the terminal is wide."""
    text = printed(story.scorecard(), width)
    assert_golden(f"terminal-{width}.txt", text)
    assert max(map(cell_len, text.splitlines())) <= width


def test_color_adds_nothing() -> None:
    """With the colors taken away, the colored text is the plain one: nothing is told by color alone."""
    colored = printed(story.scorecard(), color=True)
    assert ESCAPE in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == printed(story.scorecard())


def test_verdict_first() -> None:
    """The first line begins with the verdict, and says why."""
    first = printed(story.scorecard(), 110).splitlines()[0]
    assert first.startswith("✗ FAIL  Offset integrity did not hold;")


def test_simulated_before_everything() -> None:
    """On a simulated cluster the first words say so."""
    scorecard = story.scorecard()
    scorecard["drill"]["simulated_clusters"] = ["primary"]
    assert printed(scorecard).startswith(" SIMULATED CLUSTER ")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_terminals_without_unicode(encoding: str) -> None:
    """What the terminal cannot show is replaced, never refused."""
    scorecard = story.scorecard()
    scorecard["drill"]["title"] = "Zahlungsflüsse → 北京"
    assert "FAIL" in printed(scorecard, encoding=encoding)


def test_evidence_cannot_steer_the_terminal() -> None:
    """Control characters and markup in evidence are shown as text or left out."""
    scorecard = story.scorecard()
    scorecard["drill"]["title"] = "\x1b[2Jgone\x07 [red]x[/red]\r\n"
    scorecard["rows"][0]["headline"] = "\x9b31m[bold]headline"
    text = printed(scorecard)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert "[red]x[/red]" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "censored", "restored_at": None, "rta_seconds_high": None}, "39 s or more"),
        ({"outcome": "no_impact", "rta_seconds_low": 0.0, "rta_seconds_high": 0.0}, "no impact"),
        ({"outcome": "unknown", "rta_seconds_low": None, "rta_seconds_high": None}, "not known"),
        ({"rto_seconds": 0.0, "rta_seconds_low": 0.0, "rta_seconds_high": 0.0}, "0 s"),
    ],
)
def test_every_outcome(changes: dict[str, object], words: str) -> None:
    """Every outcome of a recovery is put in words, zero objectives included."""
    scorecard = story.scorecard()
    scorecard["recovery"] |= changes
    assert f"Recovery time  {words}" in printed(scorecard)
