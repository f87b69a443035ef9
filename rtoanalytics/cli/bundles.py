"""`rto init`, `schema`, `check`, `seal`, `verify`: care for a bundle."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from rtoanalytics.cli.limits import MemoryLimitOption, ScratchLimitOption
from rtoanalytics.cli.watching import watched
from rtoanalytics.errors import EvidenceError, UsageError

BundleArgument = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of a drill.")]


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the new bundle.")],
    drill_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Drill id, [a-z0-9._-]+ (default: the folder's name).")
    ] = None,
) -> None:
    """Write a commented drill.yaml to start from, beside an empty folder for attachments."""
    from rtoanalytics.drill import STARTING_FILE, parse_drill

    path = folder / "drill.yaml"
    if path.exists():
        msg = f"{path} exists already; rto init never overwrites a definition"
        raise UsageError(msg)
    text = STARTING_FILE.format(id=drill_id or _id_of(folder))
    parse_drill(text.encode())
    try:
        (folder / "attachments").mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        msg = f"{folder}: cannot be written ({error.strerror})"
        raise UsageError(msg) from None
    print(path)
    print(f"Edit it, then: rto check {folder}", file=sys.stderr)


def schema() -> None:
    """Print the JSON Schema of drill.yaml."""
    from rtoanalytics.drill import drill_json_schema

    print(json.dumps(drill_json_schema(), indent=2, ensure_ascii=False))


def check(bundle: BundleArgument) -> None:
    """List everything that is wrong with a bundle, all at once."""
    from rtoanalytics.bundle import check_bundle, open_capture_problems

    problems = check_bundle(bundle)
    if problems:
        raise EvidenceError(problems)
    for problem in open_capture_problems(bundle):
        print(f"note: {problem}", file=sys.stderr)
    print(f"{bundle}: nothing wrong")


def seal(
    bundle: BundleArgument,
    reseal: Annotated[
        bool, typer.Option("--reseal", help="Seal again although files changed: says that the changes are meant.")
    ] = False,
    memory_limit: MemoryLimitOption = None,
    scratch: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to spill (default: inside the bundle).")
    ] = None,
    scratch_limit: ScratchLimitOption = None,
) -> None:
    """Sort and compact the evidence and record every file in manifest.json, so that a later change shows.

    Ctrl-C (or SIGTERM) ends it with 130 (143) and leaves the bundle as it was, or sealed and whole.
    """
    from rtoanalytics.cli.ending import one_line_when_stopped
    from rtoanalytics.engines.limits import Limits
    from rtoanalytics.prepared import prepared_if_sealed
    from rtoanalytics.seal import seal_bundle

    limits = Limits(memory_limit, scratch, scratch_limit)
    limits.check()
    with (
        one_line_when_stopped("the bundle is as it was, or sealed and whole"),
        watched(bundle) as watch,
        prepared_if_sealed(bundle, limits),
    ):
        manifest = seal_bundle(bundle, reseal=reseal, limits=limits, watch=watch)
    print(f"{bundle}: sealed, {len(manifest.files)} files in manifest.json")


def verify(bundle: BundleArgument) -> None:
    """Compare every file with manifest.json; a difference ends with status 3."""
    from rtoanalytics.errors import SealError
    from rtoanalytics.seal import verify_bundle

    problems = verify_bundle(bundle)
    if problems:
        raise SealError(problems)
    print(f"{bundle}: every file is as it was when it was sealed")


def _id_of(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-")
    return name or "first-drill"
