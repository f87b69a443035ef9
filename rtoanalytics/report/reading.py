"""Read what an analysis wrote into results/, and write what a report makes of it beside it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from rtoanalytics.errors import RtoError
from rtoanalytics.results import FOLDER, SCORECARD

FRAMES = ("findings", "burn_down", "recovery", "timeline", "coverage")
"""The result frames that reports read; the ledger stands in the scorecard too."""


def read_scorecard(bundle: Path) -> dict[str, Any]:
    """The scorecard of an analyzed bundle. Raises RtoError where there is none."""
    path = bundle / FOLDER / SCORECARD
    try:
        scorecard: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        msg = f"{path}: no such file; rto analyze writes it"
        raise RtoError(msg) from None
    except (OSError, ValueError) as error:
        msg = f"{path}: not a scorecard ({error}); delete it and run rto analyze"
        raise RtoError(msg) from None
    return scorecard


def read_frames(bundle: Path) -> dict[str, pl.DataFrame]:
    """The result frames of an analyzed bundle, by name. Raises RtoError where one is missing."""
    return {name: _read_frame(bundle / FOLDER / f"{name}.parquet") for name in FRAMES}


def write_result(bundle: Path, name: str, text: str) -> Path:
    """Write a file of results/, whole or not at all, and return its path. Raises RtoError where that cannot be done."""
    path = bundle / FOLDER / name
    write_text(path, text)
    return path


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, whole or not at all. Raises RtoError where it cannot be written."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".tmp", delete=False) as file:
            file.write(text.encode())
        Path(file.name).chmod(0o666 & ~_umask())
        Path(file.name).replace(path)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror}); name another place"
        raise RtoError(msg) from None


def _umask() -> int:
    """The mask that new files are made with; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _read_frame(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, hive_partitioning=False, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        msg = f"{path}: cannot be read ({type(error).__name__}); delete {path.parent.name}/ and run rto analyze"
        raise RtoError(msg) from None
