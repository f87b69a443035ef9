"""Opening a bundle: what is read, what is passed over, what is refused, and that all of it is told at once."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from rtoanalytics.bundle import check_bundle, open_bundle, open_capture_problems
from rtoanalytics.errors import DrillError, EvidenceError
from rtoanalytics.schemas import TABLES
from tests.core.bundle.folders import BundleFolder, good_row, table_of, told

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(root: Path) -> str:
    """What `open_bundle` says; `check_bundle` must say every line of it too."""
    with pytest.raises(EvidenceError) as refused:
        open_bundle(root)
    assert set(refused.value.problems) <= set(check_bundle(root))
    return str(refused.value)


def test_every_table_opens(bundle: BundleFolder) -> None:
    """A file of every table, with every column, is read with its rows, its columns and its name in the bundle."""
    for name in TABLES:
        bundle.write(name, good_row(name), good_row(name, 1))
    opened = open_bundle(bundle.root)
    assert list(opened.files) == list(TABLES)
    assert {(file.name, file.rows) for files in opened.files.values() for file in files} == {
        (f"evidence/{name}/a.parquet", 2) for name in TABLES
    }
    assert list(opened.files["acks"][0].columns) == [column.name for column in TABLES["acks"].columns]
    assert check_bundle(bundle.root) == []


def test_files_are_sorted(bundle: BundleFolder) -> None:
    """The files of a table stand in the order of their names."""
    for name in ("b", "c", "a"):
        bundle.write("acks", good_row("acks"), name=f"{name}.parquet")
    assert [file.path.stem for file in open_bundle(bundle.root).files["acks"]] == ["a", "b", "c"]


def test_not_captured(bundle: BundleFolder) -> None:
    """A table without a folder, or with an empty one, was not captured; one with a file without rows was."""
    bundle.folder("acks")
    bundle.write("commits")
    opened = open_bundle(bundle.root)
    assert not opened.has("acks")
    assert not opened.has("applied")
    assert opened.has("commits")
    assert check_bundle(bundle.root) == []


def test_only_a_definition(bundle: BundleFolder) -> None:
    """A bundle in which nothing was captured is a bundle."""
    assert open_bundle(bundle.root).files == {}


def test_attachments(bundle: BundleFolder) -> None:
    """Attachments are listed by their path in the bundle, at any depth, hidden files left out."""
    for name in ("b.md", "reviews/a.md", ".hidden"):
        bundle.attach(name)
    assert open_bundle(bundle.root).attachments == ("attachments/b.md", "attachments/reviews/a.md")


def test_hidden_and_unfinished_files_are_passed_over(bundle: BundleFolder) -> None:
    """Hidden files and folders and names that end in .tmp are nobody's evidence."""
    bundle.write("acks", good_row("acks"))
    (bundle.folder("acks") / ".DS_Store").write_bytes(b"?")
    (bundle.folder("acks") / "b.parquet.tmp").write_bytes(b"?")
    (bundle.root / "evidence" / ".cache").mkdir()
    assert len(open_bundle(bundle.root).files["acks"]) == 1


def test_a_linked_root(bundle: BundleFolder, tmp_path: Path) -> None:
    """A link to a bundle is a way to it."""
    bundle.write("acks", good_row("acks"))
    (tmp_path / "link").symlink_to(bundle.root)
    assert open_bundle(tmp_path / "link").root == bundle.root.resolve()


def test_a_link_inside(bundle: BundleFolder) -> None:
    """A link that stays in the bundle is followed."""
    path = bundle.write("acks", good_row("acks"))
    (bundle.folder("acks") / "b.parquet").symlink_to(path)
    assert len(open_bundle(bundle.root).files["acks"]) == 2


@pytest.mark.parametrize("kind", ["nothing", "file"])
def test_no_folder(tmp_path: Path, kind: str) -> None:
    """Where no folder stands, the refusal says what a bundle is."""
    root = tmp_path / "nowhere"
    if kind == "file":
        root.write_text("")
    assert "a bundle is a folder with a drill.yaml" in refusal(root)


def test_no_definition(tmp_path: Path) -> None:
    """A folder without drill.yaml is refused as the definition's own error; `check_bundle` lists it."""
    with pytest.raises(DrillError, match=r"drill\.yaml"):
        open_bundle(tmp_path)
    assert "drill.yaml" in told(check_bundle(tmp_path))


def test_check_lists_the_definition_and_the_evidence(bundle: BundleFolder) -> None:
    """A definition with two faults and evidence with two faults are four problems."""
    (bundle.root / "drill.yaml").write_text("schema_version: 1\nid: UPPER\nflw: {}\n")
    bundle.write("acks", good_row("acks", partition=-1))
    bundle.folder("ack")
    text = told(check_bundle(bundle.root))
    for part in ('did you mean "flow"', "UPPER", 'did you mean "acks"', "-1"):
        assert part in text


