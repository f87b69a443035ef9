"""Names, texts and paths as SQL."""

from __future__ import annotations

_GLOB_ESCAPES = str.maketrans({"[": "[[]", "*": "[*]", "?": "[?]"})


def quoted(name: str) -> str:
    """A column name.

    >>> quoted("log end"), quoted('a"b')
    ('"log end"', '"a""b"')
    """
    return '"' + name.replace('"', '""') + '"'


def text_literal(text: str) -> str:
    """A string.

    >>> text_literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def path_literal(path: str) -> str:
    """A path that DuckDB does not expand: it globs every path, also one that names a file exactly.

    >>> path_literal("drills[2026]/*.parquet")
    "'drills[[]2026]/[*].parquet'"
    """
    return text_literal(path.translate(_GLOB_ESCAPES))
