"""Random drills: small, short and nasty on purpose, but valid by the evidence schemas and the drill definition."""

import random

from .drill_facts import Drill
from .evidence import Tables
from .random_definitions import random_definition
from .random_evidence import random_evidence


def random_drill(seed: int) -> tuple[Drill, Tables]:
    """Return a drill definition and its evidence, instants in microseconds; the same for the same seed."""
    rng = random.Random(seed)
    drill = random_definition(rng, seed)
    return drill, random_evidence(rng, drill)
