"""`python -m benchmarks.acks`: what recording acks costs a Python producer, as ratios within one run.

The same small application produces to a mock cluster in another process: without a delivery callback, with one that
does nothing, and with the recorder around the producer (once with the callback that does nothing still in place). Every
recorder is compared with the application without one in the same round, and the median of those comparisons is shown:
what else the machine does meanwhile is in both. Rounds are many and short, there and back through the variants. Where
the machine is busy, the best run of each says more: those were disturbed least.

* Flat out: records a second from the first produce to the last outcome; processor time of the application's own thread,
  which alone produces and runs the callbacks, and so bounds what it can produce where cores are free; and that of the
  whole process, evidence sealed. On a machine with two cores the mock cluster, the client's threads and the recorder's
  compete with the application: records a second are then about all of them together.
* At a steady rate: records a second, and the processor time of the whole process, evidence sealed, in cores.

Nothing is asserted: the ratio travels, the numbers do not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import machine
from benchmarks.mock_cluster import mock_cluster
from rtoanalytics_collectors.acks import AckRecorder
from rtoanalytics_collectors.identity import from_key
from rtoanalytics_collectors.kafka import new_producer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOPIC = "benchmark"
VALUE = b"x" * 100
RUNS = 5
FLAT_OUT_RECORDS = 150_000
FLAT_OUT_RUNS_EACH = 4
"""Runs flat out for each run at a steady rate: they are short, and more at the mercy of what else runs."""
PACED_PER_SECOND = 200_000
PACED_SECONDS = 4.0
WARM_UP_RECORDS = 2_000
_POLL_EVERY = 128
_STEADY = ("offered 200k/s: kept/s", "cpu ns", "cores", "extra")
_TICK_SECONDS = 0.002

Application = Any
"""A producer, or a recorder around one."""


@dataclass(frozen=True)
class Variant:
    """One way of producing."""

    name: str
    has_callback: bool
    is_recorded: bool
    has_keys: bool = False


VARIANTS = (
    Variant("no callback", has_callback=False, is_recorded=False),
    Variant("no-op callback", has_callback=True, is_recorded=False),
    Variant("recorder", has_callback=False, is_recorded=True),
    Variant("recorder and no-op callback", has_callback=True, is_recorded=True),
    Variant("no-op callback, keys", has_callback=True, is_recorded=False, has_keys=True),
    Variant("recorder, keys as identities", has_callback=False, is_recorded=True, has_keys=True),
)
BASELINES = {False: "no-op callback", True: "no-op callback, keys"}
"""What a recorder is held against: an application that checks its deliveries, with keys or without."""


@dataclass(frozen=True)
class Run:
    """One run of one variant."""

    records: int
    seconds: float
    """From the first produce to the last outcome."""
    thread_seconds: float
    """Processor time of the thread that produces and runs the callbacks, meanwhile."""
    cpu_seconds: float
    """Of the application's process, all of its threads, until the evidence is sealed."""


def flat_out(application: Application, variant: Variant, records: int) -> None:
    """Produce as fast as the queue takes them."""
    send = _send(application, variant)
    for number in range(records):
        _insist(application, send, number)
        if number % _POLL_EVERY == 0:
            application.poll(0)
    application.flush()


def paced(application: Application, variant: Variant, records: int) -> None:
    """Produce `PACED_PER_SECOND` records a second in small bursts."""
    send = _send(application, variant)
    started = time.perf_counter()
    sent = 0
    while sent < records:
        due = min(records, int((time.perf_counter() - started) * PACED_PER_SECOND))
        for number in range(sent, due):
            _insist(application, send, number)
        sent = due
        application.poll(0)
        time.sleep(_TICK_SECONDS)
    application.flush()


def _send(application: Application, variant: Variant) -> Callable[[int], None]:
    """The application's line that produces."""
    produce = application.produce
    key = (lambda number: b"payment-%d" % number) if variant.has_keys else (lambda _: None)
    if variant.has_callback:
        return lambda number: produce(TOPIC, VALUE, key(number), on_delivery=_ignore)
    return lambda number: produce(TOPIC, VALUE, key(number))


def _insist(application: Application, send: Callable[[int], None], number: int) -> None:
    """Produce one record, and wait for room in the queue where there is none."""
    while True:
        try:
            return send(number)
        except BufferError:
            application.poll(0.01)


def _ignore(_error: object, _message: object) -> None:
    """A delivery callback that does nothing."""


def measure(
    variant: Variant, bootstrap_servers: str, drive: Callable[[Application, Variant, int], None], records: int
) -> Run:
    """One run, with its own producer and its own bundle."""
    with _application(variant, bootstrap_servers) as application:
        flat_out(application, variant, WARM_UP_RECORDS)  # connections, metadata, what is imported late
        cpu_started, thread_started, started = time.process_time(), time.thread_time(), time.perf_counter()
        drive(application, variant, records)
        seconds, thread_seconds = time.perf_counter() - started, time.thread_time() - thread_started
        if variant.is_recorded:
            application.close()
        return Run(records, seconds, thread_seconds, time.process_time() - cpu_started)


@contextmanager
def _application(variant: Variant, bootstrap_servers: str) -> Iterator[Application]:
    producer = new_producer(
        {"bootstrap.servers": bootstrap_servers, "linger.ms": 5, "queue.buffering.max.messages": 100_000}
    )
    with tempfile.TemporaryDirectory() as folder:
        if not variant.is_recorded:
            yield producer
            return
        (Path(folder) / "drill.yaml").write_text("schema_version: 1\n", "utf-8")
        record_id = from_key if variant.has_keys else None
        recorder = AckRecorder.wrap(producer, folder, cluster="primary", record_id=record_id)
        yield recorder
        if not recorder.is_healthy:
            raise RuntimeError(recorder.last_error)  # what was not recorded was not measured


