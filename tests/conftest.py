"""What every test may ask for.

`RTO_TEST_ALL=1` means that nothing may be left out: a test that would be skipped fails, with the reason why.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import Browser

settings.register_profile("ci", derandomize=True, print_blob=True, deadline=None)
settings.register_profile("explore", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "/usr/bin/chromium")


def must_run_everything() -> bool:
    """Whether a skipped test is a failed one."""
    return os.environ.get("RTO_TEST_ALL") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where everything must run."""
    report = yield
    is_expected_failure = hasattr(report, "wasxfail")
    if must_run_everything() and report.skipped and not is_expected_failure:
        report.outcome = "failed"
        report.longrepr = f"skipped although RTO_TEST_ALL=1: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    if must_run_everything() and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped although RTO_TEST_ALL=1: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: Any) -> str:  # noqa: ANN401  (pytest's own union: a tuple of path, line and reason, or text)
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)


@pytest.fixture(scope="session")
def browser(needs_chromium: Path) -> Iterator[Browser]:
    """One real Chromium for every test of a worker: a second driver in the same process would refuse to start."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (few workers need a browser)

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=needs_chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def needs_chromium() -> Path:
    """The Chromium of this machine; a test that asks for it is skipped on a machine without one."""
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return Path(found)
    pytest.skip("no Chromium on this machine (Debian: apt install chromium)")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parent.parent
