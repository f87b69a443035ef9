"""`python -m benchmarks.compare`: how long `rto compare` takes on a library of a thousand analyzed drills.

Makes the library in a temporary folder: five flows with four faults each on two platforms, quarter after quarter, every
drill with a definition, a scorecard and the result frames of an hour in steps of one second. Prints the seconds of each
form of the answer, from the start of the process to its end, and one line of JSON. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from benchmarks.measuring import CHECKOUT, machine
from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.drill import STARTING_FILE
from rtoanalytics.results import FOLDER, SCORECARD

FLOWS, FAULTS, PLATFORMS = 5, 4, 2
STEPS = 3600
FIRST_DAY = date(2014, 1, 6)
FORMS = {"table": [], "json": ["--json"], "csv": ["--csv"], "html": ["--html", "comparison.html"]}
VERDICTS = frozenset({0, 1, 2})
"""Exit statuses of a comparison that ran."""


def make_library(folder: Path, drills: int) -> None:
    """Write that many analyzed bundles; the same number gives the same library."""
    template = folder / "template"
    template.mkdir(parents=True)
    (template / "drill.yaml").write_text(STARTING_FILE.format(id="template"), "utf-8")
    scorecard = analyze_bundle(template)
    seed = random.Random(drills)
    for number in range(drills):
        _make_bundle(folder / "drills" / f"drill-{number:05}", number, template, scorecard, seed)


def _make_bundle(root: Path, number: int, template: Path, scorecard: dict[str, Any], seed: random.Random) -> None:
    place = number % (FLOWS * FAULTS * PLATFORMS)
    quarter = number // (FLOWS * FAULTS * PLATFORMS)
    clock = datetime.combine(FIRST_DAY + timedelta(days=91 * quarter + place), datetime.min.time(), UTC)
    flow, fault, platform = f"flow-{place % FLOWS}", f"fault-{place // FLOWS % FAULTS}", f"platform-{place % PLATFORMS}"
    shutil.copytree(template / FOLDER, root / FOLDER)
    definition = (template / "drill.yaml").read_text("utf-8")
    definition = definition.replace("id: template", f"id: {root.name}", 1)
    parts = {"name": flow, "kind": fault, "platform": platform}
    (root / "drill.yaml").write_text(_with(definition, parts), "utf-8")
    _burn_down(clock, 1000 + seed.randrange(20)).write_parquet(root / FOLDER / "burn_down.parquet")
    (root / FOLDER / SCORECARD).write_text(json.dumps(_judged(scorecard, root.name, flow, clock, seed)), "utf-8")
    for path in (root / FOLDER).iterdir():
        os.utime(path)


def _with(definition: str, parts: dict[str, str]) -> str:
    """The starting file as another flow, fault and platform; its comments stay."""
    document = yaml.safe_load(definition)
    document["flow"]["name"] = parts["name"]
    document["inject"] = {"kind": parts["kind"]}
    document["platform"] = {"name": parts["platform"]}
    text: str = yaml.safe_dump(document)
    return text


def _judged(scorecard: dict[str, Any], name: str, flow: str, clock: datetime, seed: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(scorecard))
    made["drill"] |= {"id": name, "flow": flow, "started_at": clock.isoformat()}
    low = 20 + seed.randrange(100)
    made["recovery"] |= {
        "clock_started_at": clock.isoformat(), "rta_seconds_low": low, "rta_seconds_high": low + 2,
        "outcome": "restored",
    }  # fmt: skip
    for row in made["rows"]:
        for check in row["checks"]:
            check["verdict"], check["measured"] = seed.choice(["pass", "pass", "pass", "fail"]), seed.randrange(50)
        row["verdict"] = "fail" if any(check["verdict"] == "fail" for check in row["checks"]) else "pass"
    made["coverage"] = [
        {"collector": table, "target": None, "table": table, "complete": True, "holes": 0, "first_at": None,
         "last_at": None, "heartbeats": STEPS}
        for table in ("acks", "applied", "commits", "watermarks")
    ]  # fmt: skip
    return made


def _burn_down(clock: datetime, load: int) -> pl.DataFrame:
    steps = pl.datetime_range(
        clock - timedelta(seconds=STEPS // 2), clock + timedelta(seconds=STEPS // 2 - 1), "1s", eager=True
    )
    rows = pl.DataFrame({"group_id": "sink", "step_at": steps.dt.cast_time_unit("us"), "cluster": "primary"})
    return rows.with_columns(
        lag_records_high=pl.lit(200, pl.Int64), log_end_offsets=pl.int_range(pl.len(), dtype=pl.Int64) * load
    )


def seconds_of(folder: Path, options: list[str]) -> float:
    """One run of the command over the whole library, in a process of its own. RuntimeError when it could not run."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "rtoanalytics", "compare", "drills", *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "collectors")])}
    ended = subprocess.run(
        command, cwd=folder, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    if ended.returncode not in VERDICTS:
        msg = f"rto compare ended with status {ended.returncode}: {ended.stderr[:500]}"
        raise RuntimeError(msg)
    return round(time.perf_counter() - started, 2)


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description="Measure rto compare.")
    parser.add_argument("--drills", type=int, default=1000, metavar="N", help="drills in the library (default 1000)")
    drills = parser.parse_args().drills
    with tempfile.TemporaryDirectory() as folder:
        make_library(Path(folder), drills)
        seconds = {form: seconds_of(Path(folder), options) for form, options in FORMS.items()}
    for form, taken in seconds.items():
        print(f"{form:<6} {taken:>7.2f} s")
    print(json.dumps({"machine": machine(), "drills": drills, "seconds": seconds}))


if __name__ == "__main__":
    main()
