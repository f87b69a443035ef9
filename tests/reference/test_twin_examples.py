"""Examples worked out by hand that pin the brute-force twin itself."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from . import compute
from .bundles import write_bundle
from .conditions import LOUD_SILENCE_RECORDS
from .drill_facts import Drill
from .evidence import Row, Tables
from .random_drills import random_drill

T0 = 1_800_000_000_000_000  # a whole second
FATES = ["once", "duplicated", "lost", "skipped", "pending", "filtered", "unresolved"]


def at(seconds: float) -> int:
    """Return an instant so many seconds after T0."""
    return T0 + round(seconds * 1_000_000)


def drill_of(*, downstream: Row | None = None, objectives: Row | None = None, **more: object) -> Drill:
    """Return a drill with one topic, one group and one downstream."""
    store = {"name": "store", "group_id": "sink", "match": "offset", "delivery": "exactly_one"} | (downstream or {})
    flow = {"name": "f", "topics": [{"name": "t"}], "groups": [{"id": "sink", "topics": ["t"]}], "downstreams": [store]}
    return {
        "schema_version": 1,
        "id": "d",
        "flow": flow,
        "clusters": {"a": {}},
        "objectives": {"rto_seconds": 5} | (objectives or {}),
    } | more


def acked(offset: int, seconds: float, **more: object) -> Row:
    """Return an acked row; its record_id is r and its offset, unless said otherwise."""
    row: Row = {"cluster": "a", "topic": "t", "partition": 0, "record_offset": offset, "record_id": f"r{offset}"}
    return row | {"acked_at": at(seconds), "outcome": "acked"} | more


def effect(offset: int, seconds: float, **more: object) -> Row:
    """Return an applied row without a record_id."""
    row: Row = {"downstream": "store", "cluster": "a", "topic": "t", "partition": 0, "record_offset": offset}
    return row | {"applied_at": at(seconds)} | more


def committed(offset: int, seconds: float, **more: object) -> Row:
    """Return a commit of the group."""
    row: Row = {"cluster": "a", "group_id": "sink", "topic": "t", "partition": 0, "committed_offset": offset}
    return row | {"committed_at": at(seconds)} | more


def log_end(offset: int, seconds: float, **more: object) -> Row:
    """Return a watermark."""
    row: Row = {"cluster": "a", "topic": "t", "partition": 0, "log_end_offset": offset, "observed_at": at(seconds)}
    return row | more


def in_log(offset: int, **more: object) -> Row:
    """Return a log row with the record_id of `acked`."""
    row: Row = {"cluster": "a", "topic": "t", "partition": 0, "record_offset": offset, "record_id": f"r{offset}"}
    return row | {"appended_at": at(0)} | more


def scan(first: int, end: int, seconds: float, **more: object) -> Row:
    """Return a scan of the partition."""
    row: Row = {"cluster": "a", "topic": "t", "partition": 0, "from_offset": first, "to_offset": end}
    return row | {"scanned_at": at(seconds)} | more


def event(kind: str, seconds: float) -> Row:
    """Return an event."""
    return {"kind": kind, "occurred_at": at(seconds)}


def fates_of(answer: dict[str, Any]) -> dict[int, str]:
    """Map the offsets of an answer to fates."""
    return {row["record_offset"]: row["fate"] for row in answer["fates"]}


def test_every_fate_by_coordinates() -> None:
    """Applied once, twice, never below and above the final commit, and gone from the log: the fates follow.

    The final commit is the last one, 4, though 6 was committed before it. Of the scans only the later one counts: it
    reads from 0, and its log holds 0 to 3 and 5.
    """
    tables: Tables = {
        "acks": [acked(offset, offset) for offset in range(6)],
        "applied": [effect(0, 10), effect(1, 10), effect(1, 11)],
        "commits": [committed(6, 10), committed(4, 11)],
        "log_scans": [scan(5, 6, 20), scan(0, 6, 21)],
        "log_records": [in_log(offset, scanned_at=at(21)) for offset in (0, 1, 2, 3, 5)]
        + [in_log(4, scanned_at=at(20))],
    }
    answer = compute(drill_of(), tables)
    assert fates_of(answer) == {0: "once", 1: "duplicated", 2: "skipped", 3: "skipped", 4: "lost", 5: "pending"}
    assert answer["recovery_point"] == {
        "rpo_records": None,
        "rpa_records": 1,
        "rpa_seconds": None,
        "verdict": "not_applicable",
    }


def test_ledger_accounts_for_every_applied_row() -> None:
    """Rows of acked records, rows at or above the lowest acked offset, below it, and nowhere are told apart.

    Offsets 10 and 11 are acked. 11 was first applied before 10, so 10 is reordered. The application_id `x` counts once.
    """
    rows = [effect(10, 5), effect(11, 3), effect(11, 4), effect(12, 6), effect(9, 6), effect(11, 9, record_id="other")]
    rows += [effect(10, 7, application_id="x"), effect(10, 8, application_id="x")]
    rows += [{"downstream": "store", "applied_at": at(1), "record_id": "z"}]
    answer = compute(drill_of(), {"acks": [acked(10, 1), acked(11, 2)], "applied": rows})
    nowhere, row = answer["ledger"]
    assert (nowhere["cluster"], nowhere["applied"], nowhere["unacked"]) == (None, 1, 1)
    assert (row["acked"], row["duplicated"], row["distinct_applied"], row["extra"]) == (2, 2, 2, 2)
    assert (row["unacked"], row["before_capture"], row["applied"], row["reordered"]) == (2, 1, 6, 1)


def test_many_counts_one_delivery_of_several_rows() -> None:
    """With `many`, rows of ordinals null and 1 are one delivery; a second row of one ordinal makes a duplicate."""
    tables: Tables = {
        "acks": [acked(0, 1), acked(1, 1)],
        "applied": [
            effect(0, 2),
            effect(0, 2, ordinal=1),
            effect(1, 2, ordinal=0),
            effect(1, 2),
            effect(1, 2, ordinal=1),
        ],
    }
    answer = compute(drill_of(downstream={"delivery": "many"}), tables)
    assert fates_of(answer) == {0: "once", 1: "duplicated"}
    row = answer["ledger"][0]
    assert (row["distinct_applied"], row["extra"], row["applied"]) == (4, 1, 5)


def test_applied_rows_find_their_record_among_several_at_one_offset() -> None:
    """Two ids at one offset are two records: a row with an id goes to its own, one without to the record acked last."""
    tables: Tables = {
        "acks": [acked(0, 1, record_id="x"), acked(0, 2, record_id="y")],
        "applied": [effect(0, 3, record_id="x"), effect(0, 3, cluster=None), effect(0, 3, record_id="z")],
    }
    answer = compute(drill_of(), tables)
    counted = {row["record_id"]: row["applied_rows"] for row in answer["fates"]}
    assert counted == {"x": 1, "y": 1}
    assert answer["ledger"][0]["unacked"] == 1


def test_record_id_joins_coordinates() -> None:
    """With `match: record_id`, one id is one record where it was acked first; rows without an id are unresolved."""
    tables: Tables = {
        "acks": [acked(3, 2, record_id="x"), acked(5, 1, record_id="x"), acked(6, 1, record_id=None)],
        "applied": [{"downstream": "store", "applied_at": at(3), "record_id": "x"}],
        "commits": [committed(9, 4)],
    }
    answer = compute(drill_of(downstream={"match": "record_id"}), tables)
    assert fates_of(answer) == {5: "once", 6: "unresolved"}
    assert answer["ledger"][0]["produced_twice"] == 1


def test_failover_looks_records_up_by_id() -> None:
    """After a failover, an unapplied record is judged by where its id stands in the log of the group's last cluster."""
    drill = drill_of(clusters={"a": {}, "b": {"topic_names": {"t": ["a.t"]}}})
    there = {"cluster": "b", "topic": "a.t"}
    tables: Tables = {
        "acks": [*(acked(offset, 1) for offset in range(4)), acked(4, 1, record_id=None)],
        "applied": [effect(0, 2)],
        "commits": [committed(1, 2), committed(2, 5, **there)],
        "log_scans": [scan(0, 3, 9, **there)],
        "log_records": [in_log(7, record_id="r1", **there), in_log(1, record_id="r1", **there), in_log(2, **there)],
    }
    answer = compute(drill, tables)
    assert fates_of(answer) == {0: "once", 1: "skipped", 2: "pending", 3: "lost", 4: "unresolved"}
    assert answer["recovery_point"]["rpa_records"] == 1


