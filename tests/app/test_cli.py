"""`rto app`: what it refuses, and what it hands to the server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.errors import MissingDependencyError, UsageError
from rtoanalytics_app import cli, server
from rtoanalytics_app.links import address, evidence_links
from tests.core.golden.test_golden import damaged

if TYPE_CHECKING:
    from pathlib import Path


Started = list[tuple[list[str], dict[str, str]]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """What would have been started, instead of starting it."""
    seen: Started = []
    monkeypatch.setattr("os.execve", lambda _, command, environment: seen.append((command, environment)))
    return seen


def test_it_listens_on_loopback_and_tells_nobody(tmp_path: Path, started: Started) -> None:
    """Unless told otherwise the server listens on loopback; it never sends statistics, and knows its folders."""
    cli.app([tmp_path])
    ((command, environment),) = started
    assert {"--server.address=127.0.0.1", "--browser.gatherUsageStats=false", "--server.headless=true"} <= set(command)
    assert json.loads(environment[server.PLACES]) == [str(tmp_path.resolve())]


def test_another_address_is_a_choice(tmp_path: Path, started: Started) -> None:
    """An address is taken as it is given."""
    cli.app([tmp_path], address="10.0.0.5", port=9000, browser=True)
    assert {"--server.address=10.0.0.5", "--server.port=9000", "--server.headless=false"} <= set(started[0][0])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A place that is no folder is refused with what to name instead."""
    with pytest.raises(UsageError, match=r"nowhere: no such folder; name bundles"):
        cli.app([tmp_path / "nowhere"])


@pytest.mark.parametrize("port", [0, 70_000])
def test_a_port_that_cannot_be_one(tmp_path: Path, port: int) -> None:
    """A port outside 1 to 65535 is refused."""
    with pytest.raises(UsageError, match="1 to 65535"):
        cli.app([tmp_path], port=port)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Streamlit the message is the command that installs it."""
    monkeypatch.setattr(cli, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'rtoanalytics\[app\]'"):
        cli.app([tmp_path])


def test_every_result_behind_a_check_has_a_page(tmp_path: Path) -> None:
    """Whatever file of results/ stands behind a check, a link leads to the page that shows its rows."""
    scorecard = damaged().judge(tmp_path / "bundle")
    files = {file for row in scorecard["rows"] for check in row["checks"] for file in check["evidence"]}
    links = evidence_links("x", sorted(file for file in files if file.endswith(".parquet")))
    assert links
    assert all(links.values())
    assert address("backlog", "a b") == "backlog?drill=a+b"
