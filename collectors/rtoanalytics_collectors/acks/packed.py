"""Acknowledged records as bytes, one after the other: what a delivery callback keeps, and how it becomes columns.

Objects that one thread makes and another one reads and frees cost more than all else that a delivery callback does:
two cores then pass each other's memory back and forth. Bytes in one buffer do not, and Arrow reads them without
Python.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_KEY_BYTES = 67
"""The longest key that has its place beside the numbers of its record."""
NUMBERS = Struct("=qddi")
"""record_offset, latency and acked_at in seconds, partition."""
KEYED = Struct(f"=qddi{MAX_KEY_BYTES + 1}p")
"""The same, and the key: its length in one byte, and then as much as there is room for."""

Column = Any
"""An Arrow array."""
_KEPT_BYTES = 32 * 1024 * 1024
_COUNT = NUMBERS.size
_KEY = NUMBERS.size + 1


class Packed:
    """Records of one layout that callbacks add to, and one thread takes."""

    def __init__(self, layout: Struct) -> None:
        self._width = layout.size
        self._rows = bytearray()
        self._taken = bytearray()
        self.put = self._rows.extend
        """Add one packed record; one call, so that no lock is needed."""

    def __len__(self) -> int:
        """Records that have not been taken."""
        return len(self._rows) // self._width

    def take(self) -> memoryview:
        """Every record; good until the next call. What callbacks add meanwhile stays. One thread at a time.

        Memory that is asked for anew every time would cost more than the copy: so it is kept, up to some megabytes.
        The copy is one assignment, since callbacks may add between any two.
        """
        if len(self._taken) > _KEPT_BYTES:
            self._taken = bytearray()
        room, size = len(self._taken), len(self._rows)
        try:
            self._taken[:size] = self._rows
        except BufferError:  # somebody still looks at what was taken before
            self._taken = bytearray(self._rows)
            room, size = len(self._taken), len(self._taken)
        taken = size + len(self._taken) - max(room, size)
        del self._rows[:taken]
        return memoryview(self._taken)[:taken]


class Numbers(NamedTuple):
    """What is known of acknowledged records, as columns."""

    offsets: Column
    latencies: Column
    instants: Column
    partitions: Column


def numbers_of(rows: memoryview, width: int) -> Numbers:
    """The numbers of packed records that take `width` bytes each."""
    packed = _rows(rows, width)
    return Numbers(
        _slice(packed, 0, 8, pa.int64()),
        _slice(packed, 8, 16, pa.float64()),
        _slice(packed, 16, 24, pa.float64()),
        _slice(packed, 24, 28, pa.int32()),
    )


def texts_of(rows: memoryview) -> Column | None:
    """The keys of packed records as text; None when one of them is no UTF-8, or ends as its room is filled up."""
    packed = _rows(rows, KEYED.size)
    lengths = _lengths(packed)
    try:
        filled = pc.binary_slice(packed, _KEY, _KEY + pc.max(lengths).as_py()).cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return None
    texts = pc.ascii_rtrim(filled, characters="\0")
    is_whole: bool = pc.all(pc.equal(pc.binary_length(texts), lengths)).as_py()
    return texts if is_whole else None


def keys_of(rows: memoryview) -> Sequence[bytes]:
    """The keys of packed records."""
    lengths = _lengths(_rows(rows, KEYED.size)).to_pylist()
    starts = range(_KEY, len(rows), KEYED.size)
    return [bytes(rows[start : start + length]) for start, length in zip(starts, lengths, strict=True)]


def _rows(rows: memoryview, width: int) -> Column:
    return pa.Array.from_buffers(pa.binary(width), len(rows) // width, [None, pa.py_buffer(rows)])


def _lengths(packed: Column) -> Column:
    return _slice(packed, _COUNT, _KEY, pa.uint8()).cast(pa.int32())


def _slice(packed: Column, start: int, stop: int, kind: pa.DataType) -> Column:
    """Some of the bytes of every record, as what they stand for."""
    return pa.Array.from_buffers(kind, len(packed), [None, pc.binary_slice(packed, start, stop).buffers()[1]])
