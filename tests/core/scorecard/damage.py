"""What may be done to the passing drill: one kind of damage a function, each beside a twin that must change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.core.scorecard.passing_evidence import FIRST, KEY, LAST, us

if TYPE_CHECKING:
    from tests.core.scorecard.passing import Drill

Row = dict[str, Any]
VICTIM = 100
"""The record that is harmed: one of the calm before the clock start."""


def row(drill: Drill, table: str, number: int = VICTIM) -> Row:
    """A row of a table in the order of the plan; of acks, applied and log_records, that of one payment."""
    return drill.tables[table][number]


def criterion(drill: Drill, name: str, limit: int) -> None:
    """Set one tolerance."""
    drill.definition["criteria"][name] = limit


def applied_again(drill: Drill, times: int, application_id: str | None = None) -> None:
    """Apply the first payments once more each: as effects of their own, or as one captured twice."""
    for number in range(times):
        again = {**row(drill, "applied", number), "applied_at": us(-5)}
        drill.tables["applied"].append({**again, "application_id": application_id or f"again-{number}"})


def duplicated(drill: Drill) -> None:
    """Two records applied twice, where one is allowed."""
    applied_again(drill, 2)


def duplicated_within_limit(drill: Drill) -> None:
    """One record applied twice, where one is allowed."""
    applied_again(drill, 1)


def captured_twice(drill: Drill) -> None:
    """Effects captured twice under the application_id they had: no second application."""
    for number in range(50):
        drill.tables["applied"].append({**row(drill, "applied", number), "applied_at": us(-1)})


def skipped(drill: Drill) -> None:
    """A record that was never applied although the commits passed it."""
    del drill.tables["applied"][VICTIM]


def filtered(drill: Drill) -> None:
    """The same, of a flow that declares that it filters."""
    skipped(drill)
    drill.definition["flow"]["downstreams"][0]["delivery"] = "at_most_one"


def skipped_within_limit(drill: Drill) -> None:
    """The same, where one is allowed."""
    skipped(drill)
    criterion(drill, "max_skipped_records", 1)


def lost(drill: Drill) -> None:
    """A record in neither the downstream nor the log."""
    skipped(drill)
    del drill.tables["log_records"][VICTIM]


def lost_within_limit(drill: Drill) -> None:
    """The same, where both objectives allow one."""
    lost(drill)
    criterion(drill, "max_lost_records", 1)
    drill.definition["objectives"]["rpo_records"] = 1


def log_lost_what_was_applied(drill: Drill) -> None:
    """A record that the downstream has and the log does not: lost to whoever reads the log again."""
    del drill.tables["log_records"][VICTIM]


def overwritten(drill: Drill) -> None:
    """Another record stands in the log where an acknowledged one stood."""
    row(drill, "log_records")["record_id"] = "somebody else"


def log_without_identity(drill: Drill) -> None:
    """A log record whose identity was not captured may be the acknowledged one."""
    row(drill, "log_records")["record_id"] = None


def reordered(drill: Drill) -> None:
    """A record first applied after the next of its partition."""
    first, second = row(drill, "applied"), row(drill, "applied", VICTIM + 3)
    first["applied_at"], second["applied_at"] = second["applied_at"], first["applied_at"]


def applied_at_once(drill: Drill) -> None:
    """Two records applied at the same instant are in order."""
    row(drill, "applied")["applied_at"] = row(drill, "applied", VICTIM + 3)["applied_at"]


def produce(outcome: str) -> Row:
    """A produce that ended without an offset, long before the clock start."""
    return {**KEY, "record_id": "unhappy", "acked_at": us(-20), "outcome": outcome, "error": "_MSG_TIMED_OUT"}


def failed_produce(drill: Drill) -> None:
    """A produce that failed."""
    drill.tables["acks"].append(produce("failed"))


def indeterminate_produce(drill: Drill) -> None:
    """A produce of which nobody knows how it ended."""
    drill.tables["acks"].append(produce("indeterminate"))


def aborted_produce(drill: Drill) -> None:
    """A produce whose transaction the application took back: no failure."""
    drill.tables["acks"].append(produce("aborted"))


def late_step(drill: Drill) -> None:
    """A declaration that came six seconds after its time, where five are allowed."""
    drill.definition["runbook"][0]["tolerance_seconds"] = 5


def step_in_time(drill: Drill) -> None:
    """The same, where six are allowed."""
    drill.definition["runbook"][0]["tolerance_seconds"] = 6


def unrecorded_step(drill: Drill) -> None:
    """A step of which nobody recorded an event."""
    drill.tables["events"] = [event for event in drill.tables["events"] if event["kind"] != "switch"]


def step_of_another_kind(drill: Drill) -> None:
    """An event of another kind that names the step is the step."""
    next(event for event in drill.tables["events"] if event["kind"] == "switch")["kind"] = "endpoint moved"


def missing_attachment(drill: Drill) -> None:
    """A review that was required and is not there."""
    del drill.attachments["iam-review.md"]


def missing_procedure(drill: Drill) -> None:
    """A way back that is named and is not there."""
    del drill.attachments["rollback.md"]


def never_rehearsed(drill: Drill) -> None:
    """A way back that nobody ever tried."""
    drill.definition["rollback"]["rehearsed"] = False


def nameless_owner(drill: Drill) -> None:
    """A group that belongs to nobody."""
    del drill.definition["flow"]["groups"][0]["owner"]


def idle_partition(drill: Drill) -> None:
    """A partition that the group watches and that took no record."""
    end = {**KEY, "partition": 3, "log_start_offset": 0, "log_end_offset": 0}
    drill.tables["watermarks"] += [{**end, "observed_at": us(second)} for second in range(FIRST, LAST + 1)]
    commit = {**KEY, "group_id": "payments-sink", "partition": 3, "committed_offset": 0, "committed_at": us(FIRST)}
    drill.tables["commits"].append(commit)


def without_heartbeats(drill: Drill, collector: str, after: float, before: float) -> None:
    """A collector that gave no sign of life between two instants, both exclusive."""
    drill.tables["heartbeats"] = [
        beat
        for beat in drill.tables["heartbeats"]
        if beat["collector"] != collector or not us(after) < beat["occurred_at"] < us(before)
    ]


def hole_in_acks(drill: Drill) -> None:
    """A hole of four intervals in what watched the producer, before the clock start."""
    without_heartbeats(drill, "acks", -20, -16)


def three_intervals_without_acks(drill: Drill) -> None:
    """Three intervals between two heartbeats are not a hole yet."""
    without_heartbeats(drill, "acks", -20, -17)


def clocks_far_apart(drill: Drill) -> None:
    """A collector whose clock is further off than the objective has room."""
    drill.tables["heartbeats"][0]["clock_offset_ms"] = -96_000.0


def clocks_less_far_apart(drill: Drill) -> None:
    """A clock that is far off, but not as far as the objective has room."""
    drill.tables["heartbeats"][0]["clock_offset_ms"] = -95_000.0


def disconnected_client(drill: Drill) -> None:
    """A consumer that never got back to any broker."""
    for sample in drill.tables["client_stats"]:
        if sample["client_id"] == "payments-sink-0" and sample["observed_at"] > us(0):
            sample["broker_state"] = "DOWN"


def one_broker_less(drill: Drill) -> None:
    """A consumer that got back to one broker and not to the other is connected."""
    for sample in drill.tables["client_stats"]:
        if sample["broker"] == "broker-2:9092" and sample["observed_at"] > us(0):
            sample["broker_state"] = "DOWN"


def ended_early(drill: Drill, collector: str, instant: str, last: float) -> None:
    """A collector that stopped for good at an instant, with what it would have captured."""
    drill.tables[collector] = [row for row in drill.tables[collector] if row[instant] <= us(last)]
    without_heartbeats(drill, collector, last, LAST + 1)


def acks_ended_early(drill: Drill) -> None:
    """Produce outcomes that nobody captured from shortly after the recovery on, before it had held for ten seconds."""
    ended_early(drill, "acks", "acked_at", 30)


def client_stats_ended_early(drill: Drill) -> None:
    """Client statistics that end when the broker is killed."""
    ended_early(drill, "client_stats", "observed_at", 0)


def log_ends_ended_early(drill: Drill) -> None:
    """Log ends that stop after the service had held, long before the capture ends."""
    ended_early(drill, "watermarks", "observed_at", 40)


def client_stats_until_it_held(drill: Drill) -> None:
    """Client statistics that stop once the service has held."""
    ended_early(drill, "client_stats", "observed_at", 40)
