"""The options of commands that can be held to memory and disk."""

from __future__ import annotations

from typing import Annotated

import typer

MemoryLimitOption = Annotated[
    str | None,
    typer.Option(
        "--memory-limit", metavar="SIZE", help="Memory the engine may take, e.g. 4GB; more is spilled to disk."
    ),
]
ScratchLimitOption = Annotated[
    str | None,
    typer.Option(
        "--scratch-limit",
        metavar="SIZE",
        help="Disk that may be spilled to, e.g. 100GB (default: 90% of what is free).",
    ),
]
