"""Read what a capture has written so far and not made evidence yet: `<bundle>/spool/<collector>/<number>.arrows`.

Reading only, while another process writes: whole batches are taken, a tail that is still being written is left for the
next look, and a segment that became evidence meanwhile is simply gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from rtoanalytics.bundle.files import SPOOL, entries

if TYPE_CHECKING:
    from pathlib import Path

TABLE_KEY = b"rtoanalytics.table"
"""Metadata of a segment's stream: the evidence table that it becomes."""
SUFFIX = ".arrows"
MAX_LOOK_BYTES = 64 * 1024 * 1024
"""Most bytes of one segment that one look takes: a capture that outruns the reader cannot fill its memory."""


class SegmentTail:
    """One segment, read a bit further with every look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.table: str | None = None
        """The evidence table, once the head of the stream has been written."""
        self._schema: pa.Schema | None = None
        self._position = 0

    def read_new(self) -> list[pa.RecordBatch]:
        """The whole batches written since the last look; nothing where the segment is gone or its tail is not whole."""
        found: list[pa.RecordBatch] = []
        try:
            with pa.OSFile(str(self.path), "rb") as source:
                source.seek(self._position)
                end = self._position + MAX_LOOK_BYTES
                while self._position < end and self._takes(pa.ipc.read_message(source), found):
                    self._position = source.tell()
        except (EOFError, OSError, pa.ArrowException):
            return found
        return found

    def _takes(self, message: pa.ipc.Message, found: list[pa.RecordBatch]) -> bool:
        """Whether a message was of use; an end marker is not, and nothing stands behind it."""
        if message.type == "schema":
            self._schema = pa.ipc.read_schema(message)
            self.table = (self._schema.metadata or {}).get(TABLE_KEY, b"").decode()
        elif message.type == "record batch" and self._schema is not None:
            found.append(_with_text(pa.ipc.read_record_batch(message, self._schema)))
        else:
            return False
        return True


def _with_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Names that a segment stores as runs, one value a row as in evidence."""
    arrays = [
        pc.run_end_decode(column) if pa.types.is_run_end_encoded(column.type) else column  # type: ignore[attr-defined]
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def open_segments(root: Path) -> list[Path]:
    """Segments of a capture that are not evidence yet, by collector and number."""
    segments = [path for folder in entries(root / SPOOL) for path in entries(folder) if path.suffix == SUFFIX]
    return sorted(segments, key=lambda path: (path.parent.name, _number(path)))


def evidence_name(segment: Path) -> str:
    """The name of the Parquet file that a segment becomes."""
    return f"{segment.parent.name}-{segment.stem}.parquet"


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdigit() else -1
