"""The documentation tells everything there is, and nothing that is not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.drill import STARTING_FILE
from rtoanalytics.queries import load_queries
from rtoanalytics.schemas import TABLES, Table
from rtoanalytics.scorecard import ROWS
from tests.house import command_line, evidence_tables, query_list
from tests.house.command_line import options_by_command
from tests.house.tracked_files import REPOSITORY, markdown_files

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
SCANT_DRILL = "schema_version: 1\nid: scant\nflow: {name: scant}\nobjectives: {rto_seconds: 1}\n"
CONTRACT_COMMANDS = {
    "demo",
    "init",
    "schema",
    "check",
    "collect",
    "collect log",
    "mark",
    "analyze",
    "report",
    "compare",
    "app",
    "sql",
    "seal",
    "verify",
}


@cache
def read(path: Path) -> str:
    """A Markdown file, by its path in the checkout."""
    return (REPOSITORY / path).read_text(encoding="utf-8")


@cache
def documentation() -> str:
    """README.md and everything under docs/."""
    return "\n".join(read(path) for path in markdown_files() if path.parts[0] in {"README.md", "docs"})


def prose(path: Path) -> str:
    """A Markdown file without its fenced examples."""
    return FENCE.sub("", read(path))


def anchors(path: Path) -> set[str]:
    """The anchors that a Markdown file's headings make."""
    headings = re.findall(r"^#+ +(.*?)\s*$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def console_lines() -> list[str]:
    """Every command line in the fenced console examples, as `file: command`."""
    return [
        f"{path}: {line.strip()[2:]}"
        for path in markdown_files()
        for _, language, body in FENCE.findall(read(path))
        if language == "console"
        for line in body.splitlines()
        if line.strip().startswith("$ ")
    ]


def test_evidence_tables_are_current() -> None:
    """The column tables of docs/evidence-format.md are those of the schemas, each there once."""
    document = evidence_tables.DOCUMENT.read_text(encoding="utf-8")
    assert sorted(evidence_tables.block_names(document)) == sorted(evidence_tables.blocks())
    assert evidence_tables.rewritten(document) == document


def test_the_list_of_queries_is_current() -> None:
    """docs/queries.md lists every query with its question, measures and reads."""
    document = query_list.DOCUMENT.read_text(encoding="utf-8")
    assert query_list.rewritten(document) == document
    assert query_list.query_list() in document


def test_the_command_line_is_current() -> None:
    """docs/command-line.md says of every command what its own help says."""
    document = command_line.DOCUMENT.read_text(encoding="utf-8")
    assert command_line.rewritten(document) == document
    assert all(command_line.section(name) in document for name in command_line.commands())


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_section(table: str) -> None:
    """Each evidence table can be linked to in docs/evidence-format.md."""
    assert table in anchors(evidence_tables.DOCUMENT.relative_to(REPOSITORY))


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_column_is_documented(table: Table) -> None:
    """Each column of evidence stands in the documentation, under its table."""
    document = evidence_tables.DOCUMENT.read_text(encoding="utf-8")
    section = document.split(f"<!-- columns of {table.name} -->")[1].split(f"<!-- end of {table.name} -->")[0]
    assert not [column.name for column in table.columns if f"| `{column.name}` |" not in section]


@pytest.mark.parametrize("query", sorted(load_queries()))
def test_every_query_is_documented(query: str) -> None:
    """Each query is named in the documentation."""
    assert f"`{query}`" in documentation()


@pytest.fixture(scope="module")
def check_names(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Every check on the scorecards of the sample drills, of a new drill and of one that says next to nothing.

    Of a check that stands there once for each group, step or item, the part before the colon.
    """
    folder = tmp_path_factory.mktemp("drills")
    for name, definition in (("new", STARTING_FILE.format(id="new")), ("scant", SCANT_DRILL)):
        (folder / name).mkdir()
        (folder / name / "drill.yaml").write_text(definition, encoding="utf-8")
    for sample in (REPOSITORY / "sample_data").iterdir():
        if (sample / "drill.yaml").exists():
            shutil.copytree(sample, folder / sample.name)
    scorecards = [analyze_bundle(bundle) for bundle in folder.iterdir()]
    checks = [check for scorecard in scorecards for row in scorecard["rows"] for check in row["checks"]]
    return frozenset(check["name"].partition(":")[0] for check in checks)


def test_every_check_is_documented(check_names: frozenset[str]) -> None:
    """Each check of the scorecard is named in the documentation."""
    assert not [name for name in sorted(check_names) if not re.search(f"`{name}[`:]", documentation())]


@pytest.mark.parametrize("area", ROWS)
def test_every_row_is_documented(area: str) -> None:
    """Each row of the scorecard is named in the documentation."""
    assert f"`{area}`" in documentation()


@pytest.mark.parametrize("number", range(1, 12))
def test_every_measure_is_documented(number: int) -> None:
    """Each measure has a heading with its number."""
    assert re.search(rf"^#+ .*\bM{number}\b", documentation(), re.MULTILINE)


def test_every_command_of_the_contract_exists() -> None:
    """`rto` has the commands that bundles, scripts and people rely on."""
    assert set(options_by_command()) >= CONTRACT_COMMANDS


@pytest.mark.parametrize("command", sorted(options_by_command()))
def test_every_command_is_documented(command: str) -> None:
    """Each command of `rto` is named in the documentation."""
    assert re.search(rf"\brto {command}\b", documentation())


@pytest.mark.parametrize("command", sorted(options_by_command()))
def test_every_option_is_documented(command: str) -> None:
    """Each option of each command is named in the documentation."""
    named = set(re.findall(r"--[a-z][a-z-]*", documentation()))
    assert not options_by_command()[command] - named


def test_every_link_leads_somewhere() -> None:
    """Each relative link in Markdown leads to a file of the checkout, and to a heading of it if it names one."""
    broken = []
    for path in markdown_files():
        for link in LINK.findall(prose(path)):
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            place = Path(os.path.normpath(path.parent / target)) if target else path
            if not (REPOSITORY / place).exists() or (anchor and anchor not in anchors(place)):
                broken.append(f"{path}: {link}")
    assert not broken


def test_examples_name_what_exists() -> None:
    """`$ rto …` and `$ make …` in the examples name existing commands, options and targets."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    unknown = []
    for line in console_lines():
        words = line.partition(": ")[2].split()
        if Path(words[0]).name == "rto":
            command = " ".join(words[1:3]) if " ".join(words[1:3]) in options_by_command() else words[1]
            offered = options_by_command().get(command, frozenset({"no such command"}))
            used = {word.partition("=")[0] for word in words[2:] if word.startswith("--")} - {"--help"}
            if command not in options_by_command() or used - offered:
                unknown.append(line)
        elif words[0] == "make" and words[1] not in targets:
            unknown.append(line)
    assert not unknown


def test_python_examples_run(tmp_path: Path) -> None:
    """Each Python example of docs/evidence-format.md runs as it stands."""
    document = evidence_tables.DOCUMENT.relative_to(REPOSITORY)
    examples = [body for _, language, body in FENCE.findall(read(document)) if language == "python"]
    assert examples
    for example in examples:
        answer = subprocess.run(
            [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
