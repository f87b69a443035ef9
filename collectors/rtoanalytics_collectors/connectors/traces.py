"""Stack traces of failed tasks, made fit to be kept: bounded, and without what looks like a credential."""

from __future__ import annotations

import re

MAX_CHARACTERS = 4_000
HIDDEN = "[hidden]"
_NAMED = re.compile(
    r"""((?:password|passwd|pwd|secret|token|credentials?|api[._-]?key|access[._-]?key|private[._-]?key)[\w.-]*
    ["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&)}\]]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_AUTHORIZATION = re.compile(r"\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
_USERINFO = re.compile(r"(\w+://)[^\s/@]+@")
_JAAS = re.compile(r"(sasl\.jaas\.config\s*[=:]\s*)[^;\n]*;?", re.IGNORECASE)


def fit_to_keep(trace: object) -> str | None:
    """The trace without credentials, cut after `MAX_CHARACTERS`; None when there is none.

    >>> fit_to_keep("FATAL: no route to jdbc:postgresql://drill:s3cret@db/x?user=u&password=s3cret&ssl=true")
    'FATAL: no route to jdbc:postgresql://[hidden]@db/x?user=u&password=[hidden]&ssl=true'
    """
    if not isinstance(trace, str) or not trace.strip():
        return None
    clean = trace
    for pattern in (_JAAS, _NAMED, _AUTHORIZATION):
        clean = pattern.sub(rf"\g<1>{HIDDEN}", clean)
    clean = _USERINFO.sub(rf"\g<1>{HIDDEN}@", clean)
    rest = len(clean) - MAX_CHARACTERS
    return clean if rest <= 0 else f"{clean[:MAX_CHARACTERS]}… ({rest} more characters)"
