"""Effects of a random drill in its downstreams: once, twice, never, out of order, and of records that nobody acked."""

from collections.abc import Callable

from .drill_facts import Downstream, downstreams_of
from .evidence import Row, Tables
from .random_story import SECOND_US, Story

DELIVERIES: list[list[int | None]] = [[0], [0, 1], [None, 1], [0, 1, 2], [1, 2], [None]]  # ordinals of one delivery


def applied(story: Story, made: Tables) -> list[Row]:
    """Return the applied rows of every downstream, and now and then of one that nobody knows."""
    rows = [row for downstream in downstreams_of(story.drill) for row in applied_in(story, made["acks"], downstream)]
    if story.often(0.1):
        rows += [dict(row, downstream="stranger") for row in rows if story.rng.random() < 0.1]
    return rows


def applied_in(story: Story, acks: list[Row], downstream: Downstream) -> list[Row]:
    """Apply acked records: mostly once, with ranges of offsets that are applied twice or not at all."""
    acked = [ack for ack in acks if ack["outcome"] == "acked"]
    twice = random_range(story, acked, 0.15 + 0.2 * story.nastiness)
    never = random_range(story, acked, 0.1 + 0.25 * story.nastiness)
    tail_us = (
        story.instant(story.clock_us, story.end_us)
        if story.rng.random() < 0.1 + 0.15 * story.nastiness
        else story.end_us
    )
    has_ids = downstream.match == "record_id" or story.rng.random() < 0.5
    rows: list[Row] = []
    for ack in acked:
        is_unread = ack["acked_at"] > tail_us or (story.failover_us is not None and story.is_troubled(ack["acked_at"]))
        times = 0 if is_unread or never(ack) else 2 if twice(ack) else 1
        if story.often(0.05):
            times = story.rng.choice([0, 2, 3])
        rows += [row for _ in range(times) for row in effects(story, downstream, ack, has_ids=has_ids)]
    rows += [stray(story, row) for row in rows if story.often(0.05)]
    return name_applications(story, rows)


def random_range(story: Story, acked: list[Row], probability: float) -> Callable[[Row], bool]:
    """Return what tells whether an ack lies in a random range of offsets of one partition: mostly nothing does."""
    if not acked or story.rng.random() > probability:
        return lambda _: False
    first = story.rng.choice(acked)
    end = first["record_offset"] + story.rng.randint(1, 8)
    return lambda ack: bool(
        ack["partition"] == first["partition"] and first["record_offset"] <= ack["record_offset"] < end
    )


def effects(story: Story, downstream: Downstream, ack: Row, *, has_ids: bool) -> list[Row]:
    """Apply a record once: one row, or with `many` one row per ordinal."""
    applied_us = story.end_of_trouble(ack["acked_at"])
    applied_us = story.instant(applied_us, applied_us + story.rng.choice([SECOND_US // 2, SECOND_US, 5 * SECOND_US]))
    row: Row = {
        "downstream": downstream.name,
        "record_id": ack["record_id"] if has_ids else None,
        "applied_at": applied_us,
    }
    if downstream.match == "offset" or story.rng.random() < 0.5:
        row |= {column: ack[column] for column in ("cluster", "topic", "partition", "record_offset")}
    for column, probability in [("cluster", 0.1), ("record_offset", 0.02), ("topic", 0.02), ("record_id", 0.05)]:
        if story.often(probability):
            row[column] = None
    if downstream.delivery != "many":
        return [row | {"ordinal": story.rng.choice([None, None, None, 0, 1])}]
    return [row | {"ordinal": ordinal} for ordinal in story.rng.choice(DELIVERIES)]


def stray(story: Story, row: Row) -> Row:
    """Return a row that belongs to no acked record, or to another than it seems."""
    kind = story.rng.choice(["above", "below", "nowhere", "unknown id", "other partition", "other topic", "other id"])
    offset = row.get("record_offset")
    nowhere: Row = dict.fromkeys(["cluster", "topic", "partition", "record_offset"])
    changes: dict[str, Row] = {
        "above": {"record_offset": story.base_offset + 90},
        "below": {"record_offset": max(0, (offset or 5) - 5), "record_id": story.rng.choice([None, "old"])},
        "nowhere": nowhere | {"record_id": story.rng.choice([None, "old"])},
        "unknown id": {"record_id": "unknown"},
        "other partition": {"partition": 9, "record_id": None},
        "other topic": {"topic": "audit", "record_id": None},
        "other id": {"record_id": f"r{story.rng.randrange(10):03}"},
    }
    return row | changes[kind]


def name_applications(story: Story, rows: list[Row]) -> list[Row]:
    """Give application_ids to none, some or all rows, and some of them to other rows too."""
    mode = story.rng.choice(["none", "none", "some", "all"])
    for number, row in enumerate(rows):
        if mode == "all" or (mode == "some" and story.rng.random() < 0.5):
            row["application_id"] = f"a{number}"
    named = [row for row in rows if row.get("application_id") is not None]
    for row in [row for row in named if story.often(0.08)]:
        kind = story.rng.choice(["same", "later", "earlier", "other record"])
        if kind == "other record":
            rows.append(story.rng.choice(rows) | {"application_id": row["application_id"]})
        else:
            rows.append(
                row | {"applied_at": row["applied_at"] + {"same": 0, "later": SECOND_US, "earlier": -SECOND_US}[kind]}
            )
    return rows