def wrong_table(bundle: BundleFolder) -> None:
    """A folder that no table has."""
    (bundle.root / "evidence" / "comits").mkdir(parents=True)


def file_beside_tables(bundle: BundleFolder) -> None:
    """A file where tables stand."""
    bundle.folder("acks")
    (bundle.root / "evidence" / "acks.parquet").write_bytes(b"")


def zero_bytes(bundle: BundleFolder) -> None:
    """A file that was made and never written."""
    (bundle.folder("acks") / "a.parquet").write_bytes(b"")


def truncated(bundle: BundleFolder) -> None:
    """A file whose writer was killed."""
    path = bundle.write("acks", good_row("acks"))
    path.write_bytes(path.read_bytes()[:-10])


def not_parquet(bundle: BundleFolder) -> None:
    """A file that only looks right by its name."""
    (bundle.folder("acks") / "a.parquet").write_text("cluster,topic\n")


def other_format(bundle: BundleFolder) -> None:
    """A file of another format."""
    (bundle.folder("acks") / "a.csv").write_text("cluster,topic\n")


def nested_folder(bundle: BundleFolder) -> None:
    """A folder inside a table."""
    (bundle.folder("acks") / "day=1").mkdir()


def folder_named_parquet(bundle: BundleFolder) -> None:
    """A folder in a file's place."""
    (bundle.folder("acks") / "a.parquet").mkdir()


def a_pipe(bundle: BundleFolder) -> None:
    """Something that would never end."""
    os.mkfifo(bundle.folder("acks") / "a.parquet")


def file_link_out(bundle: BundleFolder) -> None:
    """A link to a file elsewhere."""
    outside = BundleFolder(bundle.root.parent / "other").write("acks", good_row("acks"))
    (bundle.folder("acks") / "a.parquet").symlink_to(outside)


def folder_link_out(bundle: BundleFolder) -> None:
    """A link to a folder elsewhere."""
    other = BundleFolder(bundle.root.parent / "other")
    other.write("acks", good_row("acks"))
    (bundle.root / "evidence").mkdir()
    (bundle.root / "evidence" / "acks").symlink_to(other.folder("acks"))


def evidence_link_out(bundle: BundleFolder) -> None:
    """A link from all evidence to elsewhere."""
    (bundle.root / "evidence").symlink_to(bundle.root.parent)


def attachment_link_out(bundle: BundleFolder) -> None:
    """An attachment that is a link to a file elsewhere."""
    (bundle.root / "attachments").mkdir()
    (bundle.root / "attachments" / "secrets").symlink_to("/etc/hosts")


def attachment_folder_link_out(bundle: BundleFolder) -> None:
    """Attachments in a folder elsewhere."""
    (bundle.root / "attachments").mkdir()
    (bundle.root / "attachments" / "more").symlink_to(bundle.root.parent)


def definition_link_out(bundle: BundleFolder) -> None:
    """A definition elsewhere."""
    (bundle.root / "drill.yaml").rename(bundle.root.parent / "drill.yaml")
    (bundle.root / "drill.yaml").symlink_to(bundle.root.parent / "drill.yaml")


def dangling_link(bundle: BundleFolder) -> None:
    """A link to what is gone."""
    (bundle.folder("acks") / "a.parquet").symlink_to("gone.parquet")


def circular_link(bundle: BundleFolder) -> None:
    """A link to itself."""
    (bundle.folder("acks") / "a.parquet").symlink_to("a.parquet")


def evidence_is_a_file(bundle: BundleFolder) -> None:
    """A file in the place of all evidence."""
    (bundle.root / "evidence").write_text("")


def attachments_is_a_file(bundle: BundleFolder) -> None:
    """A file in the place of all attachments."""
    (bundle.root / "attachments").write_text("")


def backslash_and_bracket(bundle: BundleFolder) -> None:
    """A path that DuckDB cannot be told exactly: it has no escape for a backslash."""
    bundle.write("acks", good_row("acks"), name="a\\[1].parquet")


def missing_column(bundle: BundleFolder) -> None:
    """A required column under another name."""
    table = table_of("acks", [good_row("acks")])
    bundle.write_table(
        "acks", table.rename_columns([name.replace("acked_at", "ack_at") for name in table.column_names])
    )


def other_case(bundle: BundleFolder) -> None:
    """An optional column in upper case, which would silently read as null."""
    table = table_of("acks", [good_row("acks")])
    bundle.write_table(
        "acks", table.rename_columns([name.replace("record_id", "Record_ID") for name in table.column_names])
    )


def column_twice(bundle: BundleFolder) -> None:
    """Two columns that SQL takes for one."""
    bundle.with_column("acks", "TOPIC", pa.array(["other"]))


def required_all_null(bundle: BundleFolder) -> None:
    """A required column that a writer typed as null because it never had a value."""
    bundle.with_column("acks", "topic", pa.nulls(1))


