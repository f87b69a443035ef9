"""Hold the answers of the query chain against those of the brute-force twin."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtoanalytics.engines.duckdb import Engine


Row = dict[str, Any]
NOTHING = ["downstream", "group_id", "cluster", "topic", "partition"]

RELATIONS = {
    "fates": "fates",
    "ledger": "ledger",
    "findings": "findings",
    "lag": "lag",
    "lag_total": "burn_down",
    "backlog": "backlog",
}
"""Answer of the twin → relation of the chain."""


def disagreements(engine: Engine, expected: Row) -> list[str]:
    """Every place where the chain and the twin differ, as text; none means they agree."""
    found = []
    for answer, relation in RELATIONS.items():
        found += differences(answer, _rows(engine, relation, answer, expected[answer]), expected[answer])
    found += differences("condition_steps", *_condition_steps(engine, expected["recovery"]))
    found += differences("recovery_times", *_recovery_times(engine, expected["recovery"]))
    found += differences("recovery_point", *_recovery_point(engine, expected["recovery_point"]))
    return found


def differences(name: str, actual: list[Row], expected: list[Row]) -> list[str]:
    """Rows on one side only, whatever their order; numbers equal within a relative 1e-9."""
    left, right = _sorted(actual), _sorted(expected)
    if len(left) != len(right):
        extra = [row for row in left if not any(_same(row, other) for other in right)]
        missing = [row for row in right if not any(_same(row, other) for other in left)]
        return [f"{name}: only in the chain {extra[:3]}, only in the twin {missing[:3]}"]
    return [f"{name}: chain {a}, twin {b}" for a, b in zip(left, right, strict=True) if not _same(a, b)][:3]


def _rows(engine: Engine, relation: str, answer: str, expected: list[Row]) -> list[Row]:
    rows = engine.rows(relation)
    if answer == "fates":
        rows = [row for row in rows if row["downstream"] != "(flow)"]
    keys = list(expected[0]) if expected else list(rows[0]) if rows else []
    return [{key: row[key] for key in keys} for row in rows]


def _condition_steps(engine: Engine, expected: Row) -> tuple[list[Row], list[Row]]:
    rows = engine.rows("recovery")
    actual = [{"name": r["condition"], "step_us": r["step_us"], "state": r["state"]} for r in rows]
    whole = [{"name": "all", **step} for step in expected["steps"]] if expected["condition_steps"] else []
    return actual, expected["condition_steps"] + whole


def _recovery_times(engine: Engine, expected: Row) -> tuple[list[Row], list[Row]]:
    keys = ("name", "impact_us", "restored_us")
    rows = engine.rows("recovery_times")
    actual = [dict(zip(keys, (r["condition"], r["impact_us"], r["restored_us"]), strict=True)) for r in rows]
    if not actual:
        return [], []
    whole = {"name": "all", "impact_us": expected["impact_us"], "restored_us": expected["restored_us"]}
    return actual, [*({key: row[key] for key in keys} for row in expected["conditions"]), whole]


def _recovery_point(engine: Engine, expected: Row) -> tuple[list[Row], list[Row]]:
    keys = ("rpa_records", "rpa_seconds")
    (row,) = engine.rows("recovery_point")
    return [{key: row[key] for key in keys}], [{key: expected[key] for key in keys}]


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(
        rows, key=lambda row: [(row[key] is None, isinstance(row[key], str), _rounded(row[key])) for key in sorted(row)]
    )


def _rounded(value: object) -> str | float:
    """A sort key: whole numbers as they are (offsets near 2^53 differ by one), others to six decimals."""
    return "" if value is None else round(value, 6) if isinstance(value, int | float) else str(value)


def _same(a: Row, b: Row) -> bool:
    return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)


def _equal(a: object, b: object) -> bool:
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and isclose(float(str(a)), float(str(b)), rel_tol=1e-9, abs_tol=1e-9)
    return a == b
