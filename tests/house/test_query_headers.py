"""Every file of queries/ is what its header says: one statement, one question, its relations, its columns.

The same text runs on DuckDB and on Spark, so the lint below keeps it inside what both understand alike.
"""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import DEFINITION_RELATIONS, define_functions, open_engine, run_queries
from rtoanalytics.engines.plan import FUNCTIONS
from rtoanalytics.queries import GRID, in_order, load_queries
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

Shape = list[tuple[str, str]]
FOLDER = Path(__file__).resolve().parents[2] / "queries"
QUERIES = load_queries()
NAMES = sorted(QUERIES)
OWN_WORDS = [(name, engine) for name in NAMES for engine in QUERIES[name].own_words]
MEASURES = {f"M{number}" for number in range(1, 12)}
LABELS = ("Measure", "Grain", "Reads", "Parameters", "Returns", "Method")
TYPES = {"bigint", "integer", "double", "boolean", "varchar"}
SHARED = {"bit_count"}
"""Functions that DuckDB and Spark both have, though the parser does not know them."""
EMPTY_DRILL = """\
schema_version: 1
id: empty
flow: {name: empty}
objectives: {rto_seconds: 1}
"""

DENIED = {
    "ASOF": r"\basof\b",
    "QUALIFY": r"\bqualify\b",
    "time_bucket": r"\btime_bucket\b",
    "quantile_cont": r"\bquantile_cont\b",
    "epoch_*": r"\bepoch\w*\s*\(",
    "list(": r"\blist\s*\(",
    "array_agg(": r"\barray_agg\s*\(",
    "GROUP BY ALL": r"\b(?:group|order)\s+by\s+all\b",
    "a lambda": r"\blambda\b|->",
    "//": r"//",
    "::": r"::",
    "exclude": r"\bexclude\b",
    "arg_max, arg_min (max_by and min_by are fine)": r"\barg_(?:max|min)\b",
    "ignore nulls": r"\bignore\s+nulls\b",
    "any_value": r"\bany_value\b",
    "first(, last(": r"\b(?:first|last)\s*\(",
    "the clock": r"\b(?:current_(?:timestamp|date|time)\b|(?:now|today)\s*\()",
    "chance": r"\b(?:random|rand|uuid|gen_random_uuid)\s*\(",
    "a parameter": r"[$?]",
    'a quoted name (Spark reads "x" as text)': r'"',
    "a template": r"\{\{|\{%",
}


def text_of(name: str) -> str:
    """The file of a query."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def code_of(name: str) -> str:
    """A query without comments and string literals."""
    return re.sub(r"'(?:[^']|'')*'|--[^\n]*", "", text_of(name))


def parsed(name: str) -> exp.Expression:
    """The one statement of a query."""
    statement = sqlglot.parse_one(text_of(name), read="duckdb")
    assert isinstance(statement, exp.Expression)
    return statement


def relations_read(statement: exp.Expression) -> set[str]:
    """Names of the relations a statement reads from outside itself."""
    return {
        source.name
        for scope in traverse_scope(statement)
        for source in scope.sources.values()
        if isinstance(source, exp.Table)
    }


def header_labels(name: str) -> list[str]:
    """The labels of a header, in the order of the file."""
    lines = text_of(name).splitlines()
    end = next(index for index, line in enumerate(lines) if not line.startswith("--"))
    return [match[1] for line in lines[:end] if (match := re.match(r"-- ([A-Z][a-z]+):(?: |$)", line))]


def test_every_file_is_a_query() -> None:
    """What is loaded is what stands in queries/, under the name of its file."""
    files = {path.name.removesuffix(".sql") for path in FOLDER.glob("*.sql")}
    assert {name for name in files if not name.endswith(".duckdb")} == set(QUERIES)
    assert all(query.name == name for name, query in QUERIES.items())
    assert not [path.name for path in FOLDER.iterdir() if path.suffix != ".sql"]


def test_portable_twins_exist() -> None:
    """A query in DuckDB's own words stands beside a portable one of the same name."""
    own_words = [path.name.removesuffix(".duckdb.sql") for path in FOLDER.glob("*.duckdb.sql")]
    assert set(own_words) <= set(QUERIES)


