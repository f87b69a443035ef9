"""Consumer crash: the sink is killed after it has applied records and before it has committed them.

Its replacement starts from the last commit and applies them again. The crash is exact, not luck: the consumer ends
itself with SIGKILL at that point of its loop.
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
    name="consumer-crash",
    title="Consumer killed after applying and before committing",
    kind="process-kill",
    description="the payments sink is killed (SIGKILL) between its database transaction and its offset commit",
    affected=("payments-sink",),
    untouched=("broker-1", "broker-2", "broker-3"),
    damage=Damage(min_duplicated=CRASH_RECORDS, max_produced_twice=0),
    inject=_inject,
    heal=_heal,
    heal_text="a replacement of the payments sink is started",
)
