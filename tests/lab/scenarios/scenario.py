"""What a scenario is, and which there are: every module of this folder that has a `SCENARIO`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.scenarios.flow import Traffic
from tests.lab.scenarios.truth import Truth

if TYPE_CHECKING:
    from tests.lab.harness.kafka import LabCluster

Conduct = Callable[["LabCluster", Path, Traffic], Truth]
"""Conducts one drill on a running cluster into a bundle's folder, and says what is known of it from outside."""


@dataclass(frozen=True)
class Scenario:
    """One fault on a real cluster."""

    name: str
    """As it is called for: lower case and hyphens."""
    title: str
    conduct: Conduct
    has_proxied_peers: bool = False
    """Whether it needs a cluster whose brokers reach each other through proxies."""


def scenarios() -> dict[str, Scenario]:
    """Every scenario by name."""
    package = __name__.rpartition(".")[0]
    modules = [
        importlib.import_module(f"{package}.{m.name}") for m in pkgutil.iter_modules([str(Path(__file__).parent)])
    ]
    found = [module.SCENARIO for module in modules if hasattr(module, "SCENARIO")]
    return {scenario.name: scenario for scenario in sorted(found, key=lambda scenario: scenario.name)}
