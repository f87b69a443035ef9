"""`python -m benchmarks.capture`: how fast the log is read back, and how many commits a second are captured.

Both against a mock cluster in another process, so that nothing but Python is needed, and on records that are made here.

* Log read-back: `LogReader`, with its spool synced and sealed into Parquet, beside bare consumers: the same client with
  the same settings on the same partitions, `consume(n)` in a loop until every record has come, and nothing done with a
  message but counting it. The client makes the same message object of each record for both. Each run of the reader is
  compared with the bare consumer before it; medians of several rounds, and the best run of each, which was disturbed
  least.
* Commits: records as a broker writes them to `__consumer_offsets`. What decoding one costs, and what making a durable
  row of it costs, without a cluster; then `OffsetsTopic` in its loop: a backlog that it catches up with, and a steady
  offer, with what it took of a core, how old a commit was when its row was on disk, and looks that did not get to the
  end.

Nothing is asserted: the ratio travels, the numbers do not.
"""

from __future__ import annotations

import argparse
import json
import statistics
from typing import TYPE_CHECKING, Any

from benchmarks.commits import COMMITS_PER_SECOND, backlog, decoding, keeping, steady
from benchmarks.measuring import machine
from benchmarks.mock_cluster import BUSY_PRODUCER, insist, mock_cluster
from benchmarks.timing import Run, bundle_folder, timed
from rtoanalytics_collectors.kafka import READ_ISOLATION, KafkaCluster, new_producer, topic_partitions
from rtoanalytics_collectors.kafka.reading import LOT_RECORDS, new_reader
from rtoanalytics_collectors.log_records import ROTATE_BYTES, LogReader
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtoanalytics_collectors.kafka import TopicPartition

RUNS = 5
LOG_TOPIC = "benchmark-log"
PLACES: list[TopicPartition] = [(LOG_TOPIC, partition) for partition in range(4)]
LOG_RECORDS = 800_000
VALUE = b"x" * 100


def results(bootstrap_servers: str, runs: int) -> list[dict[str, Any]]:
    """Everything that is measured, medians of several runs taken in turn."""
    fill_log(bootstrap_servers)
    ways: dict[str, Callable[[], Run]] = {
        f"bare consumer, {LOT_RECORDS} at a time": lambda: bare(bootstrap_servers, LOT_RECORDS),
        "LogReader": lambda: read_back(bootstrap_servers),
        "bare consumer, 10,000 at a time": lambda: bare(bootstrap_servers, 10_000),
    }
    rounds = [{name: way() for name, way in ways.items()} for _ in range(runs + 1)][1:]  # the first one warms up
    bare_runs = [found[next(iter(ways))] for found in rounds]
    rows = [_result("log read-back", name, [found[name] for found in rounds], bare_runs) for name in ways]
    return [
        *rows,
        _result("commits", "decoded", [decoding() for _ in range(runs)]),
        _result("commits", "decoded, kept and sealed", [keeping() for _ in range(runs)]),
        _result("commits", "backlog, from the cluster", [backlog(bootstrap_servers, number) for number in range(runs)]),
        _result("commits", f"{COMMITS_PER_SECOND:,} a second offered", [steady(bootstrap_servers)]),
    ]


def fill_log(bootstrap_servers: str) -> None:
    """Write the topic that is read back, the same number of records to each partition."""
    producer = new_producer({**BUSY_PRODUCER, "bootstrap.servers": bootstrap_servers})
    for number in range(LOG_RECORDS):
        insist(producer, LOG_TOPIC, VALUE, b"payment-%d" % number, number * len(PLACES) // LOG_RECORDS)
    producer.flush()


def bare(bootstrap_servers: str, lot: int) -> Run:
    """Consume and count."""

    def count() -> int:
        consumer = new_reader({"bootstrap.servers": bootstrap_servers}, READ_ISOLATION)
        for topic, partition in PLACES:
            consumer.assign(topic_partitions(topic, {partition: 0}))
            wanted = LOG_RECORDS // len(PLACES)
            while wanted > 0:
                wanted -= len(consumer.consume(min(lot, wanted), 0.1))
        consumer.close()
        return LOG_RECORDS

    return timed(count)


def read_back(bootstrap_servers: str) -> Run:
    """Read the log back as `rto collect log` does, until its evidence is sealed."""

    def scan() -> int:
        cluster = KafkaCluster("primary", bootstrap_servers)
        with (
            bundle_folder() as bundle,
            Spool(bundle, "log_records", rotate_bytes=ROTATE_BYTES) as records,
            Spool(bundle, "log_scans") as scans,
        ):
            count = LogReader(cluster, records, scans).scan(dict.fromkeys(PLACES, 0))
        cluster.close()
        return count

    run = timed(scan)
    if run.records != LOG_RECORDS:
        msg = f"{run.records} records were read back, {LOG_RECORDS} are in the log"
        raise RuntimeError(msg)
    return run


def _result(what: str, name: str, runs: list[Run], baselines: list[Run] | None = None) -> dict[str, Any]:
    """Medians; the ratio is the records a second of each run in parts of those of the baseline in the same round."""
    pairs = zip(runs, baselines, strict=True) if baselines else ()
    ratios = [baseline.seconds / run.seconds for run, baseline in pairs]
    more: dict[str, float] = {}
    for run in runs:
        more |= run.more
    return {
        "what": what,
        "variant": name,
        "per_second": round(statistics.median(run.records / run.seconds for run in runs)),
        "ratio": round(statistics.median(ratios), 3) if ratios else None,
        "best_per_second": round(max(run.records / run.seconds for run in runs)),
        "best_ratio": round(_best_seconds(baselines) / _best_seconds(runs), 3) if baselines else None,
        "cpu_ns_per_record": round(statistics.median(run.cpu_seconds / run.records for run in runs) * 1e9),
        "cores": round(statistics.median(run.cpu_seconds / run.seconds for run in runs), 3),
        **more,
    }


def _best_seconds(runs: list[Run]) -> float:
    return min(run.seconds for run in runs)


def table(rows: list[dict[str, Any]]) -> str:
    """The results for people."""
    heads = f"{'records/s':>10} {'ratio':>6} {'best run/s':>10} {'ratio':>6} {'cpu ns':>7} {'cores':>6}"
    lines = [f"{'':<16} {'':<32} {heads}"]
    for row in rows:
        ratio, best_ratio = (f"{row[name]:.2f}" if row[name] else "" for name in ("ratio", "best_ratio"))
        lines.append(
            f"{row['what']:<16} {row['variant']:<32} {row['per_second']:>10,} {ratio:>6}"
            f" {row['best_per_second']:>10,} {best_ratio:>6} {row['cpu_ns_per_record']:>7,} {row['cores']:>6.2f}"
        )
        if "oldest_seconds" in row:
            lines.append(
                f"{'':<17}oldest commit of a look when on disk {row['oldest_seconds']:.2f} s;"
                f" {row['looks_cut_short']:.0f} of {row['looks']:.0f} looks did not get to the end"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capture", description="Measure collectors.")
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
