"""Bundles in an object store: bring one here as a folder, and put its results back.

An analysis reads the evidence several times and a seal is compared with every byte, so a bundle is copied once, by
many connections at a time, into a folder that is removed afterwards. Address and credentials come from the environment,
under the names that the AWS tools use.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa

from rtoanalytics.errors import EvidenceError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pyarrow.fs import FileInfo, S3FileSystem

SCHEME = "s3://"

_RESULTS = "results"
_SCORECARD = "scorecard.json"
_LEFT_THERE = frozenset({_RESULTS, ".analysis"})
"""Derived, and computed anew."""
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
_CONNECT_SECONDS = 10
_REQUEST_SECONDS = 120
_ATTEMPTS = 3
_ADVICE = {
    "NO_SUCH_BUCKET": "no such bucket; check its name, and AWS_ENDPOINT_URL if the store is not Amazon's",
    "ACCESS_DENIED": "these credentials may not do this; check AWS_ACCESS_KEY_ID and what it may read and write",
    "INVALID_ACCESS_KEY_ID": "the store does not know this AWS_ACCESS_KEY_ID",
    "SIGNATURE_DOES_NOT_MATCH": "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
    "NETWORK_CONNECTION": "the store cannot be reached; check AWS_ENDPOINT_URL and the network",
}
"""What the store says, and what to do about it."""
_OTHERWISE = (
    "check AWS_ENDPOINT_URL, AWS_REGION and the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, a profile)"
)


@dataclass(frozen=True)
class Location:
    """Where a bundle lies in an object store."""

    bucket: str
    prefix: str
    """Key prefix without slashes around it; empty for the whole bucket."""

    def __str__(self) -> str:
        return f"{SCHEME}{self.path}"

    @property
    def path(self) -> str:
        """Bucket and prefix, as file systems write them."""
        return f"{self.bucket}/{self.prefix}" if self.prefix else self.bucket


def location_of(text: str) -> Location:
    """The location that `s3://bucket/prefix` names. Raises UsageError.

    >>> location_of("s3://drills/2026/q4/").path
    'drills/2026/q4'
    """
    bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
    if "@" in bucket or ":" in bucket:
        msg = f"{SCHEME}… holds credentials; they come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
        raise UsageError(msg)
    if not bucket:
        msg = f'"{text}" names no bucket; write {SCHEME}bucket/prefix'
        raise UsageError(msg)
    return Location(bucket, prefix.strip("/"))


def download(location: Location, folder: Path) -> Path:
    """Bring a bundle into a new folder of its own below `folder`, and return that. Results are left in the store.

    Raises EvidenceError where the bundle cannot be read, or there is none.
    """
    root = folder / (PurePosixPath(location.path).name or location.bucket)
    with _clear_messages(location):
        root.mkdir()
        _download(location, root)
    return root


def publish(root: Path, location: Location) -> None:
    """Put the results of a bundle that was brought here into the store.

    The scorecard goes first and comes last: as long as it stands there, every file beside it belongs to it.
    Raises EvidenceError where the store does not take them.
    """
    with _clear_messages(location):
        store = _store(location)
        folder = f"{location.path}/{_RESULTS}"
        _delete(store, f"{folder}/{_SCORECARD}")
        names = sorted(path.name for path in (root / _RESULTS).iterdir() if path.name != _SCORECARD)
        for name in (*names, _SCORECARD):
            with store.open_output_stream(f"{folder}/{name}") as stream:
                stream.write((root / _RESULTS / name).read_bytes())


def _download(location: Location, root: Path) -> None:
    from pyarrow.fs import LocalFileSystem, copy_files  # noqa: PLC0415  (the part that speaks to stores)

    store = _store(location)
    wanted = _wanted(store, location)
    for name in wanted:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
    for part in {PurePosixPath(name).parts[0] for name in wanted}:
        here, there = str(root / part), f"{location.path}/{part}"
        copy_files(there, here, source_filesystem=store, destination_filesystem=LocalFileSystem())


def _wanted(store: S3FileSystem, location: Location) -> list[str]:
    from pyarrow.fs import FileSelector, FileType  # noqa: PLC0415

    found: Sequence[FileInfo] = store.get_file_info(FileSelector(location.path, allow_not_found=True, recursive=True))
    names = [info.path.removeprefix(f"{location.path}/") for info in found if info.type == FileType.File]
    wanted = [name for name in names if PurePosixPath(name).parts[:1] not in {(part,) for part in _LEFT_THERE}]
    if not wanted:
        raise EvidenceError([_nothing_at(store, location)])
    problems = [Problem(name, "not a name of a file", "rename the object") for name in wanted if not _is_a_name(name)]
    if problems:
        raise EvidenceError(problems)
    return wanted


def _nothing_at(store: S3FileSystem, location: Location) -> Problem:
    from pyarrow.fs import FileType  # noqa: PLC0415

    (bucket,) = store.get_file_info([location.bucket])
    if bucket.type == FileType.NotFound:
        return Problem(str(location), f'no bucket "{location.bucket}"', _ADVICE["NO_SUCH_BUCKET"])
    allowed = "a bundle is a prefix with a drill.yaml and its evidence under it; check the prefix"
    return Problem(str(location), "no such prefix", allowed)


def _is_a_name(name: str) -> bool:
    """Whether a key can be a file below the bundle's folder, and nowhere else."""
    return all(part not in {"", ".", ".."} for part in name.split("/")) and "\0" not in name and "\\" not in name


def _delete(store: S3FileSystem, path: str) -> None:
    from pyarrow.fs import FileType  # noqa: PLC0415

    (info,) = store.get_file_info([path])
    if info.type == FileType.File:
        store.delete_file(path)


def _store(location: Location) -> S3FileSystem:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem, resolve_s3_region  # noqa: PLC0415

    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        region = "us-east-1" if endpoint.netloc else resolve_s3_region(location.bucket)
    return S3FileSystem(
        region=region,
        endpoint_override=endpoint.netloc or None,
        scheme="http" if endpoint.scheme == "http" else "https",
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_REQUEST_SECONDS,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


@contextmanager
def _clear_messages(location: Location) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        if getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
            problem = Problem(str(location), "no room to bring it here", "make room, or name another folder: --scratch")
        else:
            problem = _said_by_the_store(location, str(error))
        raise EvidenceError([problem]) from None


def _said_by_the_store(location: Location, said: str) -> Problem:
    for variable in _SECRETS:
        said = said.replace(os.environ.get(variable) or "\0", "…")
    allowed = next((advice for code, advice in _ADVICE.items() if code in said), _OTHERWISE)
    return Problem(str(location), f"cannot be read or written ({said.splitlines()[0]})", allowed)
