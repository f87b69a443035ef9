"""Commit before apply: a sink with the wrong order is killed after it has committed and before it has applied.

Its replacement starts behind records that nobody ever applies: they are skipped, and no lag shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.demo.faults.fault import CRASH_RECORDS, Damage, Fault

if TYPE_CHECKING:
    from rtoanalytics_collectors.demo.conduct import Conduct


def _inject(conduct: Conduct) -> None:
    conduct.crash_consumer(CRASH_RECORDS)


def _heal(conduct: Conduct) -> None:
    conduct.start_consumer()


FAULT = Fault(
    name="commit-before-apply",
    title="Consumer that commits before it applies, killed in between",
    kind="process-kill",
    description="the payments sink, which commits offsets first, is killed (SIGKILL) before its database transaction",
    affected=("payments-sink",),
    untouched=("broker-1", "broker-2", "broker-3"),
    damage=Damage(max_duplicated=0, min_skipped=CRASH_RECORDS, max_skipped=None, max_produced_twice=0),
    inject=_inject,
    heal=_heal,
    heal_text="a replacement of the payments sink is started",
    is_commit_first=True,
)
