"""Faults of a real cluster: what must be found in the bundle, by numbers that are known without it.

The producer's own callback knows what was acknowledged, the sink's own table what took effect, and kafka-dump-log
what the segment files hold. The ledger must say the same, record by record, in every scenario.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.lab.observed import Observed, observe
from tests.lab.scenarios.flow import Traffic
from tests.lab.scenarios.network_delay import DELAY_SECONDS, VICTIM
from tests.lab.scenarios.scenario import scenarios
from tests.lab.scenarios.truth import COUNTED, expected_totals, ids_by_coordinates

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.harness.kafka import LabCluster

pytestmark = pytest.mark.xdist_group("lab")

Conducted = Callable[[str], Observed]


@pytest.fixture
def conducted(lab_cluster: LabCluster, tmp_path: Path) -> Conducted:
    """Conducts a scenario by name, and has its bundle accepted."""
    return lambda name: observe(tmp_path, scenarios()[name].conduct(lab_cluster, tmp_path, Traffic()))


def assert_agreement(observed: Observed) -> None:
    """What every drill must show: outcomes, ledger and log as they are known from outside, and the drill's story."""
    truth = observed.truth
    assert truth.sent == len(truth.settled)
    outcomes = observed.outcomes()
    assert outcomes["acked"] == {record.record_id for record in truth.acked}
    assert outcomes.get("failed", set()) | outcomes.get("indeterminate", set()) == {
        record.record_id for record in truth.unsettled
    }
    assert observed.logged_ids() == truth.logged_ids
    assert {name: observed.totals[name] for name in COUNTED} == expected_totals(truth)
    kinds = [kind for kind in observed.events() if kind in {"inject", "detect", "heal", "application_ok", "stand_down"}]
    assert kinds == ["inject", "detect", "heal", "application_ok", "stand_down"]
    assert {row["engine"] for row in observed.rows("cluster_info")} == {"kafka"}


def leaders_of(observed: Observed, partition: int) -> list[int]:
    """Leaders of a partition in the order they were seen, without repetition."""
    rows = sorted(observed.rows("partition_states"), key=lambda row: row["observed_at"])
    seen = [row["leader"] for row in rows if row["partition"] == partition and row["leader"] is not None]
    return [leader for before, leader in zip([None, *seen], seen, strict=False) if leader != before]


def test_a_killed_broker_loses_nothing(conducted: Conducted) -> None:
    """acks=all and an idempotent producer: every record is in the log once, though its leader was killed."""
    observed = conducted("broker-kill")
    assert_agreement(observed)
    assert not observed.truth.unsettled
    assert observed.totals["log_missing"] == 0
    assert observed.totals["produced_twice"] == 0
    assert leaders_of(observed, 1)[:2] in ([2, 3], [2, 1])
    assert min(row["in_sync"] for row in observed.rows("partition_states")) == 2
    assert observed.scorecard["recovery_point"]["verdict"] == "pass"
    assert observed.scorecard["recovery"]["outcome"] == "restored"


def test_a_killed_controller_loses_nothing(conducted: Conducted) -> None:
    """Another controller moves the partitions of the one that died with its broker; the log is whole."""
    observed = conducted("controller-kill")
    assert_agreement(observed)
    victim, successor = observed.truth.notes["victim"], observed.truth.notes["successor"]
    assert victim != successor
    assert leaders_of(observed, victim - 1)[0] == victim
    assert len(leaders_of(observed, victim - 1)) >= 2
    assert observed.totals["log_missing"] == 0


def test_a_paused_leader_loses_nothing(conducted: Conducted) -> None:
    """A leader that hangs and comes back as if nothing had happened is no longer believed: the log is whole."""
    observed = conducted("paused-leader")
    assert_agreement(observed)
    assert leaders_of(observed, 0)[0] == 1
    assert len(leaders_of(observed, 0)) >= 2
    assert observed.totals["log_missing"] == 0
    assert observed.totals["produced_twice"] == 0


