"""The jars that the lab runs: copied by Maven from a pom into `.lab/` of the checkout, once for each content of it."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.harness.processes import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB = Path(__file__).resolve().parents[1]
STORE = LAB.parents[1] / ".lab"
"""What the lab keeps between runs; git ignores it."""
_FETCH_SECONDS = 570.0
_TAIL_CHARACTERS = 2_000
NEEDED = {"java": "default-jre-headless", "mvn": "maven"}
"""Command that the lab needs, and the Debian package that brings it; Kafka 4 runs on Java 17 and newer."""
POMS = {
    "jars": LAB / "pom.xml",
    "plugin-archives": LAB / "plugins" / "pom.xml",
    "exporter": LAB / "exporter" / "pom.xml",
}
"""What the lab fetches, by its folder in `.lab/`."""


class MissingProgramError(LabError):
    """This machine lacks a program that the lab needs."""


def java() -> str:
    """The Java that runs the jars. Raises MissingProgramError."""
    return _program("java")


def kafka_jars() -> Path:
    """The folder of Kafka's jars. Raises MissingProgramError without Java or Maven, LabError when Maven fails."""
    java()
    return fetch(POMS["jars"], "jars")


def fetch(pom: Path, name: str) -> Path:
    """The folder `.lab/<name>` with everything that `pom` depends on; Maven runs when the pom has changed.

    Several processes may ask at once: one fetches, the others wait.
    """
    folder = STORE / name
    stamp = folder / ".pom.sha256"
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()
    with locked(name):
        if not stamp.is_file() or stamp.read_text() != digest:
            shutil.rmtree(folder, ignore_errors=True)
            _copy_dependencies(pom, folder)
            stamp.write_text(digest)
    return folder


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time makes what `.lab/<name>` holds."""
    STORE.mkdir(exist_ok=True)
    with (STORE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy_dependencies(pom: Path, folder: Path) -> None:
    command = [_program("mvn"), "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    answer = subprocess.run(
        [*command, f"-DoutputDirectory={folder}"], capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False
    )
    if answer.returncode:
        said = (answer.stdout + answer.stderr)[-_TAIL_CHARACTERS:]
        msg = f"Maven could not bring what {pom.name} of the lab names (exit {answer.returncode}):\n{said}"
        raise LabError(msg)


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        msg = f"the drill lab needs {name}, and this machine has none (Debian: apt install {NEEDED[name]})"
        raise MissingProgramError(msg)
    return found
