"""Collectors against a cluster in memory: each look gives the rows that it should, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics_collectors.clients import client_stats
from rtoanalytics_collectors.commits.polled import Commits
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.identity import from_header
from rtoanalytics_collectors.kafka import LogRecord
from rtoanalytics_collectors.kafka.fake import FakeCluster
from rtoanalytics_collectors.log_records import LogReader
from rtoanalytics_collectors.partitions import Partitions, cluster_info
from rtoanalytics_collectors.spool import Spool
from rtoanalytics_collectors.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Captured = Callable[[Path, str], list[dict[str, Any]]]

BOTH = (("t", 0), ("t", 1))


def record(offset: int) -> LogRecord:
    """A record whose id is in a header."""
    return LogRecord(offset, None, [("id", b"r%d" % offset)], 1_000 + offset, "CreateTime", 4)


def cluster() -> FakeCluster:
    """Two partitions: offsets 0 to 2, and offsets 10 to 12 with 11 compacted away."""
    return FakeCluster(
        logs={("t", 0): [record(0), record(1), record(2)], ("t", 1): [record(10), record(12)]},
        log_starts={("t", 1): 10},
        committed={"g": {("t", 0): 2}},
    )


def test_watermarks_leave_out_partitions_that_do_not_answer() -> None:
    """A partition without an answer has no row; its age shows it, and the others are seen."""
    fake = cluster()
    fake.silent = {("t", 0)}
    assert Watermarks(fake, BOTH, clock=lambda: 5).collect() == {
        "watermarks": [
            {
                "cluster": "primary",
                "topic": "t",
                "partition": 1,
                "log_start_offset": 10,
                "log_end_offset": 13,
                "last_stable_offset": 13,
                "observed_at": 5,
            }
        ]
    }


def test_commits_write_a_row_every_look() -> None:
    """An offset that stands still is written again, later; a partition without a commit has no row."""
    instants = iter([1, 2, 3, 4])
    commits = Commits(cluster(), "g", BOTH, clock=lambda: next(instants))
    rows = [row for _ in range(2) for row in commits.collect()["commits"]]
    found = [
        (r["partition"], r["committed_offset"], r["committed_at"], r["observed_at"], r["commit_seq"]) for r in rows
    ]
    assert found == [(0, 2, 1, 2, 1), (0, 2, 3, 4, 2)]
    assert {row["method"] for row in rows} == {"poll"}


def test_cluster_that_is_down_is_not_looked_at() -> None:
    """Every collector of a cluster raises TransientError, for the loop to leave a hole."""
    fake = cluster()
    fake.is_down = True
    for collector in (Watermarks(fake, BOTH), Commits(fake, "g", BOTH), Partitions(fake, ["t"])):
        with pytest.raises(TransientError):
            collector.collect()


def test_partitions_and_brokers_come_from_one_answer() -> None:
    """States of partitions and brokers carry the same instant."""
    sample = Partitions(cluster(), ["t"], clock=lambda: 9).collect()
    assert [row["partition"] for row in sample["partition_states"]] == [0, 1]
    assert [(row["broker_id"], row["is_controller"]) for row in sample["broker_states"]] == [(1, True)]
    assert {row["observed_at"] for rows in sample.values() for row in rows} == {9}


@pytest.mark.parametrize(
    ("cluster_id", "engine"),
    [("mockClusterabc", "librdkafka-mock"), ("MkU3OEVBNTcwNTJENDM2Qk", "kafka"), (None, "kafka")],
)
def test_mock_cluster_cannot_pass_for_kafka(cluster_id: str | None, engine: str) -> None:
    """The engine follows from the cluster id that the cluster itself gives."""
    assert cluster_info(FakeCluster(cluster_id=cluster_id))["engine"] == engine


def test_log_is_read_from_the_captured_start_to_its_end(bundle: Path, captured: Captured) -> None:
    """Scans begin at the captured start, or at the log start where that is higher; gaps are no records."""
    with Spool(bundle, "log_records") as log_records, Spool(bundle, "log_scans") as log_scans:
        reader = LogReader(cluster(), log_records, log_scans, from_header("id"), clock=lambda: 77)
        assert reader.scan({("t", 0): 1, ("t", 1): 0}) == 4
    scans = [(row["partition"], row["from_offset"], row["to_offset"]) for row in captured(bundle, "log_scans")]
    assert scans == [(0, 1, 3), (1, 10, 13)]
    rows = captured(bundle, "log_records")
    assert [(row["partition"], row["record_offset"], row["record_id"]) for row in rows] == [
        (0, 1, "r1"),
        (0, 2, "r2"),
        (1, 10, "r10"),
        (1, 12, "r12"),
    ]
    assert {row["scanned_at"].timestamp() for row in rows} == {77e-6}
    assert rows[0]["appended_at"].timestamp() == 1.001


def test_empty_log_is_a_scan_without_records(bundle: Path, captured: Captured) -> None:
    """A partition with nothing to read was read all the same."""
    fake = FakeCluster(logs={("t", 0): []})
    with Spool(bundle, "log_records") as log_records, Spool(bundle, "log_scans") as log_scans:
        assert LogReader(fake, log_records, log_scans).scan({("t", 0): 0}) == 0
    assert [(row["from_offset"], row["to_offset"]) for row in captured(bundle, "log_scans")] == [(0, 0)]


STATISTICS: dict[str, Any] = {
    "client_id": "app",
    "type": "consumer",
    "txmsgs": 0,
    "rxmsgs": 120,
    "cgrp": {"rebalance_cnt": 2},
    "brokers": {
        "h:1/1": {
            "name": "h:1/1",
            "nodeid": 1,
            "nodename": "h:1",
            "source": "learned",
            "state": "UP",
            "tx": 10,
            "txerrs": 1,
            "rxerrs": 2,
            "txretries": 3,
            "req_timeouts": 4,
            "rtt": {"cnt": 5, "p99": 1_500},
        },
        "h:2/2": {
            "name": "h:2/2",
            "nodeid": 2,
            "nodename": "h:2",
            "source": "learned",
            "state": "DOWN",
            "rtt": {"cnt": 0},
        },
        "GroupCoordinator": {
            "name": "GroupCoordinator",
            "nodeid": -1,
            "nodename": "h:1",
            "source": "logical",
            "state": "UP",
            "tx": 7,
        },
        "unknown": {"name": "GroupCoordinator", "nodeid": -1, "nodename": "", "source": "logical", "state": "INIT"},
        "b:1/bootstrap": {
            "name": "b:1/bootstrap",
            "nodeid": -1,
            "nodename": "b:1",
            "source": "configured",
            "state": "UP",
        },
        ":0/internal": {"name": ":0/internal", "nodeid": -1, "nodename": ":0", "source": "internal", "state": "UP"},
    },
}


def test_statistics_become_one_row_for_the_client_and_one_per_connection() -> None:
    """Each counter stands in one kind of row; bootstrap names and internal queues are no brokers."""
    rows = client_stats(STATISTICS, "primary", 8)
    assert {(row["client_id"], row["role"], row["cluster"], row["observed_at"]) for row in rows} == {
        ("app", "consumer", "primary", 8)
    }
    client, first, second, coordinator = rows
    assert "broker" not in client
    assert (client["messages_sent"], client["messages_received"], client["rebalances"]) == (0, 120, 2)
    assert (first["broker"], first["broker_state"], first["requests_sent"]) == ("h:1", "UP", 10)
    assert (first["request_errors"], first["retries"], first["timeouts"], first["rtt_p99_ms"]) == (3, 3, 4, 1.5)
    assert (second["broker_state"], second["requests_sent"], second["rtt_p99_ms"]) == ("DOWN", None, None)
    assert (coordinator["broker"], coordinator["requests_sent"]) == ("h:1/coordinator", 7)


@pytest.mark.parametrize(
    ("window", "milliseconds"),
    [
        pytest.param({"p99": 0, "max": 801_254, "outofrange": 100}, 801.254, id="all are slower than the histogram"),
        pytest.param({"p99": 509_951, "max": 935_544, "outofrange": 2}, 935.544, id="more than 1% are"),
        pytest.param({"p99": 509_951, "max": 935_544, "outofrange": 1}, 509.951, id="1% are"),
        pytest.param({"p99": 5_663, "max": 5_638, "outofrange": 319}, 5.638, id="those of earlier windows"),
        pytest.param({"p99": 0, "outofrange": 100}, None, id="no longest one"),
    ],
)
def test_round_trips_that_the_client_leaves_out_are_not_forgotten(
    window: dict[str, Any], milliseconds: float | None
) -> None:
    """Where the 99th percentile is among those that the client's histogram leaves out, the longest one stands."""
    broker = STATISTICS["brokers"]["h:1/1"] | {"rtt": {"cnt": 100} | window}
    _, row = client_stats(STATISTICS | {"brokers": {"h:1/1": broker}}, None, 8)
    assert row["rtt_p99_ms"] == milliseconds


def test_negative_statistics_are_not_known() -> None:
    """Librdkafka writes -1 for what it does not know; evidence says null."""
    [row] = client_stats({"client_id": "p", "type": "producer", "txmsgs": -1, "rxmsgs": 0}, "c", 1)
    assert (row["messages_sent"], row["messages_received"], row["rebalances"]) == (None, 0, None)
