"""All measures of one drill in one dictionary."""

from typing import Any

from .burn_down import burn_down
from .drill_facts import Drill, clock_start_us, downstreams_of, groups_of
from .evidence import Tables, distinct_tables
from .findings import findings
from .grid import grid_steps_us
from .lag import lag_of_group, lag_row, lag_totals
from .ledger import ledger
from .records_and_fates import analyse, fate_row
from .recovery import recovery
from .recovery_point import recovery_point


def compute(drill: Drill, tables: Tables) -> dict[str, Any]:
    """Answer M1-M10 for one drill.

    `drill` is the parsed drill.yaml. `tables` maps a table's name to its rows, with every `*_at` given in microseconds
    since the epoch.
    """
    evidence = distinct_tables(tables)
    analyses = [analyse(drill, evidence, downstream) for downstream in downstreams_of(drill)]
    clock_us = clock_start_us(drill, evidence)
    steps_us = grid_steps_us(drill, tables)
    lags = {group_id: lag_of_group(drill, evidence, group_id, steps_us) for group_id in groups_of(drill)}
    totals = {group_id: lag_totals(group_id, lags[group_id]) for group_id in lags}
    return {
        "fates": [fate_row(analysis, record) for analysis in analyses for record in analysis.records],
        "ledger": ledger(drill, evidence, analyses),
        "findings": findings(drill, evidence, analyses),
        "lag": [lag_row(partition_lag) for group_id in lags for partition_lag in lags[group_id]],
        "lag_total": [total for group_id in totals for total in totals[group_id]],
        "backlog": [burn_down(drill, group_id, totals[group_id], steps_us, clock_us) for group_id in totals],
        "recovery": recovery(drill, evidence, steps_us, clock_us, lags),
        "recovery_point": recovery_point(drill, evidence, analyses, clock_us),
    }
