"""What a random drill's samplers saw: log ends, partitions, connectors and the rest, with events and heartbeats."""

from .drill_facts import SIMULATED_ENGINE, downstreams_of, groups_of
from .evidence import Row, Tables
from .random_story import SECOND_US, Story, topics_on

SAMPLED = ["acks", "commits", "applied", "watermarks", "partition_states", "connector_states"]
SHORT_STATES: list[tuple[int, int | None]] = [(2, 1), (0, None), (3, None)]  # in_sync, leader
TASKS: list[list[int | None]] = [[None, 0], [None, 0, 1], [None], [0]]
ALIASES = {"watermarks": "log_ends", "partition_states": "partitions", "connector_states": "connectors"}


def watermarks(story: Story, _made: Tables) -> list[Row]:
    """Sample the log ends of all partitions, or of some, with samples left out."""
    rows: list[Row] = []
    ticks = story.ticks(story.cadence_us)
    for place, log in sorted(story.logs.items()):
        if story.often(0.07):
            continue
        knows_start = story.rng.random() < 0.7
        for tick_us in story.without_a_while(ticks):
            if story.often(0.08):
                continue
            ends = max(
                (entry.record_offset + 1 for entry in log if entry.at_us <= tick_us), default=log[0].record_offset
            )
            start = story.rng.choice([0, log[0].record_offset, log[0].record_offset])
            row: Row = {"cluster": place[0], "topic": place[1], "partition": place[2], "observed_at": tick_us}
            row |= {"log_start_offset": min(start, ends) if knows_start else None, "log_end_offset": ends}
            rows.append(row | {"last_stable_offset": story.rng.choice([ends, None])})
    again = [row for row in rows if story.often(0.03)]
    return rows + [row | {"log_end_offset": row["log_end_offset"] + story.rng.randint(1, 2)} for row in again]


def partition_states(story: Story, _made: Tables) -> list[Row]:
    """Sample the replicas of every partition: short of some, or leaderless, in trouble."""
    ticks = story.ticks(story.cadence_us)
    rows: list[Row] = []
    for place in sorted(story.logs):
        is_hurt = story.rng.random() < 0.8
        for tick_us in story.without_a_while(ticks):
            if story.often(0.08):
                continue
            is_short = (is_hurt and story.is_troubled(tick_us)) or story.often(0.02)
            in_sync, leader = story.rng.choice(SHORT_STATES) if is_short else (3, 1)
            row: Row = {"cluster": place[0], "topic": place[1], "partition": place[2], "observed_at": tick_us}
            rows.append(
                row | {"leader": leader, "leader_epoch": story.rng.choice([0, None]), "replicas": 3, "in_sync": in_sync}
            )
    return rows


def connector_states(story: Story, _made: Tables) -> list[Row]:
    """Sample connectors and their tasks; some report progress, some of it stands still."""
    rows: list[Row] = []
    ticks = story.ticks(story.cadence_us)
    for connector in ["sink", "source"]:
        if story.often(0.1):
            continue
        for task_id in story.rng.choice(TASKS):
            reports = story.rng.random() < (0.4 if task_id is None else 0.85)
            stands_still = story.often(0.08)
            started_us = story.instant(story.start_us, story.end_us) if story.often(0.1) else story.start_us
            seen = [tick_us for tick_us in story.without_a_while(ticks) if tick_us >= started_us]
            for tick_us in [tick_us for tick_us in seen if not story.often(0.05)]:
                state = (
                    story.rng.choice(["FAILED", "RESTARTING", "paused", "DESTROYED"])
                    if story.is_troubled(tick_us)
                    else "RUNNING"
                )
                state = story.rng.choice([state, state, state, state.lower()])
                moved = 0 if stands_still else (tick_us - story.start_us) // SECOND_US
                progress = 100 + moved if reports and not story.often(0.05) else None
                row: Row = {"connector": connector, "task_id": task_id, "state": state, "observed_at": tick_us}
                rows.append(row | {"worker_id": "w1", "progress": progress})
    return rows


def broker_states(story: Story, _made: Tables) -> list[Row]:
    """Sample a broker once or not at all."""
    return [
        {"cluster": "primary", "broker_id": 1, "host": "b1", "is_controller": True, "observed_at": seen_us}
        for seen_us in some_instants(story)
    ]


def group_states(story: Story, _made: Tables) -> list[Row]:
    """Sample a group once or not at all."""
    return [
        {"cluster": "primary", "group_id": "group-0", "state": "Stable", "members": 1, "observed_at": seen_us}
        for seen_us in some_instants(story)
    ]


def client_stats(story: Story, _made: Tables) -> list[Row]:
    """Sample a client once or not at all."""
    return [
        {
            "client_id": "c1",
            "role": "producer",
            "broker": "b1:9092",
            "messages_sent": 1,
            "rtt_p99_ms": 1.5,
            "observed_at": seen_us,
        }
        for seen_us in some_instants(story)
    ]


def metrics(story: Story, _made: Tables) -> list[Row]:
    """Sample a metric once or not at all."""
    return [
        {
            "source": "jmx",
            "name": "isr_shrinks",
            "labels": story.rng.choice([{"broker": "1"}, {}, None]),
            "value": 0.5,
            "observed_at": seen_us,
        }
        for seen_us in some_instants(story)
    ]


