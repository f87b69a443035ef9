"""A small bundle to ask, and one session on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.sql_session import Session, open_session
from tests.reference.bundles import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOCK_US = 1_795_168_800_000_000
"""2026-11-20T10:00:00Z."""
DRILL: dict[str, Any] = {
    "schema_version": 1,
    "id": "asked",
    "clusters": {"primary": {}},
    "flow": {
        "name": "payments",
        "topics": [{"name": "payments"}],
        "groups": [{"id": "sink", "topics": ["payments"]}],
        "downstreams": [{"name": "db", "group_id": "sink"}],
    },
    "objectives": {"rto_seconds": 60, "restored_when": {"hold_seconds": 2.5}},
}
PLACE = {"cluster": "primary", "topic": "payments", "partition": 0}


def seconds(value: float) -> int:
    """An instant, in seconds after the clock start."""
    return CLOCK_US + round(value * 1_000_000)


def ack(offset: int) -> dict[str, Any]:
    """One acknowledged record."""
    return {
        **PLACE,
        "record_offset": offset,
        "record_id": f"r{offset}",
        "outcome": "acked",
        "acked_at": seconds(offset),
    }


def effect(offset: int, second: float) -> dict[str, Any]:
    """One applied row."""
    return {**PLACE, "downstream": "db", "record_offset": offset, "applied_at": seconds(second)}


def write(folder: Path) -> Path:
    """Three records: one acknowledgement captured twice, one record applied twice at the same instant."""
    tables: dict[str, list[dict[str, Any]]] = {
        "acks": [ack(0), ack(1), ack(1), ack(2)],
        "applied": [effect(0, 0.5), effect(1, 1.5), effect(1, 1.5), effect(2, 2.5)],
        "commits": [{**PLACE, "group_id": "sink", "committed_offset": 3, "committed_at": seconds(4)}],
        "watermarks": [{**PLACE, "log_end_offset": 3, "observed_at": seconds(3)}],
        "events": [{"occurred_at": seconds(0), "kind": "inject", "text": "it's \"odd\", isn't it\n?"}],
    }
    write_bundle(folder, DRILL, tables)
    return folder


@pytest.fixture(scope="session")
def asked_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle; nobody may write to it."""
    return write(tmp_path_factory.mktemp("asked") / "it's a [bundle]*")


@pytest.fixture
def session(asked_bundle: Path) -> Iterator[Session]:
    """A session on the bundle."""
    with open_session(asked_bundle) as opened:
        yield opened
