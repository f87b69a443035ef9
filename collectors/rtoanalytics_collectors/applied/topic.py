"""Applied: the records of a Kafka output topic, each one effect of the record that its headers name.

Followed without joining a group. `applied_at` is the timestamp of the output record: with `LogAppendTime` the broker's
clock when it was written; with `CreateTime` the clock of the writing program, and some (Kafka Streams) copy the
timestamp of the input instead, so that the effect looks as old as its cause: prefer LogAppendTime on such topics.
`timestamp_types` tells which were found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.applied.layout import check_columns
from rtoanalytics_collectors.applied.seen import captured_effects
from rtoanalytics_collectors.failures import PartialLookError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rtoanalytics_collectors.identity import RecordId
    from rtoanalytics_collectors.kafka import Headers
    from rtoanalytics_collectors.kafka.tailing import Tail, TailRecord
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

    Follow = Callable[[Mapping[int, int] | None], Tail]

_NUMBERS = ("partition", "record_offset", "ordinal")
_BINARY_NUMBER_BYTES = (4, 8)


class TopicApplied:
    """Effects of one downstream that is a topic, each read once. Not thread-safe."""

    tables = ("applied",)

    def __init__(
        self,
        downstream: str,
        follow: Follow,
        source_headers: Mapping[str, str],
        *,
        record_id: RecordId | None = None,
        constants: Mapping[str, str | int] | None = None,
    ) -> None:
        """Nothing is asked of the cluster yet. Raises UsageError for a column that `applied` does not have.

        `follow` begins to follow the topic: where it likes for None, else at the next offset to read by partition.
        `source_headers` names the header that carries each column of `applied`; a number is decimal text or a
        big-endian integer of four or eight bytes, and anything else is null. `record_id` finds the record's identity
        where no header is named for it. `constants` are the same in every row.
        """
        check_columns([*source_headers, *(constants or {})], "downstream")
        self.target = downstream
        self._follow = follow
        self._headers = dict(source_headers)
        self._record_id = record_id
        self._constants = {**(constants or {}), "downstream": downstream}
        self._tail: Tail | None = None
        self._next_offsets: dict[int, int] = {}
        self._looks_to_vouch = 0
        """Whole looks until one may vouch for the time before it again: records were deleted unread."""
        self.timestamp_types: set[str] = set()

    @property
    def is_continuous(self) -> bool:
        """Whether the last look had everything since the one before: not when the log had been cut off meanwhile."""
        return self._looks_to_vouch == 0

    def resume(self, captured: Iterable[Row]) -> None:
        """Continue behind the captured effects of this downstream."""
        for name in captured_effects(captured, self.target):
            place = name.rsplit("-", 2)
            partition, offset = int(place[1]), int(place[2])
            self._next_offsets[partition] = max(self._next_offsets.get(partition, 0), offset + 1)

    def collect(self) -> Sample:
        """Read what is new.

        Raises TransientError when nothing could be looked at, PartialLookError with what was read when a partition
        has more than was read, or had records that are deleted now.
        """
        if self._tail is None:
            self._tail = self._follow(self._next_offsets or None)
        drain = self._tail.drain()
        rows = [self._row(record, drain.asked_at, self._tail.topic) for record in drain.records]
        lost = [
            f"partition {gap.partition} lost {gap.from_offset} to {gap.to_offset} ({gap.reason})" for gap in drain.gaps
        ]
        behind = [f"partition {partition} {why}" for partition, why in drain.behind.items()]
        if lost:
            self._looks_to_vouch = 2
        if lost or behind:
            msg = (
                f'downstream "{self.target}": {self._tail.topic} was not read to its end: {"; ".join([*lost, *behind])}'
            )
            raise PartialLookError(msg, {"applied": rows})
        self._looks_to_vouch = max(0, self._looks_to_vouch - 1)
        return {"applied": rows}

    def close(self) -> None:
        """Release the connections."""
        if self._tail is not None:
            self._tail.close()

    def _row(self, record: TailRecord, asked_at: int, topic: str) -> Row:
        row: Row = {
            **self._constants,
            **{name: _header(record.headers, self._headers[name], name) for name in self._headers},
        }
        if self._record_id is not None and "record_id" not in self._headers:
            row["record_id"] = self._record_id(record.key, record.headers)
        if record.timestamp_type is not None:
            self.timestamp_types.add(record.timestamp_type)
        row["applied_at"] = asked_at if record.timestamp_ms is None else record.timestamp_ms * 1_000
        row["application_id"] = f"{topic}-{record.partition}-{record.offset}"
        return row


def _header(headers: Headers, name: str, column: str) -> str | int | None:
    """The value of the last header of this name, as its column holds it."""
    value = next((value for found, value in reversed(headers) if found == name), None)
    if value is None:
        return None
    return _number(value) if column in _NUMBERS else value.decode(errors="replace")


def _number(value: bytes) -> int | None:
    """A number that is not negative, from decimal text or a big-endian integer; None for anything else.

    >>> _number(b"17"), _number((17).to_bytes(8, "big")), _number(b"-1"), _number(b"x")
    (17, 17, None, None)
    """
    if value.isdigit():
        return int(value)
    if len(value) not in _BINARY_NUMBER_BYTES:
        return None
    number = int.from_bytes(value, "big", signed=True)
    return number if number >= 0 else None
