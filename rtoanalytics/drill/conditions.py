"""The kinds of condition that `restored_when` may name (M9)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(min_length=1, max_length=249)]
WindowSeconds = Annotated[float, Field(gt=0, le=86_400, strict=False)]


class _Condition(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class LagCondition(_Condition):
    """Total lag of a group is at most `max_records`, and its largest lag in seconds at most `max_seconds`."""

    kind: Literal["lag"]
    group_id: Name
    max_records: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    max_seconds: Annotated[float, Field(ge=0, strict=False)] | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> LagCondition:
        if self.max_records is None and self.max_seconds is None:
            msg = "a lag condition needs max_records, max_seconds, or both"
            raise ValueError(msg)
        return self

    @property
    def name(self) -> str:
        """How results name this condition."""
        return f"lag:{self.group_id}"


class ProduceErrorsCondition(_Condition):
    """Share of failed and indeterminate produces over the trailing window is at most `max_ratio`."""

    kind: Literal["produce_errors"]
    max_ratio: Annotated[float, Field(ge=0, le=1, strict=False)]
    window_seconds: WindowSeconds = 5.0

    @property
    def name(self) -> str:
        """How results name this condition."""
        return "produce_errors"


class AppliedCondition(_Condition):
    """Rows applied per second over the trailing window are at least this share of the rate before the clock start."""

    kind: Literal["applied"]
    downstream: Name
    min_ratio_of_baseline: Annotated[float, Field(ge=0, strict=False)]
    window_seconds: WindowSeconds = 5.0

    @property
    def name(self) -> str:
        """How results name this condition."""
        return f"applied:{self.downstream}"


class UnderReplicatedCondition(_Condition):
    """At most `max_partitions` partitions lack a leader or an in-sync replica."""

    kind: Literal["under_replicated"]
    max_partitions: Annotated[int, Field(ge=0, lt=2**31)]
    cluster: Name | None = None

    @property
    def name(self) -> str:
        """How results name this condition."""
        return f"under_replicated:{self.cluster}" if self.cluster else "under_replicated"


class ConnectorsCondition(_Condition):
    """Connectors and all their tasks are RUNNING and their progress has advanced since the clock start."""

    kind: Literal["connectors"]
    connectors: Annotated[tuple[Name, ...], Field(min_length=1)]

    @property
    def name(self) -> str:
        """How results name this condition."""
        return f"connectors:{','.join(self.connectors)}"


class EventCondition(_Condition):
    """An event of this kind has happened after the clock start."""

    kind: Literal["event"]
    event: Name

    @property
    def name(self) -> str:
        """How results name this condition."""
        return f"event:{self.event}"


Condition = Annotated[
    LagCondition
    | ProduceErrorsCondition
    | AppliedCondition
    | UnderReplicatedCondition
    | ConnectorsCondition
    | EventCondition,
    Field(discriminator="kind"),
]


def names_of(conditions: tuple[Condition, ...]) -> tuple[str, ...]:
    """One name a condition, in their order; a name that repeats gets `#2`, `#3` and so on."""
    seen: dict[str, int] = {}
    names = []
    for condition in conditions:
        count = seen[condition.name] = seen.get(condition.name, 0) + 1
        names.append(condition.name if count == 1 else f"{condition.name}#{count}")
    return tuple(names)
