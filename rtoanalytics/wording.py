"""Counts and durations as people write them, for the reasons that checks give."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun.

    >>> counted(1, "hole"), counted(1200, "record"), counted(2, "identity", "identities")
    ('1 hole', '1,200 records', '2 identities')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def seconds(value: float) -> str:
    """A duration with its unit, to the millisecond.

    >>> seconds(16.911321), seconds(120.0), seconds(0.0004)
    ('16.911 s', '120 s', '0.0004 s')
    """
    text = f"{value:,.3f}" if abs(value) >= 0.001 or not value else f"{value:.1g}"  # noqa: PLR2004
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " s"


def sentence(text: str) -> str:
    """The text as a sentence: a full stop, and a capital unless it begins with a name of the evidence.

    >>> sentence("nothing was captured"), sentence("payments-sink ended 3 records behind")
    ('Nothing was captured.', 'payments-sink ended 3 records behind.')
    """
    first = text.split(maxsplit=1)[0] if text else ""
    is_name = any(mark in first for mark in "_-./")
    start = text if is_name else text[:1].upper() + text[1:]
    return start if start.endswith((".", "!", "?")) else f"{start}."
