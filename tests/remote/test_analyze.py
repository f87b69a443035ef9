"""`rto analyze s3://…`: the answers of a folder, written back where the bundle is, and one clear error otherwise."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.bundle.remote import download, location_of, publish
from rtoanalytics.errors import EvidenceError
from tests.core.cli.endings import refused, rto
from tests.core.laws.drills import analyzed
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill
from tests.remote.conftest import ACCESS_KEY, SECRET_KEY
from tests.spark.conftest import TARGET, needs_spark, spark  # noqa: F401  (fixtures)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.remote.conftest import Bucket

STATUS = {"pass": 0, "fail": 1, "inconclusive": 2}
PREFIX = "2026/q4 ü+&=/a-drill"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A random drill as a folder."""
    write_bundle(tmp_path / "drill", *random_drill(4), files=2)
    return tmp_path / "drill"


def results_there(bucket: Bucket) -> dict[str, bytes]:
    """Every result in the store, by name."""
    return {key: bucket.get(f"{PREFIX}/results/{key}") for key in bucket.keys(f"{PREFIX}/results")}


def test_a_prefix_gives_the_answers_of_a_folder(
    bucket: Bucket, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The results of a bundle in a store are those of the same folder, to the byte, and stand beside its evidence."""
    address = bucket.put_bundle(folder, PREFIX)
    before = bucket.keys(PREFIX)
    ending = rto(capsys, "analyze", "--json", f"{address}/")
    here = analyzed(folder)
    assert ending.status == STATUS[here.scorecard["verdict"]], ending
    assert json.loads(ending.answer) == here.scorecard
    assert results_there(bucket) == here.files
    assert bucket.keys(PREFIX) == sorted([*before, *(f"results/{name}" for name in here.files)])


@pytest.mark.xdist_group("spark")
@pytest.mark.usefixtures("spark")
def test_spark_gives_the_answers_of_a_folder(bucket: Bucket, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same with Spark on this machine, which reads the copy."""
    address = bucket.put_bundle(folder, PREFIX)
    ending = rto(capsys, "analyze", "--json", "--engine", "spark", "--master", str(TARGET.master), address)
    assert json.loads(ending.answer) == analyzed(folder).scorecard
    assert results_there(bucket) == analyzed(folder).files


def test_old_results_are_replaced(bucket: Bucket, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An analysis does not read results that stand there, and leaves new ones."""
    address = bucket.put_bundle(folder, PREFIX)
    bucket.put(f"{PREFIX}/results/scorecard.json", b"not even JSON")
    bucket.put(f"{PREFIX}/results/ledger.parquet", b"no Parquet")
    rto(capsys, "analyze", "--json", address)
    assert results_there(bucket) == analyzed(folder).files


def test_a_scorecard_stands_only_beside_its_own_results(bucket: Bucket, folder: Path) -> None:
    """Where results cannot all be written, no scorecard is left that would vouch for a mixture of old and new ones."""
    address = bucket.put_bundle(folder, PREFIX)
    bucket.put(f"{PREFIX}/results/scorecard.json", b"{}")
    analyzed(folder)
    (folder / "results" / "ledger.parquet").unlink()
    (folder / "results" / "ledger.parquet").mkdir()  # what cannot be read cannot be sent
    with pytest.raises(EvidenceError):
        publish(folder, location_of(address))
    assert "scorecard.json" not in bucket.keys(f"{PREFIX}/results")


def test_nothing_stays_here(bucket: Bucket, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The copy is below --scratch, and gone when the command ends."""
    address = bucket.put_bundle(folder, PREFIX)
    (tmp_path / "scratch").mkdir()
    assert rto(capsys, "analyze", "--json", "--scratch", tmp_path / "scratch", address).status in STATUS.values()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_is_not_there_is_said(bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing bucket, a missing prefix and a prefix without a definition are three different messages."""
    refused(
        rto(capsys, "analyze", "s3://no-such-bucket/x"), 's3://no-such-bucket/x: no bucket "no-such-bucket"', lines=1
    )
    refused(rto(capsys, "analyze", f"s3://{bucket.name}/x"), f"s3://{bucket.name}/x: no such prefix", lines=1)
    bucket.put("y/evidence/notes.txt", b"")
    refused(rto(capsys, "analyze", f"s3://{bucket.name}/y"), "drill.yaml")
    refused(rto(capsys, "analyze", "s3://"), "s3://bucket/prefix", lines=1)


def test_a_store_that_does_not_answer_is_said(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listening at the address is one clear message that names the setting to look at."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    refused(rto(capsys, "analyze", f"s3://{bucket.name}/x"), "cannot be reached", "AWS_ENDPOINT_URL", lines=1)


def test_secrets_are_never_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither credentials of the environment nor some written into an address appear in a message."""
    ending = rto(capsys, "analyze", "s3://key-of-mine:secret-of-mine@bucket/x")
    refused(ending, "AWS_ACCESS_KEY_ID", lines=1)
    assert "of-mine" not in ending.talk.split(": ", maxsplit=2)[-1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{SECRET_KEY}.invalid")
    ending = rto(capsys, "analyze", f"s3://{bucket.name}/x")
    refused(ending)
    assert SECRET_KEY not in ending.talk
    assert ACCESS_KEY not in ending.talk


@pytest.mark.parametrize("key", ["../outside", "evidence/../../outside", "evidence//acks", "evidence/a\\b"])
def test_keys_that_are_no_file_names_are_refused(bucket: Bucket, tmp_path: Path, key: str) -> None:
    """An object can have any name, and none is written outside the bundle's own folder."""
    bucket.put(f"{PREFIX}/drill.yaml", b"id: x")
    bucket.put_as_named(f"{PREFIX}/{key}")
    (tmp_path / "here").mkdir()
    with pytest.raises(EvidenceError, match="not a name of a file"):
        download(location_of(f"s3://{bucket.name}/{PREFIX}"), tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    shutil.rmtree(tmp_path / "here")


@pytest.mark.parametrize("command", ["check", "seal", "verify", "report", "compare", "sql", "app", "mark"])
def test_other_commands_say_that_they_work_on_folders(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No other command takes an address for the name of a folder; it says what to do instead."""
    refused(rto(capsys, command, "s3://bucket/prefix"), f"rto {command} works on folders", "aws s3 sync", lines=1)
