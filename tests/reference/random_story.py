"""What happens in a random drill, before anything of it is captured."""

import random
from dataclasses import dataclass, field

from .drill_facts import Drill, flow_topics_of, physical_names
from .random_definitions import chance
from .watermarks import Partition

SECOND_US = 1_000_000


@dataclass
class Entry:
    """One record in a log."""

    record_offset: int
    record_id: str | None
    at_us: int


@dataclass
class Story:
    """The plot: when it starts and ends, what goes wrong when, and what stands in the logs."""

    rng: random.Random
    drill: Drill
    start_us: int
    clock_us: int
    end_us: int
    troubles: list[tuple[int, int]]
    failover_us: int | None
    mirrored_share: float
    nastiness: float  # 0: calm; 1: accidents everywhere
    partitions: int
    base_offset: int
    cadence_us: int
    logs: dict[Partition, list[Entry]] = field(default_factory=dict)

    def often(self, probability: float) -> bool:
        """Return True with a probability that grows with the drill's nastiness."""
        return chance(self.rng, probability * self.nastiness)

    def instant(self, low_us: int, high_us: int) -> int:
        """Return an instant in a span, often on a whole or half second, so that instants collide."""
        high_us = max(low_us, high_us)
        exact = self.rng.randint(low_us, high_us)
        unit = self.rng.choice([SECOND_US, SECOND_US, SECOND_US // 2, 1])
        rounded = exact - exact % unit
        return rounded if rounded >= low_us else exact

    def end_of_trouble(self, instant_us: int) -> int:
        """Return when the trouble of an instant ends: at once, if there is none."""
        return max((end for start, end in self.troubles if start <= instant_us < end), default=instant_us)

    def is_troubled(self, instant_us: int) -> bool:
        """Tell whether something is wrong at an instant."""
        return self.end_of_trouble(instant_us) > instant_us

    def cluster_at(self, instant_us: int) -> str:
        """Return the cluster that is produced to."""
        return "recovery" if self.failover_us is not None and instant_us >= self.failover_us else "primary"

    def physical(self, cluster: str, topic: str) -> str:
        """Return one of the physical names of a topic, now and then a name the drill does not know."""
        return topic if self.often(0.02) else self.rng.choice(physical_names(self.drill, cluster, topic))

    def ticks(self, cadence_us: int) -> list[int]:
        """Return instants one cadence apart, over the whole story, on a phase that is often zero."""
        phase_us = self.rng.choice([0, 0, 250_000, self.rng.randrange(SECOND_US)])
        return list(range(self.start_us + phase_us, self.end_us + 1, cadence_us))

    def without_a_while(self, ticks: list[int]) -> list[int]:
        """Return ticks, now and then without those of a while, so that the sample before it grows stale."""
        if not self.often(0.15):
            return ticks
        silent_us = self.instant(self.start_us, self.end_us)
        length_us = self.rng.choice([4, 8, 60]) * SECOND_US
        return [tick_us for tick_us in ticks if not silent_us < tick_us < silent_us + length_us]


def random_story(rng: random.Random, drill: Drill) -> Story:
    """Return a plot: calm, troubled once, troubled twice, or troubled to the end."""
    start_us = rng.randint(1_700_000_000, 1_900_000_000) * SECOND_US + rng.choice([0, 0, rng.randrange(SECOND_US)])
    span_us = rng.choice([5, 10, 20, 30, 30, 40, 60]) * SECOND_US
    story = Story(
        rng=rng,
        drill=drill,
        start_us=start_us,
        clock_us=0,
        end_us=start_us + span_us,
        troubles=[],
        failover_us=None,
        mirrored_share=rng.choice([1, 1, 0.9, 0.7, 0]),
        nastiness=rng.choice([0, 0.3, 1, 1, 2]),
        partitions=rng.randint(1, 3),
        base_offset=rng.choice([0, 0, 0, 5, 5, 1000, 2**53 + 1]),  # the last is no float
        cadence_us=rng.choice([SECOND_US // 2, SECOND_US, SECOND_US, 2 * SECOND_US]),
    )
    story.clock_us = story.instant(start_us, start_us + span_us // 2)
    story.troubles = random_troubles(story)
    if (len(drill.get("clusters") or {}) > 1 and chance(rng, 0.7)) or chance(rng, 0.05):
        story.failover_us = story.end_of_trouble(story.clock_us)
    return story


def random_troubles(story: Story) -> list[tuple[int, int]]:
    """Return the spans in which something is wrong."""
    rest_us = story.end_us - story.clock_us
    plot = story.rng.choice(["calm", "once", "once", "once", "once", "twice", "twice", "endless"])
    if plot == "calm":
        return []
    first_us = story.instant(story.clock_us, story.clock_us + min(rest_us // 4, 2 * SECOND_US))
    if plot == "endless":
        return [(first_us, story.end_us + 1)]
    first = (first_us, story.instant(first_us, first_us + rest_us // 3))
    if plot == "once":
        return [first]
    second_us = story.instant(first[1], first[1] + rest_us // 2)
    return [first, (second_us, story.instant(second_us, second_us + rest_us // 4))]


def topics_on(story: Story, cluster: str) -> list[str]:
    """Return all physical names of the flow's topics on a cluster."""
    return [name for topic in flow_topics_of(story.drill) for name in physical_names(story.drill, cluster, topic)]
