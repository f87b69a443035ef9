"""Sealing: no row and no column is lost, the bytes follow from the rows alone, and a bad bundle is not sealed."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics import __version__
from rtoanalytics.bundle import compaction, evidence_select, open_bundle
from rtoanalytics.bundle.swap import exclusive
from rtoanalytics.errors import DrillError, EvidenceError, SealError
from rtoanalytics.schemas import TABLES, Kind
from rtoanalytics.seal import SealStatus, seal_bundle, sealed_state, verify_bundle
from tests.core.bundle.folders import BundleFolder, Row, good_row, table_of

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def selected(connection: duckdb.DuckDBPyConnection, root: Path) -> dict[str, Counter[str]]:
    """What analysis reads of every table: its rows as a multiset."""
    files = open_bundle(root).files
    return {
        name: Counter(map(str, connection.sql(evidence_select(name, files[name])).to_arrow_table().to_pylist()))
        for name in files
    }


def random_row(table_name: str, chance: random.Random) -> Row:
    """A good row in which optional values are often null and most values repeat."""
    row = good_row(table_name, chance.randrange(6))
    for column in TABLES[table_name].columns:
        if not column.is_required and not column.required_when and chance.random() < 0.4:
            row[column.name] = None
        elif column.kind in {Kind.NAME, Kind.STRING} and not column.values:
            row[column.name] = chance.choice(["a", "b", "", "é", "B", "'"])
    return row


def write_randomly(bundle: BundleFolder, rows: dict[str, list[Row]], chance: random.Random) -> None:
    """The same rows in another order, over another number of files, in other types."""
    for name, captured in rows.items():
        shuffled = chance.sample(captured, len(captured))
        cuts = sorted(chance.choices(range(len(shuffled) + 1), k=chance.randrange(3)))
        for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(shuffled)], strict=True)):
            table = table_of(name, shuffled[start:end])
            if chance.random() < 0.5:
                table = widened(table)
            bundle.write_table(name, table, f"{chance.randrange(100)}-{number}.parquet")


def widened(table: pa.Table) -> pa.Table:
    """A table as other libraries write it: wide integers, instants in milliseconds or nanoseconds, large strings."""
    other = {
        pa.int32(): pa.int64(),
        pa.string(): pa.large_string(),
        pa.timestamp("us", tz="UTC"): pa.timestamp("ns", "UTC"),
    }
    return table.cast(pa.schema([pa.field(field.name, other.get(field.type, field.type)) for field in table.schema]))


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_and_order_does_not_matter(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, seed: int
) -> None:
    """Analysis reads the same multiset of rows before and after; shuffled rows in other files give the same bytes."""
    chance = random.Random(seed)
    rows = {name: [random_row(name, chance) for _ in range(chance.randrange(40))] for name in TABLES}
    sealed: list[dict[str, bytes]] = []
    for folder in ("one", "other"):
        bundle = BundleFolder(tmp_path / folder)
        write_randomly(bundle, rows, chance)
        before = selected(connection, bundle.root)
        seal_bundle(bundle.root)
        assert selected(connection, bundle.root) == before
        sealed.append(contents(bundle.root))
    assert sealed[0] == sealed[1]


def test_rows_are_in_order(bundle: BundleFolder) -> None:
    """Sealed rows stand in the order of the table, nulls first, and then of every other column."""
    rows = [
        good_row("acks", 1, cluster="a", topic="t", partition=0, record_offset=2),
        good_row("acks", 1, cluster="a", topic="t", partition=1, record_offset=0),
        good_row("acks", 2, cluster="a", topic="t", partition=0, record_offset=1),
        good_row("acks", 1, cluster="a", topic="t", partition=0, record_offset=1, acks="1"),
        good_row("acks", 1, cluster="a", topic="t", partition=0, record_offset=1, acks=None),
        good_row("acks", 1, cluster="a", topic="t", partition=None, record_offset=None, outcome="failed"),
        good_row("acks", 1, cluster="B", topic="t", partition=5, record_offset=9),
    ]
    bundle.write("acks", *rows)
    seal_bundle(bundle.root)
    read = pq.read_table(bundle.folder("acks") / "part-00000.parquet").to_pylist()
    order = [(row["cluster"], row["partition"], row["record_offset"], row["acks"]) for row in read]
    assert order == [
        ("B", 5, 9, "all"),
        ("a", None, None, "all"),
        ("a", 0, 1, None),
        ("a", 0, 1, "1"),
        ("a", 0, 1, "all"),
        ("a", 0, 2, "all"),
        ("a", 1, 0, "all"),
    ]


def test_captured_twice_stays_twice(bundle: BundleFolder) -> None:
    """Equal rows all stay: that something was captured twice is evidence too."""
    for name in ("a.parquet", "b.parquet"):
        bundle.write("applied", good_row("applied"), good_row("applied"), name=name)
    assert seal_bundle(bundle.root).files[1].rows == 4


def test_zeros_of_both_signs(tmp_path: Path) -> None:
    """0.0 and -0.0, which compare equal, have one order all the same."""
    sealed: list[dict[str, bytes]] = []
    for values in ([0.0, -0.0, 0.0], [-0.0, 0.0, 0.0]):
        bundle = BundleFolder(tmp_path / str(len(sealed)))
        bundle.write("metrics", *(good_row("metrics", 0, value=value) for value in values))
        seal_bundle(bundle.root)
        sealed.append(contents(bundle.root))
    assert sealed[0] == sealed[1]


def test_tables_without_rows_and_empty_folders(bundle: BundleFolder) -> None:
    """A table captured without rows stays captured; an empty folder stays not captured."""
    bundle.write("acks")
    bundle.folder("commits")
    seal_bundle(bundle.root)
    assert list(open_bundle(bundle.root).files) == ["acks"]
    assert sealed_state(bundle.root).status is SealStatus.SEALED


def test_without_evidence(bundle: BundleFolder) -> None:
    """A bundle in which nothing was captured can be sealed."""
    assert [file.path for file in seal_bundle(bundle.root).files] == ["drill.yaml"]
    assert verify_bundle(bundle.root) == []


EXTRAS: list[tuple[str, pa.Array[Any]]] = [
    ("words", pa.array(["é", None])),
    ("dictionary", pa.array(["x", "x"]).dictionary_encode()),
    ("large", pa.array(["x", None], pa.large_string())),
    ("bytes", pa.array([b"\xff", None])),
    ("fixed", pa.array([b"ab", None], pa.binary(2))),
    ("small", pa.array([1, None], pa.int8())),
    ("unsigned", pa.array([2**64 - 1, None], pa.uint64())),
    ("half", pa.array([1.5, None], pa.float32()).cast(pa.float16())),
    ("double", pa.array([float("inf"), None])),
    ("flag", pa.array([True, None])),
    ("naive", pa.array([1, None], pa.timestamp("us"))),
    ("exact", pa.array([1, None], pa.timestamp("ns", tz="Europe/Rome"))),
    ("day", pa.array([1, None], pa.date32())),
    ("price", pa.array(["1.25", None]).cast(pa.decimal128(10, 2))),
    ("nothing", pa.nulls(2)),
    ("numbers", pa.array([[1, None], None])),
    ("parts", pa.array([{"a": 1, "b": ["x"]}, None])),
    ("tags", pa.array([[("k", "v")], None], pa.map_(pa.string(), pa.string()))),
    ('say "x"; --', pa.array([1, 2])),
    ("a.b", pa.array(["x", "y"])),
    ("file_row_number", pa.array([7, 8])),
]


def comparable(values: pa.Array[Any] | pa.ChunkedArray[Any]) -> list[Any]:
    """Values as Python has them; nanoseconds, for which it has no type of its own, as their number."""
    is_nanoseconds = pa.types.is_timestamp(values.type) and values.type.unit == "ns"
    return (values.cast(pa.int64()) if is_nanoseconds else values).to_pylist()


def test_extra_columns_are_kept(bundle: BundleFolder) -> None:
    """Columns beyond the contract, of nearly every type, keep every value and stand after the others, by name."""
    table = table_of("events", [good_row("events", 0), good_row("events", 1)])
    for name, values in EXTRAS:
        table = table.append_column(name, values)
    bundle.write_table("events", table.slice(1), "a.parquet")
    bundle.write_table("events", table.slice(0, 1), "b.parquet")
    seal_bundle(bundle.root)
    sealed = pq.read_table(bundle.folder("events") / "part-00000.parquet")
    listed = [column.name for column in TABLES["events"].columns]
    assert sealed.column_names == listed + sorted(name for name, _ in EXTRAS)
    for name, values in EXTRAS:
        assert comparable(sealed[name]) == comparable(values), name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([1], pa.int8()), pa.array([2**40])),
        (pa.array([1.5], pa.float32()), pa.array([0.1])),
        (pa.array(["x"]), pa.array(["y"], pa.large_string())),
        (pa.nulls(1), pa.array(["y"])),
        (pa.array([1], pa.timestamp("s", "UTC")), pa.array([2], pa.timestamp("us", "+01:00"))),
    ],
)
def test_extra_columns_of_several_types(bundle: BundleFolder, one: pa.Array[Any], other: pa.Array[Any]) -> None:
    """An extra column whose types differ between files gets the type that holds all of them."""
    bundle.with_column("events", "extra", one)
    bundle.with_column("events", "extra", other, "b.parquet")
    seal_bundle(bundle.root)
    read = pq.read_table(bundle.folder("events") / "part-00000.parquet")["extra"].to_pylist()
    assert Counter(read) == Counter([*one.to_pylist(), *other.to_pylist()])


def test_extra_column_in_one_file_only(bundle: BundleFolder) -> None:
    """Rows of files without an extra column have null in it."""
    bundle.with_column("events", "extra", pa.array([1]))
    bundle.write("events", good_row("events", 1), name="b.parquet")
    seal_bundle(bundle.root)
    assert pq.read_table(bundle.folder("events"))["extra"].to_pylist() == [1, None]


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (pa.array([1]), pa.array(["x"]), "type string, but int64 in another file"),
        (pa.array([1], pa.int64()), pa.array([1], pa.uint64()), "type uint64, but int64 in another file"),
        (
            pa.array([1], pa.timestamp("us")),
            pa.array([1], pa.timestamp("us", "UTC")),
            r"but timestamp\[us\] in another",
        ),
        (pa.array([1]), pa.array([1], pa.duration("us")), r"type duration\[us\] cannot be kept without loss"),
    ],
)
def test_extra_columns_that_cannot_be_kept(
    bundle: BundleFolder, one: pa.Array[Any], other: pa.Array[Any], message: str
) -> None:
    """An extra column that no type holds is refused with its file and name, and nothing is changed."""
    bundle.with_column("events", "extra", one)
    bundle.with_column("events", "extra", other, "b.parquet")
    before = contents(bundle.root)
    with pytest.raises(EvidenceError, match=rf"evidence/events/b\.parquet, column extra: .*{message}"):
        seal_bundle(bundle.root)
    assert contents(bundle.root) == before


def test_extra_columns_that_differ_in_case(bundle: BundleFolder) -> None:
    """Extra columns of two files that SQL takes for one are refused."""
    bundle.with_column("events", "extra", pa.array([1]))
    bundle.with_column("events", "EXTRA", pa.array([1]), "b.parquet")
    with pytest.raises(EvidenceError, match='column EXTRA: differs only in case from "extra" of another file'):
        seal_bundle(bundle.root)


def test_manifest(bundle: BundleFolder) -> None:
    """manifest.json names every file with its size, rows and SHA-256, sorted; results/ is not in it."""
    bundle.write("acks", good_row("acks"), good_row("acks", 1))
    bundle.attach("review.md")
    (bundle.root / "results").mkdir()
    (bundle.root / "results" / "scorecard.json").write_text("{}")
    manifest = seal_bundle(bundle.root)
    written = json.loads((bundle.root / "manifest.json").read_bytes())
    assert {key: value for key, value in written.items() if key != "files"} == {
        "schema_version": 1,
        "drill_id": "a-drill",
        "tool_version": __version__,
    }
    assert [file["path"] for file in written["files"]] == [
        "attachments/review.md",
        "drill.yaml",
        "evidence/acks/part-00000.parquet",
    ]
    assert [file["rows"] for file in written["files"]] == [None, None, 2]
    for file in written["files"]:
        content = (bundle.root / file["path"]).read_bytes()
        assert file["bytes"] == len(content)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest.model_dump(mode="json") == written
    assert (bundle.root / "results" / "scorecard.json").exists()


def test_sealing_twice(bundle: BundleFolder) -> None:
    """Sealing what is sealed changes nothing, not even a file's time; sealing it from scratch gives the same bytes."""
    bundle.write("acks", *(good_row("acks", number) for number in range(50)))
    manifest = seal_bundle(bundle.root)
    before = contents(bundle.root)
    changed_at = {path: path.stat().st_mtime_ns for path in bundle.root.rglob("*")}
    assert seal_bundle(bundle.root) == manifest
    assert {path: path.stat().st_mtime_ns for path in bundle.root.rglob("*")} == changed_at
    (bundle.root / "manifest.json").unlink()
    assert seal_bundle(bundle.root) == manifest
    assert contents(bundle.root) == before


