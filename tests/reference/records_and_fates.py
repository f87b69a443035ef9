"""M1 Record fate and M2 Missing from the log."""

from collections import Counter
from dataclasses import dataclass, field

from .drill_facts import Downstream, Drill, is_compacted, rows_on_topics
from .evidence import Row, Tables, nulls_lowest

Coordinates = tuple[str, str, int, int]  # cluster, topic, partition, record_offset
OrderKey = tuple[object, ...]


@dataclass
class Record:
    """One acked record of one downstream's domain, standing at one place."""

    cluster: str
    topic: str
    partition: int
    record_offset: int
    record_id: str | None
    acks: list[Row]
    applied: list[Row] = field(default_factory=list)
    applied_rows: int = 0
    fate: str = "unresolved"
    is_log_missing: bool = False
    is_log_judged: bool = False
    is_overwritten: bool = False

    @property
    def first_acked_us(self) -> int:
        """Return when the record was first acked."""
        instant_us: int = min(row["acked_at"] for row in self.acks)
        return instant_us

    @property
    def last_acked_us(self) -> int:
        """Return when the record was last acked."""
        instant_us: int = max(row["acked_at"] for row in self.acks)
        return instant_us

    @property
    def first_applied_us(self) -> int | None:
        """Return when the record was first applied."""
        return min((row["applied_at"] for row in self.applied), default=None)

    @property
    def last_applied_us(self) -> int | None:
        """Return when the record was last applied."""
        return max((row["applied_at"] for row in self.applied), default=None)

    @property
    def all_coordinates(self) -> set[Coordinates]:
        """Return every place at which the record was acked."""
        return {coordinates_of_ack(row) for row in self.acks}


@dataclass
class Analysis:
    """One downstream's records with their fates, and the applied rows that belong to none."""

    downstream: Downstream
    acks: list[Row]
    records: list[Record]
    applied: list[tuple[Row, Coordinates | None]]  # every applied row with its complete coordinates, if it has them
    strays: list[tuple[Row, Coordinates | None]]
    home: str | None


def analyse(drill: Drill, tables: Tables, downstream: Downstream) -> Analysis:
    """Give every acked record of a downstream's domain exactly one fate."""
    acks = acked_rows(drill, tables, downstream.topics)
    records = records_by_offset(acks) if downstream.match == "offset" else records_by_id(acks)
    rows = [row for row in tables["applied"] if row["downstream"] == downstream.name]
    applied = [(row, coordinates_of_applied(row, acks)) for row in rows]
    strays = []
    for row, coordinates in applied:
        owner = (
            owner_by_offset(row, coordinates, records) if downstream.match == "offset" else owner_by_id(row, records)
        )
        if owner is None:
            strays.append((row, coordinates))
        else:
            owner.applied.append(row)
    home = home_of(tables, downstream.group_id)
    for record in records:
        record.applied_rows = delivered_times(record.applied, downstream.delivery)
        judge_log(drill, tables, record)
        record.fate = fate_of(tables, downstream, record, home)
    records.sort(
        key=lambda r: (r.cluster, r.topic, r.partition, r.record_offset, r.first_acked_us, nulls_lowest(r.record_id))
    )
    return Analysis(downstream, acks, records, applied, strays, home)


def fate_row(analysis: Analysis, record: Record) -> Row:
    """Return one row of the answer `fates`."""
    return {
        "downstream": analysis.downstream.name,
        "cluster": record.cluster,
        "topic": record.topic,
        "partition": record.partition,
        "record_offset": record.record_offset,
        "record_id": record.record_id,
        "fate": record.fate,
        "applied_rows": record.applied_rows,
        "is_log_missing": record.is_log_missing,
        "is_overwritten": record.is_overwritten,
        "first_acked_us": record.first_acked_us,
        "last_acked_us": record.last_acked_us,
        "first_applied_us": record.first_applied_us,
        "last_applied_us": record.last_applied_us,
    }