def results(bootstrap_servers: str, runs: int) -> list[dict[str, Any]]:
    """Every variant, medians of several runs taken in turn, with its ratio to the application without a recorder."""
    paced_records = int(PACED_PER_SECOND * PACED_SECONDS)
    for variant in VARIANTS:
        measure(variant, bootstrap_servers, flat_out, WARM_UP_RECORDS)
    fast = _rounds(bootstrap_servers, flat_out, FLAT_OUT_RECORDS, runs * FLAT_OUT_RUNS_EACH)
    steady = _rounds(bootstrap_servers, paced, paced_records, runs)
    return [_result(variant, fast, steady) for variant in VARIANTS]


def _rounds(
    bootstrap_servers: str, drive: Callable[[Application, Variant, int], None], records: int, rounds: int
) -> dict[str, list[Run]]:
    """Runs of every variant, by its name, in the order of the rounds."""
    runs: dict[str, list[Run]] = {variant.name: [] for variant in VARIANTS}
    for number in range(rounds):
        for variant in VARIANTS[:: -1 if number % 2 else 1]:
            runs[variant.name].append(measure(variant, bootstrap_servers, drive, records))
    return runs


def _result(variant: Variant, fast: dict[str, list[Run]], steady: dict[str, list[Run]]) -> dict[str, Any]:
    baseline = BASELINES[variant.has_keys]
    flat, pace = Pairs(fast[variant.name], fast[baseline]), Pairs(steady[variant.name], steady[baseline])
    return {
        "variant": variant.name,
        "flat_out_per_second": round(flat.median(_rate)),
        "flat_out_ratio": round(flat.ratio(_rate), 3),
        "flat_out_best_per_second": round(max(map(_rate, flat.runs))),
        "flat_out_best_ratio": round(flat.best_ratio(_rate), 3),
        "flat_out_thread_ns_per_record": round(flat.median(_thread_ns)),
        "flat_out_thread_ratio": round(flat.ratio(_thread_ns), 3),
        "flat_out_cpu_ns_per_record": round(flat.median(_cpu_ns)),
        "flat_out_cpu_ratio": round(flat.ratio(_cpu_ns), 3),
        "paced_per_second": round(pace.median(_rate)),
        "paced_cpu_ns_per_record": round(pace.median(_cpu_ns)),
        "paced_cores": round(pace.median(_cores), 3),
        "paced_extra_cores": round(pace.difference(_cores), 3),
    }


@dataclass(frozen=True)
class Pairs:
    """Runs of one variant, and those of the application that it is held against, round by round."""

    runs: list[Run]
    baselines: list[Run]

    def median(self, measured: Callable[[Run], float]) -> float:
        """What the variant measures."""
        return statistics.median(map(measured, self.runs))

    def ratio(self, measured: Callable[[Run], float]) -> float:
        """What it measures in parts of what the other does."""
        pairs = zip(self.runs, self.baselines, strict=True)
        return statistics.median(measured(run) / measured(baseline) for run, baseline in pairs)

    def best_ratio(self, measured: Callable[[Run], float]) -> float:
        """The most that it measures in parts of the most of the other: runs that were disturbed least."""
        return max(map(measured, self.runs)) / max(map(measured, self.baselines))

    def difference(self, measured: Callable[[Run], float]) -> float:
        """What it measures more than the other."""
        pairs = zip(self.runs, self.baselines, strict=True)
        return statistics.median(measured(run) - measured(baseline) for run, baseline in pairs)


def _rate(run: Run) -> float:
    return run.records / run.seconds


def _thread_ns(run: Run) -> float:
    return run.thread_seconds / run.records * 1e9


def _cpu_ns(run: Run) -> float:
    return run.cpu_seconds / run.records * 1e9


def _cores(run: Run) -> float:
    return run.cpu_seconds / run.seconds


def table(rows: list[dict[str, Any]]) -> str:
    """The results for people."""
    flat = ("flat out/s", "ratio", "best run/s", "ratio", "own thread ns", "ratio", "cpu ns", "ratio")
    lines = [" " * 30 + "".join(f" {name:>{_width(name)}}" for name in (*flat, *_STEADY))]
    lines += [
        f"{row['variant']:<30} {row['flat_out_per_second']:>10,} {row['flat_out_ratio']:>7.2f}"
        f" {row['flat_out_best_per_second']:>10,} {row['flat_out_best_ratio']:>7.2f}"
        f" {row['flat_out_thread_ns_per_record']:>13} {row['flat_out_thread_ratio']:>7.2f}"
        f" {row['flat_out_cpu_ns_per_record']:>7} {row['flat_out_cpu_ratio']:>7.2f} {row['paced_per_second']:>22,}"
        f" {row['paced_cpu_ns_per_record']:>7} {row['paced_cores']:>7.3f} {row['paced_extra_cores']:>+7.3f}"
        for row in rows
    ]
    return "\n".join(lines)


def _width(name: str) -> int:
    return max(7, len(name))


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.acks", description="Measure the ack recorder.")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"runs of each (default {RUNS})")
    runs = parser.parse_args().runs
    with mock_cluster() as bootstrap_servers:
        rows = results(bootstrap_servers, runs)
    where = machine()
    print(", ".join(f"{name} {value}" for name, value in where.items()), end="\n\n")
    print(table(rows), end="\n\n")
    print(json.dumps({"machine": where, "runs": runs, "results": rows}))


if __name__ == "__main__":
    main()
