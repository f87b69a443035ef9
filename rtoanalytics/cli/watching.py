"""Progress on the terminal, where somebody looks at one."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rtoanalytics.engines.progress import Step


@contextmanager
def watched(bundle: Path, *, is_seen: bool = True) -> Iterator[Callable[[Step], None] | None]:
    """Progress of the work on one bundle, to be told its steps; None where standard error is no terminal."""
    if not (is_seen and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console

    from rtoanalytics.cli.progress import shown_progress

    with shown_progress(Console(stderr=True), bundle.resolve().name) as watch:
        yield watch