def test_overwritten_is_missing_with_another_id_there() -> None:
    """Missing needs a scan from at or below the offset and no compaction; another id at the place means overwritten."""
    tables: Tables = {
        "acks": [acked(offset, 1) for offset in range(4)],
        "log_scans": [scan(1, 2, 9)],
        "log_records": [in_log(1), in_log(2, record_id="w")],
    }
    answer = compute(drill_of(), tables)
    found = {
        row["record_offset"]: (row["is_log_missing"], row["is_overwritten"], row["fate"]) for row in answer["fates"]
    }
    assert found == {
        0: (False, False, "unresolved"),
        1: (False, False, "unresolved"),
        2: (True, True, "lost"),
        3: (True, False, "lost"),
    }
    compacted = drill_of()
    compacted["flow"]["topics"] = [{"name": "t", "cleanup_policy": "compact,delete"}]
    assert not any(row["is_log_missing"] for row in compute(compacted, tables)["fates"])


def test_runs_cross_offset_gaps_and_end_at_another_fate() -> None:
    """Skipped 1 and 4 are one run over the gap; the filtered and the applied record are in none."""
    tables: Tables = {
        "acks": [acked(1, 1), acked(4, 2), acked(5, 3), acked(6, 4), acked(9, 5)],
        "applied": [effect(5, 6), effect(6, 7), effect(6, 8)],
        "commits": [committed(8, 10)],
    }
    runs = [row for row in compute(drill_of(), tables)["findings"] if row["kind"] == "run"]
    assert [(r["fate"], r["start_offset"], r["end_offset"], r["records"], r["max_applied"]) for r in runs] == [
        ("skipped", 1, 5, 2, 0),
        ("duplicated", 6, 7, 1, 2),
        ("pending", 9, 10, 1, 0),
    ]
    assert (runs[1]["first_applied_us"], runs[1]["last_applied_us"]) == (at(7), at(8))
    filtered = compute(drill_of(downstream={"delivery": "at_most_one"}), tables)["findings"]
    assert [row["fate"] for row in filtered if row["kind"] == "run"] == ["duplicated", "pending"]


