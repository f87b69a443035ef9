"""Open a Spark session: on this machine, on a cluster, or through Spark Connect."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from rtoanalytics.engines.spark.failures import message_of
from rtoanalytics.errors import MissingDependencyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import SparkSession

LOCAL = "local[*]"
"""Every core of this machine, in one process."""

_LOCALE = "LC_ALL"
_QUIET = Path(__file__).with_name("log4j2.properties")
_OPTIONS = "spark.driver.extraJavaOptions"
_ON_THIS_MACHINE = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.shuffle.partitions": "16",
}
_OURS = {
    "spark.app.name": "rtoanalytics",
    "spark.log.level": "OFF",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Spark keeps the plans of past queries for its pages; a chain of ninety fills the heap with them.
    "spark.ui.retainedJobs": "1",
    "spark.ui.retainedStages": "1",
    "spark.ui.retainedTasks": "1",
    "spark.sql.ui.retainedExecutions": "1",
}
_FAILED_QUERIES = "SQLQueryContextLogger"
"""Where pyspark logs what it raises as well."""
_MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}
"""What the texts of queries/ and the reading of evidence rely on."""


@dataclass(frozen=True)
class Target:
    """Where Spark runs."""

    master: str | None = None
    """A cluster as spark-submit writes it (spark://…, yarn, k8s://…), or local[N]; default: all cores here."""
    remote: str | None = None
    """A Spark Connect server: sc://host:port. Not together with `master`."""
    conf: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Settings by their Spark names, which override our own."""
    location: str | None = None
    """Where executors find the bundle (s3a://…); None where they find it in the folder that this process reads."""

    def __post_init__(self) -> None:
        if self.master and self.remote:
            msg = "--master and --remote name two different Sparks; keep one of them"
            raise UsageError(msg)
        if self.remote and not self.remote.startswith("sc://"):
            msg = f'--remote "{self.remote}" is no Spark Connect server; write sc://host:port'
            raise UsageError(msg)

    @property
    def is_on_this_machine(self) -> bool:
        """Whether Spark runs in one process here, and reads and writes the same disks."""
        return not self.remote and (self.master or LOCAL).split("[")[0] == "local"


def open_session(target: Target, scratch: Path | None = None) -> SparkSession:
    """A session of this process: the one that is open already, else a new one.

    `scratch` is where Spark on this machine spills to. Raises MissingDependencyError without pyspark, UsageError
    without Java or when Spark does not start or cannot be reached.
    """
    try:
        from pyspark.errors import PySparkException  # noqa: PLC0415  (comes with the extra)
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError:
        what = "--engine spark"
        raise MissingDependencyError(what, "spark") from None
    if not target.remote and not _java():
        msg = (
            "--engine spark needs Java 17 or newer, and none is on the PATH or in JAVA_HOME "
            "(Debian: apt install default-jre-headless)"
        )
        raise UsageError(msg)
    logging.getLogger(_FAILED_QUERIES).setLevel(logging.CRITICAL + 1)
    builder = SparkSession.builder
    for name, value in _settings(target, scratch).items():
        builder = builder.config(name, value)
    builder = builder.remote(target.remote) if target.remote else builder.master(target.master or LOCAL)
    try:
        with warnings.catch_warnings(), _utf8_names():
            warnings.simplefilter("ignore", FutureWarning)  # pyspark on pandas it does not know yet; we use none of it
            session = builder.getOrCreate()
            session.conf.get("spark.sql.session.timeZone")  # a Connect server is asked only now
    except ImportError as error:
        msg = f"Spark Connect lacks a package ({error}): pip install 'rtoanalytics[spark]'"
        raise UsageError(msg) from None
    except (PySparkException, ConnectionError) as error:
        raise UsageError(message_of(f"Spark at {target.remote or target.master or LOCAL}", str(error))) from None
    return session


def _settings(target: Target, scratch: Path | None) -> dict[str, str]:
    if target.remote:
        return {"spark.app.name": "rtoanalytics", **target.conf}
    quiet = f"-Dlog4j2.configurationFile={_QUIET.as_uri()}"
    # Nothing is stored there, but Spark makes the folder: by default spark-warehouse/ where the user happens to be.
    here = {"spark.sql.warehouse.dir": Path(scratch or tempfile.gettempdir()).resolve().as_uri()}
    settings = {**_OURS, **here, **(_ON_THIS_MACHINE if target.is_on_this_machine else {})}
    if scratch:
        settings["spark.local.dir"] = str(scratch)
    settings |= target.conf
    return settings | {_OPTIONS: f"{quiet} {target.conf.get(_OPTIONS, '')}".strip()}


@contextmanager
def _utf8_names() -> Iterator[None]:
    """Start Java in a UTF-8 locale: in any other it does not find files whose names are not ASCII."""
    before = os.environ.get(_LOCALE)
    os.environ[_LOCALE] = "C.UTF-8"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_LOCALE]
        else:
            os.environ[_LOCALE] = before


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home, "bin"))) if home else shutil.which("java")


@contextmanager
def set_for_now(session: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    """Session settings as long as the block lasts, over those that queries always rely on."""
    wanted = {**_MEANING, **settings}
    before = {name: session.conf.get(name, None) for name in wanted}
    try:
        for name, value in wanted.items():
            session.conf.set(name, value)
        yield
    finally:
        for name, earlier in before.items():
            if earlier is None:
                session.conf.unset(name)
            else:
                session.conf.set(name, earlier)


class Computation:
    """What a session computes, which another thread can end."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def interrupt(self) -> None:
        """Make what is being computed fail."""
        self._session.interruptAll()
