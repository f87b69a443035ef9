"""Sealing within limits of memory and disk, with somebody watching or ending it: sealed as ever, or left as it was."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from rtoanalytics.bundle import open_bundle
from rtoanalytics.bundle.compaction import SORTING, WRITING
from rtoanalytics.engines.limits import Limits
from rtoanalytics.engines.seal_progress import SealSteps
from rtoanalytics.errors import QueryError, SealError
from rtoanalytics.schemas import TABLES
from rtoanalytics.seal import seal_bundle, verify_bundle
from tests.core.bundle.folders import BundleFolder, good_row
from tests.core.cli.endings import refused, rto

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.engines.progress import Step

SMALL = Limits(memory_limit="60MB")
"""Less than sorting `many_acks` takes, on two threads."""
MANY = 400_000


@pytest.fixture(scope="module")
def many_acks() -> pa.Table:
    """Rows out of order, with identities that look random: nothing about them is left out of the sort."""
    chance = random.Random(0)
    columns: dict[str, Any] = {name: [value] * MANY for name, value in good_row("acks").items()}
    columns["record_id"] = [chance.randbytes(32).hex() for _ in range(MANY)]
    columns["record_offset"] = chance.sample(range(MANY), MANY)
    return pa.table(columns, schema=TABLES["acks"].arrow_schema)


@pytest.fixture
def large(tmp_path: Path, many_acks: pa.Table, monkeypatch: pytest.MonkeyPatch) -> BundleFolder:
    """A bundle of these rows, on a machine of two cores: how much the engine needs at least depends on them."""
    connect = duckdb.connect

    def on_two_cores(**options: Any) -> duckdb.DuckDBPyConnection:  # noqa: ANN401  (whatever DuckDB takes)
        return connect(config={**options.get("config", {}), "threads": 2})

    monkeypatch.setattr(duckdb, "connect", on_two_cores)
    bundle = BundleFolder(tmp_path / "large")
    bundle.write_table("acks", many_acks)
    return bundle


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a bundle."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["in the bundle", "elsewhere"])
def test_little_memory_is_enough(large: BundleFolder, tmp_path: Path, *, is_elsewhere: bool) -> None:
    """What does not fit is put aside, in the scratch folder if there is one; the bytes are the same, and it is gone."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    captured = contents(large.root)
    sealed = seal_bundle(large.root, limits=Limits(SMALL.memory_limit, scratch if is_elsewhere else None))
    assert verify_bundle(large.root) == []
    assert list(scratch.iterdir()) == []
    assert set(contents(large.root)) == {"drill.yaml", "manifest.json", "evidence/acks/part-00000.parquet"}
    with_ease = BundleFolder(tmp_path / "with ease")
    for name, content in captured.items():
        (with_ease.root / name).parent.mkdir(parents=True, exist_ok=True)
        (with_ease.root / name).write_bytes(content)
    assert seal_bundle(with_ease.root) == sealed


@pytest.mark.parametrize("limits", [Limits("60MB", scratch_limit="1MB"), Limits("2MB"), Limits("20MB")])
def test_limits_that_do_not_suffice(large: BundleFolder, tmp_path: Path, limits: Limits) -> None:
    """Too little memory or disk ends in one message that says what to raise, with the bundle as it was."""
    before = contents(large.root)
    wanted = (
        r"not enough memory or temporary disk \(Out of Memory Error: [^\n\\]*\); nothing is lost; raise --memory-limit"
    )
    with pytest.raises(SealError, match=wanted) as refusal:
        seal_bundle(large.root, limits=Limits(limits.memory_limit, tmp_path, limits.scratch_limit))
    assert "\n" not in str(refusal.value)
    assert contents(large.root) == before
    assert list(tmp_path.iterdir()) == [large.root]


def test_a_size_that_no_machine_has(bundle: BundleFolder) -> None:
    """What DuckDB does not take for a size is refused with its words, and nothing is done."""
    before = contents(bundle.root)
    with pytest.raises(QueryError, match=r'memory_limit "9{20}TB": .*for instance 4GB'):
        seal_bundle(bundle.root, limits=Limits(memory_limit=f"{'9' * 20}TB"))
    assert contents(bundle.root) == before


