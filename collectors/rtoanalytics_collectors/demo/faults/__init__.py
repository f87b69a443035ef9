"""The faults of the demo, by name; each is one module that states the damage it must do."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from rtoanalytics.errors import UsageError, nearest
from rtoanalytics_collectors.demo.faults import (
    all_brokers_down,
    broker_loss,
    commit_before_apply,
    consumer_crash,
    coordinator_loss,
    slow_network,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics_collectors.demo.faults.fault import Fault

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        module.FAULT.name: module.FAULT
        for module in (
            broker_loss,
            coordinator_loss,
            slow_network,
            all_brokers_down,
            consumer_crash,
            commit_before_apply,
        )
    }
)
DEFAULT_FAULT = broker_loss.FAULT.name


def fault_named(name: str) -> Fault:
    """The fault of this name. Raises UsageError with the names there are."""
    if name not in FAULTS:
        msg = f'no fault is named "{name}"{nearest(name, FAULTS)}; allowed: {", ".join(FAULTS)}'
        raise UsageError(msg)
    return FAULTS[name]
