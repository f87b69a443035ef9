"""Pass, fail, inconclusive, not applicable, and how verdicts combine: the worst wins."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """What the evidence allows to be said about one check, one scorecard row, or one drill."""

    PASS = "pass"  # noqa: S105  (a verdict, not a password)
    """The evidence shows that the limit was kept."""
    INCONCLUSIVE = "inconclusive"
    """The evidence does not tell, or tells too coarsely. Never shown as a pass."""
    FAIL = "fail"
    """The evidence shows that the limit was broken."""
    NOT_APPLICABLE = "not_applicable"
    """Nothing was asked (no limit was set), or the cluster cannot show it (a simulated one)."""


_SEVERITY = {Verdict.NOT_APPLICABLE: 0, Verdict.PASS: 1, Verdict.INCONCLUSIVE: 2, Verdict.FAIL: 3}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of `verdicts` (fail > inconclusive > pass > not_applicable); of none, `not_applicable`.

    >>> worst([Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE]).value
    'inconclusive'
    """
    return max(verdicts, key=_SEVERITY.__getitem__, default=Verdict.NOT_APPLICABLE)


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on a whole drill from its rows: like `worst`, but a drill that judged nothing is `inconclusive`.

    >>> overall([Verdict.NOT_APPLICABLE]).value
    'inconclusive'
    """
    verdict = worst(verdicts)
    return Verdict.INCONCLUSIVE if verdict is Verdict.NOT_APPLICABLE else verdict


def at_most(low: float, high: float | None, limit: float) -> Verdict:
    """Whether a quantity known to lie in [low, high] (both inclusive; `high` None = unbounded) is at most `limit`.

    >>> at_most(0, 3, 3).value, at_most(4, None, 3).value, at_most(1, None, 3).value
    ('pass', 'fail', 'inconclusive')
    """
    if low > limit:
        return Verdict.FAIL
    if high is not None and high <= limit:
        return Verdict.PASS
    return Verdict.INCONCLUSIVE