def test_commits_that_move_badly_are_findings() -> None:
    """0, 4, then back to the log start, again to 4, and above the log end over records nobody applied."""
    tables: Tables = {
        "acks": [acked(offset, 1) for offset in range(6)],
        "applied": [effect(offset, 2) for offset in range(4)],
        "commits": [committed(0, 1), committed(4, 2), committed(0, 3), committed(4, 4), committed(7, 5)],
        "watermarks": [log_end(6, 1, log_start_offset=0), log_end(6, 9)],
    }
    found = [row for row in compute(drill_of(), tables)["findings"] if row["kind"] != "run"]
    by_kind = {
        (row["kind"], row["reset_to"]): (row["start_offset"], row["end_offset"], row["records"]) for row in found
    }
    assert len(found) == len(by_kind)
    assert by_kind == {
        ("commit_above_log_end", None): (6, 7, None),
        ("commit_rewind", None): (0, 4, None),
        ("offset_reset", "earliest"): (0, 4, None),
        ("commit_jump", None): (4, 6, 2),
        ("offset_reset", "latest"): (4, 7, None),
    }
    assert next(row["regained_us"] for row in found if row["kind"] == "commit_rewind") == at(4)


def test_lag_is_read_as_of_the_step() -> None:
    """Lag comes from the last watermark and commit, its bound from the next watermark, its age from a record."""
    tables: Tables = {
        "acks": [acked(0, 0), acked(1, 0.5), acked(2, 1.5)],
        "commits": [committed(1, 1)],
        "watermarks": [log_end(2, 1), log_end(3, 3)],
    }
    lags = [
        (row["step_us"], row["lag_records"], row["lag_records_high"], row["lag_seconds"])
        for row in compute(drill_of(), tables)["lag"]
    ]
    assert lags == [(at(0), None, None, None), (at(1), 1, 1, 0.5), (at(2), 1, 2, 1.5), (at(3), 2, 2, 2.5)]