@pytest.mark.parametrize(("name", "engine"), OWN_WORDS)
def test_own_words_read_what_the_header_says(name: str, engine: str) -> None:
    """An engine's own words are one statement without a header, over the same relations, without order or chance."""
    text = QUERIES[name].own_words[engine]
    (statement,) = sqlglot.parse(text, read=engine)
    assert isinstance(statement, exp.Expression)
    assert isinstance(statement, exp.Query)
    assert not text.startswith("--")
    assert relations_read(statement) == set(QUERIES[name].reads)
    assert not [what for what in ("the clock", "chance", "a parameter") if re.search(DENIED[what], text, re.IGNORECASE)]


def test_functions_are_called_as_they_are_defined() -> None:
    """Queries call no function beside those of SQL but those that every engine supplies, each with its parameters."""
    calls = [call for name in NAMES for call in parsed(name).find_all(exp.Anonymous) if call.name not in SHARED]
    assert {call.name for call in calls} == set(FUNCTIONS)
    assert all(len(call.expressions) == len(FUNCTIONS[call.name]) for call in calls)


@pytest.mark.parametrize("name", NAMES)
def test_header_has_every_part_in_order(name: str) -> None:
    """A header asks its question first and then tells measure, grain, reads, parameters, returns and method."""
    query = QUERIES[name]
    assert query.question.endswith("?")
    assert header_labels(name) == list(LABELS)
    assert "-- Parameters: none\n" in text_of(name)
    assert query.grain
    assert query.method


@pytest.mark.parametrize("name", NAMES)
def test_measures_exist(name: str) -> None:
    """A query serves measures of the contract, or describes the evidence itself."""
    measures = QUERIES[name].measures
    assert measures
    assert measures == ("evidence",) or set(measures) <= MEASURES


@pytest.mark.parametrize("name", NAMES)
def test_returns_are_typed_and_explained(name: str) -> None:
    """Every column returned has a name of its own, a portable type and a meaning."""
    returns = QUERIES[name].returns
    names = [column.name for column in returns]
    assert returns
    assert len(set(names)) == len(names)
    assert {column.type for column in returns} <= TYPES
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert all(column.meaning for column in returns)


@pytest.mark.parametrize("name", NAMES)
def test_one_statement_that_selects(name: str) -> None:
    """A file holds exactly one statement, and it reads only."""
    statements = sqlglot.parse(text_of(name), read="duckdb")
    assert len(statements) == 1
    assert isinstance(statements[0], exp.Query)


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
@pytest.mark.parametrize("name", NAMES)
def test_parses_in_both_dialects(name: str, dialect: str) -> None:
    """DuckDB and Spark can both read the text as it stands."""
    assert isinstance(sqlglot.parse_one(text_of(name), read=dialect), exp.Query)


@pytest.mark.parametrize("name", NAMES)
def test_reads_what_it_says(name: str) -> None:
    """The relations in the text are the relations of `Reads:`, each named once."""
    reads = QUERIES[name].reads
    assert len(set(reads)) == len(reads)
    assert relations_read(parsed(name)) == set(reads)


@pytest.mark.parametrize("name", NAMES)
def test_reads_what_exists(name: str) -> None:
    """A query reads evidence, the definition of the drill, or other queries."""
    unknown = {
        relation
        for relation in QUERIES[name].reads
        if relation not in TABLES
        and relation not in QUERIES
        and relation not in DEFINITION_RELATIONS
        and relation != GRID
    }
    assert not unknown


def test_queries_are_no_evidence_tables() -> None:
    """No query takes the name of an evidence table or of a part of the definition."""
    assert not set(QUERIES) & {*TABLES, *DEFINITION_RELATIONS, GRID}
    assert not [name for name in NAMES if name.startswith("drill_")]


@pytest.mark.parametrize("name", NAMES)
def test_parts_have_names_of_their_own(name: str) -> None:
    """No part of a statement (`with …`) takes the name of a relation: a reader always knows which one is meant."""
    parts = {part.alias for part in parsed(name).find_all(exp.CTE)}
    assert not parts & {*QUERIES, *TABLES, *DEFINITION_RELATIONS, GRID}


