"""M8 Backlog burn-down: how high a group's lag rose after the clock started, and how it came down."""

from .drill_facts import Drill, conditions_of, hold_us_of, step_seconds_of
from .evidence import Row


def burn_down(drill: Drill, group_id: str, totals: list[Row], steps_us: list[int], clock_us: int | None) -> Row:
    """Return one row of the answer `backlog`. `totals` are the group's, in order of steps."""
    since_clock = [total for total in totals if clock_us is not None and total["step_us"] >= clock_us]
    known = [total for total in since_clock if total["lag_records"] is not None]
    peak = max(known, key=lambda total: total["lag_records"], default=None)  # max keeps the first of equals
    drained = find_drained(drill, group_id, peak, since_clock, steps_us)
    drain_seconds = (
        (drained["step_us"] - peak["step_us"]) / 1_000_000 if peak is not None and drained is not None else None
    )
    return {
        "group_id": group_id,
        "peak_lag_records": peak["lag_records"] if peak is not None else None,
        "peak_us": peak["step_us"] if peak is not None else None,
        "drained_us": drained["step_us"] if drained is not None else None,
        "drain_seconds": drain_seconds,
        "net_drain_rate": net_drain_rate(peak, drained, drain_seconds),
        "backlog_area_record_seconds": area(drill, known, drained),
        "final_lag_records": final_lag(totals, steps_us),
    }


def find_drained(drill: Drill, group_id: str, peak: Row | None, totals: list[Row], steps_us: list[int]) -> Row | None:
    """Return the first total from the peak on that begins hold_seconds at or below the threshold, all of them known."""
    if peak is None:
        return None
    threshold = threshold_of(drill, group_id)
    for start in totals:
        end_us = start["step_us"] + hold_us_of(drill)
        if start["step_us"] < peak["step_us"] or steps_us[-1] < end_us:
            continue
        held = [total for total in totals if start["step_us"] <= total["step_us"] <= end_us]
        if all(total["partitions_unknown"] == 0 and total["lag_records"] <= threshold for total in held):
            return start
    return None


def threshold_of(drill: Drill, group_id: str) -> int:
    """Return max_records of the first `lag` condition on a group that has one, else 0."""
    for condition in conditions_of(drill):
        if condition["kind"] == "lag" and condition["group_id"] == group_id and "max_records" in condition:
            return int(condition["max_records"])
    return 0


def net_drain_rate(peak: Row | None, drained: Row | None, drain_seconds: float | None) -> float | None:
    """Return the records per second by which the backlog shrank."""
    if peak is None or drained is None or not drain_seconds:
        return None
    records: int = peak["lag_records"] - drained["lag_records"]
    return records / drain_seconds


def area(drill: Drill, known: list[Row], drained: Row | None) -> float | None:
    """Return the sum of lag x step from the clock start until drained, or to the end; null where no lag is known."""
    if not known:
        return None
    until = [total for total in known if drained is None or total["step_us"] <= drained["step_us"]]
    records: int = sum(total["lag_records"] for total in until)
    return records * step_seconds_of(drill)


def final_lag(totals: list[Row], steps_us: list[int]) -> int | None:
    """Return the total lag at the last step, null where a partition is unknown there."""
    at_the_end = [total for total in totals if total["step_us"] == steps_us[-1]] if steps_us else []
    if not at_the_end or any(total["partitions_unknown"] > 0 for total in at_the_end):
        return None
    records: int = sum(total["lag_records"] for total in at_the_end)
    return records
