"""`python -m tests.lab.soak`: ten minutes at 20,000 records a second on a real cluster, collectors on.

Passes when no evidence was lost and memory stayed flat: as many rows of `acks` as the application counted deliveries,
each coordinate once; each of them in `log_records` with the same identity, and nothing else there; and in the last
quarter no collecting process holds notably more memory than in the second. Not a test of the suite: it is long, and
a machine that is busy with something else tells nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from rtoanalytics_collectors.kafka import KafkaCluster
from rtoanalytics_collectors.log_records import LogReader
from rtoanalytics_collectors.spool import Spool
from tests.lab.harness.kafka import LabCluster
from tests.lab.harness.processes import Program

TOPIC = "soak"
PARTITIONS = 6
MAX_GROWTH_RATIO = 0.10
MAX_GROWTH_MB = 20.0
"""What the last quarter may hold more than the second: both bounds must be passed to fail."""
_SAMPLE_SECONDS = 2.0
_END_SECONDS = 120.0

DRILL = """\
schema_version: 1
id: soak
title: Soak
clusters: {{primary: {{bootstrap_servers: "{bootstrap_servers}"}}}}
flow: {{name: soak, topics: [{{name: {topic}}}]}}
objectives: {{rto_seconds: 60}}
"""

CHECKS = {
    "acked rows": "select count(*) from acks where outcome = 'acked'",
    "acked coordinates": "select count(*) from (select distinct partition, record_offset from acks"
    " where outcome = 'acked')",
    "log records": "select count(*) from log_records",
    "acked but not in the log": "select count(*) from acks anti join log_records"
    " using (topic, partition, record_offset, record_id) where outcome = 'acked'",
    "in the log but not acked": "select count(*) from log_records anti join acks"
    " using (topic, partition, record_offset, record_id)",
    "longest silence of acks, ms": "select coalesce(max(gap), 0) from (select date_diff('millisecond',"
    " lag(occurred_at) over (order by occurred_at), occurred_at) as gap from heartbeats where collector like 'acks%')",
    "rows of watermarks": "select count(*) from watermarks",
}


@dataclass
class Memory:
    """Resident memory of one process over time, MB."""

    samples: list[float] = field(default_factory=list)

    def sample(self, pid: int) -> None:
        """Look once; a process that has ended has no memory to look at."""
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
        except (OSError, IndexError):
            return
        self.samples.append(pages * 4096 / 1e6)

    def quarter(self, number: int) -> float:
        """The median of one quarter of the run, 0 to 3."""
        size = max(1, len(self.samples) // 4)
        return statistics.median(self.samples[number * size : (number + 1) * size])

    @property
    def is_flat(self) -> bool:
        """Whether the last quarter holds no more than the second, but for what a heap breathes."""
        growth = self.quarter(3) - self.quarter(1)
        return growth <= max(MAX_GROWTH_MB, MAX_GROWTH_RATIO * self.quarter(1))

    def __str__(self) -> str:
        """The quarters and the peak."""
        quarters = " ".join(f"{self.quarter(number):.0f}" for number in range(4))
        return f"{quarters} MB by quarter, at most {max(self.samples):.0f} MB"


@dataclass(frozen=True)
class Soak:
    """One soak in a folder of its own."""

    folder: Path
    seconds: float
    records_per_second: int

    @property
    def bundle(self) -> Path:
        """What is captured into."""
        return self.folder / "bundle"

    def run(self) -> tuple[dict[str, Any], dict[str, Memory]]:
        """Produce and collect, then read the log back; what the application said, and memory by process."""
        with LabCluster("primary", self.folder / "primary") as cluster:
            cluster.create_topic(TOPIC, partitions=PARTITIONS)
            self.bundle.mkdir()
            drill = DRILL.format(bootstrap_servers=cluster.bootstrap_servers, topic=TOPIC)
            (self.bundle / "drill.yaml").write_text(drill, "utf-8")
            answer, memory = self._produce(cluster.bootstrap_servers)
            self._read_back(cluster.bootstrap_servers)
        return answer, memory

    def _produce(self, bootstrap_servers: str) -> tuple[dict[str, Any], dict[str, Memory]]:
        memory = {"application": Memory(), "rto collect": Memory()}
        with ExitStack() as stack:
            collect = stack.enter_context(self._program("collect", "rtoanalytics", "collect", str(self.bundle)))
            producer = stack.enter_context(self._program("producer", "tests.lab.soak_producer"))
            order: dict[str, Any] = {"bootstrap_servers": bootstrap_servers, "bundle": str(self.bundle), "topic": TOPIC}
            order |= {"records_per_second": self.records_per_second, "seconds": self.seconds}
            producer.stdin.write(json.dumps(order) + "\n")
            producer.stdin.flush()
            watched = {"application": producer, "rto collect": collect}
            _watch(watched, memory, self.seconds)
            answer: dict[str, Any] = json.loads(producer.stdout.readline())
            collect.ask_to_end()
            if not collect.wait(_END_SECONDS):
                raise RuntimeError(collect.epitaph())
        return answer, memory

    def _program(self, name: str, module: str, *arguments: str) -> Program:
        return Program(name, [sys.executable, "-m", module, *arguments], self.folder, stdin=-1, stdout=-1)

    def _read_back(self, bootstrap_servers: str) -> None:
        with Spool(self.bundle, "log_records") as records, Spool(self.bundle, "log_scans") as scans:
            reader = LogReader(KafkaCluster("primary", bootstrap_servers, timeout_seconds=10), records, scans)
            reader.scan(dict.fromkeys([(TOPIC, partition) for partition in range(PARTITIONS)], 0))

    def findings(self) -> dict[str, int]:
        """What the evidence says."""
        with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
            for table in ("acks", "log_records", "heartbeats", "watermarks"):
                files = self.bundle / "evidence" / table / "*.parquet"
                connection.execute(f"create view {table} as from read_parquet('{files}')")
            return {name: connection.sql(query).fetchall()[0][0] for name, query in CHECKS.items()}


def _watch(programs: dict[str, Program], memory: dict[str, Memory], seconds: float) -> None:
    """Look at the memory of programs until the time is over or one of them ends."""
    pause = threading.Event()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for name, program in programs.items():
            if not program.is_running:
                raise RuntimeError(program.epitaph())
            memory[name].sample(program.pid)
        pause.wait(_SAMPLE_SECONDS)


def failures(answer: dict[str, Any], found: dict[str, int], memory: dict[str, Memory]) -> list[str]:
    """Everything that is not as it must be."""
    delivered = answer["delivered"]
    expected = dict.fromkeys(("acked rows", "acked coordinates", "log records"), delivered)
    expected |= dict.fromkeys(("acked but not in the log", "in the log but not acked"), 0)
    wrong = [f"{name}: {found[name]:,}, not {number:,}" for name, number in expected.items() if found[name] != number]
    return wrong + [f"memory of {name} grows: {taken}" for name, taken in memory.items() if not taken.is_flat]


def main() -> int:
    """Soak, print the figures; 1 when evidence was lost or memory grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.soak", description="Soak the collectors.")
    parser.add_argument("--seconds", type=float, default=600, help="how long to produce (default 600)")
    parser.add_argument("--rate", type=int, default=20_000, help="records a second (default 20000)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        soak = Soak(Path(folder), chosen.seconds, chosen.rate)
        answer, memory = soak.run()
        found = soak.findings()
    wrong = failures(answer, found, memory)
    lines = [f"{name}: {value:,}" for name, value in {**found, "delivered": answer["delivered"]}.items()]
    lines += [f"rate: {answer['delivered'] / chosen.seconds:,.0f} records/s, the application said {json.dumps(answer)}"]
    lines += [f"memory of {name}: {taken}" for name, taken in memory.items()]
    sys.stdout.writelines(f"{line}\n" for line in [*lines, *wrong, "FAILED" if wrong else "passed"])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
