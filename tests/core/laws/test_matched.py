"""Where every effect carries both the place of its record and its identity, either tells the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import open_engine, run_queries
from tests.core.laws.drills import seeds
from tests.reference import compute
from tests.reference.agreement import disagreements
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.reference.drill_facts import Drill
    from tests.reference.evidence import Row, Tables

PLACE = ("cluster", "topic", "partition", "record_offset")
RELATIONS = ("ledger", "fates", "findings", "reorderings", "recovery_point")
WRITTEN_OVER = "w"
"""How the identity of a record begins that stands where another was lost."""
DRILLS = 12
SHORT_HASH = (
    "case when record_id is not null then"
    " cast(hash(xor(hash(record_id), cast(record_offset as ubigint))) >> 56 as bigint) end"
)


@pytest.mark.parametrize("seed", seeds(DRILLS))
def test_matching_by_offset_and_by_identity_tell_the_same(tmp_path: Path, seed: int) -> None:
    """Of a drill in which each place has an identity of its own, no answer depends on what downstreams match by.

    Neither a count of the ledger, nor the fate of any record, nor what was overtaken, nor the recovery point.
    """
    assert answers(tmp_path, seed, "record_id", RELATIONS) == answers(tmp_path, seed, "offset", RELATIONS)


def test_the_drills_compared_have_records_of_every_kind(tmp_path: Path) -> None:
    """Among them are records applied once, twice, late and not at all, strays, and records settled by identity."""
    found = [compute(*identified_drill(seed, "record_id"))["ledger"] for seed in range(DRILLS)]
    counts = ("once", "duplicated", "skipped", "pending", "unacked", "before_capture", "reordered")
    totals = {name: sum(row[name] for ledger in found for row in ledger) for name in counts}
    assert all(totals.values()), totals
    assert answers(tmp_path, 1, "record_id", ["settled_words"])["settled_words"]


@pytest.mark.parametrize("seed", range(6))
def test_identities_that_share_a_hash_are_told_apart(tmp_path: Path, seed: int) -> None:
    """With a hash of eight bits, which many identities share, queries tell what loops over rows tell."""
    drill, tables = identified_drill(seed, "record_id")
    places = {row["record_id"] for row in tables.get("acks", []) if row["outcome"] == "acked"}
    if "applied" in tables:
        tables = tables | {"applied": [row for row in tables["applied"] if row["record_id"] in places]}
    write_bundle(tmp_path / "bundle", drill, tables)
    with open_engine(open_bundle(tmp_path / "bundle")) as engine:
        engine.connection.execute(f"create or replace macro identity_hash(record_id, record_offset) as ({SHORT_HASH})")
        run_queries(engine, screen=False)
        assert disagreements(engine, compute(drill, tables)) == []


def answers(folder: Path, seed: int, match: str, relations: Iterable[str]) -> dict[str, list[Row]]:
    """What the queries answer about the drill of a seed, with an identity for each place."""
    root = folder / f"{seed}-{match}"
    write_bundle(root, *identified_drill(seed, match))
    with open_engine(open_bundle(root)) as engine:
        run_queries(engine, relations)
        return {name: engine.rows(name) for name in relations}


def identified_drill(seed: int, match: str) -> tuple[Drill, Tables]:
    """The random drill of a seed with an identity for each place, and every downstream matching by the same."""
    drill, tables = random_drill(seed)
    return matched_by(drill, match), identified(tables)


def matched_by(drill: Drill, match: str) -> Drill:
    """The drill with every downstream matching by the same."""
    downstreams = [downstream | {"match": match} for downstream in drill["flow"].get("downstreams", [])]
    return drill | {"flow": drill["flow"] | {"downstreams": downstreams}} if downstreams else drill


def identified(tables: Tables) -> Tables:
    """The evidence with an identity for each place, on whatever was acknowledged, read back or applied there.

    Effects without a complete place are left out. Records that others were written over by keep theirs.
    """
    changed = {
        "acks": [identified_row(row) for row in tables.get("acks", [])],
        "log_records": [row if is_written_over(row) else identified_row(row) for row in tables.get("log_records", [])],
        "applied": [identified_row(row) for row in tables.get("applied", []) if has_place(row)],
    }
    return tables | {name: rows for name, rows in changed.items() if name in tables}


def identified_row(row: Row) -> Row:
    """The row with the identity of its place, if it has one."""
    return row | {"record_id": "/".join(str(row[name]) for name in PLACE)} if has_place(row) else row


def has_place(row: Mapping[str, object]) -> bool:
    """Whether all coordinates were captured."""
    return all(row.get(name) is not None for name in PLACE)


def is_written_over(row: Mapping[str, object]) -> bool:
    """Whether the log has another record there than was acknowledged, or one without an identity."""
    return str(row.get("record_id") or WRITTEN_OVER).startswith(WRITTEN_OVER)