def test_altered_bundles_are_sealed_only_on_request(bundle: BundleFolder) -> None:
    """A bundle that differs from its manifest is refused with the difference, unless the change is said to be meant."""
    seal_bundle(bundle.root)
    bundle.attach("late.md")
    with pytest.raises(SealError, match=r"(?s)seal with reseal.*attachments/late\.md: added after sealing"):
        seal_bundle(bundle.root)
    assert [file.path for file in seal_bundle(bundle.root, reseal=True).files] == ["attachments/late.md", "drill.yaml"]
    assert verify_bundle(bundle.root) == []


def test_bad_evidence_is_not_sealed(bundle: BundleFolder) -> None:
    """Bad values, a bad definition and an open capture are refused, and the bundle stays as it was, byte for byte."""
    bundle.write("acks", good_row("acks", partition=-1))
    before = contents(bundle.root)
    with pytest.raises(EvidenceError, match="-1; at least 0"):
        seal_bundle(bundle.root)
    assert contents(bundle.root) == before
    (bundle.root / "spool" / "acks").mkdir(parents=True)
    (bundle.root / "spool" / "acks" / "1.arrows").write_bytes(b"")
    with pytest.raises(EvidenceError, match="still running"):
        seal_bundle(bundle.root)
    (bundle.root / "drill.yaml").write_text("")
    with pytest.raises(DrillError):
        seal_bundle(bundle.root)
    assert not list(bundle.root.glob(".seal*"))


