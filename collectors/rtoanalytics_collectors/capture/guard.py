"""A collector under guard: made when its target is first there, its failures told in words that hold no secret.

Until the first look that succeeds, what the target refuses (a wrong password, a missing right, a wrong setting) ends
the collector: it could not start, and the others go on. After that everything is a look that failed, and the next is
tried: in a drill, rights and brokers come and go.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rtoanalytics.errors import ClusterError, RtoError
from rtoanalytics.schemas import TABLES, Kind
from rtoanalytics_collectors.failures import PartialLookError, TransientError
from rtoanalytics_collectors.sampling import ClockWitness, Closing, Continuous, Resumable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rtoanalytics_collectors.capture.planned import Planned
    from rtoanalytics_collectors.capture.secrets import Secrets
    from rtoanalytics_collectors.clocks import ClockReading
    from rtoanalytics_collectors.sampling import Collector, Sample
    from rtoanalytics_collectors.spool import Row


class GuardedCollector:
    """The collector that `planned` describes. For one thread, but for what it says of itself."""

    def __init__(
        self,
        planned: Planned,
        secrets: Secrets,
        captured: Callable[[], Iterable[Row]],
        on_refusal: Callable[[], object],
    ) -> None:
        """`captured` gives the rows that an earlier process captured; `on_refusal` is called when this one ends."""
        self.tables = planned.tables
        self.target = planned.target
        self.cluster_name = planned.on_cluster
        self.refusal: str | None = None
        """Why this collector could not start."""
        self._looks = 0
        self._is_resumed = False
        self._planned = planned
        self._secrets = secrets
        self._captured = captured
        self._on_refusal = on_refusal
        self._collector: Collector | None = None
        self._texts = {table: _free_texts(table) for table in planned.tables}

    def collect(self) -> Sample:
        """Look once. Raises TransientError when the target could not be looked at, ClusterError when it refuses."""
        if self.refusal is not None:
            raise ClusterError(self.refusal)
        try:
            sample = self._made().collect()
        except PartialLookError as error:
            self._looks += 1
            raise PartialLookError(self._secrets.scrub(str(error)), self._clean(error.sample)) from None
        except TransientError as error:
            raise TransientError(self._secrets.scrub(str(error))) from None
        except Exception as error:  # noqa: BLE001  (a collector that breaks must not take the others with it)
            raise self._refused(_message(error)) from None
        self._looks += 1
        return self._clean(sample)

    @property
    def is_continuous(self) -> bool:
        """Whether the collector vouches for the time since the look before; for a restart only if it continued."""
        collector: object = self._collector
        is_after_another = self._looks > 1 or self._is_resumed
        return is_after_another and isinstance(collector, Continuous) and collector.is_continuous

    def reading(self) -> ClockReading | None:
        """This host's clock minus the target's, where the collector measures it."""
        collector: object = self._collector
        return collector.reading() if isinstance(collector, ClockWitness) else None

    def close(self) -> None:
        """Release what the collector holds."""
        collector: object = self._collector
        if isinstance(collector, Closing):
            collector.close()

    def _made(self) -> Collector:
        if self._collector is None:
            made = self._planned.make()
            self._resume(made)
            self._collector, self.target, self.tables = made, made.target, made.tables
        return self._collector

    def _resume(self, collector: object) -> None:
        captured = iter(self._captured())
        first = next(captured, None)
        if first is not None and isinstance(collector, Resumable):
            collector.resume(itertools.chain([first], captured))
            self._is_resumed = True

    def _refused(self, message: str) -> ClusterError:
        message = self._secrets.scrub(message)
        if self._looks:
            return TransientError(message)
        self.refusal = message
        self._on_refusal()
        return ClusterError(message)

    def _clean(self, sample: Mapping[str, list[Row]]) -> Sample:
        """Rows whose free text (an error, a trace) repeats no secret."""
        for table, rows in sample.items():
            for name in self._texts.get(table, ()):
                for row in rows:
                    if isinstance(row.get(name), str):
                        row[name] = self._secrets.scrub(row[name])
        return dict(sample)


_TEXTS = frozenset({"error", "text", "trace", "labels"})


def _free_texts(table: str) -> tuple[str, ...]:
    """Columns of a table into which others write sentences."""
    return tuple(
        column.name for column in TABLES[table].columns if column.kind is Kind.STRING and column.name in _TEXTS
    )


def _message(error: Exception) -> str:
    if isinstance(error, RtoError):
        return str(error)
    return f"{type(error).__name__}: {error}"
