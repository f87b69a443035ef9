"""Drills to compare: facts that a test sets, as readings in memory or as analyzed bundles on disk.

The scorecard is the golden one of a drill that passes, with what the facts say put into it, so that its shape is always
that of a real analysis.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from rtoanalytics.compare import Library, Question, Rule, compare_library
from rtoanalytics.compare.readings import BurnDown, Reading
from rtoanalytics.compare.scorecards import Scorecard
from rtoanalytics.drill import parse_drill
from rtoanalytics.results import RELATIONS, scorecard_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "passing.scorecard.json").read_text("utf-8")
)
TODAY = date(2026, 11, 23)
Document = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """One drill, as far as comparisons look at it."""

    id: str
    day: date = date(2026, 8, 20)
    flow: str = "payments"
    inject: str = "broker-kill"
    platform: str = "kafka-4.1"
    rta: tuple[float, float | None] | None = (23.0, 24.0)
    """Recovery time in seconds; None: not known."""
    counts: dict[str, int | None] = field(default_factory=dict)
    """Check → what it measured."""
    verdicts: dict[str, str] = field(default_factory=dict)
    """Check → verdict."""
    load: float | None = 100.0
    step_seconds: float = 1.0
    interval_seconds: float = 1.0
    rto_seconds: float = 120.0
    criteria: dict[str, int] = field(default_factory=dict)
    is_simulated: bool = False
    monthly: float | None = None
    phases: dict[str, float] = field(default_factory=dict)
    holes: dict[str, int] = field(default_factory=dict)
    """Table → holes in its capture."""
    is_dated: bool = True

    @property
    def clock_started_at(self) -> datetime:
        """Ten o'clock of that day."""
        return datetime.combine(self.day, time(10), UTC)


def quarters(count: int, **same: Any) -> list[Facts]:  # noqa: ANN401  (fields of Facts)
    """Drills of one series, a quarter apart, the last one lately."""
    first = TODAY - timedelta(days=91 * (count - 1) + 3)
    return [Facts(f"q{number}", first + timedelta(days=91 * number), **same) for number in range(count)]


def definition(facts: Facts) -> dict[str, Any]:
    """drill.yaml of a drill."""
    conditions = [{"kind": "lag", "group_id": "sink", "max_records": 100}]
    return {
        "schema_version": 1,
        "id": facts.id,
        "title": f"Drill {facts.id}",
        "platform": {"name": facts.platform, "pattern": "single-cluster"},
        "flow": {
            "name": facts.flow,
            "owner": f"{facts.flow}-team",
            "topics": [{"name": facts.flow}],
            "groups": [{"id": "sink"}],
        },
        "inject": {"kind": facts.inject},
        "objectives": {
            "rto_seconds": facts.rto_seconds,
            "restored_when": {"step_seconds": facts.step_seconds, "conditions": conditions},
        },
        "criteria": facts.criteria,
        "costs": [] if facts.monthly is None else [{"item": "all", "monthly": facts.monthly, "currency": "USD"}],
    }


def scorecard(facts: Facts) -> dict[str, Any]:
    """scorecard.json of a drill."""
    made = copy.deepcopy(GOLDEN)
    started = facts.clock_started_at if facts.is_dated else None
    made["drill"] |= {
        "id": facts.id, "title": f"Drill {facts.id}", "flow": facts.flow, "inject": facts.inject,
        "platform": {"name": facts.platform, "pattern": "single-cluster"},
        "started_at": started.isoformat() if started else None,
        "simulated_clusters": ["primary"] if facts.is_simulated else [],
    }  # fmt: skip
    _recover(made, facts)
    for entry in made["coverage"]:
        entry["holes"] = facts.holes.get(entry["table"], entry["holes"])
    for row in made["rows"]:
        for check in row["checks"]:
            name = check["name"]
            check["measured"] = facts.counts.get(name, check["measured"])
            check["verdict"] = facts.verdicts.get(name, check["verdict"])
            if name in facts.counts or name in facts.verdicts:
                check["reason"] = f"{name} of {facts.id}"
        row["verdict"] = worst(check["verdict"] for check in row["checks"])
    made["verdict"] = worst(row["verdict"] for row in made["rows"])
    return made


def worst(verdicts: Iterable[str]) -> str:
    """The worst of verdicts, by their words."""
    order = ("not_applicable", "pass", "inconclusive", "fail")
    return max(verdicts, key=order.index)


