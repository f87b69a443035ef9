"""Where everything must run, a test that is left out is a test that failed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.house.tracked_files import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

SKIPPED = "import pytest\ndef test_one():\n    pytest.skip('no such thing here')\n"
SKIPPED_MODULE = "import pytest\npytest.skip('no such thing here', allow_module_level=True)\n"
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_one():\n    raise ValueError\n"
NO_BROWSER = "import tests.conftest\ntests.conftest.CHROMIUM_NAMES = ()\ndef test_one(needs_chromium):\n    pass\n"


def run(program: str, folder: Path, **environment: str) -> tuple[int, str]:
    """Exit status and output of pytest on one file, under this project's conftest."""
    (folder / "test_it.py").write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", os.devnull, "--rootdir", ".", "-rA"]
    kept = {name: value for name, value in os.environ.items() if name not in {"RTO_TEST_ALL", "PYTEST_ADDOPTS"}}
    answer = subprocess.run(
        [*command, "test_it.py"],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


@pytest.mark.parametrize("program", [SKIPPED, SKIPPED_MODULE], ids=["test", "module"])
def test_a_skip_fails_where_everything_must_run(program: str, tmp_path: Path) -> None:
    """With RTO_TEST_ALL=1 a skip ends in failure, and the output says why it was skipped."""
    status, output = run(program, tmp_path, RTO_TEST_ALL="1")
    assert status != 0
    assert "skipped although RTO_TEST_ALL=1: " in output
    assert "no such thing here" in output


def test_a_skip_is_fine_elsewhere(tmp_path: Path) -> None:
    """Without it a skip stays one."""
    status, output = run(SKIPPED, tmp_path)
    assert status == 0
    assert "1 skipped" in output


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    """What is marked as an expected failure stays one."""
    assert run(EXPECTED_FAILURE, tmp_path, RTO_TEST_ALL="1")[0] == 0


def test_a_missing_browser_is_said(tmp_path: Path) -> None:
    """A machine without Chromium skips what needs one; where everything must run it fails, and says what to install."""
    assert run(NO_BROWSER, tmp_path)[0] == 0
    status, output = run(NO_BROWSER, tmp_path, RTO_TEST_ALL="1")
    assert status != 0
    assert "apt install chromium" in output