def acked_rows(drill: Drill, tables: Tables, topics: list[str]) -> list[Row]:
    """Return the acked rows of some topics: the domain."""
    return rows_on_topics(drill, [row for row in tables["acks"] if row["outcome"] == "acked"], topics)


def coordinates_of_ack(row: Row) -> Coordinates:
    """Return where an acked row stands."""
    return (row["cluster"], row["topic"], row["partition"], row["record_offset"])


def records_by_offset(acks: list[Row]) -> list[Record]:
    """Make one record of the rows that share coordinates and record_id."""
    found: dict[tuple[Coordinates, str | None], Record] = {}
    for row in acks:
        key = (coordinates_of_ack(row), row["record_id"])
        if key not in found:
            found[key] = Record(*key[0], key[1], [])
        found[key].acks.append(row)
    return list(found.values())


def records_by_id(acks: list[Row]) -> list[Record]:
    """Make one record of the rows that share a record_id, standing where acked first; without one, by coordinates."""
    rows_of: dict[str, list[Row]] = {}
    records = records_by_offset([row for row in acks if row["record_id"] is None])
    for row in acks:
        if row["record_id"] is not None:
            rows_of.setdefault(row["record_id"], []).append(row)
    for record_id, rows in rows_of.items():
        first = min(rows, key=lambda row: (row["acked_at"], coordinates_of_ack(row)))
        records.append(Record(*coordinates_of_ack(first), record_id, rows))
    return records


def coordinates_of_applied(row: Row, acks: list[Row]) -> Coordinates | None:
    """Return the source coordinates of an applied row; a null cluster is the only one with acks for the topic."""
    cluster = row["cluster"]
    if cluster is None:
        candidates = {ack["cluster"] for ack in acks if ack["topic"] == row["topic"]}
        cluster = candidates.pop() if len(candidates) == 1 else None
    coordinates = (cluster, row["topic"], row["partition"], row["record_offset"])
    return None if None in coordinates else coordinates


def owner_by_offset(row: Row, coordinates: Coordinates | None, records: list[Record]) -> Record | None:
    """Find the record an applied row belongs to by coordinates."""
    there = [r for r in records if (r.cluster, r.topic, r.partition, r.record_offset) == coordinates]
    if row["record_id"] is None:
        return max(there, key=lambda r: (r.last_acked_us, nulls_lowest(r.record_id)), default=None)
    for wanted in (row["record_id"], None):
        for record in there:
            if record.record_id == wanted:
                return record
    return None


def owner_by_id(row: Row, records: list[Record]) -> Record | None:
    """Find the record an applied row belongs to by record_id."""
    for record in records:
        if record.record_id is not None and record.record_id == row["record_id"]:
            return record
    return None


def delivered_times(applied: list[Row], delivery: str) -> int:
    """Return n: the number of applied rows, or with `many` the largest number over one ordinal."""
    if delivery != "many":
        return len(applied)
    return max(Counter(row["ordinal"] or 0 for row in applied).values(), default=0)


def commit_order(commit: Row) -> OrderKey:
    """Return the key by which one commit is later than another."""
    return (
        commit["committed_at"],
        nulls_lowest(commit["commit_seq"]),
        nulls_lowest(commit["observed_at"]),
        commit["committed_offset"],
    )


def commits_of(tables: Tables, group_id: str | None) -> list[Row]:
    """Return the commits of a group, whatever the topic, earliest first."""
    commits = [row for row in tables["commits"] if group_id is not None and row["group_id"] == group_id]
    return sorted(commits, key=lambda row: (commit_order(row), row["cluster"]))


def home_of(tables: Tables, group_id: str | None) -> str | None:
    """Return the cluster of the group's last commit."""
    commits = commits_of(tables, group_id)
    return commits[-1]["cluster"] if commits else None