def test_the_chain_has_no_circle() -> None:
    """Queries can be computed one after the other, and `in_order` does so."""
    TopologicalSorter({name: query.reads for name, query in QUERIES.items()}).prepare()
    done: set[str] = set()
    for query in in_order(QUERIES):
        missing = set(query.reads) & set(QUERIES) - done
        assert not missing, f"{query.name} comes before {missing}"
        done.add(query.name)
    assert done == set(QUERIES)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Shape]:
    """Column names and types of every relation, as the engine has them on a bundle without evidence."""
    folder = tmp_path_factory.mktemp("empty")
    (folder / "drill.yaml").write_text(EMPTY_DRILL, encoding="utf-8")
    with open_engine(open_bundle(folder)) as engine:
        run_queries(engine)
        names = [*TABLES, *DEFINITION_RELATIONS, GRID, *QUERIES]
        return {name: shape_of(engine.connection, f'select * from "{name}"') for name in names}


def shape_of(connection: duckdb.DuckDBPyConnection, statement: str) -> Shape:
    """What a statement returns: (column, type) in order."""
    return [(str(row[0]), str(row[1]).lower()) for row in connection.sql(f"describe {statement}").fetchall()]


@pytest.mark.parametrize("name", NAMES)
def test_returns_what_it_says(name: str, shapes: Mapping[str, Shape]) -> None:
    """The columns and types that DuckDB gives are those of `Returns:`, in their order."""
    assert shapes[name] == [(column.name, column.type) for column in QUERIES[name].returns]


@pytest.mark.parametrize("name", NAMES)
def test_needs_only_what_it_reads(name: str, shapes: Mapping[str, Shape]) -> None:
    """A query can be bound where nothing but the relations of `Reads:` exists."""
    query = QUERIES[name]
    with duckdb.connect() as connection:
        define_functions(connection)
        for relation in query.reads:
            columns = ", ".join(f'"{column}" {kind}' for column, kind in shapes[relation])
            connection.execute(f'create table "{relation}" ({columns})')
        statements = (query.sql, *query.own_words.values())
        assert [shape_of(connection, statement) for statement in statements] == [shapes[name]] * len(statements)


@pytest.mark.parametrize("name", NAMES)
def test_order_only_inside_windows(name: str) -> None:
    """A relation has no order and no first rows: what is written is sorted when it is written."""
    statement = parsed(name)
    ordered = [
        order.sql()
        for order in statement.find_all(exp.Order)
        if not isinstance(order.parent, exp.Window | exp.WithinGroup)
    ]
    assert not ordered
    assert not list(statement.find_all(exp.Limit, exp.Offset))


@pytest.mark.parametrize("name", NAMES)
def test_stays_inside_the_portable_words(name: str) -> None:
    """Nothing is used that Spark lacks, reads otherwise, or that makes two runs differ."""
    used = [what for what, pattern in DENIED.items() if re.search(pattern, code_of(name), re.IGNORECASE)]
    assert not used


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("ASOF", "select 1 from a asof join b using (x)"),
        ("epoch_*", "select epoch_ms(x) from a"),
        ("list(", "select list (x) from a"),
        ("a lambda", "select list_transform(x, y -> y) from a"),
        ("//", "select 3 // 2"),
        ("::", "select x::bigint from a"),
        ("GROUP BY ALL", "select x from a group\nby all"),
        ("first(, last(", "select last(x) from a"),
        ("the clock", "select now()"),
        ("a parameter", "select $limit"),
    ],
)
def test_the_lint_finds_what_it_looks_for(what: str, text: str) -> None:
    """Each denied word is found in a text that has it."""
    assert re.search(DENIED[what], text, re.IGNORECASE)


def test_the_lint_lets_window_functions_pass() -> None:
    """`last_value`, `max_by` and names that merely contain a denied word are fine."""
    text = "select last_value(x) over (order by y), max_by(a, b), first_acked_us, epoch, blacklist from t"
    assert not [what for what, pattern in DENIED.items() if re.search(pattern, text, re.IGNORECASE)]
