"""Sealing that ends at any moment: the bundle is as it was before, or sealed, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics.bundle import check_bundle, compaction, open_bundle, swap
from rtoanalytics.errors import SealError
from rtoanalytics.seal import SealStatus, seal_bundle, sealed_state, verify_bundle
from tests.core.bundle.folders import BundleFolder, good_row

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGING = ("rename", "replace", "unlink", "rmdir", "mkdir", "fsync")
"""Every way in which sealing changes names on the disk, or waits for it."""


class Killed(BaseException):
    """The process is gone."""


class Countdown:
    """Lets so many changes of the disk happen, and then none."""

    def __init__(self, patch: pytest.MonkeyPatch, changes: int, failure: type[BaseException]) -> None:
        self.left = changes
        self.failure = failure
        for name in CHANGING:
            patch.setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
            self.left -= 1
            if self.left < 0:
                raise self.failure
            return change(*arguments, **options)

        return counted


@pytest.fixture
def captured(bundle: BundleFolder) -> BundleFolder:
    """A bundle with two tables in three files, an attachment, and a hidden file."""
    for number in range(2):
        bundle.write("acks", *(good_row("acks", number * 10 + i) for i in range(10)), name=f"{number}.parquet")
    bundle.write("events", good_row("events"))
    bundle.attach("review.md")
    (bundle.folder("acks") / ".note").write_text("mine")
    return bundle


def rows(bundle: BundleFolder) -> Counter[str]:
    """Every row of the evidence, read with pyarrow alone: independent of the code under test."""
    files = sorted((bundle.root / "evidence").rglob("[!.]*.parquet"))
    names = [path.parent.name for path in files]
    return Counter(
        f"{name} {sorted(row.items(), key=str)}"
        for name, path in zip(names, files, strict=True)
        for row in pq.read_table(path).to_pylist()
    )


def assert_before_or_after(bundle: BundleFolder, before: Counter[str]) -> SealStatus:
    """After the next opening the bundle is whole, with every row once, and no trace of an attempt."""
    open_bundle(bundle.root)
    assert rows(bundle) == before
    assert check_bundle(bundle.root) == []
    assert not list(bundle.root.glob(".seal*"))
    assert (bundle.folder("acks") / ".note").read_text() == "mine"
    status = sealed_state(bundle.root).status
    names = sorted(path.name for path in bundle.folder("acks").glob("[!.]*"))
    if status is SealStatus.UNSEALED:
        assert names == ["0.parquet", "1.parquet"]
    else:
        assert status is SealStatus.SEALED
        assert names == [f"part-{number:05}.parquet" for number in range(len(names))]
    return status


@pytest.mark.parametrize("failure", [Killed, OSError], ids=["killed", "disk fails"])
def test_every_moment(tmp_path: Path, failure: type[BaseException]) -> None:
    """Ended before any change of the disk, sealing leaves the bundle as before or sealed, and can be done again."""
    statuses = []
    for changes in range(1000):
        bundle = _captured(tmp_path / f"{failure.__name__}-{changes}")
        before = rows(bundle)
        with pytest.MonkeyPatch.context() as patch:
            countdown = Countdown(patch, changes, failure)
            with suppress(Killed, SealError):
                seal_bundle(bundle.root)
            if countdown.left >= 0:
                break
        statuses.append(assert_before_or_after(bundle, before))
        if changes % 8 == 0:
            seal_bundle(bundle.root)
            assert verify_bundle(bundle.root) == []
    committed = statuses.index(SealStatus.SEALED)
    assert 5 < committed < len(statuses) - 5
    assert set(statuses[:committed]) == {SealStatus.UNSEALED}
    assert set(statuses[committed:]) == {SealStatus.SEALED}


def _captured(root: Path) -> BundleFolder:
    return captured.__wrapped__(BundleFolder(root))  # type: ignore[attr-defined,no-any-return]


def test_recovery_may_be_interrupted_too(tmp_path: Path) -> None:
    """Finishing a committed seal can itself be killed at every moment, several times over, and still ends well."""
    for changes in range(1000):
        bundle = _captured(tmp_path / str(changes))
        before = rows(bundle)
        _kill_after_commit(bundle)
        was_killed = [_is_killed_while_opening(bundle, changes) for _ in range(3)]
        assert assert_before_or_after(bundle, before) is SealStatus.SEALED
        if not was_killed[0]:
            break
    assert changes > 10


def _is_killed_while_opening(bundle: BundleFolder, changes: int) -> bool:
    """Open a bundle in a process that is killed after so many changes of the disk, if it needs more than that."""
    with pytest.MonkeyPatch.context() as patch:
        Countdown(patch, changes, Killed)
        try:
            open_bundle(bundle.root)
        except Killed:
            return True
    return False


def _kill_after_commit(bundle: BundleFolder) -> None:
    def die(_: Path) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(swap, "roll_forward", die)
        with pytest.raises(Killed):
            seal_bundle(bundle.root)
    assert (bundle.root / ".sealed").exists()


@pytest.mark.parametrize("changes", [5, 14, 20])
def test_kill_9(captured: BundleFolder, changes: int) -> None:
    """A real process, really killed, leaves the bundle as before or sealed."""
    program = f"""
        import os, signal, sys
        from pathlib import Path
        left = {changes}
        def counted(change):
            def call(*arguments, **options):
                global left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return change(*arguments, **options)
            return call
        for name in {CHANGING!r}:
            setattr(os, name, counted(getattr(os, name)))
        from rtoanalytics.seal import seal_bundle
        seal_bundle(Path(sys.argv[1]))
    """
    before = rows(captured)
    repository = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(captured.root)],
        check=False,
        env={**os.environ, "PYTHONPATH": str(repository)},
    )
    assert ended.returncode == -signal.SIGKILL
    assert_before_or_after(captured, before)


def test_an_event_that_arrives_while_sealing(captured: BundleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence that is written while the bundle is being sealed is not lost, nor sealed unseen: sealing is refused."""
    original = swap.commit

    def late_commit(root: Path) -> None:
        captured.write("events", good_row("events", 7), name="late.parquet")
        original(root)

    monkeypatch.setattr("rtoanalytics.seal.commit", late_commit)
    with pytest.raises(SealError, match="changed while it was being sealed"):
        seal_bundle(captured.root)
    assert len(open_bundle(captured.root).files["events"]) == 2
    assert not list(captured.root.glob(".seal*"))


