"""An analysis that ends at any moment: results/ are the old ones or the new ones, whole, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.analysis import analyze_bundle, answer_bundle
from rtoanalytics.engines import summaries
from rtoanalytics.engines.limits import Limits
from rtoanalytics.engines.plan import SUMMARIES
from tests.core.scorecard.damage import duplicated
from tests.core.scorecard.passing import passing_drill

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE_SECONDS = 120
MORE_THAN_ENOUGH = 60
"""More changes of the disk than one analysis makes, or keeping what evidence says."""
NOTED = 3 + len(SUMMARIES)
"""inputs.json, and a folder with an index and each summary: files beside a prepared bundle."""
STANDING = [".analysis", "attachments", "drill.yaml", "evidence", "results"]
"""What an analyzed bundle holds."""

KILLED = """
    import os, signal, sys
    from pathlib import Path
    from rtoanalytics import results
    from rtoanalytics.analysis import analyze_bundle
    from rtoanalytics.engines.limits import Limits

    # What stands on the disk is about to become something else.
    CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "ctypes.dlsym"}
    bundle, scratch, left = None, None, 0

    def hook(event, arguments):
        is_writing = event == "open" and (arguments[1] == "w" or arguments[2] & os.O_CREAT)
        if (is_writing or event in CHANGES) and any(map(is_ours, arguments)):
            change()

    def is_ours(argument):
        return argument == "renameat2" or any(str(argument).startswith(str(place)) for place in (bundle, scratch))

    def change():
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def write_relation(table, path, write=results.write_relation):
        if path.stem in {"ledger", "timeline", "state_stretches"}:
            change()
        write(table, path)

    results.write_relation = write_relation
    for number, place in enumerate(map(Path, sys.argv[1:])):
        child = os.fork()
        if child == 0:
            bundle, scratch, left = place / "bundle", place / "scratch", number
            sys.addaudithook(hook)
            analyze_bundle(bundle, limits=Limits(scratch=scratch))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, flush=True)
        if status != -signal.SIGKILL:
            break
"""
"""Analyzes a bundle in each place. The first analysis dies before its first change of the disk, the next before its
second, and so on until one lives; prints how each ended."""

PREPARING = KILLED.replace(
    "analyze_bundle(bundle, limits=Limits(scratch=scratch))", "prepare_analysis(bundle, read_manifest(bundle)[0])"
).replace(
    "    from rtoanalytics import results\n",
    "    from rtoanalytics import results\n"
    "    from rtoanalytics.bundle.manifest import read_manifest\n"
    "    from rtoanalytics.engines import summaries\n"
    "    from rtoanalytics.prepared import prepare_analysis\n"
    "    summaries.KEPT_ROWS = 1  # whatever evidence says is kept\n",
)
"""The same of what sealing leaves beside a bundle."""

ENDLESS = """
    import os, signal, sys, threading
    from pathlib import Path
    from rtoanalytics import analysis
    from rtoanalytics.cli.main import run

    def never_ending(engine, **options):
        threading.Timer(0.3, os.kill, (os.getpid(), int(sys.argv[1]))).start()
        engine.connection.execute("select sum(a.range * b.range) from range(100000000) a, range(100000000) b")

    analysis.run_queries = never_ending
    run(["analyze", "--again", "--scratch", sys.argv[3], sys.argv[2]])
"""
"""`rto analyze` whose first query never ends, and a signal while it is computing."""


def program(text: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program with arguments and wait for its end."""
    command = [sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)]
    path = os.pathsep.join(sys.path)
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
        env={**os.environ, "PYTHONPATH": path},
    )


def results(bundle: Path) -> dict[str, bytes]:
    """Every file of results/ by name."""
    return {path.name: path.read_bytes() for path in sorted((bundle / "results").iterdir())}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with results of what it held before, so that a new analysis changes them."""
    root = tmp_path_factory.mktemp("changed") / "bundle"
    drill = passing_drill()
    drill.write(root, sealed=False)
    analyze_bundle(root)
    old = root.rename(root.with_name("old"))
    duplicated(drill)
    drill.write(root, sealed=False)
    (old / "results").rename(root / "results")
    return root


def copied(bundle: Path, place: Path) -> Path:
    """A copy of a bundle to do harm to."""
    shutil.copytree(bundle, place)
    return place


@pytest.fixture(scope="module")
def old_and_new(changed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The results of the bundle before and after the analysis that is killed."""
    new = copied(changed, tmp_path_factory.mktemp("new") / "bundle")
    analyze_bundle(new)
    assert results(new) != results(changed)
    return results(changed), results(new)


def test_killed_at_any_moment(
    changed: Path, old_and_new: tuple[dict[str, bytes], dict[str, bytes]], tmp_path: Path
) -> None:
    """Killed before a change of the disk, from the first to the last: results are old or new, and the next are new."""
    places = [tmp_path / f"{number:02}" for number in range(MORE_THAN_ENOUGH)]
    for place in places:
        (place / "scratch").mkdir(parents=True)
        copied(changed, place / "bundle")
    endings = program(KILLED, *places).stdout.split()
    total = len(endings) - 1
    assert endings == ["-9"] * total + ["0"]
    assert total < MORE_THAN_ENOUGH - 1
    stood = [old_and_new.index(results(place / "bundle")) for place in places[: total + 1]]
    assert stood == sorted(stood)
    assert set(stood) == {0, 1}
    assert 5 < stood.index(1) < total
    for place in places[: total + 1 : 3]:
        assert_next_is_whole(place, old_and_new[1])


def assert_next_is_whole(place: Path, new: dict[str, bytes]) -> None:
    """The next analysis writes the new results, and nothing of the one that was killed is left."""
    bundle, scratch = place / "bundle", place / "scratch"
    answer_bundle(bundle, limits=Limits(scratch=scratch))
    assert results(bundle) == new
    assert sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file()) == 0
    assert sorted(path.name for path in bundle.iterdir()) == STANDING


def test_killed_while_summaries_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever half of the summaries a process leaves when it is killed, the next analysis answers as one from nothing.

    It keeps all of them, and nothing else is left.
    """
    sealed = passing_drill().write(tmp_path / "sealed")
    places = [tmp_path / f"{number:02}" for number in range(MORE_THAN_ENOUGH)]
    for place in places:
        copied(sealed, place / "bundle")
    endings = program(PREPARING, *places).stdout.split()
    total = len(endings) - 1
    assert endings == ["-9"] * total + ["0"]
    assert 2 * len(SUMMARIES) < total < MORE_THAN_ENOUGH - 1
    analyze_bundle(sealed)
    monkeypatch.setattr(summaries, "KEPT_ROWS", 1)
    for place in places[: total + 1 : 4]:
        analyze_bundle(place / "bundle")
        assert results(place / "bundle") == results(sealed)
        assert len(list((place / "bundle" / ".analysis").rglob("*"))) == NOTED


@pytest.mark.parametrize(("number", "status"), [(2, 130), (15, 143)], ids=["SIGINT", "SIGTERM"])
def test_stopped_while_the_engine_computes(changed: Path, tmp_path: Path, number: int, status: int) -> None:
    """A signal ends a query that would never end: one line, the status shells expect, old results, no scratch left."""
    bundle = copied(changed, tmp_path / "bundle")
    before = results(bundle)
    (tmp_path / "scratch").mkdir()
    ended = program(ENDLESS, number, bundle, tmp_path / "scratch")
    assert (ended.returncode, ended.stdout) == (status, "")
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("rto: ")
    assert results(bundle) == before
    assert not list((tmp_path / "scratch").iterdir())
    assert not list(bundle.glob(".results*"))
