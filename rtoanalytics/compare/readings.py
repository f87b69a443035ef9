"""One drill read for a comparison: its definition and what stands in its results/, never its evidence."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from rtoanalytics.bundle.files import DRILL
from rtoanalytics.compare.definitions import read_definition
from rtoanalytics.compare.scorecards import Scorecard
from rtoanalytics.errors import RtoError
from rtoanalytics.report.freshness import is_fresh
from rtoanalytics.results import FOLDER, SCORECARD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from rtoanalytics.drill import Drill

SAMPLED = ("watermarks", "commits", "partition_states", "connector_states")
"""Tables of samples: how far apart they are decides how finely lag and recovery are known."""
_BURN_DOWN = ("group_id", "step_at", "cluster", "lag_records_high", "log_end_offsets")
_ANALYZE = "run rto analyze on it"


@dataclass(frozen=True)
class BurnDown:
    """What is read from burn_down.parquet. None where the samples do not tell."""

    load_records_per_second: float | None = None
    """Growth of the log ends that the busiest group reads, from the first known step to the clock start."""
    peak_lag_records_high: int | None = None
    """The largest lag at a next sample, from the clock start on, over all groups."""


@dataclass(frozen=True)
class Reading:
    """One drill."""

    bundle: str
    """Its folder, as it was named or found."""
    drill: Drill
    scorecard: Scorecard
    burn_down: BurnDown
    sampling_seconds: Mapping[str, float | None]
    """Interval of each captured table of SAMPLED; None where no heartbeat says it."""

    @property
    def id(self) -> str:
        """The drill's id, unique in a library."""
        return self.drill.id

    @property
    def occurred_at(self) -> datetime | None:
        """The clock start, else the first evidence, in UTC; None where there is neither."""
        instant = self.scorecard.recovery.clock_started_at or self.scorecard.drill.started_at
        return instant.astimezone(UTC) if instant else None

    @property
    def is_simulated(self) -> bool:
        """Whether a cluster of it only imitates Kafka."""
        return bool(self.scorecard.drill.simulated_clusters)

    @property
    def inject(self) -> str | None:
        """The kind of fault."""
        return self.drill.inject.kind if self.drill.inject else None

    @property
    def platform(self) -> str | None:
        """The name of what carries the flow."""
        return self.drill.platform.name if self.drill.platform else None

    @property
    def step_seconds(self) -> float:
        """The grid on which lag and recovery were computed."""
        return self.drill.objectives.restored_when.step_seconds

    @cached_property
    def definition(self) -> Mapping[str, Any]:
        """What the definition asks and of what, as `place: value`: a change of it changes what measures mean.

        Names of owners, titles and descriptions, the runbook, governance and rollback are no part of it.
        """
        return dict(sorted(_flat("", _asked(self.drill))))

    @cached_property
    def definition_digest(self) -> str:
        """SHA-256 over `definition`, the first twelve hexadecimal digits."""
        text = json.dumps(self.definition, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def costs(self) -> tuple[tuple[str, float], ...]:
        """Monthly cost by currency, in order of the currency."""
        sums: dict[str, float] = {}
        for cost in self.drill.costs:
            sums[cost.currency] = sums.get(cost.currency, 0) + cost.monthly
        return tuple((currency, round(monthly, 2)) for currency, monthly in sorted(sums.items()))


def read_drill(bundle: Path) -> Reading:
    """Read one analyzed bundle. Raises RtoError, with what to do, where its results are missing, stale or broken."""
    results = bundle / FOLDER
    scorecard = _scorecard(results / SCORECARD)
    drill = read_definition(bundle / DRILL)
    if not is_fresh(bundle) or drill.id != scorecard.drill.id or drill.flow.name != scorecard.drill.flow:
        msg = f"{FOLDER}/ is older than what it was made from, or incomplete; {_ANALYZE}"
        raise RtoError(msg)
    burn_down = _frame(results / "burn_down.parquet", _BURN_DOWN)
    coverage = _frame(results / "coverage.parquet", ("table_name", "interval_seconds"))
    return Reading(
        bundle=shown(bundle),
        drill=drill,
        scorecard=scorecard,
        burn_down=_burn_down(burn_down, scorecard.recovery.clock_started_at),
        sampling_seconds=_sampling(coverage),
    )


def shown(path: Path) -> str:
    """A path as text that can be written anywhere; bytes that are not UTF-8 are replaced."""
    return str(path).encode("utf-8", "replace").decode()


def _scorecard(path: Path) -> Scorecard:
    name = f"{FOLDER}/{path.name}"
    try:
        return Scorecard.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        msg = f"no {name}; {_ANALYZE}"
    except OSError as error:
        msg = f"{name}: cannot be read ({error.strerror}); {_ANALYZE}"
    except ValidationError as error:
        msg = f"{name}: not a scorecard of this version ({_where(error)}); {_ANALYZE}"
    raise RtoError(msg)


def _where(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg'].lower()}" if place else str(first["msg"]).lower()


def _frame(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    try:
        frame = pl.from_arrow(pq.ParquetFile(path).read(columns=list(columns)))
    except (OSError, pa.ArrowException) as error:
        msg = f"{FOLDER}/{path.name}: cannot be read ({type(error).__name__}); {_ANALYZE}"
        raise RtoError(msg) from None
    missing = [column for column in columns if not isinstance(frame, pl.DataFrame) or column not in frame.columns]
    if missing or not isinstance(frame, pl.DataFrame):
        msg = f"{FOLDER}/{path.name}: has no column {', '.join(missing)}; {_ANALYZE}"
        raise RtoError(msg)
    return frame


def _burn_down(frame: pl.DataFrame, clock_started_at: datetime | None) -> BurnDown:
    if clock_started_at is None:
        return BurnDown()
    instant = pl.col("step_at")
    is_before = (
        (instant <= clock_started_at) & pl.col("log_end_offsets").is_not_null() & pl.col("cluster").is_not_null()
    )
    at, ends = instant.filter(is_before), pl.col("log_end_offsets").filter(is_before)
    groups = frame.group_by("group_id").agg(
        highest=pl.col("lag_records_high").filter(instant >= clock_started_at).max(),
        records=ends.sort_by(at).last() - ends.sort_by(at).first(),
        seconds=(at.max() - at.min()).dt.total_microseconds() / 1_000_000,
        clusters=pl.col("cluster").filter(is_before).n_unique(),
    )
    rows = groups.to_dicts()
    highest = [row["highest"] for row in rows if row["highest"] is not None]
    return BurnDown(_load(rows), max(highest, default=None))


def _load(groups: list[dict[str, Any]]) -> float | None:
    """Records per second that arrived for the busiest group; of a group that changed clusters, nothing is known."""
    rates = [row["records"] / row["seconds"] for row in groups if row["seconds"] and row["clusters"] == 1]
    return round(max(rates), 3) if rates else None


def _sampling(coverage: pl.DataFrame) -> dict[str, float | None]:
    """The coarsest interval of each table, over its collectors."""
    found: dict[str, float | None] = {}
    for table, interval in coverage.iter_rows():
        known = [seconds for seconds in (found.get(table), interval) if seconds is not None]
        found[table] = max(known, default=None)
    return {table: found[table] for table in SAMPLED if table in found}


def _asked(drill: Drill) -> dict[str, Any]:
    objectives = drill.objectives.model_dump(mode="json")
    objectives["restored_when"].pop("step_seconds")
    flow = drill.flow
    return {
        "objectives": objectives,
        "criteria": drill.criteria.model_dump(mode="json"),
        "topics": {topic.name: topic.cleanup_policy for topic in flow.topics},
        "groups": {group.id: sorted(group.topics) for group in flow.groups},
        "downstreams": {
            item.name: item.model_dump(mode="json", include={"group_id", "match", "delivery"})
            for item in flow.downstreams
        },
    }


def _flat(place: str, value: object) -> list[tuple[str, Any]]:
    """Every leaf with its place; lists of conditions by their number from 1."""
    if isinstance(value, dict):
        children = [(f"{place}.{key}" if place else str(key), child) for key, child in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        children = [(f"{place}[{number}]", child) for number, child in enumerate(value, 1)]
    else:
        return [(place, value)]
    return [leaf for where, child in children for leaf in _flat(where, child)]
