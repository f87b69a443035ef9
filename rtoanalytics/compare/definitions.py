"""drill.yaml of an analyzed bundle, read quickly: a library holds a thousand of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml
from pydantic import ValidationError

from rtoanalytics.drill import Drill, load_drill

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES = 100_000
_LOADER = getattr(yaml, "CSafeLoader", None)
"""libyaml's parser, twenty times as fast as the one that gives every place of a mistake; not on every machine."""


def read_definition(path: Path) -> Drill:
    """The definition, as `load_drill` reads it. Raises DrillError with every problem.

    The analysis whose results stand beside it has already refused keys that stand twice. Whatever else is out of the
    ordinary goes the slow way, which knows how to say what is wrong.
    """
    return _read_quickly(path) or load_drill(path)


def _read_quickly(path: Path) -> Drill | None:
    try:
        content = path.read_bytes()
        # Aliases could make a small file explode.
        if _LOADER is None or len(content) > _MAX_BYTES or b"*" in content or b"&" in content:
            return None
        document = yaml.load(content, Loader=_LOADER)  # noqa: S506  (a safe loader)
        # Strict facts take lists for tuples from JSON only.
        return Drill.model_validate_json(json.dumps(document, default=lambda instant: instant.isoformat()))
    except (OSError, ValueError, AttributeError, TypeError, RecursionError, yaml.YAMLError, ValidationError):
        return None
