"""Effects in files: each row once, also while the files grow, whatever the format."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics_collectors.applied.files import FilesApplied
from rtoanalytics_collectors.applied.layout import Layout
from rtoanalytics_collectors.failures import PartialLookError
from rtoanalytics_collectors.sampling import Heart, SamplingLoop
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Captured = Callable[[Path, str], list[dict[str, Any]]]

LAYOUT = Layout({"record_offset": "off", "record_id": "id", "applied_at": "at"}, {"topic": "payments"})
AT = "2026-11-23T10:00:00.5+00:00"
AT_US = 1_795_428_000_500_000


def archive(folder: Path, ending: str = "*", layout: Layout = LAYOUT) -> FilesApplied:
    """A collector of the files of a folder."""
    return FilesApplied("archive", f"{folder.as_posix()}/{ending}", layout)


def offsets(collector: FilesApplied) -> list[Any]:
    """Source offsets of one look."""
    return [row["record_offset"] for row in collector.collect()["applied"]]


def json_line(offset: int) -> str:
    """One effect as a line of JSON."""
    return f'{{"off": {offset}, "id": "p{offset}", "at": "{AT}", "more": {{"a": [1]}}}}'


def test_json_lines_while_they_grow(tmp_path: Path) -> None:
    """A line is read once it is whole; file and row number are the application_id."""
    path, applied = tmp_path / "a.jsonl", archive(tmp_path, "*.jsonl")
    path.touch()
    assert applied.collect() == {"applied": []}
    path.write_text(f"{json_line(0)}\n{json_line(1)}\n{json_line(2)[:9]}")
    first, second = applied.collect()["applied"]
    assert first == {
        "downstream": "archive",
        "cluster": None,
        "topic": "payments",
        "partition": None,
        "record_offset": 0,
        "record_id": "p0",
        "ordinal": None,
        "applied_at": AT_US,
        "application_id": f"{path.as_posix()}#0",
    }
    assert second["record_offset"] == 1
    with path.open("a") as file:
        file.write(json_line(2)[9:])
    (tmp_path / "b.jsonl").write_text(json_line(7) + "\n")
    assert offsets(applied) == [2, 7]
    with path.open("a") as file:
        file.write(f"\n\n{json_line(3)}\n")
    assert offsets(applied) == [3]
    assert offsets(applied) == []


def test_pattern_that_matches_nothing_is_no_witness(tmp_path: Path, bundle: Path, captured: Captured) -> None:
    """No heartbeat while there is no file, also when all are gone again; a file without effects is a sign of life."""
    path = tmp_path / "a.jsonl"
    with Spool(bundle, "applied") as rows, Spool(bundle, "heartbeats") as beats:
        loop = SamplingLoop(archive(tmp_path, "*.jsonl"), {"applied": rows}, Heart(beats), 60.0)
        loop.tick()
        assert (loop.counts.missed, beats.rows) == (1, 0)
        assert "no file matches" in (loop.counts.last_failure or "")
        path.touch()
        loop.tick()
        path.rename(tmp_path / "gone")
        loop.tick()
        assert (loop.counts.missed, beats.rows) == (2, 1)
    assert [(beat["target"], beat["rows"]) for beat in captured(bundle, "heartbeats")] == [("archive", 0)]


def test_csv_while_it_grows(tmp_path: Path) -> None:
    """Columns by the first line; a line break inside quotes and a line that is still written end no line."""
    path, applied = tmp_path / "a.csv", archive(tmp_path)
    path.write_text("id,at,o")
    assert offsets(applied) == []
    path.write_text(f'id,at,off\n"p\n0",{AT},0\n,{AT},\n"p\n')
    rows = applied.collect()["applied"]
    assert [(row["record_id"], row["record_offset"]) for row in rows] == [("p\n0", 0), (None, None)]
    with path.open("a") as file:
        file.write(f'2",{AT},12')
    assert offsets(applied) == []
    with path.open("a") as file:
        file.write("3\n")
    assert offsets(applied) == [123]
    with path.open("a") as file:
        file.write(f"p,{AT},4")
    os.utime(path, (0, 0))
    assert offsets(applied) == [4]


def test_parquet_when_it_is_finished(tmp_path: Path) -> None:
    """A file without its footer is an answer for later and holds up no other; instants are taken with their zone."""
    applied = archive(tmp_path)
    table = pa.table(
        {"off": [0, 1], "id": ["a", "b"], "at": pa.array([AT_US, AT_US], pa.timestamp("us", "Asia/Tokyo"))}
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1)
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:-5])
    (tmp_path / "_c.parquet").write_bytes(b"")
    with pytest.raises(PartialLookError, match=r"b\.parquet cannot be read as Parquet \(yet\)") as partial:
        applied.collect()
    assert [(row["record_offset"], row["applied_at"]) for row in partial.value.sample["applied"]] == [
        (0, AT_US),
        (1, AT_US),
    ]
    (tmp_path / "b.parquet").write_bytes(whole)
    assert offsets(applied) == [0, 1]
    assert offsets(applied) == []


def test_small_pieces_are_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look ends when a file has nothing more, however small the pieces it is read in."""
    monkeypatch.setattr("rtoanalytics_collectors.applied.file_formats._READ_BYTES", 200)
    (tmp_path / "a.jsonl").write_text("".join(json_line(n) + "\n" for n in range(50)))
    (tmp_path / "b.csv").write_text("at,off,id\n" + "".join(f"{AT},{n},x\n" for n in range(50)))
    assert offsets(archive(tmp_path)) == [*range(50), *range(50)]


