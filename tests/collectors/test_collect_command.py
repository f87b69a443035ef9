"""`rto collect` as a process, against the embedded cluster: run, stopped, killed, restarted, refused, out of disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics_collectors.demo import flow
from rtoanalytics_collectors.demo.stage import ClusterChild
from rtoanalytics_collectors.kafka import KafkaCluster, new_producer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Captured = Callable[[Path, str], list[dict[str, Any]]]
    WaitUntil = Callable[[Callable[[], bool]], None]

NOBODY = "127.0.0.1:1"
DEFINITION = """\
schema_version: 1
id: collected
clusters: {{primary: {{bootstrap_servers: "{primary}"}}, recovery: {{bootstrap_servers: "{recovery}"}}}}
flow:
  name: payments
  topics: [{{name: {topic}}}]
  groups: [{{id: {group}}}]
  downstreams: [{{name: archive, group_id: {group}}}]
objectives: {{rto_seconds: 1}}
collect: {{interval_seconds: 0.2, downstreams: {{archive: {{files: "{files}", columns: {{applied_at: at}}}}}}}}
"""


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterChild]:
    """An embedded cluster with the demo's topic."""
    child = ClusterChild(tmp_path_factory.mktemp("cluster"))
    try:
        child.start()
        yield child
    finally:
        child.close()


@pytest.fixture
def drill(tmp_path: Path, embedded: ClusterChild) -> Path:
    """A bundle whose primary cluster is there and whose recovery cluster is not."""
    return define(tmp_path / "drill", primary=embedded.bootstrap_servers, recovery=NOBODY)


def define(folder: Path, *, primary: str, recovery: str, more: str = "") -> Path:
    """A bundle with a definition."""
    folder.mkdir()
    files = f"{folder.parent}/archive/*.jsonl"
    text = DEFINITION.format(primary=primary, recovery=recovery, topic=flow.TOPIC, group=flow.GROUP_ID, files=files)
    (folder / "drill.yaml").write_text(text + more)
    return folder


def start(*arguments: str | Path, limit_bytes: int | None = None, **variables: str) -> subprocess.Popen[str]:
    """`rto collect …` as a process of its own, with files no larger than `limit_bytes`."""
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit_bytes}, {limit_bytes})); "
    code = "from rtoanalytics.cli.main import run; run()"
    return subprocess.Popen(
        [sys.executable, "-c", (limited if limit_bytes else "") + code, "collect", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **variables},
    )


