"""The files that belong to the project, that is, what git tracks or would track, and what pyproject.toml says of it."""

from __future__ import annotations

import subprocess
import tomllib
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NOT_OURS = {".git", ".venv", "__pycache__", "build", "dist", "drills"}


@cache
def tracked_files() -> tuple[Path, ...]:
    """Paths relative to the checkout, sorted; of a tree without git, every file outside caches and builds."""
    # safe.directory: a clone made by another user is still this clone.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        found = (path.relative_to(REPOSITORY) for path in REPOSITORY.rglob("*"))
        names = [path for path in found if not NOT_OURS & set(path.parts)]
    else:
        names = [Path(name) for name in answer.stdout.split("\0") if name]
    return tuple(sorted(path for path in names if (REPOSITORY / path).is_file()))


def markdown_files() -> tuple[Path, ...]:
    """Every Markdown file of the project, relative to the checkout."""
    return tuple(path for path in tracked_files() if path.suffix == ".md")
