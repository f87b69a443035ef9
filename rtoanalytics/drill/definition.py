"""The drill definition as typed, frozen facts. Everything but id, flow and objectives.rto_seconds is optional.

Limits are inclusive. Durations are in seconds. What is left out is None or empty and makes the checks that need it
`inconclusive` or `not_applicable`, never `pass`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from rtoanalytics.drill.collection import Collection
from rtoanalytics.drill.conditions import Condition, LagCondition
from rtoanalytics.drill.facts import Facts, Name, PositiveSeconds, Seconds
from rtoanalytics.drill.references import check_references
from rtoanalytics.drill.secrets import Settings


def _to_utc(value: object) -> object:
    """YAML reads `2026-11-20T10:40:00Z` as a naive UTC datetime in some writers and as text in quotes."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value


Records = Annotated[int, Field(ge=0, lt=2**63)]
Instant = Annotated[AwareDatetime, BeforeValidator(_to_utc)]


class Platform(Facts):
    """What carries the flow; drills are compared across platforms by this name."""

    name: Name
    pattern: Literal["single-cluster", "active-passive", "active-active", "shared-storage"] | None = None


class Cluster(Facts):
    """One cluster. Connection settings are for collectors only."""

    bootstrap_servers: str | None = None
    topic_names: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    """Physical names of a topic on this cluster; default: the topic's own name."""
    settings: Settings = Field(default_factory=dict)
    """librdkafka properties such as security.protocol; secrets only as ${NAME} of an environment variable."""


class Topic(Facts):
    """One topic of the flow."""

    name: Name
    owner: Name | None = None
    cleanup_policy: Literal["delete", "compact", "compact,delete"] = "delete"


class Group(Facts):
    """One consumer group of the flow."""

    id: Name
    topics: tuple[Name, ...] = ()
    """Topics it reads; empty: every topic of the flow."""
    owner: Name | None = None


class Downstream(Facts):
    """One place where records of the flow take effect."""

    name: Name
    group_id: Name | None = None
    match: Literal["offset", "record_id"] = "offset"
    delivery: Literal["exactly_one", "at_most_one", "many"] = "exactly_one"
    owner: Name | None = None


class Flow(Facts):
    """The business flow under drill."""

    name: Name
    owner: Name | None = None
    topics: tuple[Topic, ...] = ()
    groups: tuple[Group, ...] = ()
    downstreams: tuple[Downstream, ...] = ()


class Inject(Facts):
    """What is broken on purpose."""

    kind: Name
    description: str | None = None
    affected: tuple[Name, ...] = ()
    untouched: tuple[Name, ...] = ()


class RestoredWhen(Facts):
    """What "service restored" means: every condition true without a break for `hold_seconds`."""

    hold_seconds: Seconds = 10.0
    step_seconds: PositiveSeconds = 1.0
    conditions: tuple[Condition, ...] = ()


class Objectives(Facts):
    """Recovery time and recovery point objectives."""

    clock_starts: Name = "inject"
    """The event kind that starts the clock."""
    rto_seconds: Seconds
    rpo_records: Records | None = None
    restored_when: RestoredWhen = RestoredWhen()


class Criteria(Facts):
    """Tolerances, inclusive. What is absent is reported and judged not_applicable."""

    max_duplicated_records: Records | None = None
    max_skipped_records: Records | None = None
    max_lost_records: Records | None = None
    max_reordered_records: Records | None = None
    max_failed_produces: Records | None = None
    max_final_lag_records: Records | None = None
    max_peak_lag_records: Records | None = None
    max_drain_seconds: Seconds | None = None


class RunbookStep(Facts):
    """One planned step; minute zero is the clock start."""

    step: Name
    at_minute: Annotated[float, Field(ge=0, strict=False)] | None = None
    actor: str | None = None
    action: str | None = None
    event: Name | None = None
    """The event kind that shows it happened; an event whose step is this step does too."""
    tolerance_seconds: Seconds = 0.0


class GovernanceItem(Facts):
    """Something that must be reviewed, with the attachment that proves it."""

    item: Name
    required: bool = True
    evidence: str | None = None
    """Path inside the bundle."""
    owner: Name | None = None


class SignOff(Facts):
    """Who agreed, and when."""

    role: Name
    at: Instant


class Rollback(Facts):
    """The way back."""

    authority: Name | None = None
    procedure: str | None = None
    """Path inside the bundle."""
    rehearsed: bool | None = None
    irreversible: tuple[str, ...] | None = None
    manual_reconciliation: tuple[str, ...] | None = None
    sign_offs: tuple[SignOff, ...] = ()


class Cost(Facts):
    """What readiness costs each month."""

    item: Name
    monthly: Annotated[float, Field(ge=0, strict=False)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Drill(Facts):
    """One drill, as it was defined before it began."""

    schema_version: Literal[1]
    id: Annotated[str, Field(pattern=r"^[a-z0-9._-]+$", max_length=200)]
    title: str | None = None
    platform: Platform | None = None
    clusters: dict[Name, Cluster] = Field(default_factory=dict)
    flow: Flow
    inject: Inject | None = None
    objectives: Objectives
    criteria: Criteria = Criteria()
    runbook: tuple[RunbookStep, ...] = ()
    governance: tuple[GovernanceItem, ...] = ()
    rollback: Rollback | None = None
    costs: tuple[Cost, ...] = ()
    collect: Collection = Collection()
    """What `rto collect` captures beside the clusters, and how."""

    @model_validator(mode="after")
    def _refers_to_what_it_names(self) -> Drill:
        check_references(self)
        return self

    def topic_names(self) -> tuple[str, ...]:
        """Topics of the flow: those listed, else those that its groups read."""
        if self.flow.topics:
            return tuple(topic.name for topic in self.flow.topics)
        return tuple(dict.fromkeys(name for group in self.flow.groups for name in group.topics))

    def topics_of_group(self, group_id: str | None) -> tuple[str, ...]:
        """Topics a group reads; of a group without a list, or of no group, every topic of the flow."""
        for group in self.flow.groups:
            if group.id == group_id and group.topics:
                return group.topics
        return self.topic_names()

    def group_ids(self) -> tuple[str, ...]:
        """Groups of the flow: those listed and those that a downstream or a condition names."""
        named = [group.id for group in self.flow.groups]
        named += [downstream.group_id for downstream in self.flow.downstreams if downstream.group_id]
        conditions = self.objectives.restored_when.conditions
        named += [condition.group_id for condition in conditions if isinstance(condition, LagCondition)]
        return tuple(dict.fromkeys(named))
