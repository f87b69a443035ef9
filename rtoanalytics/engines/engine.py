"""What measures and results ask of an engine, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from rtoanalytics.bundle import Bundle


class Engine(Protocol):
    """The evidence of one bundle, its drill definition and what queries returned, each a relation."""

    @property
    def bundle(self) -> Bundle:
        """The bundle whose relations these are."""
        ...

    def arrow(self, relation: str) -> pa.Table:
        """A relation as an Arrow table in a total order: by every column, nulls first. Raises QueryError."""
        ...

    def rows(self, relation: str) -> list[dict[str, Any]]:
        """A small relation as dictionaries, in the order of `arrow`. Raises QueryError."""
        ...
