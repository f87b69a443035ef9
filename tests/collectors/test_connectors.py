"""Kafka Connect: what workers say of connectors and tasks, by REST and by the status topic."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics.schemas import MAX_OFFSET
from rtoanalytics_collectors.connectors import ConnectRest, ConnectStatusTopic
from rtoanalytics_collectors.connectors.progress import SinkProgress, progress_of
from rtoanalytics_collectors.connectors.traces import MAX_CHARACTERS, fit_to_keep
from rtoanalytics_collectors.failures import PartialLookError, TransientError
from rtoanalytics_collectors.http_get import Endpoint
from rtoanalytics_collectors.kafka.fake import FakeCluster
from rtoanalytics_collectors.spool import Spool
from tests.collectors.fake_tail import FakeTail, record
from tests.collectors.http_server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

JSON = "application/json"
STATUS = {
    "sink": {
        "status": {
            "name": "sink",
            "connector": {"state": "RUNNING", "worker_id": "w:8083"},
            "tasks": [
                {"id": 0, "state": "RUNNING", "worker_id": "w:8083"},
                {"id": 1, "state": "FAILED", "worker_id": "w:8083", "trace": "Boom: password=hunter2 at X.java:1"},
            ],
            "type": "sink",
        }
    },
    "other": {"status": {"name": "other", "connector": {"state": "PAUSED", "worker_id": "w"}, "tasks": []}},
}
OFFSETS = {
    "offsets": [
        {"partition": {"kafka_topic": "t", "kafka_partition": p}, "offset": {"kafka_offset": 10 + p}} for p in range(3)
    ]
}


def page(document: Any, status: int = 200) -> tuple[int, str, bytes]:  # noqa: ANN401
    """A JSON reply."""
    return status, JSON, json.dumps(document).encode()


def test_every_connector_and_task_is_a_row(bundle: Path, captured: Callable[..., list[dict[str, Any]]]) -> None:
    """State, worker and trace as the worker says, progress as the sum of a sink's offsets, null where not known."""
    pages = {"/connectors": page(STATUS), "/connectors/sink/offsets": page(OFFSETS)}
    with HttpServer(pages) as server, Spool(bundle, "connector_states") as spool:
        collector = ConnectRest(server.url, clock=lambda: 7)
        spool.append(*collector.collect()["connector_states"])
        assert collector.target == server.address
        assert server.requests[0][0] == "/connectors?expand=status"
    rows = {(row["connector"], row["task_id"]): row for row in captured(bundle, "connector_states")}
    assert set(rows) == {("sink", None), ("sink", 0), ("sink", 1), ("other", None)}
    assert (rows["sink", None]["state"], rows["sink", None]["progress"]) == ("RUNNING", 33)
    assert rows["sink", 0]["progress"] is None
    assert (rows["sink", 1]["state"], rows["sink", 1]["trace"]) == ("FAILED", "Boom: password=[hidden] at X.java:1")
    assert (rows["other", None]["state"], rows["other", None]["progress"]) == ("PAUSED", None)


def test_only_named_connectors_are_looked_at() -> None:
    """A name that the worker does not have (yet) has no row."""
    with HttpServer({"/connectors": page(STATUS)}) as server:
        rows = ConnectRest(server.url, ["other", "not-yet"]).collect()["connector_states"]
    assert [row["connector"] for row in rows] == ["other"]


@pytest.mark.parametrize(
    "reply",
    [page({}, 409), page({}, 404), page({}, 500), (200, JSON, b"<html>"), page(["sink"]), (302, JSON, b"")],
    ids=["rebalance", "no worker", "broken", "no JSON", "old list", "redirect"],
)
def test_worker_without_an_answer_is_not_a_look(reply: tuple[int, str, bytes]) -> None:
    """A rebalance, an error, another server: no rows, and the next look may succeed."""
    with HttpServer({"/connectors": reply}) as server, pytest.raises(TransientError, match=r"127\.0\.0\.1"):
        ConnectRest(server.url).collect()


def test_worker_that_is_gone_is_not_a_look() -> None:
    """Nobody listens: TransientError at once."""
    with HttpServer({}) as server:
        url = server.url
    with pytest.raises(TransientError, match="did not answer /connectors: Connection refused"):
        ConnectRest(url).collect()


def test_worker_that_hangs_or_trickles_holds_no_look() -> None:
    """A worker that accepts and says nothing, or a byte now and then, is left after the timeout."""
    is_over = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not is_over.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    pages: dict[str, Any] = {"/connectors": lambda _: is_over.wait(10), "/trickle/connectors": trickle}
    with HttpServer(pages) as server:
        with pytest.raises(TransientError, match="timed out"):
            ConnectRest(server.url, timeout_seconds=0.2).collect()
        with pytest.raises(TransientError, match=r"not complete after 0\.2 s"):
            ConnectRest(server.url + "/trickle", timeout_seconds=0.2).collect()
        is_over.set()


