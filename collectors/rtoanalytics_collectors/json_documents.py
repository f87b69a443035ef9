"""JSON that others wrote, made fit for the evidence."""

from __future__ import annotations

import json
from typing import Any


def parsed(encoded: bytes) -> Any:  # noqa: ANN401  (JSON is anything until it was looked at)
    r"""The document in some bytes. Raises ValueError when they hold none.

    JSON can spell half a character (a lone surrogate), which no text of the evidence can hold: it becomes "?".

    >>> parsed(b'{"a": "x\\ud800"}')
    {'a': 'x?'}
    """
    try:
        document = json.loads(encoded)
        if b"\\u" not in encoded:
            return document
        return json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
    except RecursionError as error:
        msg = "nested too deeply"
        raise ValueError(msg) from error