@pytest.mark.parametrize("name", ["late.parquet", "part-00000.parquet"])
def test_evidence_after_the_commit(captured: BundleFolder, name: str) -> None:
    """A file that arrives between the commit and its end stays, and shows as added after sealing."""
    _kill_after_commit(captured)
    captured.write("events", good_row("events", 7), name=name)
    opened = open_bundle(captured.root)
    assert sum(file.rows for file in opened.files["events"]) == 2
    (problem,) = verify_bundle(captured.root)
    assert problem.found == "added after sealing"


def test_a_new_evidence_folder_between_the_renames(captured: BundleFolder) -> None:
    """A capture that makes evidence/ anew, while its old one is set aside, keeps what it wrote."""
    before = rows(captured)
    _kill_after_commit(captured)
    (captured.root / "evidence").rename(captured.root / ".sealed" / "replaced-0")
    captured.write("commits", good_row("commits"))
    assert open_bundle(captured.root).has("commits")
    assert rows(captured) > before
    assert (captured.folder("acks") / ".note").exists()
    assert not list(captured.root.glob(".seal*"))


def test_a_running_seal_is_left_alone(captured: BundleFolder) -> None:
    """Opening a bundle while another process builds its sealed form neither waits nor disturbs it."""
    with swap.exclusive(captured.root):
        swap.begin(captured.root)
        assert open_bundle(captured.root).has("acks")
        assert (captured.root / ".sealing").exists()
    open_bundle(captured.root)
    assert not (captured.root / ".sealing").exists()


