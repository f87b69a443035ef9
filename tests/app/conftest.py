"""One library of bundles, one server and one browser for every test of the app."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.analysis import analyze_bundle
from tests.core.golden.test_golden import damaged
from tests.core.scorecard import damage
from tests.core.scorecard.passing import passing_drill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.core.scorecard.passing import Drill

START_SECONDS = 60
WAIT_MS = 30_000
PROBES = ("/_stcore/health", "/_stcore/host-config")
"""On an address below the root, Streamlit's page first asks for these below it, is told 404, and asks at the root."""
EMPTY = "schema_version: 1\nid: empty\nflow: {name: nothing}\nobjectives: {rto_seconds: 60}\n"
BROKEN = "schema_version: 1\nid: broken\nflow: {name: x}\nobjectives: {rto_second: 60}\n"
IS_DONE = """() => document.querySelector('.stApp')?.getAttribute('data-test-script-state') === 'notRunning'
    && !document.querySelector('[data-testid="stSkeleton"]') && document.querySelector('.rto h1, .rto .problem')"""


def named(drill: Drill, drill_id: str, title: str) -> Drill:
    """The drill under another id and title."""
    drill.definition |= {"id": drill_id, "title": title}
    return drill


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles of every kind: passing, failing, inconclusive, empty, broken, half-written, and never analyzed."""
    root = tmp_path_factory.mktemp("library")
    named(passing_drill((2.0, 20.0)), "passing", "A drill that passes").judge(root / "passing")
    named(damaged(), "failing", "A drill that fails").judge(root / "failing")
    holes = named(passing_drill((2.0, 20.0)), "inconclusive", "A drill with a hole")
    damage.hole_in_acks(holes)
    holes.judge(root / "inconclusive")
    named(passing_drill(), "unanalyzed", "A drill nobody analyzed").write(root / "unanalyzed")
    for name, definition in (("empty", EMPTY), ("broken", BROKEN), ("half", EMPTY.replace("empty", "half"))):
        (root / name).mkdir()
        (root / name / "drill.yaml").write_text(definition, "utf-8")
    analyze_bundle(root / "empty")
    (root / "half" / "results").mkdir()
    (root / "half" / "results" / "scorecard.json").write_text('{"drill": ', "utf-8")
    return root


@pytest.fixture(scope="session")
def server(library: Path) -> Iterator[str]:
    """The address of `rto app` on the library."""
    port = free_port()
    command = [sys.executable, "-m", "rtoanalytics", "app", str(library), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_healthy(address, process)
            yield address
        finally:
            process.terminate()


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    """Return once the server answers; fail when it ends or does not come."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "rto app ended before it answered"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):  # noqa: S310  (our own server)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"rto app did not answer within {START_SECONDS} s")


@dataclass
class Visitor:
    """A browser page that notes what it asks for and what its console complains about."""

    page: Page
    server: str
    strangers: list[str] = field(default_factory=list)
    """Requests to anywhere but the server."""
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        """Go to an address of the app, and return once everything is shown."""
        self.page.goto(f"{self.server}/{address}")
        self.wait()
        return self.page

    def wait(self) -> None:
        """Return once the app has shown everything."""
        self.page.wait_for_function(IS_DONE, timeout=WAIT_MS)

    def assert_quiet(self) -> None:
        """No exception was shown, nothing left the machine, and the console has nothing to complain about."""
        assert self.page.get_by_test_id("stException").count() == 0
        assert self.page.get_by_text("A defect of rtoanalytics.").count() == 0
        assert not self.strangers
        assert not self.complaints


@pytest.fixture
def visitor(browser: Browser, server: str) -> Iterator[Visitor]:
    """A fresh visitor in light colors."""
    yield from visiting(browser, server, "light")


def visiting(browser: Browser, server: str, scheme: str) -> Iterator[Visitor]:
    """A visitor whose system asks for light or dark colors."""
    context = browser.new_context(
        viewport={"width": 1366, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        accept_downloads=True,
    )
    guest = Visitor(context.new_page(), server)
    own = server.removeprefix("http")
    guest.page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("data:", "blob:", f"http{own}", f"ws{own}"))
            else guest.strangers.append(request.url)
        ),
    )
    guest.page.on("pageerror", lambda error: guest.complaints.append(str(error)))
    guest.page.on(
        "console",
        lambda message: (
            guest.complaints.append(f"{message.type}: {message.text} {message.location['url']}")
            if message.type in {"error", "warning"} and not message.location["url"].endswith(PROBES)
            else None
        ),
    )
    yield guest
    context.close()
