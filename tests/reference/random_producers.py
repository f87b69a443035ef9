"""Produces and logs of a random drill: acks, log_records, log_scans."""

from .drill_facts import flow_topics_of
from .evidence import Row, Tables
from .random_story import SECOND_US, Entry, Story
from .watermarks import Partition, partition_of


def acks(story: Story, _made: Tables) -> list[Row]:
    """Return the outcomes of 2 to 60 produces, with ids and offsets that repeat, and fill the logs."""
    count = story.rng.choice([2, 5, 10, 20, 30, 40, 60])
    sent = sorted(story.instant(story.start_us, story.end_us) for _ in range(count))
    has_ids = story.rng.random() < 0.9
    rows: list[Row] = []
    for number, sent_us in enumerate(sent):
        record_id = f"r{number:03}" if has_ids and not story.often(0.08) else None
        if record_id is not None and number and story.often(0.08):
            record_id = f"r{story.rng.randrange(number):03}"
        rows += outcomes_of(story, sent_us, record_id)
    rows += [again(story, row) for row in rows if story.often(0.05)]
    if story.often(0.2):
        rows += [elsewhere(story, row) for row in rows if story.rng.random() < 0.1]
    return rows


def outcomes_of(story: Story, sent_us: int, record_id: str | None) -> list[Row]:
    """Produce one record: it enters a log and is acked, unless it fails."""
    acked_us = story.instant(sent_us, sent_us + SECOND_US)
    cluster = story.cluster_at(sent_us)
    topic = story.physical(cluster, story.rng.choice(flow_topics_of(story.drill)))
    row: Row = {
        "cluster": cluster,
        "topic": topic,
        "record_id": record_id,
        "producer": story.rng.choice(["p1", "p2", None]),
    }
    row |= {"sent_at": sent_us, "acked_at": acked_us, "acks": story.rng.choice(["all", "1", "0", None])}
    is_failing = story.rng.random() < (0.6 if story.is_troubled(sent_us) else 0) or story.often(0.03)
    if is_failing:
        row |= {"outcome": story.rng.choice(["failed", "failed", "indeterminate", "aborted"]), "error": "timed out"}
        row["partition"] = story.rng.choice([None, story.rng.randrange(story.partitions)])
        row["record_offset"] = None if row["partition"] is None else story.rng.choice([None, story.base_offset + 3])
        return [row]
    place = (cluster, topic, story.rng.randrange(story.partitions))
    entry = append(story, place, record_id, acked_us)
    return [row | {"partition": place[2], "record_offset": entry.record_offset, "outcome": "acked"}]


def append(story: Story, place: Partition, record_id: str | None, at_us: int) -> Entry:
    """Append to a log, sometimes leaving a gap as transaction markers do."""
    log = story.logs.setdefault(place, [])
    offset = log[-1].record_offset + 1 if log else story.base_offset
    log.append(Entry(offset + (story.rng.randint(1, 3) if story.often(0.06) else 0), record_id, at_us))
    return log[-1]


def again(story: Story, row: Row) -> Row:
    """Ack a record once more: the same one, another one at its offset, or its id at another offset."""
    row = dict(row, acked_at=story.instant(row["acked_at"], story.end_us), producer="p9")
    kind = story.rng.choice(["same", "other id", "no id", "other offset", "indeterminate"])
    if kind == "other id":
        row["record_id"] = f"x{story.rng.randrange(20):02}"
    elif kind == "no id":
        row["record_id"] = None
    elif kind == "indeterminate":
        row["outcome"] = "indeterminate"
    elif kind == "other offset" and row["outcome"] == "acked":
        row["record_offset"] += story.rng.randint(1, 4)
    return row


def elsewhere(story: Story, row: Row) -> Row:
    """Ack a record on a cluster the drill may not know, on another partition, or on a topic outside the flow."""
    changes: list[Row] = [{"cluster": "recovery"}, {"cluster": "unlisted"}, {"topic": "audit"}, {"topic": "refunds"}]
    if row["outcome"] == "acked":
        changes.append({"partition": 7})
    return {**row, **story.rng.choice(changes)}