def test_a_committed_seal_where_nothing_can_be_written(captured: BundleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """When an interrupted seal cannot be finished, for want of permission, that is said and nothing is lost."""
    before = rows(captured)
    _kill_after_commit(captured)

    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", read_only)
        with pytest.raises(SealError, match=r"cannot be finished \(Read-only file system\); nothing is lost"):
            open_bundle(captured.root)
    assert assert_before_or_after(captured, before) is SealStatus.SEALED


def test_failures_of_the_system_are_refusals(captured: BundleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk ends in one clear message, with the bundle as it was."""
    before = rows(captured)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "part-00000.parquet")

    monkeypatch.setattr("rtoanalytics.seal.compact_table", full)
    with pytest.raises(SealError, match=r"part-00000\.parquet: No space left on device; nothing is lost"):
        seal_bundle(captured.root)
    assert assert_before_or_after(captured, before) is SealStatus.UNSEALED


PARTS = """
    import sys
    from pathlib import Path
    from rtoanalytics.bundle import compaction
    from rtoanalytics.seal import seal_bundle
    compaction.ROW_GROUP_ROWS, compaction.ROW_GROUPS_PER_FILE = 10, 2
    seal_bundle(Path(sys.argv[1]))
"""
"""Seals in row groups of 10 rows and files of 20."""


@pytest.mark.parametrize("part", ["acks/part-00000", "acks/part-00003", "acks/part-00040", "events/part-00000"])
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_ended_while_writing(captured: BundleFolder, part: str, ending: signal.Signals) -> None:
    """A process that is ended while it writes any file of the sealed form leaves the bundle whole."""
    captured.write("acks", *(good_row("acks", number) for number in range(20, 1000)), name="1.parquet")
    before = rows(captured)
    program = f"""
        import os
        from pathlib import Path
        opened = Path.open
        def ended(path, *arguments, **options):
            file = opened(path, *arguments, **options)
            if path.as_posix().endswith("{part}.parquet") and ".sealing" in path.parts:
                os.kill(os.getpid(), {int(ending)})
            return file
        Path.open = ended
    """
    process = sealing_process(captured, textwrap.dedent(program) + textwrap.dedent(PARTS))
    assert process.returncode == -ending
    status = assert_before_or_after(captured, before)
    assert status is SealStatus.UNSEALED or ending is signal.SIGINT  # which may come too late to matter


def test_ctrl_c_while_sorting(captured: BundleFolder) -> None:
    """Ctrl-C while the engine computes ends the seal as an interruption, not as a failure; the bundle is as it was."""
    before = rows(captured)
    program = """
        import os, signal, sys
        from pathlib import Path
        from rtoanalytics import seal
        def endless(connection, *_):
            os.kill(os.getpid(), signal.SIGINT)
            connection.execute("SELECT max(hash(a.i, b.i)) FROM range(10000000) AS a(i), range(10000000) AS b(i)")
        seal.compact_table = endless
        try:
            seal.seal_bundle(Path(sys.argv[1]))
        except KeyboardInterrupt:
            sys.exit(7)
    """
    assert sealing_process(captured, textwrap.dedent(program)).returncode == 7
    assert assert_before_or_after(captured, before) is SealStatus.UNSEALED


def test_a_row_group_that_cannot_be_prepared(captured: BundleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in the thread that prepares row groups fails the seal, with the bundle as it was."""
    before = rows(captured)

    why = ("no such value",)

    def fail(*_: object) -> None:
        raise pa.ArrowInvalid(*why)

    monkeypatch.setattr(compaction, "_completed", fail)
    with pytest.raises(SealError, match="no such value; nothing is lost"):
        seal_bundle(captured.root)
    assert assert_before_or_after(captured, before) is SealStatus.UNSEALED


def sealing_process(bundle: BundleFolder, program: str) -> subprocess.CompletedProcess[bytes]:
    """A program over a bundle, in a process of its own that has ended."""
    return subprocess.run(
        [sys.executable, "-c", program, str(bundle.root)],
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stderr=subprocess.DEVNULL,
    )
