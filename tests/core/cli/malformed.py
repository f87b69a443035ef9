"""Bundles that are not in order, one kind of damage a function, and the words the refusal must hold."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tests.core.bundle.folders import DEFINITION, NOON_US, good_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.bundle.folders import BundleFolder

    Damage = Callable[[BundleFolder], None]

ACKS = "evidence/acks/a.parquet"


def define(bundle: BundleFolder, more: str, definition: str = DEFINITION) -> None:
    """Write drill.yaml with lines added to it."""
    (bundle.root / "drill.yaml").write_text(definition + more, "utf-8")


def truncated(bundle: BundleFolder) -> None:
    """A Parquet file whose second half is gone, with its footer."""
    path = bundle.write("acks", *(good_row("acks", number) for number in range(100)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zero_bytes(bundle: BundleFolder) -> None:
    """A Parquet file that was created and never written."""
    (bundle.folder("acks") / "a.parquet").touch()


def text_for_parquet(bundle: BundleFolder) -> None:
    """A CSV that somebody renamed."""
    (bundle.folder("acks") / "a.parquet").write_text("cluster,topic\na,b\n")


def instants_as_numbers(bundle: BundleFolder) -> None:
    """Instants whose unit nobody can know."""
    bundle.with_column("acks", "acked_at", pa.array([1_700_000_000], pa.int64()))


def instants_without_zone(bundle: BundleFolder) -> None:
    """Instants that may be anybody's local time."""
    bundle.with_column("acks", "acked_at", pa.array([NOON_US], pa.timestamp("us")))


def text_for_offset(bundle: BundleFolder) -> None:
    """Offsets written as text."""
    bundle.with_column("acks", "record_offset", pa.array(["7"]))


def half_an_offset(bundle: BundleFolder) -> None:
    """An offset that is no whole number."""
    bundle.with_column("acks", "record_offset", pa.array([7.5]))


def without_column(bundle: BundleFolder) -> None:
    """A required column that is not there."""
    path = bundle.write("acks", good_row("acks"))
    pq.write_table(pq.read_table(path).drop_columns(["outcome"]), path)


def with_value(column: str, value: object, table: str = "acks") -> Damage:
    """A good row in which one value is as given."""

    def damage(bundle: BundleFolder) -> None:
        bundle.write(table, good_row(table) | {column: value})

    return damage


def over_decades(bundle: BundleFolder) -> None:
    """A capture from 1980 to 2027, in steps of one second."""
    bundle.write("events", good_row("events", occurred_at=10 * 31_557_600_000_000), good_row("events"))


def unknown_table(bundle: BundleFolder) -> None:
    """A folder that is called almost like a table."""
    bundle.write("acks", good_row("acks"))
    bundle.folder("acks").rename(bundle.root / "evidence" / "ack")


def linked_file(bundle: BundleFolder) -> None:
    """Evidence that stands outside the bundle."""
    path = bundle.write("acks", good_row("acks"))
    outside = bundle.root.parent / "outside.parquet"
    path.rename(outside)
    path.symlink_to(outside)


def linked_folder(bundle: BundleFolder) -> None:
    """A whole table that stands outside the bundle."""
    bundle.write("acks", good_row("acks"))
    outside = bundle.root.parent / "outside"
    bundle.folder("acks").rename(outside)
    (bundle.root / "evidence" / "acks").symlink_to(outside)


def linked_definition(bundle: BundleFolder) -> None:
    """A definition that stands outside the bundle."""
    outside = bundle.root.parent / "elsewhere.yaml"
    (bundle.root / "drill.yaml").rename(outside)
    (bundle.root / "drill.yaml").symlink_to(outside)


def defined(text: str) -> Damage:
    """Lines added to drill.yaml."""
    return lambda bundle: define(bundle, text)


def objectives(text: str) -> Damage:
    """Other objectives in drill.yaml."""
    return lambda bundle: define(bundle, "", DEFINITION.replace("{rto_seconds: 60}", text))


def definition_in_latin_1(bundle: BundleFolder) -> None:
    """A definition saved in another encoding."""
    (bundle.root / "drill.yaml").write_bytes((DEFINITION + "title: Ausfall für alle\n").encode("latin-1"))


def alias_bomb(bundle: BundleFolder) -> None:
    """Nine aliases of nine aliases of nine, and so on."""
    layers = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for name, inner in zip("bcdefghij", "abcdefghi", strict=True):
        layers.append(f"{name}: &{name} [{', '.join([f'*{inner}'] * 9)}]")
    (bundle.root / "drill.yaml").write_text("\n".join(layers))


def definition_folder(bundle: BundleFolder) -> None:
    """A folder where the definition should stand."""
    (bundle.root / "drill.yaml").unlink()
    (bundle.root / "drill.yaml").mkdir()


def empty_folder(bundle: BundleFolder) -> None:
    """A folder in which nothing stands."""
    (bundle.root / "drill.yaml").unlink()


def empty_definition(bundle: BundleFolder) -> None:
    """A definition that says nothing."""
    (bundle.root / "drill.yaml").write_text("")


def no_folder(bundle: BundleFolder) -> None:
    """No folder at all."""
    shutil.rmtree(bundle.root)


def a_file(bundle: BundleFolder) -> None:
    """A file where the bundle should stand."""
    shutil.rmtree(bundle.root)
    bundle.root.write_text("not a bundle")


