"""Statistics files: documents of any number of clients, while they are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtoanalytics.schemas import TABLES
from rtoanalytics_collectors.clients import client_stats
from rtoanalytics_collectors.failures import PartialLookError, TransientError
from rtoanalytics_collectors.kafka import new_consumer, new_producer
from rtoanalytics_collectors.spool import Spool
from rtoanalytics_collectors.statistics_files import ClientStatsFiles, statistics_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = 1_700_000_000_500_000


def document(client_id: str = "p1", time: int = 1_700_000_001, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A statistics document with one broker."""
    broker = {"name": "h:9092/1", "nodename": "h:9092", "source": "learned", "state": "UP", "tx": 7, "txerrs": 1}
    broker |= {"rxerrs": 2, "txretries": 3, "req_timeouts": -1, "rtt": {"cnt": 4, "p99": 2500}}
    return {"client_id": client_id, "type": "producer", "time": time, "txmsgs": 9, "brokers": {"b": broker}} | more


def line(found: dict[str, Any]) -> bytes:
    """A document as a line."""
    return json.dumps(found).encode() + b"\n"


def files(folder: Path) -> ClientStatsFiles:
    """The collector of every .jsonl file at any depth of a folder."""
    return ClientStatsFiles(str(folder / "**" / "*.jsonl"), "primary", clock=lambda: NOW)


def test_documents_of_several_clients_are_rows(tmp_path: Path) -> None:
    """One row for a client and one for each of its brokers, at the document's second; negatives are not known."""
    consumer = document("c1", 1_700_000_002, type="consumer", rxmsgs=4, txmsgs=-1, cgrp={"rebalance_cnt": 2})
    (tmp_path / "a.jsonl").write_bytes(line(document()) + line(consumer))
    rows = files(tmp_path).collect()["client_stats"]
    assert [(row["client_id"], row["role"], row.get("broker"), row["observed_at"]) for row in rows] == [
        ("p1", "producer", None, 1_700_000_001_000_000),
        ("p1", "producer", "h:9092", 1_700_000_001_000_000),
        ("c1", "consumer", None, 1_700_000_002_000_000),
        ("c1", "consumer", "h:9092", 1_700_000_002_000_000),
    ]
    assert (rows[1]["requests_sent"], rows[1]["request_errors"], rows[1]["timeouts"]) == (7, 3, None)
    assert (rows[2]["messages_received"], rows[2]["messages_sent"], rows[2]["rebalances"]) == (4, None, 2)
    assert rows[1]["rtt_p99_ms"] == 2.5


def test_each_line_is_read_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    """A file grows in pieces that end anywhere, new files appear, and every document comes exactly once."""
    documents = [document(f"c{number}") for number in range(40)]
    text = b"".join(line(found) for found in documents)
    (tmp_path / "deep").mkdir()
    path, collector, seen = tmp_path / "deep" / "a.jsonl", files(tmp_path), []
    with path.open("ab") as file:
        for start in range(0, len(text), 997):
            file.write(text[start : start + 997])
            file.flush()
            seen += [row["client_id"] for row in collector.collect()["client_stats"][::2]]
    assert seen == [found["client_id"] for found in documents]
    (tmp_path / "b.jsonl").write_bytes(line(document("late")))
    assert {row["client_id"] for row in collector.collect()["client_stats"]} == {"late"}


def test_file_that_is_begun_again_is_read_again(tmp_path: Path) -> None:
    """A truncated file, and another one under the same name, are read from their start."""
    path, collector = tmp_path / "a.jsonl", files(tmp_path)
    path.write_bytes(line(document("first")) * 3)
    collector.collect()
    path.write_bytes(line(document("cut")))
    assert {row["client_id"] for row in collector.collect()["client_stats"]} == {"cut"}
    (tmp_path / "new").write_bytes(line(document("renamed")) * 5)
    (tmp_path / "new").replace(path)
    assert {row["client_id"] for row in collector.collect()["client_stats"]} == {"renamed"}


def test_other_text_is_counted(tmp_path: Path) -> None:
    """Log lines beside statistics are no error; text in front of a document is left out."""
    lines = [b"INFO started", b"{}", b'{"client_id": 3, "type": "producer", "time": 1}', b"\xff{", b"[1]", b"", b"  "]
    lines += [b"STATS: " + line(document("kept")).strip()]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    collector = files(tmp_path)
    assert {row["client_id"] for row in collector.collect()["client_stats"]} == {"kept"}
    assert collector.other_lines == 5


