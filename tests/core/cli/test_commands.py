"""What the commands promise: exit statuses, one line a bundle, answers on stdout, talk on stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from rtoanalytics import __version__
from rtoanalytics.results import read_scorecard
from tests.core.cli.endings import refused, rto, rto_process
from tests.core.scorecard.passing import DEFINITION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.bundle.folders import BundleFolder

STATUS = {"pass": 0, "fail": 1, "inconclusive": 2, "broken": 3}


@pytest.mark.parametrize(("name", "status"), STATUS.items())
def test_the_exit_status_is_the_verdict(
    judged: dict[str, Path], capsys: pytest.CaptureFixture[str], name: str, status: int
) -> None:
    """0 pass, 1 fail, 2 inconclusive, 3 could not run; with or without --json."""
    assert rto(capsys, "analyze", judged[name]).status == status
    assert rto(capsys, "analyze", "--json", judged[name]).status == status


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["pass", "pass"], 0),
        (["pass", "inconclusive"], 2),
        (["inconclusive", "fail", "pass"], 1),
        (["fail", "broken", "pass"], 3),
        (["broken", "inconclusive"], 3),
    ],
)
def test_of_several_bundles_the_worst_answers(
    judged: dict[str, Path], capsys: pytest.CaptureFixture[str], names: list[str], status: int
) -> None:
    """3 is worse than 1, 1 than 2, 2 than 0; lines stand in the order given, and a bad bundle stops no other."""
    ending = rto(capsys, "analyze", "--json", *(judged[name] for name in names))
    assert ending.status == status
    answered = [json.loads(line)["drill"]["id"] for line in ending.answer.splitlines()]
    assert answered == [name for name in names if name != "broken"]
    refusals = [line for line in ending.talk.splitlines() if line.startswith("rto: ")]
    assert [line.split(": ")[1] for line in refusals] == [str(judged["broken"])] * names.count("broken")


def test_json_is_one_compact_line_and_what_stands_in_results(
    judged: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """--json prints scorecard.json on one line, without a blank between, and says nothing else on stdout or stderr."""
    ending = rto(capsys, "analyze", "--again", "--json", judged["pass"])
    document = json.loads(ending.answer)
    assert document == read_scorecard(judged["pass"])
    assert ending.answer == json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    assert ending.talk == ""


def test_the_terminal_shows_seven_rows(judged: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json the answer is readable: the title, the rows and the verdict; where results lie is talk."""
    ending = rto(capsys, "analyze", judged["fail"])
    assert "Payments flow, loss of one broker" in ending.answer
    rows = ["business", "rto", "client", "offset", "capacity", "governance", "rollback"]
    assert [word for word in rows if word not in ending.answer.lower()] == []
    assert str(judged["fail"]) in ending.talk