BEYOND = 2**63 - 1
YEAR_2300_US = 330 * 31_557_600_000_000

MALFORMED: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "truncated Parquet": (truncated, (ACKS,)),
    "zero bytes": (zero_bytes, (ACKS,)),
    "text for Parquet": (text_for_parquet, (ACKS,)),
    "instants as numbers": (instants_as_numbers, (ACKS, "acked_at", "int64", "timestamp[us, tz=UTC]")),
    "instants without a zone": (instants_without_zone, (ACKS, "acked_at", "time zone")),
    "text for an offset": (text_for_offset, (ACKS, "record_offset", "string", "int64")),
    "half an offset": (half_an_offset, (ACKS, "record_offset", "7.5")),
    "missing column": (without_column, (ACKS, "outcome", "missing")),
    "required null": (with_value("cluster", None), (ACKS, "cluster")),
    "acked without an offset": (with_value("record_offset", None), (ACKS, "record_offset")),
    "negative offset": (with_value("record_offset", -1), (ACKS, "record_offset", "-1", "at least 0")),
    "offset of 2^63 - 1": (with_value("record_offset", BEYOND), (ACKS, "record_offset", str(BEYOND), str(BEYOND - 1))),
    "committed offset of 2^63 - 1": (
        with_value("committed_offset", BEYOND, "commits"),
        ("committed_offset", str(BEYOND)),
    ),
    "log end of 2^63 - 1": (with_value("log_end_offset", BEYOND, "watermarks"), ("log_end_offset", str(BEYOND))),
    "unknown outcome": (with_value("outcome", "lost"), (ACKS, "outcome", "lost", "indeterminate")),
    "just before 1970": (with_value("acked_at", -1), (ACKS, "acked_at", "1969-12-31", "1970-01-01")),
    "Kafka's no timestamp": (with_value("appended_at", -1000, "log_records"), ("appended_at", "1969-12-31")),
    "in the year 2300": (with_value("occurred_at", YEAR_2300_US, "events"), ("occurred_at", "2300", "2199-12-31")),
    "interval that is not a number": (
        with_value("interval_seconds", float("nan"), "heartbeats"),
        ("interval_seconds", "nan", "finite"),
    ),
    "interval without end": (
        with_value("interval_seconds", float("inf"), "heartbeats"),
        ("interval_seconds", "inf", "finite"),
    ),
    "interval of zero": (with_value("interval_seconds", 0.0, "heartbeats"), ("interval_seconds", "more than 0")),
    "capture over decades": (over_decades, ("events", "1980", "2027", "steps")),
    "unknown table": (unknown_table, ("evidence/ack", 'did you mean "acks"?')),
    "link to a file outside": (linked_file, (ACKS, "link out of the bundle")),
    "link to a folder outside": (linked_folder, ("evidence/acks", "link out of the bundle")),
    "link to a definition outside": (linked_definition, ("drill.yaml", "link out of the bundle")),
    "key twice": (defined("id: another\n"), ("drill.yaml", 'key "id"', "twice", "line 7")),
    "unknown key": (defined("critera: {max_lost_records: 0}\n"), ("drill.yaml", "critera", 'did you mean "criteria"?')),
    "unknown key inside": (
        objectives("{rto_seconds: 60, rpo_record: 0}"),
        ("objectives.rpo_record", 'did you mean "rpo_records"?'),
    ),
    "limit that is not a number": (objectives("{rto_seconds: .nan}"), ("drill.yaml", "objectives.rto_seconds", "nan")),
    "limit without end": (objectives("{rto_seconds: .inf}"), ("drill.yaml", "objectives.rto_seconds", "inf")),
    "negative limit": (objectives("{rto_seconds: -1}"), ("drill.yaml", "objectives.rto_seconds", "-1")),
    "limit as text": (objectives("{rto_seconds: soon}"), ("drill.yaml", "objectives.rto_seconds", "soon")),
    "no objective": (objectives("{rpo_records: 0}"), ("drill.yaml", "objectives.rto_seconds", "missing")),
    "criterion without end": (
        defined("criteria: {max_drain_seconds: .inf}\n"),
        ("drill.yaml", "criteria.max_drain_seconds", "inf"),
    ),
    "attachment outside": (
        defined("governance: [{item: review, evidence: ../../etc/passwd}]\n"),
        ("drill.yaml", "../../etc/passwd", "outside the bundle"),
    ),
    "broken YAML": (defined("title: [unclosed\n"), ("drill.yaml", "line")),
    "tabs for indentation": (defined("criteria:\n\tmax_lost_records: 0\n"), ("drill.yaml", "line 8")),
    "not UTF-8": (definition_in_latin_1, ("drill.yaml", "UTF-8")),
    "alias bomb": (alias_bomb, ("drill.yaml", "aliases")),
    "definition is a folder": (definition_folder, ("drill.yaml",)),
    "empty definition": (empty_definition, ("drill.yaml", "nothing")),
    "empty folder": (empty_folder, ("drill.yaml", "no such file", "rto init")),
    "no folder": (no_folder, ("no such folder", "rto init")),
    "a file for a folder": (a_file, ("a file", "folder")),
}
"""What is wrong → how it comes about, and the words that name where it is, what was found and what is allowed."""
