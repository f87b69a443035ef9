"""What must not be said: secrets that a capture was given, taken out of every message that leaves it."""

from __future__ import annotations

import base64
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, urlsplit

from rtoanalytics.errors import RtoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN = "[hidden]"
WITHHELD = "(this message repeats a secret and is not shown)"
_PEM_LINE = 16
"""A line of a key in PEM form is a secret of its own when it is at least this long."""
_PARAMETER = re.compile(r"[?&;\s]?\w*(?:password|pwd|secret|token|key)\w*\s*=\s*([^&;\s]+)", re.IGNORECASE)


class Secrets:
    """Secrets in all the ways in which they may come back in an error: as they are, encoded, escaped, in parts."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Hide `secret` from now on: the whole, the password of an address, the lines of a key."""
        for part in _parts(secret):
            self._forms |= {form for form in _forms(part) if form.strip()}
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def scrub(self, message: str) -> str:
        """The message without any secret.

        >>> secrets = Secrets()
        >>> secrets.add("hunter2!")
        >>> secrets.scrub('cannot log in as drill:hunter2! (hunter2%21)')
        'cannot log in as drill:[hidden] ([hidden])'
        """
        if self._pattern is None:
            return message
        clean = self._pattern.sub(HIDDEN, message)
        return WITHHELD if self._pattern.search(clean.replace(HIDDEN, "")) or self._is_in_seams(clean) else clean

    def _is_in_seams(self, message: str) -> bool:
        """Whether what was put in has made a secret with what stands beside it."""
        return any(form in message for form in self._forms if form not in HIDDEN)


@contextmanager
def scrubbed(secrets: Secrets) -> Iterator[None]:
    """Let no error out that repeats a secret: the same error, with a clean message and without its causes."""
    try:
        yield
    except RtoError as error:
        error.args = (secrets.scrub(str(error)),)
        raise error from None
    except Exception as error:  # noqa: BLE001  (a defect: its message may repeat a secret like any other)
        msg = secrets.scrub(f"{type(error).__name__}: {error}")
        raise RuntimeError(msg) from None


def _parts(secret: str) -> Iterator[str]:
    yield secret
    yield secret.strip()
    yield from (line.strip() for line in secret.splitlines() if len(line.strip()) >= _PEM_LINE)
    yield from _PARAMETER.findall(secret)
    if "://" in secret:
        yield from _of_address(secret)


def _of_address(address: str) -> Iterable[str]:
    """User and password of an address, the password alone, and as it is once it is decoded."""
    try:
        parts = urlsplit(address)
        password = parts.password or ""
    except ValueError:
        return []
    pair = f"{parts.username}:{password}"
    return [password, unquote(password), *((pair, unquote(pair)) if password else ())]


def _forms(secret: str) -> set[str]:
    encoded = secret.encode("utf-8", "surrogateescape")
    return {
        secret,
        quote(secret, safe="", errors="surrogateescape"),
        quote(secret, errors="surrogateescape"),
        quote_plus(secret, errors="surrogateescape"),
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        base64.b64encode(encoded).decode(),
    }
