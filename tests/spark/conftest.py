"""One Spark on this machine for every test of a worker.

Every test that asks for it has the mark xdist_group("spark"), so one worker runs them all: a second JVM would take
memory and both cores.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.engines.spark import Target, open_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

TARGET = Target(
    master="local[2]",
    conf={
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC",
        "spark.sql.shuffle.partitions": "2",
    },
)


@pytest.fixture(scope="session")
def needs_spark() -> None:
    """Java and pyspark; a test that asks for them is skipped on a machine without."""
    if not shutil.which("java"):
        pytest.skip("no Java on this machine (Debian: apt install default-jre-headless)")
    if not find_spec("pyspark"):
        pytest.skip("no pyspark here: pip install 'rtoanalytics[spark]'")


@pytest.fixture(scope="session")
def spark(needs_spark: None) -> Iterator[SparkSession]:  # noqa: ARG001  (asked for, not used)
    """A session in one process of this machine, with two cores and a heap of 1 GB."""
    session = open_session(TARGET)
    yield session
    session.stop()
