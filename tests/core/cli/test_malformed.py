"""Each malformed input ends in one clear message and status 3, or in the right answer; never in a traceback."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics.schemas import MAX_OFFSET, TABLES
from tests.core.bundle.folders import DEFINITION, NOON_US, good_row
from tests.core.cli.endings import refused, rto, rto_process
from tests.core.cli.malformed import MALFORMED, define, truncated

if TYPE_CHECKING:
    from tests.core.bundle.folders import BundleFolder

FLOW = """\
schema_version: 1
id: right
flow:
  name: payments
  topics: [{name: %s}]
  groups: [{id: sink}]
  downstreams: [{name: db, group_id: sink}]
objectives: {rto_seconds: 60, rpo_records: 0}
"""


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_input_is_refused_with_one_message(
    bundle: BundleFolder, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """The message is one line that begins with the bundle and names where it is wrong, what is there, what may be."""
    damage, words = MALFORMED[what]
    damage(bundle)
    ending = rto(capsys, "analyze", bundle.root)
    refused(ending, *words, lines=1)
    assert ending.talk.startswith(f"rto: {bundle.root}: ")
    assert not (bundle.root / "results").exists()


@pytest.mark.parametrize("what", MALFORMED)
def test_check_refuses_what_analyze_refuses(
    bundle: BundleFolder, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """`rto check` finds the same before anybody analyzes; the span of a capture alone is for the analysis to judge."""
    damage, words = MALFORMED[what]
    damage(bundle)
    ending = rto(capsys, "check", bundle.root)
    if what == "capture over decades":
        assert ending.status == 0
    else:
        refused(ending, *words, lines=1)


@pytest.mark.parametrize("what", ["truncated Parquet", "key twice", "no folder", "link to a file outside"])
def test_the_real_command_refuses_too(bundle: BundleFolder, repository: Path, what: str) -> None:
    """The same as a process of its own: status 3, nothing on stdout, one line on stderr."""
    damage, words = MALFORMED[what]
    damage(bundle)
    refused(rto_process(repository, "analyze", bundle.root), *words, lines=1)


def test_check_lists_every_problem_at_once(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody should repair one problem to be told of the next: definition, files, columns and values in one go."""
    truncated(bundle)
    bundle.write("commits", good_row("commits", committed_offset=-5))
    bundle.with_column("applied", "applied_at", pa.array([NOON_US], pa.timestamp("us")))
    define(bundle, "critera: {}\nobjectivs: {}\n")
    (bundle.root / "evidence" / "notes.txt").write_text("hello")
    ending = rto(capsys, "check", bundle.root)
    words = ["critera", "objectivs", "acks/a.parquet", "committed_offset", "applied_at", "notes.txt"]
    refused(ending, *words, lines=len(words))


