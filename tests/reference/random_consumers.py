"""Commits of a random drill: groups that pause in trouble, catch up, move between clusters, rewind and jump."""

from .drill_facts import groups_of, topic_behind
from .evidence import Row, Tables
from .random_story import SECOND_US, Story
from .watermarks import Partition


def commits(story: Story, _made: Tables) -> list[Row]:
    """Return the commits of every group, and now and then of one that nobody knows."""
    rows: list[Row] = []
    groups = groups_of(story.drill)
    for group_id, topics in groups.items():
        if story.rng.random() < 0.07:
            continue
        for place in sorted(story.logs):
            if topic_behind(story.drill, place[0], place[1], topics) is not None or story.often(0.1):
                rows += commits_on(story, group_id, place)
    if story.often(0.2):
        rows += [row | {"group_id": "stranger"} for row in rows if story.rng.random() < 0.1]
    return rows


def commits_on(story: Story, group_id: str, place: Partition) -> list[Row]:
    """Return a group's commits on one partition, as long as it reads that cluster."""
    if story.often(0.08):
        return []
    method = story.rng.choice(["log", "log", "poll", None])
    numbered = story.rng.random() < 0.5
    cadence_us = story.rng.choice([SECOND_US // 2, SECOND_US, SECOND_US, 2 * SECOND_US])
    rows = []
    for number, tick_us in enumerate(story.without_a_while(story.ticks(cadence_us))):
        is_reading = story.cluster_at(tick_us) == place[0] and not story.is_troubled(tick_us)
        if not is_reading or story.often(0.1):
            continue
        row: Row = {
            "cluster": place[0],
            "group_id": group_id,
            "topic": place[1],
            "partition": place[2],
            "method": method,
        }
        row |= {"committed_at": tick_us, "committed_offset": accident(story, place, consumed_by(story, place, tick_us))}
        row["observed_at"] = (
            story.rng.choice([tick_us, tick_us + 300_000]) if method == "poll" or story.often(0.2) else None
        )
        row["commit_seq"] = number if numbered else None
        row["leader_epoch"] = story.rng.choice([0, None])
        rows.append(row)
    rows += [at_the_same_time(story, row) for row in rows if story.often(0.06)]
    return stop_early(story, rows)


def consumed_by(story: Story, place: Partition, instant_us: int) -> int:
    """Return the next offset to read of a group that keeps up."""
    below = [entry.record_offset for entry in story.logs[place] if entry.at_us <= instant_us - 200_000]
    return max(below) + 1 if below else min(story.base_offset, story.logs[place][0].record_offset)


def accident(story: Story, place: Partition, offset: int) -> int:
    """Return the offset, or one that is rewound, reset, jumped ahead or above the log end."""
    if not story.often(0.08):
        return offset
    ends = story.logs[place][-1].record_offset + 1
    first = story.logs[place][0].record_offset
    return story.rng.choice(
        [max(0, offset - story.rng.randint(1, 5)), 0, first, ends, ends + 3, offset + story.rng.randint(1, 4)]
    )


def at_the_same_time(story: Story, row: Row) -> Row:
    """Commit once more at the same instant: commit_seq decides, and where it is null the offset."""
    offset = max(0, row["committed_offset"] + story.rng.choice([-3, -1, 0, 2]))
    sequence = story.rng.choice([None, row["commit_seq"], (row["commit_seq"] or 0) + 1])
    return row | {"committed_offset": offset, "commit_seq": sequence}


def stop_early(story: Story, rows: list[Row]) -> list[Row]:
    """Let some groups stop committing long before the end, so that backlog remains."""
    if not rows or story.rng.random() > 0.1 + 0.15 * story.nastiness:
        return rows
    rows = sorted(rows, key=lambda row: row["committed_at"])
    return rows[: story.rng.randint(1, len(rows))]
