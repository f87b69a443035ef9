"""Acknowledged records as bytes: what callbacks of several threads add is taken once and as it was."""

from __future__ import annotations

import threading

import pyarrow as pa

from rtoanalytics_collectors.acks.packed import KEYED, MAX_KEY_BYTES, Packed, keys_of, numbers_of, texts_of


def keyed(number: int) -> bytes:
    """A packed record that can be told from any other."""
    return KEYED.pack(number, number / 4, number / 2, number % 7, b"%d" % number)


def test_columns_are_what_was_packed() -> None:
    """Offsets of 63 bits, negative ones, instants to a quarter of a microsecond, and the keys."""
    rows = Packed(KEYED)
    offsets, keys = [2**63 - 1, -1, 0], [b"k" * MAX_KEY_BYTES, b"", b"a"]
    for offset, key in zip(offsets, keys, strict=True):
        rows.put(KEYED.pack(offset, 0.25, 1_795_428_000.00000025, 2**31 - 1, key))
    taken = rows.take()
    numbers = numbers_of(taken, KEYED.size)
    assert numbers.offsets.to_pylist() == offsets
    assert numbers.latencies.to_pylist() == [0.25] * 3
    assert numbers.instants.to_pylist() == [1_795_428_000.00000025] * 3
    assert numbers.partitions.to_pylist() == [2**31 - 1] * 3
    assert keys_of(taken) == keys
    texts = texts_of(taken)
    assert texts is not None
    assert texts.to_pylist() == [key.decode() for key in keys]


def test_what_was_taken_is_not_changed_by_the_next() -> None:
    """Columns are copies: they stay as they are when the memory that they were read from is used again."""
    rows = Packed(KEYED)
    found = []
    for size in (3, 1, 50, 2, 0, 50):
        for number in range(size):
            rows.put(keyed(number + size))
        assert len(rows) == size
        taken = rows.take()
        assert len(rows) == 0
        if size:
            found.append((size, numbers_of(taken, KEYED.size).offsets, texts_of(taken)))
    for size, offsets, texts in found:
        assert offsets.to_pylist() == [number + size for number in range(size)]
        assert isinstance(texts, pa.Array)
        assert texts.to_pylist() == [str(number + size) for number in range(size)]


def test_somebody_who_still_looks_is_no_obstacle() -> None:
    """Memory that is looked at cannot grow: other memory is used then."""
    rows = Packed(KEYED)
    rows.put(keyed(1))
    first = rows.take()
    for number in range(100):
        rows.put(keyed(number))
    assert numbers_of(rows.take(), KEYED.size).offsets.to_pylist() == list(range(100))
    assert numbers_of(first, KEYED.size).offsets.to_pylist() == [1]


def test_records_that_several_threads_add_are_taken_once() -> None:
    """Whatever is added while records are being taken is there the next time, whole."""
    rows, each, threads = Packed(KEYED), 5_000, 4
    ended = threading.Event()

    def add(first: int) -> None:
        for number in range(first, first + each):
            rows.put(keyed(number))

    adding = [threading.Thread(target=add, args=(n * each,)) for n in range(threads)]
    for thread in adding:
        thread.start()
    taken: list[int] = []
    while not ended.is_set():
        if not any(thread.is_alive() for thread in adding):
            ended.set()  # and once more
        found = rows.take()
        taken += numbers_of(found, KEYED.size).offsets.to_pylist() if len(found) else []
    assert sorted(taken) == list(range(each * threads))
