"""Clocks of brokers: the arithmetic of a stamp, how knowledge ages, whom a look measures, and what it says if none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.broker_clocks import BrokerClocks, Clocked, KnownClocks, Stamp
from rtoanalytics_collectors.broker_clocks.known import DRIFT_PPM, KEPT_SECONDS
from rtoanalytics_collectors.broker_clocks.looking import clock_groups
from rtoanalytics_collectors.clocks import ClockReading
from rtoanalytics_collectors.commits.offsets_topic import partition_of
from rtoanalytics_collectors.demo.stage import ClusterChild
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import Metadata, Partition
from rtoanalytics_collectors.kafka.fake import FakeCluster
from rtoanalytics_collectors.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TOPIC = "__consumer_offsets"
NOW = 1_700_000_000_000_000
SHARP = Stamp(NOW, NOW + 2_000, NOW // 1_000)
"""Offset 0.5 ms, error 1.5 ms."""
WIDE = Stamp(NOW, NOW + 20_000, NOW // 1_000)
"""Offset 9.5 ms, error 10.5 ms."""


@dataclass
class Brokers:
    """Metadata of the topic of commits, one answer after the other; the last one stays."""

    answers: list[dict[int, int | None]]
    cluster_id: str = "real"
    name: str = "primary"

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """The leaders of the next answer."""
        assert list(topics) == [TOPIC]
        leaders = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        found = tuple(Partition(TOPIC, partition, leader, 3, 3) for partition, leader in leaders.items())
        return Metadata(self.cluster_id, None, (), found)


@dataclass
class Taken:
    """Stamps by group, or why there are none."""

    of: dict[str, list[Stamp] | ClusterError] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)

    def __call__(self, group_id: str, partition: int) -> One:
        """What commits for a group."""
        assert partition == partition_of(group_id, 3)
        return One(self, group_id)


@dataclass
class One:
    """One group of `Taken`."""

    taken: Taken
    group_id: str

    def take(self) -> list[Stamp]:
        """Its stamps."""
        found = self.taken.of.get(self.group_id, [SHARP])
        if isinstance(found, ClusterError):
            raise found
        return found

    def close(self) -> None:
        """Remember it."""
        self.taken.closed.append(self.group_id)


LEADERS: dict[int, int | None] = {0: 1, 1: 2, 2: 3}
GROUPS = clock_groups(LEADERS, {})


@pytest.mark.parametrize("offset_us", [-7_300_000, -1, 0, 450, 12_345_678])
@pytest.mark.parametrize("taken_us", [0, 1, 999, 2_500, 5_000])
def test_the_true_offset_lies_within_the_error(offset_us: int, taken_us: int) -> None:
    """Whenever the coordinator took the commit between question and answer, and wherever its millisecond began."""
    broker_us = NOW - offset_us + taken_us
    stamp = Stamp(NOW, NOW + 5_000, broker_us // 1_000)
    assert abs(stamp.offset_ms - offset_us / 1_000) <= stamp.error_ms
    assert stamp.error_ms == 3.0


def test_a_look_keeps_the_sharpest_stamp_of_each_broker() -> None:
    """Two rows a broker, labelled with cluster and broker, of the commit that was answered fastest."""
    taken = Taken({group: [WIDE, SHARP, WIDE] for group in GROUPS.values()})
    clocks = BrokerClocks(Brokers([LEADERS]), taken, clock=lambda: NOW)
    rows = clocks.collect()["metrics"]
    assert [(row["labels"], row["name"], row["value"]) for row in rows] == [
        ([("broker", str(broker)), ("cluster", "primary")], name, value)
        for broker in (1, 2, 3)
        for name, value in (("clock_offset_ms", 0.5), ("clock_error_ms", 1.5))
    ]
    assert {(row["source"], row["observed_at"]) for row in rows} == {("rto collect", NOW)}


def test_the_cluster_is_as_far_off_as_its_worst_broker_may_be() -> None:
    """The reading with the largest distance and error together, whichever its sign; none before a measurement."""
    known = KnownClocks(lambda: 0.0)
    assert known.widest() is None
    behind = Stamp(NOW, NOW + 2_000, NOW // 1_000 + 30)
    known.learn({1: SHARP, 2: behind, 3: WIDE})
    assert known.widest() == ClockReading(behind.offset_ms, behind.error_ms) == ClockReading(-29.5, 1.5)


def test_an_old_reading_is_less_certain_and_then_none() -> None:
    """The error grows with the drift that is assumed; a broker that is not measured for long is not claimed."""
    seconds = [100.0]
    known = KnownClocks(lambda: seconds[0])
    known.learn({1: SHARP, 2: SHARP})
    seconds[0] += 60.0
    known.learn({2: SHARP})
    aged = 1.5 + 60.0 * DRIFT_PPM / 1_000
    assert known.readings() == {1: ClockReading(0.5, aged), 2: ClockReading(0.5, 1.5)}
    assert known.widest() == ClockReading(0.5, aged)
    seconds[0] += KEPT_SECONDS - 30.0
    assert known.readings().keys() == {2}


def test_groups_are_coordinated_by_the_broker_they_measure() -> None:
    """One group a leader, kept while its partition stays with that broker; none for a broker that leads nothing."""
    leaders: dict[int, int | None] = {number: (1, 2, 3, None)[number % 4] for number in range(50)}
    groups = clock_groups(leaders, {})
    assert groups.keys() == {1, 2, 3}
    assert all(leaders[partition_of(group, 50)] == broker for broker, group in groups.items())
    moved = {number: 1 if leader == 2 else leader for number, leader in leaders.items()}
    assert clock_groups(moved, groups) == {broker: group for broker, group in groups.items() if broker != 2}
    assert clock_groups(leaders, clock_groups(moved, groups)) == groups


def test_a_broker_that_does_not_answer_has_no_row_and_keeps_its_reading() -> None:
    """The others are measured all the same, and the look is one."""
    taken = Taken()
    clocks = BrokerClocks(Brokers([LEADERS]), taken, KnownClocks(lambda: 0.0))
    clocks.collect()
    taken.of[GROUPS[2]] = TransientError("silent")
    labels = [dict(row["labels"])["broker"] for row in clocks.collect()["metrics"]]
    assert labels == ["1", "1", "3", "3"]
    assert clocks.readings() == dict.fromkeys((1, 2, 3), ClockReading(0.5, 1.5))


def test_a_stamp_is_dropped_when_the_coordinator_changed_meanwhile() -> None:
    """Whose clock it was cannot be told."""
    moved = {**LEADERS, partition_of(GROUPS[3], 3): 1}
    clocks = BrokerClocks(Brokers([LEADERS, moved]), Taken())
    assert {dict(row["labels"])["broker"] for row in clocks.collect()["metrics"]} == {"1", "2"}


def test_a_look_without_any_measurement_says_why() -> None:
    """A refusal comes before silence: it is what somebody can do something about. Nothing is known then."""
    failures: list[ClusterError] = [TransientError("silent"), ClusterError("refused"), TransientError("silent")]
    taken = Taken(dict(zip(GROUPS.values(), failures, strict=True)))
    clocks = BrokerClocks(Brokers([LEADERS]), taken)
    with pytest.raises(ClusterError, match="refused"):
        clocks.collect()
    taken.of = dict.fromkeys(GROUPS.values(), TransientError("silent"))
    with pytest.raises(TransientError, match="silent"):
        clocks.collect()
    assert clocks.reading() is None
    clocks.close()
    assert sorted(taken.closed) == sorted(GROUPS.values())


def test_a_cluster_without_commits_is_waited_for() -> None:
    """The topic comes with the first group."""
    with pytest.raises(TransientError, match="is not there"):
        BrokerClocks(Brokers([{}]), Taken()).collect()
    with pytest.raises(TransientError, match="changing"):
        BrokerClocks(Brokers([dict.fromkeys(range(3))]), Taken()).collect()


def test_a_sampler_of_the_cluster_carries_its_reading() -> None:
    """Rows, tables and target are its own; the reading is what is known at that moment."""
    known = KnownClocks(lambda: 0.0)
    clocked = Clocked(Watermarks(FakeCluster(logs={("payments", 0): []}), [("payments", 0)]), known)
    assert (clocked.tables, clocked.target) == (("watermarks",), "primary")
    assert len(clocked.collect()["watermarks"]) == 1
    assert clocked.reading() is None
    known.learn({1: SHARP})
    assert clocked.reading() == ClockReading(0.5, 1.5)


def test_simulated_cluster_says_so_once_and_the_rest_is_captured(tmp_path: Path) -> None:
    """A cluster that stamps no commits ends this collector with its reason, as one that could not start."""
    child = ClusterChild(tmp_path)
    bundle = tmp_path / "drill"
    bundle.mkdir()
    try:
        child.start()
        (bundle / "drill.yaml").write_text(
            "schema_version: 1\nid: simulated\n"
            f'clusters: {{primary: {{bootstrap_servers: "{child.bootstrap_servers}"}}}}\n'
            "flow: {name: payments, topics: [{name: payments}], groups: [{id: sink}]}\n"
            "objectives: {rto_seconds: 1}\n"
            "collect: {interval_seconds: 0.2, broker_clocks: true}\n"
        )
        code = "from rtoanalytics.cli.main import run; run()"
        answer = subprocess.run(
            [sys.executable, "-c", code, "collect", str(bundle), "--for", "2", "--json"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
    finally:
        child.close()
    assert answer.returncode == 3, answer.stderr
    assert answer.stderr.count("metrics-clocks-primary could not start") == 1
    by_name = {collector["collector"]: collector for collector in json.loads(answer.stdout)["collectors"]}
    assert "is simulated" in by_name["metrics-clocks-primary"]["refusal"]
    assert by_name["partitions-primary"]["rows"] > 0
    assert not by_name["partitions-primary"]["refusal"]
