"""What cannot be done on Spark is one clear message and exit status 3."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.engines.spark import Target, open_session
from rtoanalytics.engines.spark.failures import message_of
from rtoanalytics.errors import MissingDependencyError, UsageError
from tests.core.cli.endings import refused, rto
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--master", "yarn"], "add --engine spark"),
        (["--conf", "spark.driver.memory=1g"], "add --engine spark"),
        (["--engine", "spark", "--memory-limit", "1GB"], "--conf spark.driver.memory=4g"),
        (["--engine", "spark", "--conf", "memory=1g"], "--conf memory"),
        (["--engine", "spark", "--conf", "spark.driver.memory"], "--conf spark.driver.memory"),
        (["--engine", "spark", "--master", "local[1]", "--remote", "sc://127.0.0.1"], "keep one of them"),
        (["--engine", "spark", "--remote", "127.0.0.1:15002"], "sc://host:port"),
    ],
)
def test_options_that_do_not_go_together(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options that mean nothing together are refused before any work, with what to write instead."""
    refused(rto(capsys, "analyze", *options, tmp_path), words, lines=1)


def test_an_engine_that_does_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The allowed engines are told."""
    refused(rto(capsys, "analyze", "--engine", "trino", tmp_path), "duckdb", "spark")


def test_a_missing_extra_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without pyspark the message is the command that installs it."""
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    write_bundle(tmp_path / "bundle", *random_drill(1))
    with pytest.raises(MissingDependencyError, match=r"pip install 'rtoanalytics\[spark\]'"):
        open_session(Target())
    refused(rto(capsys, "analyze", "--engine", "spark", tmp_path / "bundle"), "[spark]", lines=1)


@pytest.mark.usefixtures("needs_spark")
def test_missing_java_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Java the message says which, and how it comes."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="needs Java 17 or newer"):
        open_session(Target())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("x\n[ARITHMETIC_OVERFLOW] long overflow. Use 'try_add'\nat y", "a number outgrows its column"),
        ("x\nCaused by: java.lang.OutOfMemoryError: Java heap space\nat y", "--conf spark.driver.memory=8g"),
        ("grpc: StatusCode.UNAVAILABLE, failed to connect", "Spark cannot be reached"),
        ("x\nCaused by: java.io.IOException: a\nCaused by: java.io.IOException: no space\n", "IOException: no space"),
        ("x\n[TABLE_OR_VIEW_NOT_FOUND] no such table\nat y", "([TABLE_OR_VIEW_NOT_FOUND] no such table)"),
        ("", "no reason given"),
    ],
)
def test_failures_become_one_line(said: str, told: str) -> None:
    """Of the pages that Java says, one line reaches the user: the condition or the innermost cause."""
    message = message_of("ledger", said)
    assert message.startswith("ledger: ")
    assert told in message
    assert "\n" not in message
