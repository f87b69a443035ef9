"""The demo drill, fault by fault: the damage each fault must do is in the evidence, counted here by brute force.

Records are matched in dictionaries, one at a time; then the ledger that `rto analyze` makes of the same bundle must
say the same.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.drill import load_drill
from rtoanalytics.schemas import TABLES
from rtoanalytics.seal import seal_bundle
from rtoanalytics_collectors.demo import flow
from rtoanalytics_collectors.demo.conduct import Conduct
from rtoanalytics_collectors.demo.faults import DEFAULT_FAULT, FAULTS, fault_named
from rtoanalytics_collectors.demo.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rtoanalytics_collectors.demo.faults.fault import Damage

    Captured = Callable[[Path, str], list[dict[str, Any]]]
    Rows = dict[str, list[dict[str, Any]]]

SECONDS = 5.0
"""As short as a drill can be: the steady state and the fault take their own minimum."""
ALWAYS_CAPTURED = {
    "acks",
    "applied",
    "broker_states",
    "client_stats",
    "cluster_info",
    "commits",
    "events",
    "heartbeats",
    "log_records",
    "log_scans",
    "partition_states",
    "watermarks",
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault_does_the_damage_it_states(tmp_path: Path, captured: Captured, name: str) -> None:
    """Run the drill for real: the evidence is complete, the damage is what was stated, and the ledger shows it."""
    fault = fault_named(name)
    bundle = tmp_path / "drill"
    result = Conduct(bundle, f"test-{name}", fault, SECONDS, Silent(), after_seconds=1.0).run()
    rows = {table: captured(bundle, table) for table in result.rows}
    assert result.rows == {table: len(found) for table, found in rows.items()}
    assert set(rows) == ALWAYS_CAPTURED
    assert not (bundle / "spool").exists()
    _check_definition(bundle, rows)
    _check_ends(rows)
    counted = _counted(rows)
    _check_damage(counted, len(rows["acks"]), fault.damage)
    _check_events(rows["events"], has_switch=fault.switch is not None)
    _check_heartbeats(rows["heartbeats"])
    seal_bundle(bundle)
    totals = analyze_bundle(bundle)["totals"]
    assert {name: totals[name] for name in counted} == counted


def _check_definition(bundle: Path, rows: Rows) -> None:
    """drill.yaml is a definition, names what was captured, and what it attaches is there."""
    drill = load_drill(bundle / "drill.yaml")
    assert drill.topic_names() == (flow.TOPIC,)
    assert {row["topic"] for row in rows["acks"]} == {flow.TOPIC}
    assert {row["downstream"] for row in rows["applied"]} == {d.name for d in drill.flow.downstreams}
    assert {row["group_id"] for row in rows["commits"]} == set(drill.group_ids())
    assert {row["cluster"] for row in rows["watermarks"]} == set(drill.clusters)
    assert {row["engine"] for row in rows["cluster_info"]} == {"librdkafka-mock"}
    assert drill.rollback
    attached = [item.evidence for item in drill.governance] + [drill.rollback.procedure]
    assert all((bundle / str(path)).is_file() for path in attached)


def _check_ends(rows: Rows) -> None:
    """The last sample of every partition shows no lag, and the log was read to that end, with every acked record."""
    ends = _latest(rows["watermarks"], "log_end_offset", "observed_at")
    assert set(ends) == set(range(flow.PARTITIONS))
    assert _latest(rows["commits"], "committed_offset", "committed_at") == ends
    assert {scan["partition"]: scan["to_offset"] for scan in rows["log_scans"]} == ends
    in_log = {(row["partition"], row["record_offset"]): row["record_id"] for row in rows["log_records"]}
    for row in _acked(rows):
        assert in_log[row["partition"], row["record_offset"]] == row["record_id"]


def _counted(rows: Rows) -> dict[str, int]:
    """The ledger of the drill, by brute force, under the names of the ledger."""
    times_applied = Counter((row["partition"], row["record_offset"]) for row in rows["applied"])
    committed = _latest(rows["commits"], "committed_offset", "committed_at")
    acked = [(row["partition"], row["record_offset"]) for row in _acked(rows)]
    places = Counter(row["record_id"] for row in rows["log_records"])
    return {
        "acked": len(acked),
        "once": sum(times_applied[key] == 1 for key in acked),
        "duplicated": sum(times_applied[key] > 1 for key in acked),
        "skipped": sum(times_applied[key] == 0 and key[1] < committed[key[0]] for key in acked),
        "pending": sum(times_applied[key] == 0 and key[1] >= committed[key[0]] for key in acked),
        "extra": sum(max(0, times_applied[key] - 1) for key in acked),
        "produced_twice": sum(count > 1 for count in places.values()),
    }


def _check_damage(counted: dict[str, int], produces: int, damage: Damage) -> None:
    """What happened is what the fault says must happen, and no more than it says may happen."""
    assert counted["pending"] == 0
    _within(counted["duplicated"], damage.min_duplicated, damage.max_duplicated)
    _within(counted["skipped"], damage.min_skipped, damage.max_skipped)
    _within(produces - counted["acked"], damage.min_not_acked, damage.max_not_acked)
    _within(counted["produced_twice"], damage.min_produced_twice, damage.max_produced_twice)


def _within(count: int, low: int, high: int | None) -> None:
    assert count >= low
    assert high is None or count <= high


def _check_events(events: list[dict[str, Any]], *, has_switch: bool) -> None:
    """The story is complete and in order, and every step of it has an actor."""
    story = ["inject", "detect", "declare", "decide", "switch", "heal", "application_ok", "stand_down"]
    expected = [kind for kind in story if kind != "switch" or has_switch]
    told = [event for event in events if event["source"] == "rto demo"]
    assert [event["kind"] for event in sorted(told, key=lambda event: event["occurred_at"])] == expected

    assert all(event["actor"] and event["text"] for event in told)


def _check_heartbeats(beats: list[dict[str, Any]]) -> None:
    """Every sampled table has a collector that beats under its name, with a measured clock."""
    tables = {beat["collector"].partition(":")[0] for beat in beats}
    assert tables == ALWAYS_CAPTURED - {
        "cluster_info",
        "events",
        "heartbeats",
        "log_records",
        "log_scans",
    }
    assert tables < set(TABLES)
    assert all(beat["clock_offset_ms"] == 0.0 and 0 < beat["clock_error_ms"] < 1_000 for beat in beats)


def _acked(rows: Rows) -> list[dict[str, Any]]:
    return [row for row in rows["acks"] if row["outcome"] == "acked"]


def _latest(rows: list[dict[str, Any]], column: str, instant: str) -> dict[int, int]:
    """The value of each partition's latest row."""
    return {row["partition"]: row[column] for row in sorted(rows, key=lambda row: row[instant])}


def test_default_fault_is_one_of_them() -> None:
    """`rto demo` without options has something to do."""
    assert DEFAULT_FAULT in FAULTS


def test_unknown_fault_is_refused_with_the_nearest() -> None:
    """A misspelt fault is refused with what was probably meant, and with all there are."""
    with pytest.raises(Exception, match='did you mean "broker-loss"') as error:
        fault_named("broker-los")
    assert all(name in str(error.value) for name in FAULTS)