def test_what_is_not_evidence_stays(bundle: BundleFolder) -> None:
    """Hidden and unfinished files in evidence/ are neither sealed nor lost."""
    bundle.write("acks", good_row("acks"))
    (bundle.folder("acks") / ".note").write_text("mine")
    (bundle.folder("events") / "part-00001.parquet.tmp").write_text("half")
    seal_bundle(bundle.root)
    assert (bundle.folder("acks") / ".note").read_text() == "mine"
    assert (bundle.folder("events") / "part-00001.parquet.tmp").read_text() == "half"
    assert verify_bundle(bundle.root) == []


def test_links_inside_become_files(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """Links within a bundle are read through and replaced by what they showed."""
    shutil.move(bundle.write("acks", good_row("acks")), bundle.root / "kept.parquet")
    (bundle.folder("acks") / "a.parquet").symlink_to("../../kept.parquet")
    (bundle.root / "tables").mkdir()
    shutil.move(bundle.write("commits", good_row("commits")).parent, bundle.root / "tables")
    (bundle.root / "evidence" / "commits").symlink_to("../tables/commits")
    before = selected(connection, bundle.root)
    seal_bundle(bundle.root)
    assert selected(connection, bundle.root) == before
    assert not any(path.is_symlink() for path in (bundle.root / "evidence").rglob("*"))
    assert verify_bundle(bundle.root) == []


def test_another_process_seals(bundle: BundleFolder) -> None:
    """Two processes do not seal one bundle at the same time; the second is told to wait."""
    bundle.write("acks", good_row("acks"))
    with exclusive(bundle.root), pytest.raises(SealError, match="another process is sealing this bundle"):
        seal_bundle(bundle.root)
    assert seal_bundle(bundle.root) == seal_bundle(bundle.root)


def test_encodings(bundle: BundleFolder) -> None:
    """Sealed columns have the encodings that suit them, zstd, and a checksum on every page."""
    bundle.write("acks", *(good_row("acks", number) for number in range(100)))
    seal_bundle(bundle.root)
    path = bundle.folder("acks") / "part-00000.parquet"
    group = pq.read_metadata(path).row_group(0)
    columns = {group.column(index).path_in_schema: group.column(index) for index in range(group.num_columns)}
    for column in TABLES["acks"].columns:
        written = columns[column.name]
        assert written.compression == "ZSTD"
        is_delta = "DELTA_BINARY_PACKED" in written.encodings
        assert is_delta == (column.kind in {Kind.INT32, Kind.INT64, Kind.INSTANT}), column.name
        assert ("DELTA_BYTE_ARRAY" in written.encodings) == (column.kind is Kind.STRING), column.name
        assert written.has_dictionary_page == (column.kind is Kind.NAME), column.name
    content = bytearray(path.read_bytes())
    content[columns["record_offset"].data_page_offset + columns["record_offset"].total_compressed_size - 1] ^= 1
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"(?i)crc|checksum"):
        pq.read_table(path, page_checksum_verification=True)