def _recover(made: dict[str, Any], facts: Facts) -> None:
    low, high = facts.rta or (None, None)
    outcome = "unknown" if facts.rta is None else "censored" if high is None else "restored"
    verdict = "inconclusive"
    if high is not None and high <= facts.rto_seconds:
        verdict = "pass"
    elif low is not None and low >= facts.rto_seconds:
        verdict = "fail"
    made["recovery"] |= {
        "clock_started_at": facts.clock_started_at.isoformat() if facts.is_dated else None,
        "rta_seconds_low": low, "rta_seconds_high": high, "rto_seconds": facts.rto_seconds,
        "outcome": outcome, "verdict": verdict,
    }  # fmt: skip
    for phase in made["recovery"]["phases"]:
        phase["seconds"] = facts.phases.get(phase["name"], phase["seconds"])
    (check,) = (check for row in made["rows"] for check in row["checks"] if check["name"] == "recovery_time")
    check |= {"verdict": verdict, "measured": high if high is not None else low, "limit": facts.rto_seconds}


def reading(facts: Facts) -> Reading:
    """A drill as it is read from its bundle."""
    return Reading(
        bundle=f"drills/{facts.id}",
        drill=parse_drill(yaml.safe_dump(definition(facts)).encode()),
        scorecard=Scorecard.model_validate_json(json.dumps(scorecard(facts))),
        burn_down=BurnDown(facts.load, 200),
        sampling_seconds={"watermarks": facts.interval_seconds, "commits": facts.interval_seconds},
    )


def library(*drills: Facts) -> Library:
    """Drills that were read without a problem."""
    return Library(tuple(reading(facts) for facts in drills), ())


def compared(*drills: Facts, **rule: Any) -> Document:  # noqa: ANN401  (fields of Rule)
    """The comparison of drills as of TODAY."""
    return compare_library(library(*drills), Question(TODAY, rule=Rule(**rule)))


def write_bundle(folder: Path, facts: Facts) -> Path:
    """A bundle of a drill that was analyzed and whose evidence went elsewhere."""
    root = folder / facts.id
    results = root / "results"
    results.mkdir(parents=True)
    (root / "drill.yaml").write_text(yaml.safe_dump(definition(facts)), "utf-8")
    for relation in RELATIONS:
        pl.DataFrame(schema={"nothing": pl.Int64}).write_parquet(results / f"{relation}.parquet")
    burn_down(facts).write_parquet(results / "burn_down.parquet")
    pl.DataFrame(
        {"table_name": ["watermarks", "commits"], "interval_seconds": [facts.interval_seconds] * 2}
    ).write_parquet(results / "coverage.parquet")
    (results / "scorecard.json").write_bytes(scorecard_bytes(scorecard(facts)))
    return root


def burn_down(facts: Facts) -> pl.DataFrame:
    """Half a minute of load before the clock start and a lag of 200 after it."""
    load = facts.load or 0
    steps = range(-30, 31)
    return pl.DataFrame(
        {
            "group_id": ["sink"] * len(steps),
            "step_at": [facts.clock_started_at + timedelta(seconds=second) for second in steps],
            "cluster": ["primary"] * len(steps),
            "lag_records_high": [200] * len(steps),
            "log_end_offsets": [None if facts.load is None else round(1_000_000 + load * second) for second in steps],
        },
        schema={
            "group_id": pl.String,
            "step_at": pl.Datetime("us", "UTC"),
            "cluster": pl.String,
            "lag_records_high": pl.Int64,
            "log_end_offsets": pl.Int64,
        },
    )


def with_id(facts: Facts, name: str, **changed: Any) -> Facts:  # noqa: ANN401  (fields of Facts)
    """The same drill under another id, with what is changed."""
    return replace(facts, id=name, **changed)


def story() -> list[Facts]:
    """Drills worth telling: a flow that got better for a year and then worse, and others that stand beside it."""
    year = [
        replace(
            one,
            rta=(40.0 - 4 * place, 42.0 - 4 * place),
            phases={"detect": 10.0 - place, "first_ack": 12.0 - place, "restored": 8.0},
        )
        for place, one in enumerate(quarters(5, monthly=4200.0))
    ]
    worse = {"duplicated_records": "fail", "rollback_rehearsed": "fail"}
    year[4] = replace(
        year[4], rta=(55.0, 58.0), counts={"duplicated_records": 7}, verdicts=worse,
        phases={"detect": 20.0, "first_ack": 25.0, "restored": 10.0},
    )  # fmt: skip
    split: dict[str, Any] = {"flow": "ledger", "inject": "network-partition"}
    return [
        *year,
        with_id(year[3], "older-objective", day=date(2025, 5, 1), rto_seconds=60.0),
        with_id(year[3], "four-times-the-load", day=date(2026, 9, 1), load=400.0),
        Facts("ledger-1", date(2026, 3, 1), **split, verdicts={"skipped_records": "inconclusive"}),
        Facts("ledger-2", date(2026, 6, 1), **split, rta=(150.0, None), monthly=900.0),
        Facts("other-platform", date(2026, 10, 1), platform="kafka-5.0", rta=(11.0, 12.0), monthly=6100.0),
        Facts("sim-1", date(2026, 10, 2), flow="orders", is_simulated=True),
        Facts("sim-2", date(2026, 11, 2), flow="orders", is_simulated=True),
    ]
