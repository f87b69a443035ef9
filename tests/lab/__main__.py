"""`python -m tests.lab`: conduct scenarios of the drill lab, and keep or throw away what they captured."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rtoanalytics.errors import RtoError
from tests.lab.harness.jars import POMS, fetch
from tests.lab.harness.kafka import LabCluster
from tests.lab.scenarios.flow import Traffic
from tests.lab.scenarios.scenario import Scenario, scenarios

if TYPE_CHECKING:
    from collections.abc import Sequence

_COULD_NOT_RUN = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Conduct what was asked for; 0 when every bundle was captured and accepted, 3 when one could not be."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    known = scenarios()
    if asked.do == "list":
        _say("\n".join(f"{scenario.name:20} {scenario.title}" for scenario in known.values()))
        return 0
    try:
        if asked.do == "fetch":
            _fetch()
        else:
            _run(asked, known, parser)
    except RtoError as error:
        print(error, file=sys.stderr)  # noqa: T201  (why the command could not)
        return _COULD_NOT_RUN
    return 0


def _fetch() -> None:
    """Bring everything that the lab runs, so that no test waits for it."""
    for name, pom in POMS.items():
        jars = sum(1 for _ in fetch(pom, name).glob("*.*"))
        _say(f".lab/{name}: {jars} files")


def _run(asked: argparse.Namespace, known: dict[str, Scenario], parser: argparse.ArgumentParser) -> None:
    """Conduct the scenarios that were asked for; those that need proxies between brokers come last."""
    unknown = [name for name in asked.names if name not in known]
    if unknown:
        parser.error(f"found no scenario {', '.join(unknown)}; there are: {', '.join(known)}")
    if asked.bundle and len(asked.names) != 1:
        parser.error("--bundle takes the drill of one scenario; name it")
    traffic = Traffic(asked.rate, asked.steady_seconds, asked.after_seconds)
    wanted = [known[name] for name in asked.names] or list(known.values())
    for has_proxied_peers in (False, True):
        alike = [scenario for scenario in wanted if scenario.has_proxied_peers == has_proxied_peers]
        with ExitStack() as stack:
            _conduct_all(alike, asked.bundle, traffic, stack)


def _conduct_all(wanted: list[Scenario], bundle: Path | None, traffic: Traffic, stack: ExitStack) -> None:
    """Conduct scenarios one after the other on one cluster."""
    if not wanted:
        return
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rto-lab-")))
    with LabCluster("primary", folder / "primary", has_proxied_peers=wanted[0].has_proxied_peers) as cluster:
        for scenario in wanted:
            cluster.repair()
            began = time.monotonic()
            kept = bundle or folder / scenario.name
            kept.mkdir(parents=True, exist_ok=True)
            scenario.conduct(cluster, kept, traffic)
            _say(f"{scenario.name}: {_found(kept)} ({time.monotonic() - began:.0f} s)")


def _found(bundle: Path) -> str:
    """What `rto analyze` finds in a bundle, in one line. Raises RtoError when it refuses it."""
    command = [sys.executable, "-m", "rtoanalytics", "analyze", str(bundle), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode == _COULD_NOT_RUN:
        raise RtoError(answer.stderr)
    card = json.loads(answer.stdout)
    counts = ", ".join(f"{name} {count}" for name, count in card["totals"].items() if count)
    recovery = card["recovery"]
    seconds = f"{recovery['rta_seconds_low']}..{recovery['rta_seconds_high']}"
    return f"{card['verdict']}; {recovery['outcome']} after {seconds} s; {counts or 'no acks'}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (what the command is for)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="do", required=True)
    commands.add_parser("list", help="list the scenarios")
    commands.add_parser("fetch", help="bring the jars that the lab runs, once")
    run = commands.add_parser("run", help="conduct scenarios on a real cluster; all when none is named")
    run.add_argument("names", nargs="*", metavar="SCENARIO")
    run.add_argument("--bundle", type=Path, help="folder that keeps the captured drill (of one scenario)")
    run.add_argument("--rate", type=float, default=Traffic.records_per_second, help="records a second")
    run.add_argument("--steady-seconds", type=float, default=Traffic.steady_seconds, help="traffic before the fault")
    run.add_argument("--after-seconds", type=float, default=Traffic.after_seconds, help="traffic after the recovery")
    return parser


if __name__ == "__main__":
    sys.exit(main())
