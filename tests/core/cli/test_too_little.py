"""Too little memory, and a full disk: one line, status 3, and what stood before still stands."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from rtoanalytics import results
from tests.core.cli.endings import refused, rto

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def analyzed(judged: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A bundle with results."""
    root = tmp_path / "bundle"
    shutil.copytree(judged["pass"], root)
    assert rto(capsys, "analyze", root).status == 0
    return root


def standing(root: Path) -> dict[str, bytes]:
    """Every file of a bundle by its name."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("option", ["--memory-limit", "--scratch-limit"])
def test_what_is_no_size_is_refused_before_any_bundle_is_read(
    analyzed: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """Once, whatever the number of bundles; results that are current do not answer either."""
    refused(rto(capsys, "analyze", option, "much", analyzed, analyzed), option, "much", "4GB", lines=1)


def test_no_scratch_folder_is_refused_before_any_bundle_is_read(
    analyzed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is not there is named, and what to do."""
    ending = rto(capsys, "analyze", "--scratch", analyzed / "nowhere", analyzed)
    refused(ending, "--scratch", "nowhere: no such folder", lines=1)


def test_too_little_memory(analyzed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line says which step needed more and which options give it; nothing has changed and nothing is left."""
    before = standing(analyzed)
    (tmp_path / "scratch").mkdir()
    options = ("--again", "--memory-limit", "100KB", "--scratch", tmp_path / "scratch")
    ending = rto(capsys, "analyze", *options, analyzed)
    refused(ending, "not enough memory", "--memory-limit", "--scratch", lines=1)
    assert standing(analyzed) == before
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("file", ["ledger.parquet", "state_stretches.parquet"])
def test_a_full_disk(
    analyzed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """A disk that gets full while results are written leaves the old ones, and no half of the new."""
    write = results.write_relation

    def full(table: object, path: Path) -> None:
        if path.name == file:
            path.write_bytes(b"PAR1")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(table, path)  # type: ignore[arg-type]

    before = standing(analyzed)
    monkeypatch.setattr(results, "write_relation", full)
    refused(rto(capsys, "analyze", "--again", analyzed), "results", "No space left", "make room", lines=1)
    assert standing(analyzed) == before