def final_commit(tables: Tables, group_id: str | None, cluster: str, topic: str, partition: int) -> int | None:
    """Return the offset of the group's last commit on a partition, which need not be its highest."""
    place = (group_id, cluster, topic, partition)
    commits = [
        row for row in tables["commits"] if (row["group_id"], row["cluster"], row["topic"], row["partition"]) == place
    ]
    offset: int | None = max(commits, key=commit_order)["committed_offset"] if commits else None
    return offset


def fate_of(tables: Tables, downstream: Downstream, record: Record, home: str | None) -> str:
    """Return the fate of a record."""
    if record.applied_rows > 0:
        return "once" if record.applied_rows == 1 else "duplicated"
    if downstream.match == "record_id" and record.record_id is None:
        return "unresolved"
    if home is None:
        return "lost" if record.is_log_missing else "unresolved"
    if home == record.cluster:
        if record.is_log_missing:
            return "lost"
        place = (record.cluster, record.topic, record.partition, record.record_offset)
        return fate_by_commit(tables, downstream, place)
    return fate_after_failover(tables, downstream, record, home)


def fate_after_failover(tables: Tables, downstream: Downstream, record: Record, home: str) -> str:
    """Return the fate of an unapplied record whose group ended on another cluster than it was acked on."""
    is_scanned = any(scan["cluster"] == home for scan in tables["log_scans"])
    if record.record_id is None or not is_scanned:
        return "unresolved"
    rows = [row for row in tables["log_records"] if row["cluster"] == home and row["record_id"] == record.record_id]
    if not rows:
        return "lost"
    offset, topic, partition = min((row["record_offset"], row["topic"], row["partition"]) for row in rows)
    return fate_by_commit(tables, downstream, (home, topic, partition, offset))


def fate_by_commit(tables: Tables, downstream: Downstream, place: Coordinates) -> str:
    """Return the fate of an unapplied record that is not lost, by the group's final commit there."""
    cluster, topic, partition, offset = place
    committed_offset = final_commit(tables, downstream.group_id, cluster, topic, partition)
    if committed_offset is None:
        return "unresolved"
    if committed_offset <= offset:
        return "pending"
    return "filtered" if downstream.delivery == "at_most_one" else "skipped"


def judge_log(drill: Drill, tables: Tables, record: Record) -> None:
    """Tell whether a record is missing from its own cluster's log (M2): at every place it was acked."""
    states = [log_state(drill, tables, place, record.record_id) for place in record.all_coordinates]
    record.is_log_missing = all(state == "missing" for state in states)
    record.is_log_judged = record.is_log_missing or "present" in states
    record.is_overwritten = record.is_log_missing and any(
        row["record_id"] is not None and record.record_id is not None and row["record_id"] != record.record_id
        for place in record.all_coordinates
        for row in log_rows_at(tables, place)
    )


def log_state(drill: Drill, tables: Tables, place: Coordinates, record_id: str | None) -> str:
    """Return `unjudged`, `present` or `missing` for one place and record_id."""
    scan = latest_scan(tables, place)
    if scan is None or place[3] < scan["from_offset"] or is_compacted(drill, place[0], place[1]):
        return "unjudged"
    for row in log_rows_at(tables, place):
        if row["record_id"] is None or record_id is None or row["record_id"] == record_id:
            return "present"
    return "missing"


def latest_scan(tables: Tables, place: Coordinates) -> Row | None:
    """Return the scan of a partition that counts."""
    scans = [row for row in tables["log_scans"] if (row["cluster"], row["topic"], row["partition"]) == place[:3]]
    return max(scans, key=lambda row: (row["scanned_at"], row["to_offset"], -row["from_offset"]), default=None)


def log_rows_at(tables: Tables, place: Coordinates) -> list[Row]:
    """Return the log rows at a place that belong to the latest scan of its partition, or to no scan in particular."""
    scan = latest_scan(tables, place)
    rows = [row for row in tables["log_records"] if coordinates_of_ack(row) == place]
    return [
        row
        for row in rows
        if row["scanned_at"] is None or (scan is not None and row["scanned_at"] == scan["scanned_at"])
    ]