def mirror_rows(story: Story, _made: Tables) -> list[Row]:
    """Return a checkpoint, which read without its group is also an offset sync."""
    return [
        {
            "source_cluster": "primary",
            "target_cluster": "recovery",
            "group_id": "group-0",
            "topic": "primary.payments",
            "partition": 0,
            "upstream_offset": 7,
            "downstream_offset": 3,
            "emitted_at": emitted_us,
        }
        for emitted_us in some_instants(story)
    ]


def some_instants(story: Story) -> list[int]:
    """Return no instant, or a few, which may lie a little outside the story."""
    if story.rng.random() < 0.7:
        return []
    return [story.instant(story.start_us - SECOND_US, story.end_us + SECOND_US) for _ in range(2)]


def events(story: Story, _made: Tables) -> list[Row]:
    """Return the events: the one that starts the clock, if it was recorded, repetitions, and others around it."""
    kind = story.drill["objectives"].get("clock_starts") or "inject"
    rows: list[Row] = []
    if story.rng.random() > 0.05:
        rows.append({"kind": kind, "occurred_at": story.clock_us, "text": "pulled"})
    if story.often(0.1):
        rows.append({"kind": kind, "occurred_at": story.instant(story.clock_us, story.end_us)})
    for other in ["declare", "switch", "application_ok", "note", "heal", "detect"]:
        if other != kind and story.rng.random() < 0.6:
            earliest_us = story.start_us if story.often(0.2) else story.clock_us
            rows.append(
                {
                    "kind": other,
                    "occurred_at": story.instant(earliest_us, story.end_us),
                    "actor": story.rng.choice(["ops", None]),
                }
            )
    return rows


def cluster_info(story: Story, _made: Tables) -> list[Row]:
    """Tell the engine of every cluster: now and then a simulation."""
    simulated = {cluster for cluster in ["primary", "recovery"] if story.rng.random() < 0.06}
    return [
        {
            "cluster": cluster,
            "engine": SIMULATED_ENGINE if cluster in simulated else "kafka",
            "version": "4.1.0",
            "observed_at": story.start_us,
        }
        for cluster in ["primary", "recovery"]
        if topics_on(story, cluster) and story.rng.random() < 0.9
    ]


def heartbeats(story: Story, _made: Tables) -> list[Row]:
    """Let no collector, one for everything, one per table, or some of them show signs of life."""
    mode = story.rng.choice(["none", "rig", "own", "own", "mixed", "mixed"])
    rows: list[Row] = []
    if mode in ("rig", "mixed"):
        rows += beats_of(story, "rig", None)
    for table in SAMPLED if mode in ("own", "mixed") else []:
        if mode == "own" or story.rng.random() < 0.4:
            collector = story.rng.choice(
                [table, table, ALIASES.get(table, table), f"{table}{story.rng.choice(':/-@')}a"]
            )
            targets = (
                targets_of(story, table)
                if story.rng.random() < 0.35
                else [story.rng.choice([None, None, "127.0.0.1:9092"])]
            )
            for target in targets:
                rows += beats_of(story, collector, target)
    if story.often(0.2):
        rows += beats_of(story, story.rng.choice(["events", "clients", "brokers", "mirror"]), None)
    return rows


def targets_of(story: Story, table: str) -> list[str]:
    """Return what several collectors of one table may share between them."""
    clusters = ["primary", "recovery"]
    choices = {
        "applied": [downstream.name for downstream in downstreams_of(story.drill)],
        "commits": story.rng.choice([clusters, list(groups_of(story.drill))]),
        "connector_states": ["sink", "source"],
    }
    names = choices.get(table, clusters)
    return [name for name in names if story.rng.random() < 0.9]


def beats_of(story: Story, collector: str, target: str | None) -> list[Row]:
    """Return one series of heartbeats: mostly whole, some starting late, falling silent, or ending with a farewell."""
    interval_us = max(story.cadence_us, story.rng.choice([SECOND_US // 2, SECOND_US, 2 * SECOND_US]))
    silent = (0, 0)
    if story.often(0.15):
        from_us = story.instant(story.start_us - SECOND_US, story.end_us)
        silent = (from_us, from_us + story.rng.choice([3, 4, 8, 60]) * interval_us)
    error_ms = story.rng.choice([None, None, 0.0, 1.5, 250.0, 1500.0])
    first_us, last_us = story.start_us - SECOND_US, story.end_us + SECOND_US
    if story.often(0.15):
        first_us = story.instant(first_us, story.end_us)
    ends_early = story.often(0.15)
    if ends_early:
        last_us = story.instant(first_us + 1, last_us)
    rows: list[Row] = []
    for number, tick_us in enumerate(range(first_us, last_us, interval_us)):
        if silent[0] < tick_us < silent[1]:
            continue
        row: Row = {"collector": collector, "target": target, "occurred_at": tick_us, "rows": number}
        rows.append(
            row | {"interval_seconds": interval_us / SECOND_US, "clock_offset_ms": 0.1, "clock_error_ms": error_ms}
        )
    if ends_early and rows and story.often(0.6):
        rows[-1]["interval_seconds"] = 86_400.0
    return rows
