"""The seven rows, in the order in which they are read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from rtoanalytics.scorecard.business_scope import business_scope
from rtoanalytics.scorecard.capacity import capacity
from rtoanalytics.scorecard.checks import Case, Check, Row, first_of, row_verdict
from rtoanalytics.scorecard.client_behavior import client_behavior
from rtoanalytics.scorecard.governance import governance
from rtoanalytics.scorecard.next_actions import next_action
from rtoanalytics.scorecard.offset_integrity import offset_integrity
from rtoanalytics.scorecard.rollback import rollback
from rtoanalytics.scorecard.rto_target import rto_target
from rtoanalytics.verdict import Verdict
from rtoanalytics.wording import counted, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROWS: Mapping[str, Callable[[Case], Iterator[Check]]] = MappingProxyType(
    {
        "business_scope": business_scope,
        "rto_target": rto_target,
        "client_behavior": client_behavior,
        "offset_integrity": offset_integrity,
        "capacity": capacity,
        "governance": governance,
        "rollback": rollback,
    }
)
"""Area → its checks."""


def judge_rows(case: Case) -> tuple[Row, ...]:
    """Every row of the scorecard."""
    return tuple(_judge(area, tuple(checks(case))) for area, checks in ROWS.items())


def _judge(area: str, checks: tuple[Check, ...]) -> Row:
    verdict = row_verdict(checks)
    return Row(area, verdict, _headline(verdict, checks), checks, next_action(area, checks))


def _headline(verdict: Verdict, checks: tuple[Check, ...]) -> str:
    """The reason of the first check that decided the row, and how many others agree with it."""
    deciding = first_of(checks, verdict)
    if deciding is None:
        return "Nothing was asked."
    if verdict is Verdict.NOT_APPLICABLE:
        return "No limit was set; the figures are reported only."
    others = sum(check.verdict is verdict for check in checks) - 1
    more = f" ({counted(others, 'more check')} {verdict.value})" if others and verdict is not Verdict.PASS else ""
    return sentence(deciding.reason + more)
