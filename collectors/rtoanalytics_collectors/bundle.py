"""Which folders take evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def has_drill(bundle: Path) -> bool:
    """Whether a folder is a bundle: it has a drill.yaml."""
    return (bundle / "drill.yaml").is_file()


def refuse_without_drill(bundle: Path) -> None:
    """Raise UsageError when a folder is not a bundle."""
    if not has_drill(bundle):
        msg = f"{bundle}: found no drill.yaml, so this is not a bundle; name the folder of a drill (rto init makes one)"
        raise UsageError(msg)


def refuse_sealed(bundle: Path) -> None:
    """Raise UsageError when `bundle` is sealed: evidence is not added to what was already counted and hashed."""
    if (bundle / "manifest.json").exists():
        msg = (
            f"{bundle}: found manifest.json, so this bundle is sealed and takes no more evidence; "
            "capture into a new bundle"
        )
        raise UsageError(msg)
