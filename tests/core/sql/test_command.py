"""`rto sql` and `rto report` as commands: exit statuses, standard output, files."""

from __future__ import annotations

import io
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.cli.main import exit_status
from rtoanalytics.cli.sql_prompt import entries, run_prompt, state_folder
from tests.core.sql.conftest import write

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.sql_session import Session


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let standard input be a pipe with this text."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_query(asked_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody watches, the answer is CSV on standard output."""
    query = "select downstream, acked, duplicated from ledger"
    assert exit_status(["sql", str(asked_bundle), query]) == 0
    assert capsys.readouterr().out == "downstream,acked,duplicated\ndb,3,1\n"


@pytest.mark.parametrize("query", ["drop table acks", "select * from ldger", "select", "copy acks to 'x.csv'", " ; "])
def test_refusals_end_with_3(asked_bundle: Path, capsys: pytest.CaptureFixture[str], query: str) -> None:
    """A statement that is refused ends with status 3 and one message on standard error."""
    assert exit_status(["sql", str(asked_bundle), query]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("rto: ")
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["select 1", "--format", "parquet"],
        ["select 1", "--tables"],
        ["select 1; select 2", "--output", "x.csv"],
        ["select 1", "--database", "x.duckdb"],
        ["select 1", "--output", "missing/x.csv"],
    ],
)
def test_options_that_do_not_go_together(
    asked_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Options that contradict each other, and places that cannot be written, end with 3 and leave nothing behind."""
    monkeypatch.chdir(tmp_path)
    assert exit_status(["sql", str(asked_bundle), *arguments]) == 3
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.parquet", "a.txt"])
def test_output(asked_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The answer goes into the file, in the format its name says, and the path to standard output."""
    path = tmp_path / name
    assert exit_status(["sql", str(asked_bundle), "ledger", "--output", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert path.stat().st_size
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_tables(asked_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--tables lists every relation with its question."""
    assert exit_status(["sql", str(asked_bundle), "--tables", "--format", "json"]) == 0
    questions = {row["relation"]: row["question"] for row in json.loads(capsys.readouterr().out)}
    assert questions["fates"] == "What became of each acknowledged record in each downstream?"


def test_piped_statements(
    asked_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Statements from a pipe run one by one, over several lines, the last without its semicolon too."""
    piped(monkeypatch, "-- first\nselect 1\n as a; select ';' as b;\n.schema clock\n\nselect 2 as c")
    assert exit_status(["sql", str(asked_bundle)]) == 0
    out = capsys.readouterr().out
    assert out == "a\n1\nb\n;\ncolumn,type\nclock_started_at,TIMESTAMP WITH TIME ZONE\nc\n2\n"


def test_a_pipe_stops_at_the_first_error(
    asked_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a pipe, what follows a statement that failed is not run."""
    piped(monkeypatch, "select 1 as a;\nselect * from nope;\nselect 2 as b;\n")
    assert exit_status(["sql", str(asked_bundle)]) == 3
    assert capsys.readouterr().out == "a\n1\n"


def test_a_prompt_goes_on_after_an_error(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """At the prompt a mistake is explained and the next statement is asked for; .quit ends."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lines = iter(["select *", "from nope;", ".tabels", "select 2 as b;", ".quit", "select 3 as c;"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    asked: list[str] = []

    def answer(statement: str) -> None:
        asked.append(statement)
        session.ask(statement)

    run_prompt(session, answer)
    assert asked == ["select *\nfrom nope;", "select 2 as b;"]
    said = capsys.readouterr().err
    assert 'no relation "nope"' in said
    assert 'did you mean ".tables"' in said


def test_history_stays_in_the_state_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The history stands below XDG_STATE_HOME, else below the home folder, never in a bundle."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert state_folder() == tmp_path / "state" / "rtoanalytics"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / ".local" / "state" / "rtoanalytics"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1;", ["select 1;"]),
        ("select ';'\n;", ["select ';'\n;"]),
        ("/* ; */ select 1", ["/* ; */ select 1"]),
        ("-- only a comment", []),
        (".tables\nselect 1;\n.quit", [".tables", "select 1;", ".quit"]),
        ("", []),
        ("select '\n.not a command\n';", ["select '\n.not a command\n';"]),
    ],
)
def test_entries(text: str, expected: list[str]) -> None:
    """Entries end at semicolons outside of quotes and comments; dot commands stand on a line of their own."""
    assert list(entries(text.splitlines())) == expected


def test_report_analyzes_first_and_only_when_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first report analyzes; the second does not; changed evidence makes it analyze again."""
    bundle = write(tmp_path / "bundle")
    assert exit_status(["report", str(bundle), "--format", "markdown"]) == 0
    first = capsys.readouterr()
    assert first.out == f"{bundle / 'results' / 'report.md'}\n"
    assert "analyzed" in first.err
    assert exit_status(["report", str(bundle), "--format", "json"]) == 0
    second = capsys.readouterr()
    assert second.out == f"{bundle / 'results' / 'scorecard.json'}\n"
    assert "analyzed" not in second.err
    newer = (bundle / "results" / "scorecard.json").stat().st_mtime_ns + 10**9
    os.utime(bundle / "drill.yaml", ns=(newer, newer))
    assert exit_status(["report", str(bundle), "--format", "json", "--output", "-"]) == 0
    third = capsys.readouterr()
    assert json.loads(third.out)["drill"]["id"] == "asked"
    assert "analyzed" in third.err


def test_report_as_html(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """HTML is the usual format, stands in results/, and is the same wherever it is written and the bundle stands."""
    bundle = write(tmp_path / "bundle")
    assert exit_status(["report", str(bundle)]) == 0
    assert capsys.readouterr().out == f"{bundle / 'results' / 'report.html'}\n"
    moved = tmp_path / "moved"
    shutil.copytree(bundle, moved)
    assert exit_status(["report", str(moved), "--output", str(tmp_path / "x.html")]) == 0
    assert (tmp_path / "x.html").read_bytes() == (bundle / "results" / "report.html").read_bytes()


def test_report_without_a_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is no bundle ends with status 3 and one message."""
    assert exit_status(["report", str(tmp_path)]) == 3
    assert capsys.readouterr().err.startswith("rto: ")
    assert not list(tmp_path.iterdir())