def test_states_are_known_when_offsets_are_not() -> None:
    """Offsets that a worker cannot tell while brokers are down delay no look beyond one timeout."""
    is_over = threading.Event()
    names = [f"c{number}" for number in range(5)]
    status = {name: {"status": {"connector": {"state": "RUNNING"}, "tasks": []}} for name in names}
    pages: dict[str, Any] = {"/connectors": page(status)}
    pages |= {f"/connectors/{name}/offsets": lambda _: is_over.wait(10) for name in names}
    with HttpServer(pages) as server:
        rows = ConnectRest(server.url, timeout_seconds=0.3).collect()["connector_states"]
        is_over.set()
        asked = [path for path, _ in server.requests]
    assert [(row["connector"], row["progress"]) for row in rows] == [(name, None) for name in names]
    assert len(asked) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_refusal_says_what_to_check_and_no_secret(status: int) -> None:
    """Credentials go out as headers, from settings or the address, and come back in no message."""
    with HttpServer({"/connectors": page({}, status)}) as server:
        collector = ConnectRest(server.url.replace("//", "//drill:s3%20cret@"))
        with pytest.raises(ClusterError, match="check username, password or token") as refusal:
            collector.collect()
        assert server.requests[0][1]["Authorization"] == "Basic ZHJpbGw6czMgY3JldA=="
        with pytest.raises(ClusterError):
            ConnectRest(server.url, token="t0ken").collect()  # noqa: S106
        assert server.requests[1][1]["Authorization"] == "Bearer t0ken"
    assert "s3" not in str(refusal.value) + collector.target


@pytest.mark.parametrize("url", ["ftp://h/", "127.0.0.1:8083", "http://", "file:///etc/passwd", "http://h:port"])
def test_address_that_is_none_is_refused(url: str) -> None:
    """Only http and https, said before anything is asked."""
    with pytest.raises(UsageError, match="write it like http"):
        Endpoint(url)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_progress_of_anything_is_a_possible_number_or_unknown(offsets: object) -> None:
    """Whatever a source connector keeps as offsets, progress is a number that can stand in the evidence, or null."""
    for found in (offsets, [{"partition": {}, "offset": offsets}]):
        progress = progress_of(found)
        assert progress is None or 0 <= progress <= MAX_OFFSET


@pytest.mark.parametrize(
    ("trace", "secret"),
    [
        ("jdbc:postgresql://u:p4ss@db/x", "p4ss"),
        ("config {password=p4ss, user=u}", "p4ss"),
        ('"sasl.jaas.config": "org.X required username=\\"u\\" password=\\"p4ss\\";"', "p4ss"),
        ("sasl.jaas.config = org.X required username=u password='p4ss word';", "p4ss"),
        ("Authorization: Bearer abcdefgh12345", "abcdefgh12345"),
        ("api_key: p4ss", "p4ss"),
        ("aws.secret.access.key=p4ss", "p4ss"),
    ],
)
def test_trace_keeps_no_credential(trace: str, secret: str) -> None:
    """What looks like a credential in an exception's text does not reach the bundle."""
    kept = fit_to_keep("java.lang.X: " + trace + "\n\tat Y.java:3")
    assert kept is not None
    assert secret not in kept
    assert "java.lang.X" in kept
    assert "Y.java:3" in kept


def test_trace_is_bounded() -> None:
    """A long trace says how much of it is missing."""
    kept = fit_to_keep("x" * (MAX_CHARACTERS + 5))
    assert kept == "x" * MAX_CHARACTERS + "… (5 more characters)"
    assert fit_to_keep("") is None
    assert fit_to_keep(3) is None


def status(state: str, **more: Any) -> bytes:  # noqa: ANN401
    """A value of the status topic."""
    return json.dumps({"state": state, "worker_id": "w", "generation": 3, **more}).encode()


def states(rows: list[dict[str, Any]]) -> list[tuple[str, int | None, str, int]]:
    """What of a row tells its state."""
    return [(row["connector"], row["task_id"], row["state"], row["observed_at"]) for row in rows]