def run(*arguments: str | Path, **variables: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of `rto collect …`."""
    with start(*arguments, limit_bytes=None, **variables) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def has_rows(bundle: Path, table: str) -> bool:
    """Whether rows of a table are on disk, sealed or not."""
    segments = (bundle / "spool").glob(f"{table}[-.]*/*.arrows")
    return any(segment.stat().st_size > 2_000 for segment in segments)


def test_capture_of_a_given_length_prints_what_it_captured(drill: Path, captured: Captured) -> None:
    """Every table of the cluster that answers is filled; the one that does not is waited for and said in words."""
    status, out, err = run(drill, "--for", "2", "--json")
    assert status == 0, err
    summary = json.loads(out)
    by_name = {collector["collector"]: collector for collector in summary["collectors"]}
    assert by_name["watermarks-primary"]["rows"] == len(captured(drill, "watermarks")) > 0
    assert by_name["watermarks-recovery"]["rows"] == 0
    assert by_name["watermarks-recovery"]["refusal"] is None
    assert summary["rows"] == sum(collector["rows"] for collector in summary["collectors"])
    assert [row["engine"] for row in captured(drill, "cluster_info")] == ["librdkafka-mock"]
    assert {row["collector"] for row in captured(drill, "heartbeats")} >= {"watermarks", "partition_states"}
    assert 'cluster "recovery" did not answer' in by_name["watermarks-recovery"]["last_failure"]
    assert not (drill / "spool").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_looks_once_more_and_seals(
    drill: Path, captured: Captured, wait_until: WaitUntil, how: signal.Signals
) -> None:
    """Status 0, nothing left in the spool, and a heartbeat no older than the end."""
    with start(drill, "--only", "primary") as process:
        wait_until(lambda: has_rows(drill, "watermarks"))
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert out.splitlines()[-1].startswith("captured ")
    assert not (drill / "spool").exists()
    assert len(captured(drill, "watermarks")) > 0


def test_second_signal_ends_at_once_and_loses_nothing_durable(
    drill: Path, captured: Captured, wait_until: WaitUntil
) -> None:
    """Who cannot wait for the last look gets out; the next capture seals what was left."""
    with start(drill) as process:
        wait_until(lambda: has_rows(drill, "watermarks"))
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode in {0, 130}
    status, _, err = run(drill, "--only", "archive", "--for", "0.5")
    assert status == 0, err
    assert not (drill / "spool").exists()
    assert len(captured(drill, "watermarks")) > 0


def test_killed_capture_goes_on_into_the_same_bundle(drill: Path, captured: Captured, wait_until: WaitUntil) -> None:
    """After kill -9 nothing durable is lost, no file is written twice, and the evidence says that it was restarted."""
    with start(drill, "--only", "primary") as process:
        wait_until(lambda: has_rows(drill, "watermarks") and has_rows(drill, "heartbeats"))
        process.send_signal(signal.SIGKILL)
    status, out, err = run(drill, "--only", "primary", "--for", "1", "--json")
    assert status == 0, err
    files = sorted(path.name for path in (drill / "evidence" / "watermarks").glob("*.parquet"))
    assert len(files) == 2
    after = {collector["collector"]: collector["rows"] for collector in json.loads(out)["collectors"]}
    assert len(captured(drill, "watermarks")) > after["watermarks-primary"] > 0
    assert [(row["kind"], row["text"]) for row in captured(drill, "events")] == [("note", "capture restarted")]


def test_captures_of_one_bundle_run_side_by_side(drill: Path, captured: Captured) -> None:
    """Two processes with different collectors, and one for another host, write one bundle without a collision."""
    with (
        start(drill, "--only", "watermarks-primary", "--for", "2") as first,
        start(drill, "--only", "partitions-primary", "--for", "2") as second,
        start(drill, "--only", "watermarks-primary", "--for", "2", "--host", "elsewhere") as third,
    ):
        talk = [process.communicate(timeout=60)[1] for process in (first, second, third)]
    assert [process.returncode for process in (first, second, third)] == [0, 0, 0], talk
    assert len(list((drill / "evidence" / "watermarks").glob("*.parquet"))) == 2
    assert len(list((drill / "evidence" / "heartbeats").glob("*.parquet"))) == 3
    assert {row["collector"] for row in captured(drill, "heartbeats")} == {
        "watermarks",
        "partition_states",
        "broker_states",
    }


def test_collector_of_a_running_capture_is_not_started_twice(drill: Path, wait_until: WaitUntil) -> None:
    """The second is refused with what to do about it, the first goes on."""
    with start(drill, "--only", "watermarks-primary") as process:
        wait_until(lambda: has_rows(drill, "watermarks"))
        status, _, err = run(drill, "--only", "watermarks-primary", "--for", "1")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert (status, process.returncode) == (3, 0)
    assert "another process is writing this spool" in err


def test_dry_run_connects_to_nothing(tmp_path: Path) -> None:
    """It tells what would run, from where, and writes nothing."""
    bundle = define(tmp_path / "drill", primary=NOBODY, recovery=NOBODY)
    status, out, _ = run(bundle, "--dry-run", "--only", "commits")
    assert status == 0
    assert out.splitlines() == [
        f"commits-payments-sink-{cluster}: commits, group_states, events from {NOBODY}"
        for cluster in ("primary", "recovery")
    ]
    assert [path.name for path in bundle.iterdir()] == ["drill.yaml"]


REFUSED = {
    "no drill": (("nowhere",), "found no drill.yaml"),
    "unknown collector": (("{drill}", "--only", "watermark"), 'no collector "watermark" (did you mean "watermarks"?)'),
    "impossible interval": (("{drill}", "--interval", "0"), "--interval is 0"),
    "impossible end": (("{drill}", "--for", "nan"), "--for is nan"),
    "impossible host": (("{drill}", "--host", "a/b"), '--host: found "a/b"'),
    "unknown option": (("{drill}", "--onyl", "x"), "--onyl"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_run_is_one_clear_message(drill: Path, arguments: tuple[str, ...], message: str) -> None:
    """Status 3, nothing on standard output, no traceback."""
    status, out, err = run(*(argument.format(drill=drill) for argument in arguments))
    assert (status, out) == (3, "")
    assert message in err
    assert "Traceback" not in err


def test_sealed_bundle_takes_nothing(drill: Path) -> None:
    """What was counted and hashed is not added to."""
    (drill / "manifest.json").write_text("{}")
    status, _, err = run(drill, "--for", "1")
    assert status == 3
    assert "is sealed" in err


def test_collector_that_cannot_start_leaves_the_others_running(embedded: ClusterChild, tmp_path: Path) -> None:
    """A setting that the client does not know ends that cluster's collectors, in words and status; others capture."""
    bundle = define(tmp_path / "drill", primary=embedded.bootstrap_servers, recovery=embedded.bootstrap_servers)
    status, out, err = run(bundle, "--for", "2", "--json", RTO_CLUSTER_RECOVERY_NO_SUCH_THING="1")
    assert status == 3
    by_name = {collector["collector"]: collector for collector in json.loads(out)["collectors"]}
    assert 'No such configuration property: "no.such.thing"' in by_name["watermarks-recovery"]["refusal"]
    assert by_name["watermarks-primary"]["rows"] > 0
    assert "watermarks-recovery could not start" in err


def test_capture_in_which_nothing_can_start_ends(tmp_path: Path) -> None:
    """Status 3 with each reason, at once: nobody waits for a drill that captures nothing."""
    bundle = define(tmp_path / "drill", primary=NOBODY, recovery=NOBODY)
    status, out, err = run(bundle, "--only", "primary", RTO_CLUSTER_PRIMARY_NO_SUCH_THING="1")
    assert (status, out) == (3, "")
    assert "no collector could start" in err


def test_full_disk_ends_the_capture_and_keeps_what_was_captured(
    embedded: ClusterChild, drill: Path, captured: Captured
) -> None:
    """When evidence cannot be written any more: status 3, what happened and what to do, and everything until then."""
    producer = new_producer({"bootstrap.servers": embedded.bootstrap_servers})
    producer.produce(flow.TOPIC, value=b"x")
    producer.flush(10)
    with start(drill, "--only", "primary", "--interval", "0.05", limit_bytes=20_000) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "evidence cannot be written" in err
    assert "make room" in err
    status, _, err = run(drill, "--only", "primary", "--for", "0.5")
    assert status == 0, err
    assert len(captured(drill, "watermarks")) > 12
    assert not (drill / "spool").exists()


def test_log_is_read_back_from_where_the_capture_began(embedded: ClusterChild, drill: Path, captured: Captured) -> None:
    """Records from before the first watermark are not read, those after it are, and the scans say from where."""
    producer = new_producer({"bootstrap.servers": embedded.bootstrap_servers})
    for number in range(12):
        producer.produce(flow.TOPIC, key=f"before{number}", value=b"x", partition=number % flow.PARTITIONS)
    producer.flush(10)
    assert run(drill, "--only", "watermarks-primary", "--for", "1")[0] == 0
    for number in range(30):
        producer.produce(flow.TOPIC, key=f"after{number}", value=b"x", partition=number % flow.PARTITIONS)
    producer.flush(10)
    status, out, err = run("log", drill, "--cluster", "primary", "--json")
    assert status == 0, err
    assert json.loads(out)["records"] == 30
    assert {row["record_id"] for row in captured(drill, "log_records")} == {f"after{number}" for number in range(30)}
    assert len(captured(drill, "log_scans")) == flow.PARTITIONS


def test_log_is_read_to_a_fence_where_that_is_asked_for(
    embedded: ClusterChild, drill: Path, captured: Captured
) -> None:
    """`--fence` writes one record to each partition and ends the scan there; without it nothing is written."""
    cluster = KafkaCluster("primary", embedded.bootstrap_servers, timeout_seconds=5.0)
    found = [cluster.log_ends(flow.TOPIC_PARTITIONS)]
    for options in ((), ("--fence",)):
        status, out, err = run("log", drill, "--cluster", "primary", "--json", *options)
        assert status == 0, err
        found.append(cluster.log_ends(flow.TOPIC_PARTITIONS))
    cluster.close()
    before, unfenced, fenced = ({key: end.log_end_offset for key, end in ends.items()} for ends in found)
    assert unfenced == before
    assert fenced == {key: log_end + 1 for key, log_end in before.items()}
    latest = {(row["topic"], row["partition"]): row["to_offset"] for row in captured(drill, "log_scans")}
    assert latest == before
    assert json.loads(out)["records"] == sum(before.values())


def test_log_that_cannot_be_read_is_said_and_the_others_are_kept(drill: Path, captured: Captured) -> None:
    """Status 3, which cluster did not answer, and the evidence of those that did."""
    status, out, err = run("log", drill)
    assert status == 3
    assert 'cluster "recovery" did not answer' in err
    assert "recovery payments-0: not read" in out
    assert len(captured(drill, "log_scans")) == flow.PARTITIONS


def test_unknown_cluster_is_refused_with_the_nearest(drill: Path) -> None:
    """`rto collect log --cluster` names a cluster of the drill."""
    status, _, err = run("log", drill, "--cluster", "recover")
    assert status == 3
    assert 'did you mean "recovery"?' in err
