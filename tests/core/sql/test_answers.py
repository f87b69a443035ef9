"""How answers are written."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import polars as pl

from rtoanalytics.cli.sql_answers import (
    MAX_TABLE_ROWS,
    write_catalog,
    write_csv,
    write_json,
    write_parquet,
    write_table,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.sql_session import Session

ALL_TYPES = """
select timestamptz '2026-11-20 10:00:00.5+00' as instant, timestamp '2026-01-01 00:00:00' as local,
       date '2026-01-02' as day, time '10:00:00' as hour, 1.50::decimal(5, 2) as price, 7::hugeint as huge,
       'nan'::double as nan, null as nothing,
       true as yes, map {'a': 'b'} as labels, [1, 2] as list, {'k': 1} as struct, '\\x00'::blob as bytes,
       'a"b,c
d' as text, 1 as again, 2 as again
"""


def test_csv(session: Session) -> None:
    """CSV reads back as what it was: quotes, commas and line breaks kept, instants with Z, nulls empty."""
    file = io.StringIO()
    write_csv(session.ask(ALL_TYPES), file)
    head, row = csv.reader(io.StringIO(file.getvalue()))
    found = dict(zip(head, row, strict=True))
    assert found["instant"] == "2026-11-20T10:00:00.500000Z"
    assert found["text"] == 'a"b,c\nd'
    assert found["nothing"] == ""
    assert found["yes"] == "true"
    assert found["price"] == "1.50"
    assert json.loads(found["labels"]) == {"a": "b"}
    assert "\r" not in file.getvalue()


def test_json(session: Session) -> None:
    """JSON is one array; what JSON cannot hold is null, names that repeat are numbered."""
    file = io.StringIO()
    write_json(session.ask(ALL_TYPES), file)
    (row,) = json.loads(file.getvalue())
    assert row["nan"] is None
    assert row["nothing"] is None
    assert (row["again"], row["again_2"]) == (1, 2)
    assert row["instant"] == "2026-11-20T10:00:00.500000Z"
    assert (row["labels"], row["list"], row["struct"], row["bytes"]) == ({"a": "b"}, [1, 2], {"k": 1}, "00")


def test_json_without_rows(session: Session) -> None:
    """No row is an empty array."""
    file = io.StringIO()
    write_json(session.ask("select 1 as x where false"), file)
    assert json.loads(file.getvalue()) == []


def test_parquet(session: Session, tmp_path: Path) -> None:
    """Parquet keeps types: instants are timestamp[us, tz=UTC]."""
    path = tmp_path / "acks.parquet"
    write_parquet(session.ask("acks"), path)
    assert pl.read_parquet(path).schema["acked_at"] == pl.Datetime("us", "UTC")


def test_table(session: Session) -> None:
    """Columns are aligned, numbers to the right, and the rows are counted."""
    file = io.StringIO()
    write_table(session.ask("select * from (values ('a', 5), ('北京', 12)) as t(name, n) order by n"), file)
    assert file.getvalue() == "name   n\n────  ──\na      5\n北京  12\n(2 rows)\n"


def test_wide_rows_stand_upright(session: Session) -> None:
    """A row wider than the screen is written one value a line."""
    file = io.StringIO()
    write_table(session.ask("select repeat('x', 50) as first, 1 as second"), file, width=40)
    assert file.getvalue() == f"── row 1 ──\nfirst   {'x' * 50}\nsecond  1\n(1 row)\n"


def test_tables_are_cut_and_say_so(session: Session) -> None:
    """Of endless answers a table shows the first rows, and says that there are more."""
    file = io.StringIO()
    write_table(session.ask(f"from range({MAX_TABLE_ROWS + 5}) as t(n)"), file)
    assert file.getvalue().count("\n") == MAX_TABLE_ROWS + 3
    assert file.getvalue().endswith("(more than 1,000 rows, the first 1,000 shown; --format csv writes them all)\n")


def test_no_columns_of_rows(session: Session) -> None:
    """An answer without rows still shows its columns."""
    file = io.StringIO()
    write_table(session.ask("select 1 as x where false"), file)
    assert file.getvalue() == "x\n─\n(0 rows)\n"


def test_evidence_cannot_steer_the_terminal(session: Session) -> None:
    """Control characters in a cell are shown as spaces."""
    file = io.StringIO()
    write_table(session.ask("select chr(27) || '[2Jx' || chr(10) || 'y' as text"), file)
    assert "\x1b" not in file.getvalue()
    assert " [2Jx y" in file.getvalue()


def test_catalog(session: Session) -> None:
    """The list of relations stands in order of kind and chain, wrapped to the screen."""
    file = io.StringIO()
    write_catalog(session.relations.values(), file, 80)
    lines = file.getvalue().splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["evidence", "definition", "query"]
    assert max(map(len, lines)) <= 80
