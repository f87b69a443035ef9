"""docs/checks.md describes every check that a scorecard may hold, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rtoanalytics import scorecard
from rtoanalytics.drill.definition import Criteria
from rtoanalytics.scorecard.checks import Check
from rtoanalytics.scorecard.next_actions import FAILED, MISSING, next_action
from rtoanalytics.scorecard.rows import ROWS
from rtoanalytics.verdict import Verdict
from tests.core.docs.seen_checks import SeenCheck, seen_checks

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "checks.md").read_text("utf-8")
ROW = re.compile(r"^Row `(\w+)`", re.MULTILINE)
CHECK = re.compile(r"^### `(\w+)(:…)?`\n(.*?)(?=^### |^## |\Z)", re.MULTILINE | re.DOTALL)
VERDICTS = {"Pass": "pass", "Fail": "fail", "Inconclusive": "inconclusive", "Not applicable": "not_applicable"}


def documented_rows() -> Iterator[tuple[str, str]]:
    """Each row's area with its part of the page."""
    for part in DOCUMENT.split("\n## "):
        if found := ROW.search(part):
            yield found[1], part


AREAS = {name: area for area, part in documented_rows() for name, _, _ in CHECK.findall(part)}
TEXTS = {name: " ".join(text.split()) for name, _, text in CHECK.findall(DOCUMENT)}
HAS_NAME = {name: bool(colon) for name, colon, _ in CHECK.findall(DOCUMENT)}
SAID = {
    name: {verdict for word, verdict in VERDICTS.items() if re.search(rf"\* {word}[:,]", text)}
    for name, text in TEXTS.items()
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> set[SeenCheck]:
    """Every check of many drills."""
    return seen_checks(tmp_path_factory.mktemp("drills"))


def names_in_code() -> set[str]:
    """Names that modules of the scorecard give to checks: first arguments, and constants called `name`."""
    found = set()
    for path in Path(scorecard.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found |= _named(node)
    return found


def _named(node: ast.AST) -> set[str]:
    """The check named by one piece of code; of a name put together, the part before the colon, if that is fixed."""
    value: ast.expr | None = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        value = node.args[0] if node.func.id in {"Check", "limited", "reported", "_said"} else None
    elif isinstance(node, ast.Assign):
        value = _value_of_name(node)
    if isinstance(value, ast.JoinedStr):
        value = value.values[0]
        if not (isinstance(value, ast.Constant) and str(value.value).endswith(":")):
            return set()
    return {str(value.value).removesuffix(":")} if isinstance(value, ast.Constant) else set()


def _value_of_name(node: ast.Assign) -> ast.expr | None:
    """What an assignment gives to `name`, alone or as the first of several."""
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        target, value = target.elts[0], value.elts[0]
    return value if isinstance(target, ast.Name) and target.id == "name" else None


def test_every_check_that_occurs_is_documented_under_its_row(seen: set[SeenCheck]) -> None:
    """The page has each check of each scorecard, under its row, with a colon exactly where the name has one."""
    assert {(check.name, check.area, check.is_named) for check in seen} <= {
        (name, area, HAS_NAME[name]) for name, area in AREAS.items()
    }


def test_every_documented_check_occurs(seen: set[SeenCheck]) -> None:
    """The page describes no check that no drill produces."""
    assert set(AREAS) == {check.name for check in seen}


def test_every_name_in_the_code_is_documented() -> None:
    """Names that no drill of this test happens to produce are documented too, and so are those with an advice."""
    named = names_in_code()
    assert "recovery_time" in named
    assert (named | set(FAILED) | set(MISSING)) <= set(AREAS)


def test_every_row_is_documented_in_order() -> None:
    """The page has the rows of the scorecard in the order in which they are read."""
    assert [area for area, _ in documented_rows()] == list(ROWS)


def test_every_verdict_that_occurs_is_documented(seen: set[SeenCheck]) -> None:
    """Under each check stands when it has each verdict that it had in any drill."""
    assert not sorted({(check.name, check.verdict) for check in seen if check.verdict not in SAID[check.name]})


def test_every_file_of_evidence_is_documented(seen: set[SeenCheck]) -> None:
    """Under each check stands each file of results that it pointed to in any drill; attachments go by their kind."""
    named = {(check.name, file) for check in seen for file in check.evidence if "/" not in file}
    assert not sorted((name, file) for name, file in named if f"`{file}`" not in TEXTS[name])


@pytest.mark.parametrize("name", AREAS)
def test_the_next_action_is_quoted(name: str) -> None:
    """Under each check stands, word for word, what the scorecard advises when the check fails or is inconclusive."""
    for verdict in {"fail", "inconclusive"} & SAID[name]:
        advice = next_action(AREAS[name], [Check(name, Verdict(verdict), None, None, "", "")])
        assert f"“{advice}”" in TEXTS[name]


@pytest.mark.parametrize("key", Criteria.model_fields)
def test_every_tolerance_is_named_as_a_limit(key: str) -> None:
    """Each key of `criteria` is the limit of exactly one check."""
    assert len([name for name, text in TEXTS.items() if f"Limit: `criteria.{key}`" in text]) == 1
