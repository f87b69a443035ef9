"""What can go wrong, by who can put it right.

    RtoError                     anything we refuse with one clear message (exit status 3)
    ├── UsageError               the command line
    ├── DrillError               drill.yaml
    ├── EvidenceError            files under evidence/
    │   └── SealError            evidence and manifest.json disagree
    ├── QueryError               a query of an analyst, or evidence no query can hold
    ├── ClusterError             a cluster, broker or client library
    ├── MissingDependencyError   an extra that is not installed
    └── DefectError              rtoanalytics itself: a law of the ledger is broken

"Not enough evidence" is never an exception: it is a result with a reason (`verdict.Verdict.INCONCLUSIVE`).
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class RtoError(Exception):
    """A refusal: what was found, where, what is allowed, and what to do next.

    `str(error)` is the whole message, possibly over several lines, without a trailing full stop rule or color.
    """


class UsageError(RtoError):
    """The command line asks for something that does not exist."""


class DrillError(RtoError):
    """The drill definition is not one."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a bundle."""

    where: str
    """File, table, column: as narrow as it is known, relative to the bundle."""
    found: str
    """What stands there."""
    allowed: str
    """What may stand there, or what to do about it."""

    def __str__(self) -> str:
        return _printable(f"{self.where}: {self.found}; {self.allowed}")


class EvidenceError(RtoError):
    """Evidence that cannot be read as what it claims to be. Carries every problem that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SealError(EvidenceError):
    """Files differ from what manifest.json recorded when the bundle was sealed."""


class QueryError(RtoError):
    """A statement that DuckDB refuses, or numbers that outgrow their column."""


class ClusterError(RtoError):
    """A cluster did not do what was asked of it."""


class MissingDependencyError(RtoError):
    """A part of rtoanalytics that is not installed. The message is the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra [{extra}]: pip install 'rtoanalytics[{extra}]'")


class DefectError(RtoError):
    """A law that must always hold does not. Please report it with the bundle."""


def _printable(text: str) -> str:
    """Names of files may hold anything; a message may not clear a terminal or start a line of its own."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def nearest(name: str, allowed: Iterable[str]) -> str:
    """' (did you mean "x"?)' for the allowed name closest to `name`, or an empty string when none is close.

    >>> nearest("rto_second", ["rto_seconds", "rpo_records"])
    ' (did you mean "rto_seconds"?)'
    >>> nearest("zzz", ["rto_seconds"])
    ''
    """
    matches = get_close_matches(name, list(allowed), n=1, cutoff=0.6)
    return f' (did you mean "{matches[0]}"?)' if matches else ""
