"""Connections as the definition and the environment give them: the only place that reads secrets.

`${NAME}` in the definition stands for an environment variable. `RTO_CLUSTER_<CLUSTER>_<PROPERTY>` sets a property of
the Kafka client for one cluster, over what the definition says: the cluster's name and the property in capitals, with
`_` for everything that is no letter or digit, so RTO_CLUSTER_PRIMARY_SASL_PASSWORD is sasl.password of `primary`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from rtoanalytics.drill.secrets import PLACEHOLDER, is_secret
from rtoanalytics_collectors.capture.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics.drill import Drill

PREFIX = "RTO_CLUSTER_"
_BOOTSTRAP = "bootstrap.servers"
_USER_INFO = re.compile(r"(?<=://)[^/?#\s]*(?=@)")
_UNSET = "http://unset.invalid"
"""Stands for a variable that is not set: text that an address may be made of. Nothing is connected to with it."""


@dataclass(frozen=True)
class Connection:
    """How one cluster is reached."""

    cluster: str
    bootstrap_servers: str | None
    settings: Mapping[str, str] = field(repr=False)
    """Properties of the Kafka client, secrets resolved. Not for any message."""
    missing: tuple[str, ...] = ()
    """Variables that the definition names and that are not set, in words."""

    def described(self) -> str:
        """How it connects, in words that may be shown: names and values of properties, never a secret."""
        shown = [f"{name}={'…' if is_secret(name) else value}" for name, value in sorted(self.settings.items())]
        return ", ".join([self.bootstrap_servers or "no bootstrap_servers", *shown])


class Environment:
    """The environment variables of this process, as the definition refers to them."""

    def __init__(self, variables: Mapping[str, str], secrets: Secrets | None = None) -> None:
        self.secrets = secrets or Secrets()
        self._variables = variables
        self._missing: list[str] = []

    def text(self, text: str, where: str, *, is_secret: bool = True) -> str:
        """`text` with every ${NAME} filled in; what was filled in is hidden from then on if it is a secret.

        A user or password inside an address is encoded for it; a variable that is the whole address is used as it is.

        A variable that is not set is remembered for `taken_missing`, and something else stands in its place: the
        collector that needs it may be one that nobody asks for on this host.
        """
        names = PLACEHOLDER.findall(text)
        values = {name: self._variables.get(name) or _UNSET for name in names}
        self._missing += [f"{where}: the environment variable {n} is not set" for n in names if values[n] == _UNSET]
        encoded = {name: quote(value, safe="") for name, value in values.items()}
        filled = _filled(_USER_INFO.sub(lambda user: _filled(user[0], encoded), text), values)
        if names and is_secret:
            for value in {*values.values(), filled} - {_UNSET}:
                self.secrets.add(value)
        return filled

    def optional(self, text: str | None, where: str) -> str | None:
        """`text` of something that may be left out."""
        return None if text is None else self.text(text, where)

    def taken_missing(self) -> tuple[str, ...]:
        """What was not set since the last call, one line a variable."""
        taken, self._missing = tuple(dict.fromkeys(self._missing)), []
        return taken

    def connection(self, drill: Drill, cluster: str) -> Connection:
        """How `cluster` of `drill` is reached."""
        defined = drill.clusters[cluster]
        where = f"drill.yaml: clusters.{cluster}"
        settings = {
            name: self.text(_written(value), f"{where}.settings.{name}", is_secret=_may_hold_a_secret(name, value))
            for name, value in defined.settings.items()
        }
        bootstrap = defined.bootstrap_servers
        if bootstrap is not None:
            bootstrap = self.text(bootstrap, f"{where}.bootstrap_servers", is_secret=False)
        overrides = self._overrides(drill, cluster)
        missing = tuple(line for line in self.taken_missing() if not _is_overridden(line, overrides))
        bootstrap = overrides.pop(_BOOTSTRAP, bootstrap)
        return Connection(cluster, bootstrap, settings | overrides, missing)

    def unused(self, drill: Drill) -> tuple[str, ...]:
        """Variables that are named like a property of a cluster which the definition does not have."""
        given = (name for name in self._variables if name.startswith(PREFIX))
        return tuple(sorted(name for name in given if _owner(name, drill) is None))

    def _overrides(self, drill: Drill, cluster: str) -> dict[str, str]:
        found = {}
        for name, value in self._variables.items():
            if _owner(name, drill) == cluster:
                property_name = name.removeprefix(_prefix(cluster)).lower().replace("_", ".")
                found[property_name] = value
                if _may_hold_a_secret(property_name, value):
                    self.secrets.add(value)
        return found


def _filled(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def _is_overridden(line: str, overrides: Mapping[str, str]) -> bool:
    """Whether what a missing variable is for comes from RTO_CLUSTER_… instead."""
    place = line.partition(": the environment")[0]
    names = (f".settings.{name}" for name in overrides)
    return place.endswith(tuple(names)) or (place.endswith(".bootstrap_servers") and _BOOTSTRAP in overrides)


def _owner(variable: str, drill: Drill) -> str | None:
    """The cluster that a variable belongs to: the longest name, where one begins with another."""
    owners = [cluster for cluster in drill.clusters if variable.startswith(_prefix(cluster))]
    return max(owners, key=len, default=None)


def _prefix(cluster: str) -> str:
    return PREFIX + re.sub(r"[^A-Z0-9]", "_", cluster.upper()) + "_"


def _may_hold_a_secret(property_name: str, value: object) -> bool:
    """By its name, or as an address that may hold a password."""
    return is_secret(property_name) or (isinstance(value, str) and "://" in value and "@" in value)


def _written(value: str | float | bool) -> str:  # noqa: FBT001  (a property may be true or false)
    return str(value).lower() if isinstance(value, bool) else str(value)
