"""What is kept of evidence between analyses changes no byte of results/, whatever becomes of it."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.bundle import evidence_select
from rtoanalytics.engines import summaries
from rtoanalytics.engines.plan import LONG, SUMMARIES, VIEWS
from rtoanalytics.engines.segments import INDEX
from rtoanalytics.queries import load_queries
from rtoanalytics.schemas import TABLES
from tests.core.laws.drills import analyzed, seeds
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rtoanalytics.bundle import EvidenceFile
    from tests.core.laws.drills import Answers

FILES = 4
"""Of each table."""
DECIDED_SEED = 1
"""A drill in which the clock started."""


@pytest.fixture(autouse=True)
def keeps_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what even a single row says, and put segments together soon."""
    monkeypatch.setattr(summaries, "KEPT_ROWS", 1)
    monkeypatch.setattr(summaries, "MOST_SEGMENTS", 2)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the evidence files that summaries read from now on."""
    names: list[str] = []

    def noted(table: str, files: Sequence[EvidenceFile], **options: Mapping[str, str | None]) -> str:
        names.extend(file.name for file in files)
        return evidence_select(table, files, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(summaries, "evidence_select", noted)
    return names


def from_nothing(bundle: Path) -> Answers:
    """The answers of a copy of a bundle's inputs, of which nothing is kept and nothing is going to be."""
    copy = bundle.with_name(f"{bundle.name}-from-nothing")
    shutil.copytree(bundle, copy, ignore=shutil.ignore_patterns(".analysis", "results"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(summaries, "KEPT_ROWS", 10**9)
        answers = analyzed(copy)
    assert not kept(copy).exists()
    shutil.rmtree(copy)
    return answers


def kept(bundle: Path) -> Path:
    """The folder of what is kept."""
    return bundle / ".analysis" / "summaries"


def drill_of(place: Path, seed: int) -> Path:
    """A random drill as a bundle of several files a table."""
    write_bundle(place, *random_drill(seed), shuffle_seed=seed, files=FILES)
    return place


def evidence(bundle: Path) -> list[Path]:
    """Every file of the tables that are summed up."""
    return sorted(path for table in set(SUMMARIES.values()) for path in (bundle / "evidence" / table).glob("*.parquet"))


def names_of(bundle: Path) -> set[str]:
    """Names of the files of those tables in the bundle."""
    return {path.relative_to(bundle).as_posix() for path in evidence(bundle)}


@pytest.mark.parametrize("seed", seeds(6))
def test_what_is_kept_says_what_the_evidence_says(tmp_path: Path, read: list[str], seed: int) -> None:
    """The same bytes from nothing, when summaries are kept, and from what was kept; then no evidence is summed up."""
    bundle = drill_of(tmp_path / "bundle", seed)
    expected = from_nothing(bundle)
    assert read == []
    assert analyzed(bundle) == expected
    assert set(read) == names_of(bundle)
    read.clear()
    assert analyzed(bundle) == expected
    assert read == []


@pytest.mark.parametrize("seed", seeds(3))
def test_evidence_arrives_file_by_file(tmp_path: Path, read: list[str], seed: int) -> None:
    """With an analysis after each arrival, each says what one from nothing says, and sums up only what is new."""
    whole = drill_of(tmp_path / "whole", seed)
    bundle = tmp_path / "bundle"
    shutil.copytree(whole, bundle, ignore=shutil.ignore_patterns("part-001*", "part-002*", "part-003*"))
    shutil.copytree(whole / "evidence" / "events", bundle / "evidence" / "events", dirs_exist_ok=True)
    analyze_bundle(bundle)
    for number in range(1, FILES):
        read.clear()
        for path in whole.rglob(f"part-{number:03}.parquet"):
            shutil.copy(path, bundle / path.relative_to(whole))
        assert analyzed(bundle) == from_nothing(bundle)
        assert all(name.endswith(f"part-{number:03}.parquet") for name in read)
    assert max(len(list(kept(bundle).glob(f"{query}-*"))) for query in SUMMARIES) <= summaries.MOST_SEGMENTS


@pytest.mark.parametrize("seed", seeds(4))
def test_evidence_goes_and_is_replaced(tmp_path: Path, seed: int) -> None:
    """Nothing that is kept of a file outlives it, nor what it held before."""
    bundle = drill_of(tmp_path / "bundle", seed)
    analyze_bundle(bundle)
    removed, *rest = random.Random(seed).sample(evidence(bundle), FILES)
    removed.unlink()
    assert analyzed(bundle) == from_nothing(bundle)
    for replaced in rest:
        shutil.copy(next(replaced.parent.iterdir()), bundle / "copy")
        (bundle / "copy").rename(replaced)
    assert analyzed(bundle) == from_nothing(bundle)


def some_bytes_flipped(path: Path, chance: random.Random) -> None:
    """A few bits of the content are others."""
    content = bytearray(path.read_bytes())
    for _ in range(3):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def truncated(path: Path, chance: random.Random) -> None:
    """The end is missing."""
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def emptied(path: Path, _: random.Random) -> None:
    """Nothing is in it."""
    path.write_bytes(b"")


def removed(path: Path, _: random.Random) -> None:
    """It is not there."""
    path.unlink()


def a_folder_in_its_place(path: Path, _: random.Random) -> None:
    """Something else has its name."""
    path.unlink()
    path.mkdir()


DAMAGE: list[Callable[[Path, random.Random], None]] = [
    some_bytes_flipped,
    truncated,
    emptied,
    removed,
    a_folder_in_its_place,
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("seed", seeds(2))
def test_damage_changes_no_answer(tmp_path: Path, damage: Callable[[Path, random.Random], None], seed: int) -> None:
    """Whatever becomes of the index, or of segments, the answers are those from nothing."""
    bundle = drill_of(tmp_path / "bundle", seed)
    expected = analyzed(bundle)
    chance = random.Random(seed)
    segments = list(kept(bundle).glob("*.parquet"))
    for damaged in ([kept(bundle) / INDEX], segments[1:]):
        for path in damaged:
            if path.is_file():
                damage(path, chance)
        assert analyzed(bundle) == expected


@pytest.mark.parametrize("seed", seeds(2))
def test_what_is_kept_of_another_drill_is_not_taken(tmp_path: Path, seed: int) -> None:
    """Neither its segments under our names nor its whole folder: they are of other files."""
    bundle, other = drill_of(tmp_path / "bundle", seed), drill_of(tmp_path / "other", seed + 1)
    expected = analyzed(bundle)
    analyze_bundle(other)
    for ours in kept(bundle).glob("*.parquet"):
        for theirs in kept(other).glob(f"{ours.name.partition('-')[0]}-*"):
            shutil.copy(theirs, ours)
    assert analyzed(bundle) == expected
    shutil.rmtree(kept(bundle))
    shutil.copytree(kept(other), kept(bundle))
    assert analyzed(bundle) == expected


def test_again_takes_and_leaves_nothing(tmp_path: Path, read: list[str]) -> None:
    """With `again` the queries run over the evidence, and nothing that was kept stays."""
    bundle = drill_of(tmp_path / "bundle", 1)
    analyze_bundle(bundle)
    read.clear()
    analyze_bundle(bundle, again=True)
    assert read == []
    assert not kept(bundle).exists()


def test_another_program_takes_nothing(tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What other queries summed up may mean something else."""
    bundle = drill_of(tmp_path / "bundle", 1)
    expected = analyzed(bundle)
    read.clear()
    monkeypatch.setattr("rtoanalytics.remembered.program_digest", lambda: "another")
    assert analyzed(bundle) == expected
    assert set(read) == names_of(bundle)


def test_a_disk_that_takes_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be kept is answered without: nothing is said of it, and nothing half-written is left."""
    bundle = drill_of(tmp_path / "bundle", 1)
    expected = from_nothing(bundle)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rtoanalytics.engines.segments.Segments.finished", full)
    assert analyzed(bundle) == expected
    assert not [path for path in kept(bundle).glob("*") if path.name != INDEX]


def test_a_summary_reads_one_large_table() -> None:
    """Its rows over some files say nothing of any other file: beside its table it reads no other that has many rows."""
    for name, table in SUMMARIES.items():
        reads = load_queries()[name].reads
        assert reads[0] == table
        assert not set(reads[1:]) & {*TABLES, *LONG, *VIEWS}


def test_what_a_summary_depends_on_is_looked_at(tmp_path: Path, read: list[str]) -> None:
    """When another decision is captured, spans are counted anew; what does not depend on it is taken as it was kept."""
    bundle = drill_of(tmp_path / "bundle", DECIDED_SEED)
    analyze_bundle(bundle)
    shutil.rmtree(bundle / "evidence" / "events")
    read.clear()
    assert analyzed(bundle) == from_nothing(bundle)
    acks = [name for name in read if "/acks/" in name]
    assert len(acks) == len(set(acks)) == FILES