def mirror_logs(story: Story) -> None:
    """Copy the primary's records to the recovery side of a drill that fails over, at offsets of their own."""
    if story.failover_us is None:
        return
    mirrored: dict[Partition, list[Entry]] = {}
    for (cluster, topic, partition), log in sorted(story.logs.items()):
        if cluster != "primary" or topic not in flow_topics_of(story.drill):
            continue
        place = ("recovery", story.physical("recovery", topic), partition)
        copies = [Entry(0, entry.record_id, entry.at_us) for entry in log if story.rng.random() < story.mirrored_share]
        mirrored.setdefault(place, []).extend(copies)
    for place, copies in mirrored.items():
        own = story.logs.get(place, [])
        first = max(0, own[0].record_offset - len(copies)) if own else story.base_offset // 2
        taken = {entry.record_offset for entry in own}
        for offset, entry in enumerate(copies, start=first):
            entry.record_offset = offset if offset not in taken else max(taken) + 1
            taken.add(entry.record_offset)
        if own + copies:
            story.logs[place] = sorted(own + copies, key=lambda entry: entry.record_offset)


def log_scans(story: Story, _made: Tables) -> list[Row]:
    """Read partitions back: all of them once, none, or some several times, from and to anywhere."""
    mode = story.rng.choice(["complete", "complete", "complete", "nasty", "nasty", "none"])
    rows: list[Row] = []
    for (cluster, topic, partition), log in sorted(story.logs.items()):
        ends = log[-1].record_offset + 1
        place: Row = {"cluster": cluster, "topic": topic, "partition": partition, "isolation": "read_committed"}
        if mode == "complete":
            rows.append(place | {"from_offset": 0, "to_offset": ends, "scanned_at": story.end_us + SECOND_US})
        for _ in range(story.rng.choice([0, 1, 1, 2, 3]) if mode == "nasty" else 0):
            first = story.rng.choice([0, log[0].record_offset, story.rng.choice(log).record_offset])
            last = max(first, story.rng.choice([ends, ends + 2, story.rng.choice(log).record_offset]))
            scanned_us = story.end_us + story.rng.randint(0, 2) * SECOND_US
            rows.append(place | {"from_offset": first, "to_offset": last, "scanned_at": scanned_us})
    return rows


def log_records(story: Story, made: Tables) -> list[Row]:
    """Return what the scans read: nearly everything, or a log whose tail was lost and perhaps written over."""
    rows: list[Row] = []
    for place, log in sorted(story.logs.items()):
        scans = [scan["scanned_at"] for scan in made["log_scans"] if partition_of(scan) == place]
        if not scans and story.rng.random() < 0.8:
            continue
        cut = story.rng.choice(log).record_offset if story.rng.random() < 0.1 + 0.15 * story.nastiness else None
        is_overwritten = story.rng.random() < 0.5
        for entry in log:
            survives = cut is None or entry.record_offset < cut
            if survives and not story.often(0.03):
                rows.append(log_row(story, place, entry, scans))
            elif is_overwritten:
                rows.append(
                    log_row(story, place, Entry(entry.record_offset, f"w{entry.record_offset}", entry.at_us), scans)
                )
        if story.often(0.1):
            last = log[-1]
            rows.append(
                log_row(
                    story,
                    place,
                    Entry(last.record_offset + 1, story.rng.choice([last.record_id, "u1", None]), last.at_us),
                    scans,
                )
            )
    return rows


def log_row(story: Story, place: Partition, entry: Entry, scans: list[int]) -> Row:
    """Return one record read back, by one of the scans or by nobody in particular."""
    scanned_us = max(scans) if scans and not story.often(0.08) else story.rng.choice([*scans, None])
    return {
        "cluster": place[0],
        "topic": place[1],
        "partition": place[2],
        "record_offset": entry.record_offset,
        "record_id": None if story.often(0.05) else entry.record_id,
        "appended_at": entry.at_us if not story.often(0.2) else story.instant(story.start_us, entry.at_us),
        "timestamp_type": story.rng.choice(["CreateTime", "LogAppendTime", None]),
        "leader_epoch": story.rng.choice([0, 1, None]),
        "scanned_at": scanned_us if story.rng.random() < 0.8 else None,
    }
