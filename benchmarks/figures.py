"""What one entry of the benchmark says, what is asked of it, and both as a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GOAL_ROWS = 100_000_000
"""The size that most goals are stated for; of a smaller one the table only shows them."""


@dataclass(frozen=True)
class Goal:
    """What is asked of an entry; None for what is not."""

    most_ratio: float | None = None
    least_ratio: float | None = None
    most_gb: float | None = None
    most_bytes_per_row: float | None = None
    least_per_second: float | None = None
    from_rows: int = GOAL_ROWS
    """Acknowledged records of the bundle from which on the goal is asked."""

    def text(self) -> str:
        """The goal for people."""
        parts = [
            None if self.most_ratio is None else f"≤ {self.most_ratio:g} ×",
            None if self.least_ratio is None else f"≥ {self.least_ratio:g} ×",
            None if self.most_gb is None else f"≤ {self.most_gb:g} GB",
            None if self.most_bytes_per_row is None else f"≤ {self.most_bytes_per_row:g} B/row",
            None if self.least_per_second is None else f"≥ {self.least_per_second:,.0f}/s",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Figures:
    """One line of the table. None is what does not apply."""

    entry: str
    rows: int | None = None
    """Rows of evidence that were read or written."""
    seconds: float | None = None
    """Median of the whole process."""
    cpu_seconds: float | None = None
    """Processor time of the whole process, median."""
    baseline: str | None = None
    """What it is held against."""
    baseline_seconds: float | None = None
    ratio: float | None = None
    """Seconds in parts of the baseline's; where the baseline is a speed, rows a second in parts of its own."""
    peak_gb: float | None = None
    bytes_per_row: float | None = None
    per_second: float | None = None
    """Where rows a second were measured and nothing else."""
    goal: Goal = field(default_factory=Goal)
    ended: str | None = None
    """Why there are no seconds: over a limit, or died."""
    counts: Mapping[str, int] | None = None
    """What the entry counted, where entries must agree."""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows_per_second(self) -> float | None:
        """Rows by the second."""
        return self.rows / self.seconds if self.rows and self.seconds else self.per_second

    def is_met(self, size_rows: int) -> bool | None:
        """Whether the goal is met; None without one, at a size it is not stated for, and where nothing was measured."""
        if self.goal == Goal() or size_rows < self.goal.from_rows:
            return None
        if self.ended:
            return False
        bounds = [
            (self.ratio, self.goal.most_ratio),
            (self.goal.least_ratio, self.ratio),
            (self.peak_gb, self.goal.most_gb),
            (self.bytes_per_row, self.goal.most_bytes_per_row),
            (self.goal.least_per_second, self.rows_per_second),
        ]
        asked = [(low, high) for low, high in bounds if low is not None and high is not None]
        return all(low <= high for low, high in asked) if asked else None

    def document(self, size_rows: int) -> dict[str, Any]:
        """The line as JSON."""
        rounded = {name: _rounded(value) for name, value in asdict(self).items() if name != "per_second"}
        rate = self.rows_per_second
        return {
            **rounded,
            "rows_per_second": None if rate is None else round(rate),
            "goal": self.goal.text() or None,
            "is_met": self.is_met(size_rows),
        }


HEAD = ("entry", "rows", "seconds", "cpu s", "rows/s", "against", "ratio", "peak GB", "B/row", "goal", "met")


def table(lines: Iterable[Figures], size_rows: int) -> str:
    """The figures for people, as a table that is also one in Markdown."""
    cells = [HEAD, *(_cells(line, size_rows) for line in lines)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in (cells[0], rule, *cells[1:])
    )


def _cells(line: Figures, size_rows: int) -> tuple[str, ...]:
    is_met = line.is_met(size_rows)
    return (
        line.entry,
        _number(line.rows, ",d"),
        line.ended or _number(line.seconds, ".2f"),
        _number(line.cpu_seconds, ".2f"),
        _number(line.rows_per_second, ",.0f"),
        line.baseline or "",
        _number(line.ratio, ".2f"),
        _number(line.peak_gb, ".2f"),
        _number(line.bytes_per_row, ".2f"),
        line.goal.text(),
        "" if is_met is None else "yes" if is_met else "NO",
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _rounded(value: Any) -> Any:  # noqa: ANN401
    return round(value, 4) if isinstance(value, float) else value
