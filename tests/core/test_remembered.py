"""Results answer at once as long as nothing has changed, and never when anything has."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics import analysis, remembered
from rtoanalytics.analysis import analyze_bundle, answer_bundle, current_answer
from rtoanalytics.bundle import identity, manifest, values
from rtoanalytics.engines.duckdb import run_queries
from rtoanalytics.errors import EvidenceError, RtoError
from rtoanalytics.remembered import is_current, recall
from rtoanalytics.seal import seal_bundle
from tests.core.cli.endings import rto
from tests.core.laws.drills import analyzed
from tests.core.scorecard.passing import passing_drill
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


LONG_NS = 10**15
"""Days: whatever a test wrote counts as just changed."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The passing drill, sealed and not."""
    place = tmp_path_factory.mktemp("template")
    return {sealed: passing_drill().write(place / str(sealed), sealed=sealed) for sealed in (True, False)}


@pytest.fixture(params=[True, False], ids=["sealed", "unsealed"])
def bundle(request: pytest.FixtureRequest, template: dict[bool, Path], tmp_path: Path) -> Path:
    """An analyzed bundle."""
    root = tmp_path / "bundle"
    shutil.copytree(template[request.param], root)
    analyze_bundle(root)
    return root


def test_nothing_is_read_twice(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second answer is the first, from a bundle that nothing is read from but what stands in results/."""
    first = analyze_bundle(bundle)
    monkeypatch.setattr(analysis, "analyze_bundle", None)
    answer = answer_bundle(bundle)
    assert answer.scorecard == json.loads(json.dumps(first))
    assert answer.current_since


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_command_says_so(bundle: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    """The same answer and the same status, and on stderr since when; --again analyzes anew and says nothing of it."""
    forced = rto(capsys, "analyze", "--again", *options, bundle)
    second = rto(capsys, "analyze", *options, bundle)
    assert (second.status, second.answer) == (forced.status, forced.answer)
    assert "are current: nothing changed since" in second.talk
    assert "are current" not in forced.talk


def test_a_moved_bundle_is_still_the_same(bundle: Path) -> None:
    """The name of the folder is no input."""
    assert current_answer(bundle.rename(bundle.with_name("moved")))


def rewritten(path: Path) -> None:
    """The same size and the same time of last change, as far as a program can set it, with another content."""
    before = path.stat()
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def one_more_line(path: Path) -> None:
    """A line that says nothing."""
    path.write_bytes((path.read_bytes() if path.exists() else b"") + b"\n")


def one_more_file(root: Path) -> None:
    """Evidence that arrived later."""
    shutil.copy(next((root / "evidence" / "events").iterdir()), root / "evidence" / "events" / "later.parquet")


def an_open_segment(root: Path) -> None:
    """What a capture has not turned into evidence yet."""
    (root / "spool" / "acks").mkdir(parents=True)
    (root / "spool" / "acks" / "one.arrows").touch()


CHANGES: dict[str, Callable[[Path], object]] = {
    "evidence rewritten": lambda root: rewritten(next((root / "evidence" / "acks").iterdir())),
    "evidence added": one_more_file,
    "evidence removed": lambda root: shutil.rmtree(root / "evidence" / "group_states"),
    "evidence renamed": lambda root: next((root / "evidence" / "acks").iterdir()).rename(
        root / "evidence" / "acks" / "z.parquet"
    ),
    "a folder that is no table": lambda root: (root / "evidence" / "akcs").mkdir(),
    "definition edited": lambda root: one_more_line(root / "drill.yaml"),
    "attachment edited": lambda root: (root / "attachments" / "rollback.md").write_text("do nothing\n"),
    "attachment added": lambda root: (root / "attachments" / "more.md").write_text("more\n"),
    "manifest edited": lambda root: one_more_line(root / "manifest.json"),
    "result edited": lambda root: one_more_line(root / "results" / "scorecard.json"),
    "result removed": lambda root: (root / "results" / "coverage_gaps.parquet").unlink(),
    "results removed": lambda root: shutil.rmtree(root / "results"),
    "note damaged": lambda root: (root / ".analysis" / "inputs.json").write_text('{"schema_version": 1}'),
    "note removed": lambda root: shutil.rmtree(root / ".analysis"),
    "capture going on": an_open_segment,
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_found(bundle: Path, change: str) -> None:
    """Whatever changes among the inputs and the results, the bundle is analyzed again."""
    assert current_answer(bundle)
    CHANGES[change](bundle)
    assert current_answer(bundle) is None


def test_a_copy_is_analyzed_again(bundle: Path) -> None:
    """Copies have files of their own, also where they keep the times."""
    assert current_answer(shutil.copytree(bundle, bundle.with_name("copy"))) is None


def test_another_program_analyzes_again(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other queries, another version or another engine computed is not answered with."""
    noted = recall(bundle)
    assert noted
    assert not is_current(bundle, noted, "another engine")
    monkeypatch.setattr(remembered, "program_digest", lambda: "another")
    assert current_answer(bundle) is None


def test_a_change_within_the_resolution_of_time_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that had just changed when it was looked at is compared by content: its times may not tell."""
    monkeypatch.setattr(identity, "UNSETTLED_NS", LONG_NS)
    root = passing_drill().write(tmp_path / "bundle", sealed=False)
    path = root / "attachments" / "rollback.md"
    seen = identity.identity_of(path)
    look = identity.look_at(root, {})
    assert look
    path.write_text("x" * seen.bytes)
    stat = identity.identity_of
    monkeypatch.setattr(identity, "identity_of", lambda asked: seen if asked == path else stat(asked))
    name = "attachments/rollback.md"
    assert not look.files[name].is_settled
    again = identity.look_at(root, look.files)
    assert again
    assert again.unchanged == look.files.keys() - {name}


def test_files_are_settled_in_time(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What had just changed is read once more, when it is old enough; from then on its times are enough."""
    monkeypatch.setattr(identity, "UNSETTLED_NS", LONG_NS)
    analyze_bundle(bundle, again=True)
    noted = recall(bundle)
    assert noted
    assert not any(file.is_settled for file in noted.files.values())
    monkeypatch.setattr(identity, "UNSETTLED_NS", 0)
    assert current_answer(bundle)
    monkeypatch.setattr(identity, "sha256_of", None)
    assert current_answer(bundle)


def test_an_input_that_changes_meanwhile_is_not_remembered(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was analyzed is not what stands there at the end: the next run looks again."""

    def slow(*arguments: object, **options: object) -> None:
        run_queries(*arguments, **options)  # type: ignore[arg-type]
        (bundle / "attachments" / "rollback.md").write_text("meanwhile\n")

    monkeypatch.setattr(analysis, "run_queries", slow)
    analyze_bundle(bundle, again=True)
    assert recall(bundle) is None
    assert current_answer(bundle) is None


def checked_names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose values are checked from now on."""
    names: list[str] = []
    offenses = values._offenses

    def noted(connection: object, table: object, files: list[object]) -> object:
        names.extend(file.name for file in files)  # type: ignore[attr-defined]
        return offenses(connection, table, files)  # type: ignore[arg-type]

    monkeypatch.setattr(values, "_offenses", noted)
    return names


def test_only_new_evidence_is_checked(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values of files that the last analysis found in order are not read again; with `again` all are."""
    one_more_file(bundle)
    checked = checked_names(monkeypatch)
    analyze_bundle(bundle)
    assert checked == ["evidence/events/later.parquet"]
    analyze_bundle(bundle, again=True)
    assert len(set(checked)) > 10


def test_what_is_wrong_with_new_evidence_is_told(bundle: Path) -> None:
    """A value outside its domain is refused in a file that came later, and old results stand."""
    before = (bundle / "results" / "scorecard.json").read_bytes()
    path = next((bundle / "evidence" / "commits").iterdir())
    table = pq.read_table(path)
    column = table.schema.get_field_index("committed_offset")
    pq.write_table(
        table.set_column(column, "committed_offset", pa.array([-1] * table.num_rows)), path.with_name("later.parquet")
    )
    with pytest.raises(EvidenceError, match=r"commits/later.parquet, column committed_offset"):
        analyze_bundle(bundle)
    assert (bundle / "results" / "scorecard.json").read_bytes() == before


def test_only_what_changed_is_compared_with_the_seal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a sealed bundle the bytes of unchanged files are read once; an altered file is found all the same."""
    monkeypatch.setattr(identity, "UNSETTLED_NS", 0)
    root = passing_drill().write(tmp_path / "bundle")
    analyze_bundle(root)
    read: list[str] = []
    sha256_of = manifest.sha256_of

    def noted(path: Path) -> str:
        read.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr(manifest, "sha256_of", noted)
    (root / "attachments" / "rollback.md").write_text("do nothing\n")
    scorecard = analyze_bundle(root)
    assert scorecard["drill"]["seal"] == "altered"
    assert read == ["rollback.md"]


@pytest.mark.parametrize("seed", range(3))
def test_evidence_that_arrives_in_parts_gives_the_same_bytes(tmp_path: Path, seed: int) -> None:
    """Analyzed after each part, the last results are those of a bundle that was analyzed once."""
    write_bundle(tmp_path / "whole", *random_drill(seed), files=3)
    growing = tmp_path / "growing"
    shutil.copytree(tmp_path / "whole", growing, ignore=shutil.ignore_patterns("evidence"))
    (growing / "evidence").mkdir()
    for path in sorted((tmp_path / "whole" / "evidence").rglob("*.parquet"), key=lambda path: (path.name, path.parent)):
        place = growing / path.relative_to(tmp_path / "whole")
        place.parent.mkdir(exist_ok=True)
        shutil.copy(path, place)
        if path.parent.name == "applied":
            answer_bundle(growing)
    answer_bundle(growing)
    in_parts = {path.name: path.read_bytes() for path in sorted((growing / "results").iterdir())}
    assert in_parts == analyzed(tmp_path / "whole").files


def test_a_bundle_that_may_not_be_written_to_is_answered(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Current results need no room on the disk; new ones whose note cannot be written stand all the same."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(remembered, "_write_whole", full)
    assert answer_bundle(bundle).current_since
    (bundle / "attachments" / "more.md").write_text("more\n")
    assert answer_bundle(bundle).current_since is None


def test_damage_that_no_time_tells_is_told_like_any_other(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that returns other bytes of a file that was in order: when the analysis fails over it, all is checked."""
    path = next((bundle / "evidence" / "acks").iterdir())
    seen, stat = identity.identity_of(path), identity.identity_of
    noted = recall(bundle)
    assert noted
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(200) + content[204:])
    settled = {name: file.model_copy(update={"is_settled": True}) for name, file in noted.files.items()}
    remembered._write(bundle, noted.model_copy(update={"files": settled, "results": {}}))
    monkeypatch.setattr(identity, "identity_of", lambda asked: seen if asked == path else stat(asked))
    with pytest.raises(EvidenceError, match=f"acks/{path.name}.*cannot be read"):
        analyze_bundle(bundle)


def test_sealing_is_a_change(tmp_path: Path) -> None:
    """What was judged unsealed is judged again when it is sealed."""
    root = passing_drill().write(tmp_path / "bundle", sealed=False)
    assert answer_bundle(root).scorecard["drill"]["seal"] == "unsealed"
    seal_bundle(root)
    assert answer_bundle(root).scorecard["drill"]["seal"] == "sealed"
    assert answer_bundle(root).current_since


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    """Nothing is remembered of nothing."""
    with pytest.raises(RtoError, match=r"drill.yaml"):
        answer_bundle(tmp_path)
