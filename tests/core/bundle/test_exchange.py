"""A folder takes another's place: at every moment the old one or the new one stands there, or `repair` puts it back."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.bundle import exchange
from rtoanalytics.bundle.exchange import is_interrupted, repair, replace_folder
from tests.core.bundle.test_seal_interrupted import Countdown, Killed

if TYPE_CHECKING:
    from pathlib import Path


def folder(path: Path, content: str) -> Path:
    """A folder with one file."""
    path.mkdir()
    (path / "file").write_text(content)
    return path


def content(path: Path) -> str:
    """What the file of a folder says; nothing where there is no folder."""
    return (path / "file").read_text() if path.exists() else ""


@pytest.fixture(params=["in one step", "in two steps"])
def exchanging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the exchange of the operating system, and where it has none."""
    if request.param == "in two steps":
        monkeypatch.setattr(exchange, "exchange", lambda *_: False)
    return str(request.param)


@pytest.mark.usefixtures("exchanging")
@pytest.mark.parametrize("is_first", [True, False])
def test_the_new_one_stands_there_alone(tmp_path: Path, is_first: bool) -> None:
    """Where nothing stood before, and where something did, the new folder stands and nothing else is left."""
    target = tmp_path / "results"
    if not is_first:
        folder(target, "old")
    replace_folder(folder(tmp_path / "built", "new"), target)
    assert content(target) == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize("failure", [Killed, OSError], ids=["killed", "disk fails"])
def test_every_moment(tmp_path: Path, exchanging: str, failure: type[BaseException]) -> None:
    """Ended before any change of the disk, and repaired: old or new, whole; in one step nothing needs repair."""
    stood = []
    for changes in range(100):
        place = tmp_path / str(changes)
        place.mkdir()
        target, built = folder(place / "results", "old"), folder(place / "built", "new")
        with pytest.MonkeyPatch.context() as patch:
            countdown = Countdown(patch, changes, failure)
            with suppress(Killed, OSError):
                replace_folder(built, target)
            if countdown.left >= 0:
                break
        assert exchanging == "in two steps" or content(target) in {"old", "new"}
        repair(target)
        assert not is_interrupted(target)
        stood.append(content(target))
    assert set(stood) <= {"old", "new"}
    assert stood == sorted(stood, reverse=True)


@pytest.mark.usefixtures("exchanging")
def test_only_folders_are_replaced(tmp_path: Path) -> None:
    """A file or a link in the way is refused and stays."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(folder(tmp_path / "elsewhere", "mine"))
    for name in ("file", "link"):
        with pytest.raises(NotADirectoryError):
            replace_folder(folder(tmp_path / f"for-{name}", "new"), tmp_path / name)
    assert (tmp_path / "file").read_text() == content(tmp_path / "link") == "mine"


def test_the_old_one_comes_back_when_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails between the two steps fails the replacement, not the old folder."""
    rename = os.rename
    monkeypatch.setattr(exchange, "exchange", lambda *_: False)

    def failing(source: Path, target: Path) -> None:
        if source.name == "built":
            raise OSError(5, "the disk fails")
        rename(source, target)

    target = folder(tmp_path / "results", "old")
    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="the disk fails"):
        replace_folder(folder(tmp_path / "built", "new"), target)
    assert content(target) == "old"
    assert not is_interrupted(target)


def test_this_system_exchanges_in_one_step(tmp_path: Path) -> None:
    """Two folders change places, or nothing has changed: never one without the other."""
    one, other = folder(tmp_path / "one", "one"), folder(tmp_path / "other", "other")
    exchanged = exchange.exchange(one, other)
    assert (content(one), content(other)) == (("other", "one") if exchanged else ("one", "other"))
    assert not exchange.exchange(one, tmp_path / "nothing")
    assert one.exists()
