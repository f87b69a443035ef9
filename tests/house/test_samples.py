"""The sample drills are what their page says of them: sealed, accepted, and with these verdicts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.bundle import check_bundle
from rtoanalytics.seal import verify_bundle

SAMPLES = Path(__file__).parents[2] / "sample_data"
NAMES = sorted(path.parent.name for path in SAMPLES.glob("*/drill.yaml"))
MOST_BYTES = 8_000_000
_ROW = re.compile(r"\| `(?P<name>[\w.-]+)/` \|.*\| (?P<verdict>pass|fail|inconclusive) \| (?P<recovery>[^|]*) \|")


def told() -> dict[str, tuple[str, str]]:
    """Verdict and recovery time by sample, as the page of the samples tells them."""
    rows = _ROW.finditer((SAMPLES / "README.md").read_text(encoding="utf-8"))
    return {row["name"]: (row["verdict"], row["recovery"].strip()) for row in rows}


def recovery_of(card: dict[str, object]) -> str:
    """Recovery time as the page writes it."""
    recovery = card["recovery"]
    assert isinstance(recovery, dict)
    low, high = recovery["rta_seconds_low"], recovery["rta_seconds_high"]
    if low is None:
        return "not known"
    return f"{low:.1f} s or more" if high is None else f"{low:.1f} to {high:.1f} s"


def test_every_sample_is_told() -> None:
    """The page lists the sample drills that there are, and no others."""
    assert sorted(told()) == NAMES


def test_samples_are_small() -> None:
    """All of them together are a small download."""
    files = [path for path in SAMPLES.rglob("*") if path.is_file() and "results" not in path.parts]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_as_told(name: str, tmp_path: Path) -> None:
    """Its seal holds, nothing is wrong with it, and its analysis says what the page says."""
    bundle = tmp_path / name
    shutil.copytree(SAMPLES / name, bundle, ignore=shutil.ignore_patterns("results"))
    assert not verify_bundle(bundle)
    assert not check_bundle(bundle)
    card = analyze_bundle(bundle)
    assert (card["verdict"], recovery_of(card)) == told()[name]
