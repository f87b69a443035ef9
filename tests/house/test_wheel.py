"""What people install is whole: every query, both packages, the sample, and nothing of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.house.tracked_files import PROJECT, REPOSITORY, tracked_files

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDERS: Mapping[str, str] = {
    "rtoanalytics": "rtoanalytics",
    "collectors/rtoanalytics_collectors": "rtoanalytics_collectors",
    "app/rtoanalytics_app": "rtoanalytics_app",
    "queries": "rtoanalytics/queries",
    "sample_data": "rtoanalytics/sample_data",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel: Path) -> frozenset[str]:
    """Names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.mark.parametrize(("folder", "place"), FOLDERS.items())
def test_every_file_is_in(contents: frozenset[str], folder: str, place: str) -> None:
    """Every file of the packages, of queries/ and of sample_data/ is in the wheel at its place."""
    expected = {
        f"{place}/{path.relative_to(folder).as_posix()}" for path in tracked_files() if path.is_relative_to(folder)
    }
    assert expected
    assert expected <= contents


def test_nothing_else_is_in(contents: frozenset[str]) -> None:
    """The wheel brings three import names and its own metadata: no tests, no benchmarks, no documentation."""
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "rtoanalytics",
        "rtoanalytics_app",
        "rtoanalytics_collectors",
    }
    assert not [name for name in contents if "tests" in name.split("/") or name.endswith(".pyc")]


def test_types_and_license_are_in(contents: frozenset[str]) -> None:
    """Type checkers see the annotations, and lawyers the license."""
    assert {f"{name}/py.typed" for name in ("rtoanalytics", "rtoanalytics_app", "rtoanalytics_collectors")} <= contents
    assert [name for name in contents if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_installed_queries_are_found(wheel: Path, tmp_path: Path) -> None:
    """Unpacked somewhere else, the package finds its own queries, not those of a checkout."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import rtoanalytics, rtoanalytics.queries as queries; "
        "print(rtoanalytics.__file__); "
        "print(*sorted([*queries.load_queries(), *(f'{query.name}.{engine}' "
        "for query in queries.load_queries().values() for engine in query.own_words)]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    place, names = answer.stdout.splitlines()
    assert Path(place).is_relative_to(tmp_path)
    assert names.split() == sorted(path.stem for path in (REPOSITORY / "queries").glob("*.sql"))


@pytest.mark.parametrize(
    ("group", "name", "target"),
    [("scripts", *script) for script in PROJECT["scripts"].items()]
    + [(group, *point) for group, points in PROJECT.get("entry-points", {}).items() for point in points.items()],
)
def test_entry_points_lead_somewhere(group: str, name: str, target: str) -> None:
    """Every command that the wheel announces can be loaded and called."""
    assert callable(EntryPoint(name, target, group).load())
