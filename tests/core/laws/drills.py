"""Random drills as bundles, and their answers as bytes.

`RTO_TEST_DRILLS=2000` widens every law to as many drills as that; left alone, each law takes a share that keeps the
whole set within a minute or two.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtoanalytics.analysis import analyze_bundle
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reference.drill_facts import Drill
    from tests.reference.evidence import Tables

Scorecard = dict[str, Any]


def seeds(usual: int) -> range:
    """The seeds a law is tried on: the usual number of them, or as many as RTO_TEST_DRILLS says."""
    return range(int(os.environ.get("RTO_TEST_DRILLS", usual)))


@dataclass(frozen=True)
class Answers:
    """What analyzing a bundle answered: its scorecard, and every file of results/ by name."""

    scorecard: Scorecard
    files: dict[str, bytes]

    def differing(self, other: Answers) -> list[str]:
        """Files that are not the same bytes, or that only one side has."""
        names = sorted(self.files.keys() | other.files.keys())
        return [name for name in names if self.files.get(name) != other.files.get(name)]


def analyzed(root: Path) -> Answers:
    """Analyze a bundle and read back every file it wrote."""
    scorecard = analyze_bundle(root)
    return Answers(scorecard, {path.name: path.read_bytes() for path in sorted((root / "results").iterdir())})


def answers_of(root: Path, drill: Drill, tables: Tables, *, shuffle_seed: int | None = None, files: int = 1) -> Answers:
    """Write a drill as a bundle and analyze it."""
    write_bundle(root, drill, tables, shuffle_seed=shuffle_seed, files=files)
    return analyzed(root)


def answers_of_seed(root: Path, seed: int) -> Answers:
    """Analyze the random drill of a seed."""
    return answers_of(root, *random_drill(seed))


def every_verdict(scorecard: Scorecard) -> dict[str, str]:
    """Everything the scorecard judges, by name: the drill, its rows, its checks, recovery time and recovery point."""
    found = {"drill": scorecard["verdict"]}
    found["recovery"] = scorecard["recovery"]["verdict"]
    found["recovery_point"] = scorecard["recovery_point"]["verdict"]
    for row in scorecard["rows"]:
        found[f"row {row['area']}"] = row["verdict"]
        found |= {f"check {check['name']}": check["verdict"] for check in row["checks"]}
    return found