def test_what_was_before_the_capture_is_not_kept(tmp_path: Path) -> None:
    """Documents of the second in which the capture began are kept, older ones counted, unless it resumes."""
    (tmp_path / "a.jsonl").write_bytes(line(document(time=1_699_999_999)) + line(document(time=1_700_000_000)))
    collector = files(tmp_path)
    assert len(collector.collect()["client_stats"]) == 2
    assert collector.before == 1
    resumed = files(tmp_path)
    resumed.resume([{"observed_at": 1_699_999_999_000_000}])
    assert len(resumed.collect()["client_stats"]) == 4


def test_pattern_without_a_file_is_not_a_look(tmp_path: Path) -> None:
    """As long as there is no file, there is no heartbeat."""
    with pytest.raises(TransientError, match="no file matches"):
        files(tmp_path).collect()


def test_file_that_is_gone_silences_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read is said; what the others have is kept, and the look vouches for nothing."""
    (tmp_path / "a.jsonl").write_bytes(line(document("a")))
    (tmp_path / "b.jsonl").write_bytes(line(document("b")))
    collector, new_lines = files(tmp_path), ClientStatsFiles._new_lines

    def fail(self: ClientStatsFiles, path: str) -> tuple[list[bytes], bool]:
        if path.endswith("a.jsonl"):
            raise PermissionError(13, "Permission denied")
        return new_lines(self, path)

    monkeypatch.setattr(ClientStatsFiles, "_new_lines", fail)
    with pytest.raises(PartialLookError, match=r"a\.jsonl cannot be read: Permission denied") as look:
        collector.collect()
    assert {row["client_id"] for row in look.value.sample["client_stats"]} == {"b"}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["client_id", "type", "time", "brokers", "cgrp", "txmsgs"]), JSON_VALUES)
def test_any_value_anywhere_is_rows_or_counted(key: str, value: object) -> None:
    """No document makes a look fail, and no row has a value that its table refuses."""
    found = statistics_document(json.dumps(document() | {key: value}).encode())
    for row in client_stats(found, "primary", 1) if found else []:
        for column in TABLES["client_stats"].columns:
            pa.array([row.get(column.name)], column.arrow_type)


@pytest.mark.parametrize(
    "rtt", [{"cnt": 1, "p99": -5}, {"cnt": 1}, {"cnt": 0}, {"cnt": 3, "p99": "x"}, {"cnt": "x", "p99": 1}]
)
def test_round_trip_that_is_none_is_not_known(tmp_path: Path, rtt: dict[str, Any]) -> None:
    """A window without samples, a negative or odd value: null or not a document, never a wrong number."""
    found = document()
    found["brokers"]["b"]["rtt"] = rtt
    (tmp_path / "a.jsonl").write_bytes(line(found))
    assert all(row.get("rtt_p99_ms") is None for row in files(tmp_path).collect()["client_stats"])


def test_real_clients_write_what_is_read(
    tmp_path: Path,
    bundle: Path,
    captured: Callable[..., list[dict[str, Any]]],
    wait_until: Callable[[Callable[[], bool]], None],
) -> None:
    """Statistics of a real producer and a real consumer, logged by their stats_cb, are evidence of both."""
    documents: list[str] = []
    settings = {"bootstrap.servers": "127.0.0.1:1", "statistics.interval.ms": 20, "stats_cb": documents.append}
    producer = new_producer(settings | {"client.id": "real-producer"})
    consumer = new_consumer(settings | {"client.id": "real-consumer", "group.id": "g"})

    def have_both_spoken() -> bool:
        producer.poll(0.01)
        consumer.poll(0.01)
        return {json.loads(found)["type"] for found in documents} == {"producer", "consumer"}

    wait_until(have_both_spoken)
    consumer.close()
    (tmp_path / "a.jsonl").write_text("".join(f"{found}\n" for found in documents))
    collector = ClientStatsFiles(str(tmp_path / "*.jsonl"), clock=lambda: 0)
    with Spool(bundle, "client_stats") as spool:
        spool.append(*collector.collect()["client_stats"])
    rows = captured(bundle, "client_stats")
    assert {row["client_id"] for row in rows} == {"real-producer", "real-consumer"}
    assert collector.other_lines == 0
    assert set(rows[0]) == set(TABLES["client_stats"].by_name)