@pytest.mark.parametrize(
    ("option", "given", "message"),
    [
        ("--memory-limit", "much", '--memory-limit "much" is no size'),
        ("--scratch-limit", "50%", '--scratch-limit "50%" is no size'),
        ("--scratch", "nowhere", "--scratch nowhere: no such folder"),
    ],
)
def test_what_is_no_limit(
    bundle: BundleFolder, capsys: pytest.CaptureFixture[str], option: str, given: str, message: str
) -> None:
    """An option that makes no sense is refused in one line before anything is read."""
    before = contents(bundle.root)
    refused(rto(capsys, "seal", bundle.root, option, given), message, lines=1)
    assert contents(bundle.root) == before


def test_the_command_seals_within_limits(
    bundle: BundleFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All options together; into a pipe goes the answer, and no bar."""
    bundle.write("acks", good_row("acks"))
    ending = rto(
        capsys, "seal", bundle.root, "--memory-limit", "100MB", "--scratch", tmp_path, "--scratch-limit", "1GB"
    )
    assert ending.status == 0
    assert ending.answer == f"{bundle.root}: sealed, 2 files in manifest.json\n"
    assert ending.talk == ""
    assert verify_bundle(bundle.root) == []


def test_steps_follow_each_other_from_nothing_to_all(bundle: BundleFolder) -> None:
    """Values are checked, each table is read, sorted and written, and every file is recorded."""
    bundle.write("acks", *(good_row("acks", number) for number in range(20)))
    bundle.write_table("events", TABLES["events"].arrow_schema.empty_table())
    steps: list[Step] = []
    shares: list[float] = []

    def tell(step: Step) -> None:
        steps.append(step)
        shares.append(step.within())

    seal_bundle(bundle.root, watch=tell)
    assert [step.words for step in steps] == [
        "checking every value",
        *("reading acks", "sorting acks", "writing acks"),
        *("reading events", "sorting events", "writing events"),
        "recording every file",
    ]
    assert steps[0].begins == 0.0
    assert steps[-1].ends == pytest.approx(1.0)
    assert all(step.begins == pytest.approx(before.ends) for before, step in pairwise(steps))
    assert all(0.0 <= share <= 1.0 for share in shares)


def test_writing_is_told_by_row_groups(bundle: BundleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far the writing of a table has come is known after each row group."""
    monkeypatch.setattr("rtoanalytics.bundle.compaction.ROW_GROUP_ROWS", 5)
    bundle.write("acks", *(good_row("acks", number) for number in range(18)))
    told: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(SealSteps, "compact", lambda _, *said: told.append(said))
        seal_bundle(bundle.root)
    assert told == [("acks", SORTING, 0), *(("acks", WRITING, rows) for rows in (0, 5, 10, 15, 18))]
    seen: list[Step] = []
    steps = SealSteps(seen.append, open_bundle(bundle.root))
    for rows, share in ((0, 0.0), (9, 0.5), (18, 1.0)):
        steps.compact("acks", WRITING, rows)
        assert seen[0].within() == share
    assert len(seen) == 1


def test_a_bar_on_a_terminal(bundle: BundleFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard error is a terminal, a line says how far it is, gone at the end; the answer stays as it is."""
    bundle.write("acks", good_row("acks"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr.isatty", lambda: True)
        patch.setenv("TERM", "xterm")
        ending = rto(capsys, "seal", bundle.root)
    assert ending.answer == f"{bundle.root}: sealed, 2 files in manifest.json\n"
    assert bundle.root.name in ending.talk
    assert "%" in ending.talk


STOPPED = """
    import os, sys
    from rtoanalytics import seal
    from rtoanalytics.cli.main import exit_status
    def endless(connection, *_):
        os.kill(os.getpid(), {signal})
        connection.execute("SELECT max(hash(a.i, b.i)) FROM range(10000000) AS a(i), range(10000000) AS b(i)")
    seal.compact_table = endless
    sys.exit(exit_status(["seal", sys.argv[1]]))
"""


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_stopped(bundle: BundleFolder, number: signal.Signals, status: int, word: str) -> None:
    """Ctrl-C and SIGTERM inside a computation end the command with one line, and the bundle is as it was."""
    bundle.write("acks", good_row("acks"))
    before = contents(bundle.root)
    program = textwrap.dedent(STOPPED).format(signal=int(number))
    ended = subprocess.run(
        [sys.executable, "-c", program, str(bundle.root)], check=False, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (status, "")
    assert ended.stderr == f"rto: {word}; the bundle is as it was, or sealed and whole\n"
    assert contents(bundle.root) == before
