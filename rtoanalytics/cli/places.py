"""Where bundles lie: folders of this machine, or, for `rto analyze`, prefixes of an object store."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rtoanalytics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rtoanalytics.bundle.remote import Location

SCHEME = "s3://"
_READS_STORES = "analyze"


@dataclass(frozen=True)
class Place:
    """A bundle at hand."""

    root: Path
    """Its folder, or that of its copy."""
    location: Location | None = None
    """Where it lies in an object store."""

    def publish_results(self) -> None:
        """Put the results where the bundle is. Raises EvidenceError."""
        if self.location:
            from rtoanalytics.bundle.remote import publish

            publish(self.root, self.location)

    def results(self, named: str) -> str:
        """Where the results of the bundle that was named so are."""
        return f"{self.location}/results" if self.location else str(Path(named) / "results")


@contextmanager
def at_hand(bundle: str, scratch: Path | None) -> Iterator[Place]:
    """The bundle that a folder or an address names; one from a store as a copy below `scratch`, removed afterwards."""
    if not bundle.startswith(SCHEME):
        yield Place(Path(bundle))
        return
    from rtoanalytics.bundle.remote import download, location_of
    from rtoanalytics.engines.scratch import scratch_folder

    location = location_of(bundle)
    with scratch_folder(scratch) as folder:
        yield Place(download(location, Path(folder)), location)


def refuse_stores(arguments: Sequence[str]) -> None:
    """Raise UsageError where a command that works on folders is given an address in an object store."""
    if not arguments or arguments[0] == _READS_STORES:
        return
    if any(argument.startswith(SCHEME) for argument in arguments):
        msg = (
            f"rto {arguments[0]} works on folders, not on {SCHEME} addresses (rto {_READS_STORES} alone takes them); "
            "copy the bundle here first, for instance with: aws s3 sync s3://bucket/prefix folder"
        )
        raise UsageError(msg)