def test_the_real_command_answers(judged: dict[str, Path], repository: Path) -> None:
    """As a process of its own the command ends with the same status and the same bytes."""
    ending = rto_process(repository, "analyze", "--again", "--json", judged["broken"], judged["inconclusive"])
    assert ending.status == 3
    assert json.loads(ending.answer) == read_scorecard(judged["inconclusive"])
    assert len(ending.talk.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyse", "x"],
        ["analyze"],
        ["analyze", "--jsn", "x"],
        ["check"],
        ["check", "a", "b"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
def test_bad_usage_could_not_run(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """An unknown command or option, or a missing argument, is status 3 and one message that leads to the help."""
    refused(rto(capsys, *arguments), "Try: ", "--help")


def test_an_option_without_its_value_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """An option whose value is missing is refused by its name."""
    refused(rto(capsys, "analyze", "--memory-limit"), "--memory-limit", "requires an argument", lines=1)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["analyze", "--help"], ["check", "-h"]], ids=" ".join)
def test_help_and_version_are_answers(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Help and version end with 0, on stdout."""
    ending = rto(capsys, *arguments)
    assert (ending.status, ending.talk) == (0, "")
    assert __version__ in ending.answer or "Usage" in ending.answer


def test_an_impossible_memory_limit_is_refused(judged: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A limit that is no size is refused with an example of one."""
    refused(rto(capsys, "analyze", "--memory-limit", "much", judged["pass"]), "much", "4GB")


def test_a_defect_of_ours_shows_no_traceback(
    bundle: BundleFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw ends with 3, says that it is our defect and how to see more, and shows no traceback."""

    def surprise(*_: object, **__: object) -> None:
        msg = "nobody foresaw this"
        raise RuntimeError(msg)

    monkeypatch.setattr("rtoanalytics.analysis.analyze_bundle", surprise)
    ending = rto(capsys, "analyze", bundle.root)
    assert (ending.status, ending.answer) == (3, "")
    assert "RuntimeError: nobody foresaw this" in ending.talk
    assert "RTO_TRACEBACK=1" in ending.talk
    assert "Traceback (most" not in ending.talk


def test_init_then_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The definition that `rto init` writes is in order, can be analyzed at once, and is never overwritten."""
    root = tmp_path / "My First Drill"
    assert rto(capsys, "init", root).status == 0
    assert rto(capsys, "check", root).status == 0
    assert rto(capsys, "analyze", "--json", root).status == 2
    before = (root / "drill.yaml").read_bytes()
    refused(rto(capsys, "init", root), "drill.yaml", "never overwrites", lines=1)
    assert (root / "drill.yaml").read_bytes() == before


def test_init_takes_an_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The id may be given; one that cannot be an id is refused before anything is written."""
    assert rto(capsys, "init", tmp_path / "a", "--id", "payments-2026q4").status == 0
    assert yaml.safe_load((tmp_path / "a" / "drill.yaml").read_text("utf-8"))["id"] == "payments-2026q4"
    refused(rto(capsys, "init", tmp_path / "b", "--id", "Not An Id"), "id", "Not An Id")
    assert not (tmp_path / "b").exists()


def schema(capsys: pytest.CaptureFixture[str]) -> Draft202012Validator:
    """The schema that `rto schema` prints, as a validator that knows nothing of ours."""
    document = json.loads(rto(capsys, "schema").answer)
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def plain(value: Any) -> Any:  # noqa: ANN401  (any part of a YAML document)
    """A YAML document as JSON would carry it: instants as text."""
    return json.loads(json.dumps(value, default=lambda instant: instant.isoformat()))


def test_the_schema_takes_the_full_example(capsys: pytest.CaptureFixture[str]) -> None:
    """A definition that uses every part is valid by the schema, seen from outside."""
    assert list(schema(capsys).iter_errors(plain(yaml.safe_load(DEFINITION)))) == []


@pytest.mark.parametrize(
    ("part", "key"), [([], "critera"), (["objectives"], "rto_minutes"), (["flow"], "topic"), (["rollback"], "rehersed")]
)
def test_the_schema_refuses_unknown_keys(capsys: pytest.CaptureFixture[str], part: list[str], key: str) -> None:
    """A key that the definition does not know is refused by the schema too, at any depth."""
    document = plain(yaml.safe_load(DEFINITION))
    place = document
    for name in part:
        place = place[name]
    place[key] = 1
    (error,) = schema(capsys).iter_errors(document)
    assert any(f"'{key}' was unexpected" in reason.message for reason in (error, *(error.context or ())))


def test_seal_verify_and_what_changed(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """A sealed bundle verifies; after one byte more it does not, and the file is named."""
    attachment = bundle.attach("review.md")
    refused(rto(capsys, "verify", bundle.root), "manifest.json", "never sealed", lines=1)
    assert rto(capsys, "seal", bundle.root).status == 0
    assert rto(capsys, "verify", bundle.root).status == 0
    attachment.write_text("reviewed!")
    refused(rto(capsys, "verify", bundle.root), "attachments/review.md", lines=1)
