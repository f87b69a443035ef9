"""Segments: rows of one summary over some files of evidence, kept in a folder, each named in an index.

A segment counts only where the index says of which files it is, all of them are the files that stand there now (see
`bundle.identity`), and its own bytes have the SHA-256 that the index says. What an entry says is told by its key,
which goes with everything that the rows depend on. Any other segment, and an index that cannot be read, is as if it
was not there, and is removed. Segments never change: other bytes have another name.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from rtoanalytics.bundle.identity import SeenFile, is_same
from rtoanalytics.bundle.manifest import sha256_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

INDEX = "index.json"


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Segment(_Facts):
    """One file of rows."""

    query: str
    """The summary."""
    key: str
    """`key_of` the files, and of whatever else the rows depend on."""
    files: dict[str, SeenFile]
    """The evidence that it sums up, by name in the bundle, as it was before it was read."""
    sha256: str
    """Of the segment's own bytes."""

    @property
    def name(self) -> str:
        """The file's name in the folder."""
        return f"{self.query}-{self.sha256}.parquet"


class _Index(_Facts):
    schema_version: Literal[1] = 1
    segments: tuple[Segment, ...]


class Segments:
    """The segments in one folder, which need not be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: Sequence[Segment] = _read_index(folder / INDEX)

    def all_of(self, query: str) -> list[Segment]:
        """Those of a summary that the index names, whether they count or not."""
        return [segment for segment in self._kept if segment.query == query]

    def path(self, segment: Segment) -> Path:
        """Where its rows are."""
        return self._folder / segment.name

    def of(self, query: str, dependencies: str, root: Path, seen: Mapping[str, SeenFile]) -> list[Segment]:
        """Those of a summary that count: of files among `seen`, no file in two of them, the longest first.

        `seen` are files of the bundle in `root` as they are now; `dependencies` as for `key_of`. Raises OSError where
        one of them can be read no more.
        """
        mine = [kept for kept in self.all_of(query) if kept.key == key_of(dependencies, kept.files)]
        found: list[Segment] = []
        taken: set[str] = set()
        for segment in sorted(mine, key=lambda kept: (-len(kept.files), kept.sha256)):
            if taken.isdisjoint(segment.files) and _is_of(segment, root, seen) and self._is_whole(segment):
                found.append(segment)
                taken |= segment.files.keys()
        return found

    def unfinished(self, query: str) -> Path:
        """A new name in the folder, to write a segment to. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f".{query}-{uuid4().hex}"

    def finished(self, query: str, written: Path, dependencies: str, files: Mapping[str, SeenFile]) -> Segment:
        """The segment that was written to an `unfinished` name, now under its own. Raises OSError."""
        key = key_of(dependencies, files)
        segment = Segment(query=query, key=key, files=dict(files), sha256=sha256_of(written))
        os.replace(written, self.path(segment))  # noqa: PTH105
        return segment

    def keep(self, query: str, segments: Collection[Segment]) -> None:
        """Keep exactly these of a summary, and remove every file that no summary has any more. Raises OSError."""
        kept = [*(segment for segment in self._kept if segment.query != query), *segments]
        if _names(kept) != _names(self._kept):
            unfinished = self.unfinished(INDEX)
            unfinished.write_bytes(_Index(segments=tuple(kept)).model_dump_json(indent=1).encode() + b"\n")
            os.replace(unfinished, self._folder / INDEX)  # noqa: PTH105
            self._kept = kept
        if self._folder.is_dir():
            self._remove_others({INDEX, *(segment.name for segment in kept)})

    def _remove_others(self, names: Collection[str]) -> None:
        for path in self._folder.iterdir():
            if path.name not in names:
                with suppress(OSError):
                    path.unlink()

    def _is_whole(self, segment: Segment) -> bool:
        try:
            return sha256_of(self.path(segment)) == segment.sha256
        except OSError:
            return False


def key_of(dependencies: str, files: Mapping[str, SeenFile]) -> str:
    """A digest of files as they were seen, and of a text that tells whatever else rows depend on."""
    told = {name: file.model_dump() for name, file in files.items()}
    return sha256(json.dumps([dependencies, told], sort_keys=True).encode()).hexdigest()


def _is_of(segment: Segment, root: Path, seen: Mapping[str, SeenFile]) -> bool:
    return all(name in seen and is_same(root / name, seen[name], before) for name, before in segment.files.items())


def _names(segments: Sequence[Segment]) -> set[tuple[str, str]]:
    return {(segment.key, segment.name) for segment in segments}


def _read_index(path: Path) -> tuple[Segment, ...]:
    try:
        return _Index.model_validate_json(path.read_bytes()).segments
    except (OSError, ValidationError):
        return ()
