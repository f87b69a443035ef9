"""Kafka's own tools as witnesses: what stands in the segment files of a broker, and programs that verify themselves."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.lab.harness.jvm import java_command
from tests.lab.harness.processes import LabError, Program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.lab.harness.broker import Broker

_DUMP_SECONDS = 120.0
_HEAP_MEGABYTES = 128
_EPOCH = re.compile(r"\bpartitionLeaderEpoch: (-?\d+)")
_CONTROL = re.compile(r"\bisControl: (true|false)")
_RECORD = re.compile(
    r"^\| offset: (\d+) .*?(?:endTxnMarker: (\w+) .*|(?: key: (?P<key>.*?))?(?: payload: (?P<payload>.*))?)$"
)
_FILE = re.compile(r"^Dumping (.*)$")


@dataclass(frozen=True)
class StoredRecord:
    """One record in a segment file."""

    offset: int
    leader_epoch: int
    key: str | None
    payload: str | None
    marker: str | None
    """COMMIT or ABORT, for a transaction's end; None for a record of an application."""
    is_control: bool


def dump_log(broker: Broker, topic: str, partitions: Iterable[int]) -> dict[int, list[StoredRecord]]:
    """Every record in a broker's segment files of partitions, offset order, by kafka-dump-log; a dead broker's too."""
    folders = {partition: broker.log_folder / f"{topic}-{partition}" for partition in partitions}
    files = [file for folder in folders.values() for file in sorted(folder.glob("*.log"))]
    command = java_command(
        "org.apache.kafka.tools.DumpLogSegments",
        "--print-data-log",
        "--files",
        ",".join(str(file) for file in files),
        heap_megabytes=_HEAP_MEGABYTES,
    )
    answer = subprocess.run(command, capture_output=True, text=True, timeout=_DUMP_SECONDS, check=False)
    if answer.returncode:
        msg = f"kafka-dump-log failed on {topic} of broker {broker.broker_id}:\n{answer.stderr[-2000:]}"
        raise LabError(msg)
    found: dict[int, list[StoredRecord]] = {partition: [] for partition in folders}
    for file, record in parse_dump(answer.stdout.splitlines()):
        found[int(file.rpartition("/")[0].rpartition("-")[2])].append(record)
    return found


def parse_dump(lines: Iterable[str]) -> Iterator[tuple[str, StoredRecord]]:
    """File and record of each record line that kafka-dump-log prints.

    >>> lines = [
    ...     "Dumping x/pay-0/0.log",
    ...     "baseOffset: 7 lastOffset: 7 count: 1 partitionLeaderEpoch: 3 isTransactional: false isControl: false",
    ...     '| offset: 7 CreateTime: 1 keySize: 1 valueSize: 2 headerKeys: [id] key: k payload: {"id": "a"}',
    ... ]
    >>> [(file, record.offset, record.leader_epoch, record.payload) for file, record in parse_dump(lines)]
    [('x/pay-0/0.log', 7, 3, '{"id": "a"}')]
    """
    file, epoch, is_control = "", -1, False
    for line in lines:
        if begun := _FILE.match(line):
            file = begun[1]
        elif line.startswith("baseOffset:"):
            epoch = int(_found(_EPOCH, line))
            is_control = _found(_CONTROL, line) == "true"
        elif record := _RECORD.match(line):
            yield file, StoredRecord(int(record[1]), epoch, record["key"], record["payload"], record[2], is_control)


def _found(pattern: re.Pattern[str], line: str) -> str:
    match = pattern.search(line)
    if not match:
        msg = f"kafka-dump-log printed a batch without {pattern.pattern}: {line}"
        raise LabError(msg)
    return match[1]


class VerifiableTool:
    """Kafka's VerifiableProducer or VerifiableConsumer, with what it says of itself."""

    def __init__(self, tool: str, folder: Path, *arguments: str) -> None:
        """Start `tool` (the class) with its command line."""
        command = java_command(f"org.apache.kafka.tools.{tool}", *arguments, heap_megabytes=_HEAP_MEGABYTES)
        self.program = Program(tool, command, folder, stdout=subprocess.PIPE)
        self._lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, name=tool, daemon=True)
        self._reader.start()

    def said(self, name: str) -> list[dict[str, Any]]:
        """What it has said so far under this name, in order."""
        return [line for line in list(self._lines) if line["name"] == name]

    def end(self, timeout_seconds: float) -> None:
        """Let it finish (SIGTERM) and wait until everything it said is here. Raises LabError when it does not end."""
        self.program.ask_to_end()
        if not self.program.wait(timeout_seconds):
            raise LabError(self.program.epitaph())
        self._reader.join(timeout_seconds)
        self.program.close()

    def _read(self) -> None:
        for line in self.program.stdout:
            if line.startswith("{"):
                self._lines.append(json.loads(line))
