"""What sealing leaves spares the first analysis the reading, and changes no answer."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics import prepared
from rtoanalytics.bundle import evidence_select
from rtoanalytics.engines import summaries
from rtoanalytics.errors import QueryError
from rtoanalytics.seal import SealStatus, sealed_state
from tests.core.cli.endings import rto
from tests.core.laws.drills import analyzed
from tests.core.scorecard.passing import passing_drill
from tests.core.test_remembered import checked_names
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rtoanalytics.bundle import EvidenceFile
    from tests.core.laws.drills import Answers


@pytest.fixture(autouse=True)
def keeps_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what even a single row says."""
    monkeypatch.setattr(summaries, "KEPT_ROWS", 1)


def summed_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that summaries are made of from now on."""
    names: list[str] = []

    def noted(table: str, files: Sequence[EvidenceFile], **options: Mapping[str, str | None]) -> str:
        names.extend(file.name for file in files)
        return evidence_select(table, files, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(summaries, "evidence_select", noted)
    return names


def from_nothing(bundle: Path) -> Answers:
    """The answers of a copy of a bundle, without what was left beside it."""
    copy = bundle.with_name("from-nothing")
    shutil.copytree(bundle, copy, ignore=shutil.ignore_patterns(".analysis", "results"))
    return analyzed(copy)


@pytest.mark.parametrize("seed", range(4))
def test_a_sealed_bundle_is_prepared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """After rto seal, the first analysis checks no value and sums up no file, and answers as one from nothing."""
    bundle = tmp_path / "bundle"
    write_bundle(bundle, *random_drill(seed), files=2)
    assert rto(capsys, "seal", bundle).status == 0
    expected = from_nothing(bundle)
    checked, read = checked_names(monkeypatch), summed_up(monkeypatch)
    assert analyzed(bundle) == expected
    assert checked == []
    assert read == []


def test_what_changed_since_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file altered right after the seal is checked and summed up, and told to be altered."""
    bundle = passing_drill().write(tmp_path / "bundle", sealed=False)
    rto(capsys, "seal", bundle)
    (altered,) = (bundle / "evidence" / "acks").iterdir()
    pq.write_table(pq.read_table(altered).slice(1), altered)
    expected = from_nothing(bundle)
    checked, read = checked_names(monkeypatch), summed_up(monkeypatch)
    assert analyzed(bundle) == expected
    assert set(checked) == set(read) == {f"evidence/acks/{altered.name}"}
    assert sealed_state(bundle).status is SealStatus.ALTERED


def test_what_was_sealed_before_is_not_taken_for_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sealing a bundle that is sealed does nothing, and says nothing of its values."""
    bundle = passing_drill().write(tmp_path / "bundle")
    shutil.rmtree(bundle / ".analysis", ignore_errors=True)
    assert rto(capsys, "seal", bundle).status == 0
    assert not (bundle / ".analysis").exists()


def test_what_is_left_is_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A note without results is none of current results, also where the results of an earlier analysis stand."""
    bundle = passing_drill().write(tmp_path / "bundle", sealed=False)
    assert "unsealed" in rto(capsys, "analyze", "--json", bundle).answer
    rto(capsys, "seal", bundle)
    analysis = rto(capsys, "analyze", "--json", bundle)
    assert "are current" not in analysis.talk
    assert "unsealed" not in analysis.answer


def fails_with(error: BaseException) -> Callable[..., None]:
    """What fails so."""

    def failing(*_: object) -> None:
        raise error

    return failing


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        QueryError("not enough memory"),
        pa.ArrowInvalid("x"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_left_fails_no_seal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """The bundle is sealed and the command says so, whatever stops the preparing."""
    bundle = passing_drill().write(tmp_path / "bundle", sealed=False)
    monkeypatch.setattr(prepared, "prepare_analysis", fails_with(error))
    ended = rto(capsys, "seal", bundle)
    assert (ended.status, ended.talk) == (0, "")
    assert sealed_state(bundle).status is SealStatus.SEALED
