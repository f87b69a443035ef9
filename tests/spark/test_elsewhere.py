"""The same answers from Sparks that are other processes: a standalone cluster, and a Spark Connect server."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill
from tests.spark.clusters import connect_server, standalone_cluster

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    Elsewhere = Callable[[Path], AbstractContextManager[str]]

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.usefixtures("needs_spark")]

SEED = 4
RELATION = "acked_partitions"


def compared(repository: Path, bundle: Path, address: str) -> str:
    """What `tests.spark.analyze_at` says."""
    path = os.pathsep.join([str(repository), str(repository / "collectors")])
    answer = subprocess.run(
        [sys.executable, "-m", "tests.spark.analyze_at", str(bundle), address, RELATION],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return answer.stdout


@pytest.mark.parametrize("elsewhere", [standalone_cluster, connect_server])
def test_another_process_gives_the_same_answer(elsewhere: Elsewhere, repository: Path, tmp_path: Path) -> None:
    """Evidence, definition and queries reach executors of a cluster and a Connect server, and rows come back."""
    write_bundle(tmp_path / "bundle", *random_drill(SEED))
    (tmp_path / "logs").mkdir()
    with elsewhere(tmp_path / "logs") as address:
        assert compared(repository, tmp_path / "bundle", address).split() == [RELATION, "3"]