def test_an_unclean_election_is_found_to_the_record(conducted: Conducted) -> None:
    """The records that only the dead leader's segment files hold are those that are missing, overwritten and lost."""
    observed = conducted("unclean-election")
    assert_agreement(observed)
    truth = observed.truth
    before, after = ids_by_coordinates(truth.superseded), truth.logged_ids
    replaced = {place for place, record_id in before.items() if after.get(place) != record_id}
    acked = {((record.partition, record.offset), record.record_id) for record in truth.acked}
    missing = {(place, before[place]) for place in replaced if (place, before[place]) in acked}
    assert missing
    assert observed.totals["log_missing"] == len(missing)
    assert observed.totals["overwritten"] == sum(place in after for place, _ in missing) > 0
    applied = {((row.partition, row.offset), row.record_id) for row in truth.applied}
    lost = {place for place, record_id in missing if (place, record_id) not in applied}
    assert lost
    assert observed.totals["lost"] == len(lost)
    assert observed.offsets_with_fate("lost") >= lost
    epochs = {row["record_offset"]: row["leader_epoch"] for row in observed.rows("log_records")}
    assert epochs == {record.offset: record.leader_epoch for record in truth.log[0] if not record.is_control}
    assert observed.scorecard["recovery_point"]["rpa_records"] == len(missing)
    assert observed.scorecard["recovery_point"]["verdict"] == "fail"


def test_a_crashed_sink_applies_again_what_it_had_not_committed(conducted: Conducted) -> None:
    """Every payment that was applied and not committed when the sink was killed is applied twice, and no other."""
    observed = conducted("consumer-crash")
    assert_agreement(observed)
    twice = len(observed.truth.applied) - len({(row.partition, row.offset) for row in observed.truth.applied})
    assert observed.totals["duplicated"] == twice >= observed.truth.notes["caught"]
    assert observed.totals["lost"] == observed.totals["skipped"] == observed.totals["log_missing"] == 0


def test_timed_out_produces_are_neither_failed_nor_lost(conducted: Conducted) -> None:
    """A delivery that timed out is indeterminate; those of them that are in the segment files are in the read-back."""
    observed = conducted("producer-timeouts")
    assert_agreement(observed)
    timed_out = {record.record_id for record in observed.truth.unsettled if record.error == "_MSG_TIMED_OUT"}
    assert timed_out
    assert timed_out <= observed.outcomes()["indeterminate"]
    in_log = timed_out & set(observed.truth.logged_ids.values())
    assert in_log == timed_out & set(observed.logged_ids().values())
    assert observed.totals["acked"] == len(observed.truth.acked)
    assert observed.totals["unacked"] >= len(in_log)


def test_a_slow_network_is_slow_and_loses_nothing(conducted: Conducted, lab_cluster: LabCluster) -> None:
    """The producer's own statistics of the slow broker show the delay of both directions; nothing is lost."""
    observed = conducted("network-delay")
    assert_agreement(observed)
    slow = ("producer", lab_cluster.brokers[VICTIM].node.proxied_address)
    windows = [row for row in observed.rows("client_stats") if (row["role"], row["broker"]) == slow]
    assert max(row["rtt_p99_ms"] or 0 for row in windows) >= 2 * DELAY_SECONDS * 1000
    assert observed.totals["once"] == observed.totals["acked"]


def test_a_broker_that_is_cut_off_loses_nothing(proxied_lab_cluster: LabCluster, tmp_path: Path) -> None:
    """Cut off from everybody, a leader is replaced; let in again, it follows, and the log is whole."""
    truth = scenarios()["network-partition"].conduct(proxied_lab_cluster, tmp_path, Traffic())
    observed = observe(tmp_path, truth)
    assert_agreement(observed)
    assert leaders_of(observed, 0)[0] == 1
    assert len(leaders_of(observed, 0)) >= 2
    assert observed.totals["log_missing"] == 0
    assert observed.totals["produced_twice"] == 0


def test_kafkas_own_verifiable_tools_agree(conducted: Conducted) -> None:
    """What the tools say was acknowledged is in the read-back, what they consumed and committed too."""
    observed = conducted("verifiable")
    truth = observed.truth
    logged = {(row["partition"], row["record_offset"]) for row in observed.rows("log_records")}
    assert truth.acked
    assert {(record.partition, record.offset) for record in truth.acked} <= logged
    assert logged == set(truth.logged_ids)
    values = truth.logged_ids
    assert all(values[record.partition, record.offset] == record.record_id for record in truth.acked)
    consumed = {
        (poll.partition, offset) for poll in truth.consumed for offset in range(poll.min_offset, poll.max_offset + 1)
    }
    assert consumed == logged
    commits = observed.rows("commits")
    captured = {(row["partition"], row["committed_offset"]) for row in commits}
    used = sorted({partition for partition, _ in logged})
    final = {partition: max(o for p, o in truth.tool_commits if p == partition) for partition in used}
    assert set(final.items()) <= captured
    assert captured <= set(truth.tool_commits)
    ends = {row["partition"]: row["to_offset"] for row in observed.rows("log_scans") if row["partition"] in used}
    committed = {partition: offset for partition, offset in truth.committed.items() if partition in used}
    assert final == ends == committed