def test_a_definition_that_may_not_be_read(
    bundle: BundleFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without permission is refused in the system's words; whoever runs the tests may read everything."""

    def denied(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", denied)
    refused(rto(capsys, "analyze", bundle.root), "drill.yaml", "Permission denied", lines=1)


def test_results_that_cannot_be_written(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """Where results/ cannot be written, the command says so instead of answering with half of them."""
    (bundle.root / "results").write_text("in the way")
    refused(rto(capsys, "analyze", bundle.root), "results", "cannot be written", lines=1)


def answer(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The scorecard of a bundle that can be read."""
    ending = rto(capsys, "analyze", "--json", bundle.root)
    assert ending.status in {0, 1, 2}, ending.talk
    document: dict[str, Any] = json.loads(ending.answer)
    return document


def payment(bundle: BundleFolder, topic: str, record_offset: int) -> None:
    """One record, acknowledged and applied once."""
    place = {"cluster": "primary", "topic": topic, "partition": 0, "record_offset": record_offset, "record_id": "one"}
    bundle.write("acks", {**place, "acked_at": NOON_US, "outcome": "acked"})
    bundle.write("applied", {**place, "downstream": "db", "applied_at": NOON_US + 1, "application_id": "first"})


TOPICS = [
    "'; drop table x; --",
    '"; drop table ledger; --',
    "payments\n-- comment",
    "выплаты 💶",
    "{topic}",
    "%s $1 ?",
    "a" * 249,
]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_may_be_called_anything(bundle: BundleFolder, capsys: pytest.CaptureFixture[str], topic: str) -> None:
    """Names are values: a topic named like an attack on a database is counted like any other."""
    (bundle.root / "drill.yaml").write_text(FLOW % json.dumps(topic, ensure_ascii=False), "utf-8")
    payment(bundle, topic, 0)
    (row,) = answer(bundle, capsys)["ledger"]
    assert (row["topic"], row["acked"], row["once"], row["applied"]) == (topic, 1, 1, 1)


@pytest.mark.parametrize("record_offset", [0, 2**53 + 1, MAX_OFFSET - 1, MAX_OFFSET])
def test_offsets_are_exact_up_to_the_largest(
    bundle: BundleFolder, capsys: pytest.CaptureFixture[str], record_offset: int
) -> None:
    """An offset of 2^63 - 2, the largest a record can have, is matched exactly, and its lag does not overflow."""
    (bundle.root / "drill.yaml").write_text(FLOW % "payments", "utf-8")
    payment(bundle, "payments", record_offset)
    bundle.write("commits", good_row("commits", cluster="primary", topic="payments", group_id="sink", partition=0,
                                     committed_offset=0))  # fmt: skip
    scorecard = answer(bundle, capsys)
    (row,) = scorecard["ledger"]
    assert (row["acked"], row["once"], row["unacked"]) == (1, 1, 0)
    assert scorecard["backlog"][0]["final_lag_records"] == record_offset + 1


def test_a_neighboring_large_offset_is_another_record(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond 2^53, where neighbors share one double, an effect one offset higher does not belong to the record."""
    (bundle.root / "drill.yaml").write_text(FLOW % "payments", "utf-8")
    place = {"cluster": "primary", "topic": "payments", "partition": 0}
    bundle.write("acks", {**place, "record_offset": 2**53, "acked_at": NOON_US, "outcome": "acked"})
    bundle.write("applied", {**place, "record_offset": 2**53 + 1, "downstream": "db", "applied_at": NOON_US})
    (row,) = answer(bundle, capsys)["ledger"]
    assert (row["once"], row["unacked"]) == (0, 1)


@pytest.mark.parametrize("instant", [0, 7_258_118_400_000_000 - 1])
def test_the_first_and_the_last_instant_are_instants(
    bundle: BundleFolder, capsys: pytest.CaptureFixture[str], instant: int
) -> None:
    """1970-01-01T00:00:00Z and the last microsecond of 2199 are read as what they are."""
    bundle.write("events", good_row("events", occurred_at=instant))
    started_at = answer(bundle, capsys)["drill"]["started_at"]
    assert started_at == ("1970-01-01T00:00:00Z" if instant == 0 else "2199-12-31T23:59:59.999999Z")


def test_tables_without_rows_are_inconclusive(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """Every table there, and none with a row: the answer is that the evidence does not tell."""
    for name in TABLES:
        bundle.write(name)
    assert answer(bundle, capsys)["verdict"] == "inconclusive"


def test_a_file_without_rows_beside_one_with_rows(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """A zero-row file adds nothing and takes nothing away."""
    (bundle.root / "drill.yaml").write_text(FLOW % "payments", "utf-8")
    payment(bundle, "payments", 5)
    alone = answer(bundle, capsys)
    bundle.write("acks", name="b.parquet")
    assert answer(bundle, capsys) == alone


def test_a_thousand_columns(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand columns that nobody listed are ignored."""
    (bundle.root / "drill.yaml").write_text(FLOW % "payments", "utf-8")
    payment(bundle, "payments", 5)
    path = bundle.folder("acks") / "a.parquet"
    table = pq.read_table(path)
    for number in range(1000):
        table = table.append_column(f"column {number}", pa.array([number]))
    pq.write_table(table, path)
    assert answer(bundle, capsys)["totals"]["once"] == 1


@pytest.mark.parametrize("name", ["two words", 'it\'s "quoted"', "日本語 ü", "[a-z]*?", "{a,b}", "-- drill", "100%"])
def test_a_bundle_may_stand_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Spaces, quotes, brackets and letters of any script in a path are only a path."""
    from tests.core.bundle.folders import BundleFolder  # noqa: PLC0415

    bundle = BundleFolder(tmp_path / name / "bundle")
    (bundle.root / "drill.yaml").write_text(FLOW % "payments", "utf-8")
    payment(bundle, "payments", 5)
    assert answer(bundle, capsys)["totals"]["once"] == 1


def test_a_link_inside_the_bundle_is_followed(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """Only links that lead out of the bundle are refused."""
    (bundle.root / "drill.yaml").rename(bundle.root / "definition.yaml")
    (bundle.root / "drill.yaml").symlink_to("definition.yaml")
    assert (bundle.root / "drill.yaml").read_text("utf-8") == DEFINITION
    assert answer(bundle, capsys)["drill"]["id"] == "a-drill"