def test_capture_goes_on_behind_what_is_captured(tmp_path: Path) -> None:
    """A new process leaves out what an earlier one has captured."""
    path = tmp_path / "a.jsonl"
    path.write_text(json_line(0) + "\n")
    captured = archive(tmp_path).collect()["applied"]
    with path.open("a") as file:
        file.write(json_line(1) + "\n")
    resumed = archive(tmp_path)
    resumed.resume(captured)
    assert offsets(resumed) == [1]


def test_an_identity_of_the_effect_counts_once(tmp_path: Path) -> None:
    """Where the effect has an identity of its own, the same one in another file is the same effect."""
    layout = Layout({"record_offset": "off", "applied_at": "at", "application_id": "id"})
    (tmp_path / "a.jsonl").write_text(f"{json_line(0)}\n{json_line(1)}\n{json_line(1)}\n")
    (tmp_path / "b.jsonl").write_text(json_line(1) + "\n")
    assert offsets(archive(tmp_path, layout=layout)) == [0, 1]


@pytest.mark.parametrize(
    ("instants", "value", "expected"),
    [
        ("s", "1795428000.5", AT_US),
        ("ms", "1795428000500", AT_US),
        ("us", f'"{AT_US}"', AT_US),
        ("utc", '"2026-11-23 10:00:00.500"', AT_US),
        ("utc", '"2026-11-23T15:00:00.500+05:00"', AT_US),
        ("zoned", '"2026-11-23 10:00:00.5"', "say instants: utc"),
        ("zoned", "1795428000", "say instants: s, ms or us"),
        ("zoned", "null", "1 effects without an instant"),
        ("ms", '"yesterday"', "cannot be applied_at"),
    ],
)
def test_instants(instants: Any, value: str, expected: int | str, tmp_path: Path) -> None:  # noqa: ANN401
    """An instant is what it is said to be, or refused; its zone is never guessed."""
    (tmp_path / "a.jsonl").write_text(f'{{"at": {value}}}\n')
    applied = archive(tmp_path, layout=Layout({"applied_at": "at"}, instants=instants))
    if isinstance(expected, int):
        assert [row["applied_at"] for row in applied.collect()["applied"]] == [expected]
    else:
        with pytest.raises(PartialLookError, match=expected):
            applied.collect()


def test_what_is_no_effect_is_refused_and_said(tmp_path: Path) -> None:
    """A line that is no object, a missing column, another kind of file, one written anew: said with what is allowed."""
    path, applied = tmp_path / "a.jsonl", archive(tmp_path)
    path.write_text(json_line(0) + "\n")
    assert offsets(applied) == [0]
    for content, message in (
        (f"{json_line(0)}\nstarted\n", r"a\.jsonl: a line is no JSON object: 'started'"),
        ("{}\n", r"a\.jsonl was written anew: \d+ bytes were read, it has 3"),
    ):
        path.write_text(content)
        with pytest.raises(PartialLookError, match=message):
            applied.collect()
    with pytest.raises(PartialLookError, match='has no column "off"'):
        archive(tmp_path).collect()
    path.rename(tmp_path / "a.log")
    with pytest.raises(PartialLookError, match=r"a\.log is no file of effects; allowed endings: \.parquet, \.csv"):
        applied.collect()