def test_lag_without_watermarks_ends_above_the_highest_ack() -> None:
    """Without watermarks the log ends above the highest ack; the age of a record not captured is unknown."""
    tables: Tables = {"acks": [acked(5, 1), acked(6, 2)], "commits": [committed(3, 1), committed(6, 3)]}
    totals = compute(drill_of(), tables)["lag_total"]
    assert [(row["lag_records"], row["lag_records_high"], row["lag_seconds"]) for row in totals] == [
        (3, None, None),
        (4, None, None),
        (1, None, 1.0),
    ]


RECOVERING: Tables = {
    "acks": [acked(offset, offset * 0.5) for offset in range(20)],
    "commits": [committed(offset, seconds) for offset, seconds in [(2, 1), (4, 2), (14, 7), (18, 8), (20, 10)]],
    "watermarks": [log_end(min(20, 2 * second), second) for second in range(15)],
    "events": [event("inject", 2)],
}


def lag_drill(**settings: object) -> Drill:
    """Return a drill that is restored when the lag is at most 2 records."""
    condition = {"kind": "lag", "group_id": "sink", "max_records": 2}
    return drill_of(objectives={"restored_when": {"hold_seconds": 3, "conditions": [condition]} | settings})


def test_recovery_lies_between_the_last_bad_and_the_first_good_step() -> None:
    """The lag is 0, 2, 4, 6, 8 at seconds 2 to 6 and then 0: bad from 4 to 6, good from 7 on.

    At second 2 the next watermark is that of second 2 itself, so the bound is exact: RTA is between 4 and 5 seconds.
    """
    answer = compute(lag_drill(), RECOVERING)["recovery"]
    states = [row["state"] for row in answer["steps"]]
    assert states == ["good"] * 2 + ["bad"] * 3 + ["good"] * 8
    assert (answer["impact_us"], answer["restored_us"]) == (at(4), at(7))
    assert (answer["rta_seconds_low"], answer["rta_seconds_high"]) == (4, 5)
    assert (answer["outcome"], answer["verdict"], answer["relapses"]) == ("restored", "pass", 0)
    assert answer["conditions"] == [{"name": "lag:sink", "impact_us": at(4), "restored_us": at(7)}]


def test_clock_errors_and_holes_widen_the_answer() -> None:
    """A clock error of 500 ms widens both ends; a hole in the watermarks makes steps unknown, the interval wide."""
    beats: list[Row] = [
        {"collector": "log_ends", "occurred_at": at(s), "interval_seconds": 1.0, "rows": s, "clock_error_ms": 500.0}
        for s in range(15)
        if not 5 < s < 10
    ]
    answer = compute(lag_drill(), RECOVERING | {"heartbeats": beats})["recovery"]
    assert [row["state"] for row in answer["steps"]][2:9] == ["bad", "bad"] + ["unknown"] * 4 + ["good"]
    assert (answer["rta_seconds_low"], answer["rta_seconds_high"]) == (2.5, 8.5)
    assert answer["verdict"] == "inconclusive"


def test_a_recovery_that_cannot_be_held_inside_the_capture_is_censored() -> None:
    """With a hold of 8 seconds the good run from 7 to 14 is too short: no upper bound, and fail is not certain."""
    answer = compute(lag_drill(hold_seconds=8), RECOVERING)["recovery"]
    assert (answer["outcome"], answer["restored_us"], answer["rta_seconds_high"]) == ("censored", None, None)
    assert (answer["rta_seconds_low"], answer["verdict"]) == (4, "inconclusive")


