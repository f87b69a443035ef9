"""What is put aside on disk is gone afterwards, also when its process was killed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.engines.limits import Limits
from rtoanalytics.engines.scratch import scratch_folder
from rtoanalytics.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
    import os, signal, sys
    from pathlib import Path
    from rtoanalytics.engines.scratch import scratch_folder

    with scratch_folder(Path(sys.argv[1])) as folder:
        (Path(folder) / "rows").write_text("put aside")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    """Whatever was written into it, and whether the work succeeded or failed."""

    def failing() -> None:
        with scratch_folder(tmp_path) as folder:
            (tmp_path / folder / "rows").write_text("put aside")
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(tmp_path: Path, repository: Path) -> None:
    """An abandoned folder is removed; one that is in use stays."""
    program = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)]
    assert subprocess.run(program, check=False, cwd=repository, timeout=60).returncode == -9
    (abandoned,) = tmp_path.iterdir()
    with scratch_folder(tmp_path) as one, scratch_folder(tmp_path) as other:
        assert not abandoned.exists()
        assert sorted(map(str, tmp_path.iterdir())) == sorted([one, other])


@pytest.mark.parametrize("size", ["much", "4", "-4GB", "0GB", "4 elephants", "", "1e3MB", "50 %%"])
@pytest.mark.parametrize("option", ["memory_limit", "scratch_limit"])
def test_what_is_no_size_is_refused(option: str, size: str) -> None:
    """A size is a number above 0 and a unit; the message shows one."""
    with pytest.raises(UsageError, match="for instance 4GB"):
        Limits(**{option: size}).check()  # type: ignore[arg-type]


@pytest.mark.parametrize("size", ["4GB", "4 GiB", "512mb", "0.5TB"])
def test_sizes(size: str) -> None:
    """Units of 1000 and of 1024, in any case, with or without a blank; of memory a share of it too."""
    Limits(memory_limit=size, scratch_limit=size).check()
    Limits(memory_limit="50%").check()


def test_a_scratch_folder_must_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No such folder, a file, and a folder that cannot be written to are each refused by name before work starts."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="nowhere: no such folder"):
        Limits(scratch=tmp_path / "nowhere").check()
    with pytest.raises(UsageError, match="file: not a folder"):
        Limits(scratch=tmp_path / "file").check()
    Limits(scratch=tmp_path).check()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(UsageError, match="No space left on device"):
        Limits(scratch=tmp_path).check()