@pytest.mark.parametrize("rows", [9, 10, 11, 20, 21])
def test_many_parts(bundle: BundleFolder, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Large tables are cut into files and row groups of fixed numbers of rows, in one order over all files."""
    monkeypatch.setattr(compaction, "ROW_GROUP_ROWS", 5)
    monkeypatch.setattr(compaction, "ROW_GROUPS_PER_FILE", 2)
    bundle.write("acks", *(good_row("acks", number, partition=0) for number in reversed(range(rows))))
    seal_bundle(bundle.root)
    files = open_bundle(bundle.root).files["acks"]
    assert [file.path.name for file in files] == [f"part-{number:05d}.parquet" for number in range(-(-rows // 10))]
    assert [file.rows for file in files][:-1] == [10] * (len(files) - 1)
    offsets = [offset for file in files for offset in pq.read_table(file.path)["record_offset"].to_pylist()]
    assert offsets == list(range(rows))
    assert verify_bundle(bundle.root) == []


def test_threads_do_not_matter(tmp_path: Path) -> None:
    """More rows than a row group give the same bytes when they are sealed again from another order."""
    numbers = list(range(300_000))
    sealed: list[dict[str, bytes]] = []
    for seed in range(2):
        bundle = BundleFolder(tmp_path / str(seed))
        random.Random(seed).shuffle(numbers)
        bundle.write_table("watermarks", many_watermarks(numbers))
        seal_bundle(bundle.root)
        sealed.append(contents(bundle.root))
    assert sealed[0] == sealed[1]


def many_watermarks(numbers: list[int]) -> pa.Table:
    """One row for each number."""
    good: dict[str, Any] = {name: [value] * len(numbers) for name, value in good_row("watermarks").items()}
    good["log_end_offset"] = numbers
    good["log_start_offset"] = [0] * len(numbers)
    return pa.table(good, schema=TABLES["watermarks"].arrow_schema)
