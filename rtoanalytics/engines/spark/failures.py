"""What Spark says when something fails, as one clear message."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rtoanalytics.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTGROWN = ("ARITHMETIC_OVERFLOW", "CAST_OVERFLOW", "NUMERIC_VALUE_OUT_OF_RANGE", "BINARY_ARITHMETIC_OVERFLOW")
"""Conditions that mean that a number does not fit its column."""
_NO_MEMORY = ("java.lang.OutOfMemoryError", "UNABLE_TO_ACQUIRE_MEMORY", "maxResultSize")
_CONDITION = re.compile(r"\[[A-Z][A-Z_.]{5,}\]")
_CAUSE = "Caused by: "
_UNREACHABLE = ("StatusCode.UNAVAILABLE", "Connection refused", "No live SparkContext", "stopped SparkContext")


@contextmanager
def one_clear_message(doing: str) -> Iterator[None]:
    """Raise what Spark raises inside the block as QueryError, with what was being done and what to do next."""
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # noqa: PLC0415  (comes with the extra)
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except (PySparkException, Py4JError, ConnectionError) as error:
        raise QueryError(message_of(doing, str(error))) from None


def message_of(doing: str, said: str) -> str:
    r"""One line: what was being done, what Spark said, what to do.

    >>> message_of("ledger", "An error occurred\n: [CAST_OVERFLOW] The value cannot be cast")
    'ledger: a number outgrows its column ([CAST_OVERFLOW] The value cannot be cast); look for offsets near 2^63'
    """
    if any(condition in said for condition in _OUTGROWN):
        return f"{doing}: a number outgrows its column ({_line_with(said, _OUTGROWN)}); look for offsets near 2^63"
    if any(condition in said for condition in _NO_MEMORY):
        return (
            f"{doing}: Spark has not enough memory ({_line_with(said, _NO_MEMORY)}); give it more: "
            "--conf spark.driver.memory=8g on this machine, spark.executor.memory on a cluster"
        )
    if any(condition in said for condition in _UNREACHABLE):
        return f"{doing}: Spark cannot be reached ({_line_with(said, _UNREACHABLE)}); is it running at that address?"
    return f"{doing}: Spark failed ({_cause(said)})"


def _cause(said: str) -> str:
    """The line that names a condition of Spark's, else the innermost cause, else the first line."""
    if _CONDITION.search(said):
        return next(line.strip().removeprefix(_CAUSE) for line in said.splitlines() if _CONDITION.search(line))
    causes = [line.strip().removeprefix(_CAUSE) for line in said.splitlines() if line.strip().startswith(_CAUSE)]
    return causes[-1] if causes else _line_with(said, ("Exception", "Error"))


def _line_with(said: str, words: tuple[str, ...]) -> str:
    """The first line that tells something: one with any of the words, else the first."""
    lines = [line.strip().removeprefix(": ") for line in said.splitlines() if line.strip()]
    telling = (line for line in lines if any(word in line for word in words))
    return next(telling, lines[0] if lines else "no reason given")