def test_backlog_peaks_and_drains() -> None:
    """The lag peaks at 8 at second 6 and stays at most 2 from second 7 on; the area is 2 + 4 + 6 + 8."""
    assert compute(lag_drill(), RECOVERING)["backlog"] == [
        {
            "group_id": "sink",
            "peak_lag_records": 8,
            "peak_us": at(6),
            "drained_us": at(7),
            "drain_seconds": 1.0,
            "net_drain_rate": 8.0,
            "backlog_area_record_seconds": 20,
            "final_lag_records": 0,
        }
    ]


@pytest.mark.parametrize(("rate", "state"), [(LOUD_SILENCE_RECORDS, "bad"), (LOUD_SILENCE_RECORDS - 1, "unknown")])
def test_silence_is_bad_only_where_there_was_traffic(rate: int, state: str) -> None:
    """A second without outcomes is bad if the mean rate before would have given at least 10, else unknown."""
    condition = {"kind": "produce_errors", "max_ratio": 0, "window_seconds": 1}
    tables: Tables = {
        "acks": [acked(number, number / rate) for number in range(2 * rate)],
        "events": [event("inject", 2), event("note", 4)],
    }
    answer = compute(drill_of(objectives={"restored_when": {"conditions": [condition]}}), tables)["recovery"]
    assert [row["state"] for row in answer["steps"]] == ["good", state, state]


def test_recovery_point_needs_complete_scans() -> None:
    """All present passes; one not read back is inconclusive; one too many missing fails whatever else."""
    drill = drill_of(objectives={"rpo_records": 0})
    tables: Tables = {
        "acks": [acked(0, 1), acked(1, 2)],
        "log_scans": [scan(0, 2, 9)],
        "log_records": [in_log(0), in_log(1)],
        "events": [event("inject", 5)],
    }
    assert compute(drill, tables)["recovery_point"]["verdict"] == "pass"
    partial = tables | {"log_scans": [scan(1, 2, 9)]}
    assert compute(drill, partial)["recovery_point"]["verdict"] == "inconclusive"
    lossy = compute(drill, partial | {"log_records": []})["recovery_point"]
    assert (lossy["rpa_records"], lossy["rpa_seconds"], lossy["verdict"]) == (1, 3.0, "fail")
    simulated: Row = {"cluster": "a", "engine": "librdkafka-mock", "observed_at": at(0)}
    assert compute(drill, lossy_on(partial, simulated))["recovery_point"]["verdict"] == "not_applicable"


def lossy_on(tables: Tables, cluster_info: Row) -> Tables:
    """Return tables without log_records, on a cluster of some engine."""
    return tables | {"log_records": [], "cluster_info": [cluster_info]}


@pytest.mark.parametrize("seed", range(200))
def test_ledger_balances_on_random_drills(seed: int) -> None:
    """Every acked record has exactly one fate, and every applied row is distinct, extra or unacked."""
    answer = compute(*random_drill(seed))
    for row in answer["ledger"]:
        assert row["acked"] == sum(row[fate] for fate in FATES)
        assert row["applied"] == row["distinct_applied"] + row["extra"] + row["unacked"]
    assert len(answer["fates"]) == sum(row["acked"] for row in answer["ledger"])


def test_bundles_hold_what_was_written(tmp_path: Path) -> None:
    """A bundle has the definition and every row, over several shuffled files; a column that no row has is left out."""
    tables: Tables = {"acks": [acked(0, 1), acked(1, 2), acked(2, 3)], "events": [], "heartbeats": []}
    write_bundle(tmp_path / "b", drill_of(), tables, shuffle_seed=1, files=2)
    assert yaml.safe_load((tmp_path / "b" / "drill.yaml").read_text(encoding="utf-8")) == drill_of()
    parts = [pq.read_table(path) for path in sorted((tmp_path / "b" / "evidence" / "acks").glob("*.parquet"))]
    assert sorted(str(offset) for part in parts for offset in part.column("record_offset")) == ["0", "1", "2"]
    assert all("producer" not in part.column_names for part in parts)
    assert str(parts[0].schema.field("acked_at").type) == "timestamp[us, tz=UTC]"
