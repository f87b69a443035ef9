"""What changed from one drill to a later one: measures whose intervals do not meet, and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtoanalytics.compare.intervals import Outcome, difference, outcome
from rtoanalytics.compare.measures import UNITS
from rtoanalytics.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics.compare.measures import Value
    from rtoanalytics.compare.scorecards import Scorecard


@dataclass(frozen=True)
class Compared:
    """What a comparison needs of a drill."""

    id: str
    scorecard: Scorecard
    values: Mapping[str, Value]


@dataclass(frozen=True)
class MeasureChange:
    """How one measure changed."""

    measure: str
    before: Value
    after: Value

    @property
    def outcome(self) -> Outcome:
        """Regression or improvement only where the intervals do not meet."""
        return outcome(self.before.interval, self.after.interval)

    @property
    def is_decisive(self) -> bool:
        """Whether the definition of the later drill asks anything of this measure."""
        return self.after.is_judged

    @property
    def is_lost(self) -> bool:
        """Known before, and not known, or without an upper bound, now."""
        return self.outcome is Outcome.UNKNOWN and self.before.interval.is_known

    def document(self) -> dict[str, Any]:
        """The change for people and programs."""
        low, high = difference(self.before.interval, self.after.interval)
        are_known = self.before.interval.is_known and self.after.interval.is_known
        return {
            "measure": self.measure,
            "unit": UNITS[self.measure],
            "outcome": self.outcome.value,
            "is_decisive": self.is_decisive,
            "change_low": low if are_known else None,
            "change_high": high if are_known else None,
        }


@dataclass(frozen=True)
class VerdictChange:
    """How the verdict of one check changed; None where there is no such check."""

    area: str
    check: str
    before: Verdict | None
    after: Verdict | None

    @property
    def outcome(self) -> Outcome:
        """Only a pass that became a fail is a regression, only a fail that became a pass is an improvement."""
        match self.before, self.after:
            case Verdict.PASS, Verdict.FAIL:
                return Outcome.REGRESSION
            case Verdict.FAIL, Verdict.PASS:
                return Outcome.IMPROVEMENT
            case _:
                return Outcome.UNKNOWN

    @property
    def is_lost(self) -> bool:
        """Judged before, and not judged now."""
        return self.before in (Verdict.PASS, Verdict.FAIL) and self.after not in (Verdict.PASS, Verdict.FAIL)

    def document(self) -> dict[str, Any]:
        """The change for people and programs."""
        return {
            "area": self.area,
            "check": self.check,
            "before": self.before,
            "after": self.after,
            "outcome": self.outcome.value,
        }


@dataclass(frozen=True)
class Changes:
    """From one drill to a later one."""

    before: Compared
    after: Compared
    measures: tuple[MeasureChange, ...]
    verdicts: tuple[VerdictChange, ...]

    def named(self, wanted: Outcome) -> list[str]:
        """What decides, by name: measures that the definition asks about, and checks."""
        found = [change.measure for change in self.measures if change.is_decisive and change.outcome is wanted]
        found += [change.check for change in self.verdicts if change.outcome is wanted]
        return list(dict.fromkeys(found))

    def lost(self) -> list[str]:
        """What was known before and is not now."""
        found = [change.measure for change in self.measures if change.is_decisive and change.is_lost]
        found += [change.check for change in self.verdicts if change.is_lost]
        return list(dict.fromkeys(found))

    def document(self) -> dict[str, Any]:
        """The changes for people and programs."""
        return {
            "drill": self.before.id,
            "verdict_before": self.before.scorecard.verdict.value,
            "verdict_after": self.after.scorecard.verdict.value,
            "measures": [change.document() for change in self.measures],
            "verdicts": [change.document() for change in self.verdicts],
        }


def changes(before: Compared, after: Compared) -> Changes:
    """Every measure, and every check whose verdict is another one."""
    measures = tuple(MeasureChange(name, before.values[name], after.values[name]) for name in after.values)
    return Changes(before, after, measures, tuple(_verdict_changes(before.scorecard, after.scorecard)))


def _verdict_changes(before: Scorecard, after: Scorecard) -> list[VerdictChange]:
    old, new = _verdicts(before), _verdicts(after)
    names = list(dict.fromkeys([*new, *old]))
    return [
        VerdictChange(area, check, old.get((area, check)), new.get((area, check)))
        for area, check in names
        if old.get((area, check)) != new.get((area, check))
    ]


def _verdicts(scorecard: Scorecard) -> dict[tuple[str, str], Verdict]:
    return {(row.area, check.name): check.verdict for row in scorecard.rows for check in row.checks}
