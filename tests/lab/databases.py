"""Fixtures: a real PostgreSQL for a session of tests, and a database of its own for one test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.harness.postgres import Postgres, postgres_programs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Database:
    """One database of one test."""

    server: Postgres
    name: str

    @property
    def uri(self) -> str:
        """Its connection URI, with the password."""
        return self.server.uri_of(self.name)

    def execute(self, statement: str, parameters: Sequence[Any] | None = None) -> None:
        """Run one statement, committed at once."""
        self.server.execute(statement, self.name, parameters)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.server.rows(query, self.name)


@pytest.fixture(scope="session")
def needs_postgres() -> Path:
    """The programs of PostgreSQL; a test that asks for them is skipped on a machine without."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine (Debian: apt install postgresql)")
    return programs


@pytest.fixture(scope="session")
def postgres(needs_postgres: Path) -> Iterator[Postgres]:
    """A running PostgreSQL."""
    with Postgres(needs_postgres) as server:
        yield server


@pytest.fixture
def database(postgres: Postgres, request: pytest.FixtureRequest) -> Database:
    """A new database; the server runs, whatever the test before did to it."""
    postgres.start()
    name = re.sub(r"\W+", "_", request.node.name.lower())[:60]
    postgres.new_database(name)
    return Database(postgres, name)