REFUSED: list[tuple[Callable[[BundleFolder], None], str]] = [
    (wrong_table, r'evidence/comits: no such table \(did you mean "commits"\?\)'),
    (file_beside_tables, r"evidence/acks\.parquet: a file; only folders named for tables"),
    (zero_bytes, r"evidence/acks/a\.parquet: empty \(0 bytes\)"),
    (truncated, r"evidence/acks/a\.parquet: not a readable Parquet file of \d+ bytes"),
    (not_parquet, r"evidence/acks/a\.parquet: not a readable Parquet file"),
    (other_format, r"evidence/acks/a\.csv: not a \.parquet file; only \.parquet is read; move it out"),
    (nested_folder, r"evidence/acks/day=1: a folder; only \.parquet is read; move it out"),
    (folder_named_parquet, r"evidence/acks/a\.parquet: a folder"),
    (a_pipe, r"evidence/acks/a\.parquet: not a regular file"),
    (file_link_out, r"evidence/acks/a\.parquet: a link out of the bundle, to .*other/evidence/acks/a\.parquet"),
    (folder_link_out, r"evidence/acks: a link out of the bundle"),
    (evidence_link_out, r"evidence: a link out of the bundle"),
    (attachment_link_out, r"attachments/secrets: a link out of the bundle"),
    (attachment_folder_link_out, r"attachments/more: a link out of the bundle"),
    (definition_link_out, r"drill\.yaml: a link out of the bundle"),
    (dangling_link, r"evidence/acks/a\.parquet: a link to nothing"),
    (circular_link, r"evidence/acks/a\.parquet: a link to nothing"),
    (evidence_is_a_file, r"evidence: a file; a folder must stand here"),
    (attachments_is_a_file, r"attachments: a file; a folder must stand here"),
    (backslash_and_bracket, r"evidence/acks/a\\\[1\]\.parquet: a path with a backslash and one of \[ \* \?"),
    (missing_column, r'column acked_at: missing \(did you mean "ack_at"\?\); required: .*timestamp\[us, tz=UTC\]'),
    (other_case, r'column record_id: named "Record_ID"; rename it to "record_id"'),
    (column_twice, r'columns "topic", "TOPIC" differ in nothing or only in case'),
    (required_all_null, r"column topic: null in all 1 rows; required"),
]


@pytest.mark.parametrize(("spoil", "message"), REFUSED, ids=[spoil.__name__ for spoil, _ in REFUSED])
def test_refused(bundle: BundleFolder, spoil: Callable[[BundleFolder], None], message: str) -> None:
    """Each malformed bundle is refused with the file, the column, what was found and what is allowed, in one line."""
    spoil(bundle)
    text = refusal(bundle.root)
    assert re.search(message, text), text
    assert text.count("\n") == 0


def test_everything_at_once(bundle: BundleFolder) -> None:
    """Problems of several kinds in several tables are all told by one refusal."""
    wrong_table(bundle)
    missing_column(bundle)
    (bundle.folder("commits") / "a.parquet").write_bytes(b"")
    bundle.with_column("watermarks", "observed_at", pa.array([1]))
    bundle.with_column("watermarks", "partition", pa.array(["0"]), name="b.parquet")
    assert len(refusal(bundle.root).splitlines()) == 5


def test_not_utf8_name(bundle: BundleFolder) -> None:
    """A file name that is no text is refused in words that a terminal can print."""
    bundle.write("acks", good_row("acks"))
    path = os.fsencode(bundle.folder("acks")) + b"/\xff.parquet"
    Path(os.fsdecode(path)).write_bytes(b"")
    text = refusal(bundle.root)
    assert "not UTF-8" in text
    assert text.isascii()


def test_no_permission(bundle: BundleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that this user may not read is told as such."""
    bundle.write("acks", good_row("acks"))
    bundle.write("commits", good_row("commits"))
    bundle.attach("review.md")
    denied = {"a.parquet", "commits", "review.md"}
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name not in denied)
    problems = refusal(bundle.root).splitlines()
    assert [line.split(": ")[0] for line in problems] == [
        "evidence/acks/a.parquet",
        "evidence/commits",
        "attachments/review.md",
    ]
    assert all("may not be read by this user" in line for line in problems)


def test_no_permission_for_the_folder(bundle: BundleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle that this user may not list is told as such."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "may not be read by this user" in refusal(bundle.root)


def test_open_capture(bundle: BundleFolder) -> None:
    """Segments of a capture that was not closed stop `open_bundle` unless told otherwise, and never `check_bundle`."""
    bundle.write("acks", good_row("acks"))
    segment = bundle.root / "spool" / "acks" / "0001.arrows"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"")
    with pytest.raises(EvidenceError, match=r"spool/acks: 1 captured segment.*still running or ended without closing"):
        open_bundle(bundle.root)
    assert open_bundle(bundle.root, allow_open_capture=True).has("acks")
    assert check_bundle(bundle.root) == []
    assert len(open_capture_problems(bundle.root)) == 1
    segment.unlink()
    assert open_bundle(bundle.root).has("acks")
