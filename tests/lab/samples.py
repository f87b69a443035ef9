"""The sample drills, and how each was captured: `python -m tests.lab.samples sample_data [NAME]…`.

Every one is a drill on real brokers, conducted and captured here and now. Those that stand for a date of their own
are moved there by whole days, which their events say; nothing else of them is touched.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtoanalytics.seal import seal_bundle
from tests.lab.dating import move_to
from tests.lab.harness.kafka import LabCluster
from tests.lab.scenarios import mirror_failover, unclean_election
from tests.lab.scenarios.flow import Traffic
from tests.lab.scenarios.zone_loss import Readiness, zone_loss

if TYPE_CHECKING:
    from collections.abc import Sequence


Conduct = Callable[[LabCluster, Path, Traffic], object]
"""Conducts one drill on a running cluster into a bundle's folder."""
TRAFFIC = Traffic(records_per_second=60.0, steady_seconds=10.0, after_seconds=9.0)
"""Little enough for a repository, long enough for a baseline."""


@dataclass(frozen=True)
class Sample:
    """One sample drill."""

    conduct: Conduct
    day: date | None = None
    """The date it stands for; None: the date it was captured."""


def samples() -> dict[str, Sample]:
    """Every sample drill by the name of its folder."""
    return {
        **{name: Sample(_quarter(name, day, readiness, change), day) for name, day, readiness, change in QUARTERS},
        "failover-with-replay": Sample(mirror_failover.conduct),
        "overwritten-log": Sample(unclean_election.conduct),
    }


def capture(name: str, folder: Path) -> None:
    """Conduct one sample drill into `folder`/`name`, which is replaced."""
    sample, bundle = samples()[name], folder / name
    shutil.rmtree(bundle, ignore_errors=True)
    bundle.mkdir(parents=True)
    with (
        tempfile.TemporaryDirectory(prefix="rto-lab-") as scratch,
        LabCluster("primary", Path(scratch) / "primary") as cluster,
    ):
        sample.conduct(cluster, bundle, TRAFFIC)
    if sample.day is not None:
        (bundle / "manifest.json").unlink()
        move_to(bundle, sample.day)
        seal_bundle(bundle)


def _quarter(name: str, day: date, readiness: Readiness, change: Callable[[dict[str, Any]], None]) -> Conduct:
    def amend(document: dict[str, Any]) -> None:
        change(document)
        for sign_off in document["rollback"].get("sign_offs", ()):
            sign_off["at"] = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)

    return zone_loss(readiness, f"payments-{name}", amend)


def _unprepared(document: dict[str, Any]) -> None:
    """The first drill: nobody has reviewed access, nobody has rehearsed the way back or signs for it."""
    document["governance"][0]["evidence"] = "attachments/to-be-written.md"
    document["rollback"] = {"authority": "incident commander", "rehearsed": False}
    document["costs"] = [_cost("three brokers in three zones", 4200)]


def _reviewed(document: dict[str, Any]) -> None:
    """Access is reviewed; the way back is written down, not rehearsed."""
    document["rollback"]["rehearsed"] = False
    document["costs"] = [_cost("three brokers in three zones", 4200)]


def _rehearsed(document: dict[str, Any]) -> None:
    """Access is reviewed, the way back rehearsed."""
    document["costs"] = [_cost("three brokers in three zones", 4200)]


def _unsigned(document: dict[str, Any]) -> None:
    """As before, and nobody was there to sign."""
    document["rollback"]["sign_offs"] = []
    _alerted(document)


def _alerted(document: dict[str, Any]) -> None:
    """With alerting on the group's lag."""
    document["costs"] = [_cost("three brokers in three zones", 4200), _cost("alerting on lag", 300)]


def _cost(item: str, monthly: int) -> dict[str, Any]:
    return {"item": item, "monthly": monthly, "currency": "USD"}


QUARTERS = (
    ("2026-q1-zone-loss", date(2026, 1, 20), Readiness(35.0, 4.0, is_idempotent=False), _unprepared),
    ("2026-q2-zone-loss", date(2026, 4, 14), Readiness(33.0, 3.0, is_idempotent=False), _reviewed),
    ("2026-q2-zone-loss-again", date(2026, 6, 16), Readiness(31.0, 2.0, is_idempotent=True), _rehearsed),
    ("2026-q3-zone-loss", date(2026, 8, 25), Readiness(4.0, 2.0, is_idempotent=True), _unsigned),
    ("2026-q4-zone-loss", date(2026, 11, 10), Readiness(3.0, 1.0, is_idempotent=True), _alerted),
)
"""One payments flow over four quarters: folder, date, how ready, and what its definition had by then."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Capture what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.samples", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the bundles go, such as sample_data")
    parser.add_argument("names", nargs="*", metavar="SAMPLE", help="samples to capture; all when none is named")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in samples()]
    if unknown:
        parser.error(f"found no sample {', '.join(unknown)}; there are: {', '.join(samples())}")
    for name in asked.names or samples():
        capture(name, asked.folder)
        print(f"{asked.folder / name}", flush=True)  # noqa: T201  (what the command says)
    return 0


if __name__ == "__main__":
    sys.exit(main())