def test_state_in_force_is_dated_at_the_look_and_repeated() -> None:
    """Old records give the state in force, dated when the tail looked; each look repeats it, also with nothing new."""
    history = [
        record(b"status-connector-sink", status("UNASSIGNED"), 10, is_history=True),
        record(b"status-connector-sink", status("RUNNING"), 20, is_history=True),
        record(b"status-task-sink-0", status("RUNNING"), 20, is_history=True),
        record(b"status-task-gone-0", status("RUNNING"), 20, is_history=True),
        record(b"status-task-gone-0", None, 30, is_history=True),
    ]
    collector = ConnectStatusTopic(FakeTail("connect-status", history))
    for look in (1_000_000, 2_000_000):
        rows = collector.collect()["connector_states"]
        assert states(rows) == [("sink", None, "RUNNING", look), ("sink", 0, "RUNNING", look)]
    assert collector.is_continuous


def test_every_change_has_the_workers_own_instant() -> None:
    """Two changes between two looks are two rows, and the last of them is in force after."""
    changes = [
        record(b"status-task-my-sink-7-12", status("FAILED", trace="E: token=abc"), 1_100),
        record(b"status-task-my-sink-7-12", status("RUNNING"), 1_200),
    ]
    rows = ConnectStatusTopic(FakeTail("s", changes)).collect()["connector_states"]
    assert states(rows) == [
        ("my-sink-7", 12, "FAILED", 1_100_000),
        ("my-sink-7", 12, "RUNNING", 1_200_000),
        ("my-sink-7", 12, "RUNNING", 1_000_000),
    ]
    assert rows[0]["trace"] == "E: token=[hidden]"


def test_restart_delivers_what_happened_meanwhile() -> None:
    """Changes since the first process began are rows, also those while none ran; older ones are only the state."""
    history = [
        record(b"status-task-c-0", status("RUNNING"), 10, is_history=True),
        record(b"status-task-c-0", status("FAILED"), 600, is_history=True),
        record(b"status-task-c-0", status("RUNNING"), 700, is_history=True),
    ]
    collector = ConnectStatusTopic(FakeTail("s", history))
    collector.resume([{"observed_at": 500_000}, {"observed_at": 550_000}])
    assert states(collector.collect()["connector_states"]) == [
        ("c", 0, "FAILED", 600_000),
        ("c", 0, "RUNNING", 700_000),
        ("c", 0, "RUNNING", 1_000_000),
    ]


def test_deleted_entity_is_said_once() -> None:
    """A tombstone is a row of its own, after which there are none."""
    tail = FakeTail("s", [record(b"status-task-c-1", status("RUNNING"))], [record(b"status-task-c-1", None, 3_000)])
    collector = ConnectStatusTopic(tail)
    collector.collect()
    assert states(collector.collect()["connector_states"]) == [("c", 1, "DESTROYED", 3_000_000)]
    assert collector.collect() == {"connector_states": []}
    collector.close()
    assert tail.is_closed


def test_what_is_no_status_is_left_out_or_counted() -> None:
    """Used topics are no status; values that cannot be read are counted; other connectors are not asked for."""
    looked = [
        record(b"status-topic-t:connector-c", b"{}"),
        record(None, b"x"),
        record(b"status-connector-c", b"\xff"),
        record(b"status-connector-c", b"[]"),
        record(b"status-connector-c", status("RUNNING"), None),
        record(b"status-connector-other", status("RUNNING")),
    ]
    collector = ConnectStatusTopic(FakeTail("s", looked), ["c"])
    assert collector.collect() == {"connector_states": []}
    assert collector.unreadable == 3


def test_progress_comes_from_what_the_sink_has_committed() -> None:
    """With a cluster to ask, the connector's row carries the sum of its group's offsets; null when nobody answers."""
    cluster = FakeCluster(committed={"connect-sink": {("t", 0): 5, ("t", 1): 7}})
    progress = SinkProgress(cluster, [("t", 0), ("t", 1)])
    history = [
        record(b"status-connector-sink", status("RUNNING"), is_history=True),
        record(b"status-task-sink-0", status("RUNNING"), is_history=True),
    ]
    collector = ConnectStatusTopic(FakeTail("s", history), progress=progress)
    assert [row["progress"] for row in collector.collect()["connector_states"]] == [12, None]
    cluster.is_down = True
    assert [row["progress"] for row in collector.collect()["connector_states"]] == [None, None]


def test_partial_look_keeps_its_changes_and_repeats_nothing() -> None:
    """With a partition unread, the state in force is not known: changes are kept, no heartbeat is written."""
    tail = FakeTail("s", [record(b"status-connector-c", status("FAILED"))])
    tail.behind = {3: "has no leader"}
    with pytest.raises(PartialLookError, match="s: partition 3 has no leader") as look:
        ConnectStatusTopic(tail).collect()
    assert states(look.value.sample["connector_states"]) == [("c", None, "FAILED", 2_000_000)]
