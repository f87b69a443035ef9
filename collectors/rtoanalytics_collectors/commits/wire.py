"""Bytes as Kafka lays them out: big-endian numbers, length-prefixed strings, and the flexible forms with their tags.

A `Cursor` never reads beyond its bytes and never guesses: bytes that end too early, lengths that cannot be and text
that is not UTF-8 raise `WireError`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Item = TypeVar("_Item")
_NUMBERS = {width: struct.Struct(">" + code) for width, code in ((1, "b"), (2, "h"), (4, "i"), (8, "q"))}
_MAX_VARINT_BYTES = 5
_UUID_BYTES = 16


class WireError(ValueError):
    """Bytes that are not what their version says."""


class Cursor:
    """Reads a message from its first byte on.

    `is_flexible` says which form strings, bytes and arrays have: a fixed-width length, or a varint of length + 1.
    """

    def __init__(self, data: bytes, *, is_flexible: bool = False) -> None:
        self.is_flexible = is_flexible
        self._data = data
        self._next = 0

    @property
    def remaining(self) -> int:
        """Bytes that were not read yet."""
        return len(self._data) - self._next

    def int8(self) -> int:
        """A signed byte."""
        return self._number(1)

    def int16(self) -> int:
        """A signed number of two bytes."""
        return self._number(2)

    def int32(self) -> int:
        """A signed number of four bytes."""
        return self._number(4)

    def int64(self) -> int:
        """A signed number of eight bytes."""
        return self._number(8)

    def varint(self) -> int:
        """An unsigned number of seven bits a byte, lowest first, of at most 32 bits."""
        number = 0
        for place in range(_MAX_VARINT_BYTES):
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:  # noqa: PLR2004  (the top bit says that more follows)
                return _at_most_32_bits(number)
        msg = "a varint goes on beyond five bytes"
        raise WireError(msg)

    def string(self) -> str:
        """Text that may not be null."""
        text = self.nullable_string()
        if text is None:
            msg = "a string is null that may not be"
            raise WireError(msg)
        return text

    def nullable_string(self) -> str | None:
        """Text, or None."""
        length = self.varint() - 1 if self.is_flexible else self.int16()
        if length == -1:
            return None
        try:
            return self.take(length).decode()
        except UnicodeDecodeError as error:
            raise WireError(str(error)) from None

    def blob(self) -> bytes:
        """A run of bytes that may not be null."""
        return self.take(self._length())

    def array(self, item: Callable[[], _Item]) -> tuple[_Item, ...]:
        """Items, each read by `item`."""
        return tuple(item() for _ in range(self._length()))

    def uuid(self) -> bytes:
        """Sixteen bytes."""
        return self.take(_UUID_BYTES)

    def tags(self) -> None:
        """Pass over the tagged fields that end every flexible structure; nothing where the form is fixed."""
        if self.is_flexible:
            for _ in range(self.varint()):
                self.varint()
                self.take(self.varint())

    def end(self) -> None:
        """Be at the end: bytes behind it mean that the version is not what it says."""
        if self.remaining:
            msg = f"{self.remaining} bytes are left behind the end"
            raise WireError(msg)

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        if not 0 <= length <= self.remaining:
            msg = f"{length} bytes were announced, {self.remaining} are left"
            raise WireError(msg)
        self._next += length
        return self._data[self._next - length : self._next]

    def _number(self, width: int) -> int:
        number: int = _NUMBERS[width].unpack(self.take(width))[0]
        return number

    def _length(self) -> int:
        """A length of bytes or items; every item takes a byte at least, so more than what is left cannot be."""
        length = self.varint() - 1 if self.is_flexible else self.int32()
        if not 0 <= length <= self.remaining:
            msg = f"a length of {length} was announced, {self.remaining} bytes are left"
            raise WireError(msg)
        return length


def _at_most_32_bits(number: int) -> int:
    if number >= 1 << 32:
        msg = "a varint is longer than 32 bits"
        raise WireError(msg)
    return number
