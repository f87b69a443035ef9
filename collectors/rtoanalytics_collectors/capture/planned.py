"""One collector that a definition asks for, before it is made."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtoanalytics.errors import DefectError, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from rtoanalytics_collectors.event_listener import EventListener
    from rtoanalytics_collectors.sampling import Collector, Heart
    from rtoanalytics_collectors.spool import Spool


@dataclass(frozen=True)
class Planned:
    """What will be captured, from where, and how the collector is made."""

    kind: str
    """What it captures, such as `watermarks`."""
    target: str
    """Cluster, group, downstream or source it looks at: the target of its heartbeats."""
    tables: tuple[str, ...]
    connects: str
    """How it connects, in words that hold no secret."""
    make: Callable[[], Collector]
    """Raises TransientError while what it needs is not there, another RtoError when it never will be."""
    interval_seconds: float | None = None
    """Seconds between two looks, where it is not the interval of the capture."""
    label: str | None = None
    """What tells it from others of its kind, where the target does not."""
    on_cluster: str | None = None
    """The cluster, where the same target may be on several."""
    clusters: tuple[str, ...] = ()
    """Clusters that it connects to."""
    serve: Callable[[Path, Spool, Heart], EventListener] | None = None
    """Instead of `make`: what listens, and is not asked. Raises UsageError when it cannot."""
    missing: tuple[str, ...] = ()
    """Environment variables that it needs and that are not set, in words."""

    @property
    def name(self) -> str:
        """How the collector is called on the command line."""
        return f"{self.kind}-{self.place}"

    @property
    def place(self) -> str:
        """What it looks at, as it stands in the names of its spools."""
        return slug(self.label or (f"{self.target}-{self.on_cluster}" if self.on_cluster else self.target))


def refuse_to_sample() -> Collector:
    """The `make` of what listens. Raises DefectError: nothing asks it."""
    msg = "what listens is not asked"
    raise DefectError(msg)


def slug(text: str) -> str:
    """A name as it may stand in a file name.

    >>> slug("Payments DB (EU)")
    'payments-db-eu'
    """
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-.") or "unnamed"


def host_name(name: str | None) -> str:
    """The host's part of the names of files: `name`, else the name of this machine up to its first dot.

    Raises UsageError for a name that cannot be part of one.
    """
    if name is None:
        return slug(socket.gethostname().partition(".")[0]).replace(".", "-")
    if slug(name) != name or "." in name:
        msg = f'--host: found "{name}"; use lower-case letters, digits, "_" and "-"'
        raise UsageError(msg)
    return name


def chosen(planned: Sequence[Planned], only: Iterable[str]) -> list[Planned]:
    """The collectors that `only` names: by name, kind, evidence table, target or cluster; all when it names none.

    Raises UsageError for a name that nothing has, with the nearest one.
    """
    wanted = list(only)
    names = dict.fromkeys(name for collector in planned for name in _names(collector))
    for name in wanted:
        if name not in names:
            msg = f'--only: no collector "{name}"{nearest(name, names)}; this drill has {", ".join(_listed(planned))}'
            raise UsageError(msg)
    return [collector for collector in planned if not wanted or set(wanted) & set(_names(collector))]


def refuse_missing(planned: Iterable[Planned]) -> None:
    """Raise UsageError with every environment variable that collectors need and that is not set."""
    missing = dict.fromkeys(line for collector in planned for line in collector.missing)
    if missing:
        raise UsageError("\n".join(missing) + "\nset what is missing, or name other collectors with --only")


def _names(planned: Planned) -> tuple[str, ...]:
    return tuple(dict.fromkeys((planned.name, planned.kind, *planned.tables, planned.target, *planned.clusters)))


def _listed(planned: Sequence[Planned]) -> list[str]:
    return list(dict.fromkeys(collector.name for collector in planned))
