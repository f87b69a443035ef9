"""The recorder as an application takes it: two lines, with its own spools and signs of life.

    producer = AckRecorder.wrap(Producer(settings), bundle, cluster="primary")

or, where the client's statistics are to be captured too,

    producer = AckRecorder.connect(settings, bundle, cluster="primary", client_stats=True)

The spools are named for the client and this host (`acks-<client.id>.<host>`), so that evidence of several
applications and hosts can be copied into one folder. The recorder ends with the process, or with `close()`.
"""

from __future__ import annotations

import atexit
import re
import socket
import threading
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rtoanalytics_collectors.acks.producing import in_order
from rtoanalytics_collectors.acks.recorder import Recorder
from rtoanalytics_collectors.acks.wrapping import ORDER, Values, positional_order
from rtoanalytics_collectors.bundle import refuse_without_drill
from rtoanalytics_collectors.clients import ClientStats
from rtoanalytics_collectors.identity import from_key
from rtoanalytics_collectors.kafka.client import client_module
from rtoanalytics_collectors.sampling import FAREWELL_SECONDS, Heart
from rtoanalytics_collectors.spool import Spool, SpoolInUseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtoanalytics_collectors.acks.lanes import OnDelivery
    from rtoanalytics_collectors.acks.wrapping import Producer
    from rtoanalytics_collectors.identity import RecordId

BEAT_SECONDS = 1.0
_CLIENT_ID = "rdkafka"  # the client's own default
_ACKS = {"-1": "all"}


class Capture:
    """The spools of one recorder, and its heartbeats while the process lives."""

    def __init__(self, bundle: Path, cluster: str, client_id: str, *, client_stats: bool) -> None:
        """Open the spools. Raises UsageError for what is no bundle or a sealed one, OSError when the disk refuses."""
        refuse_without_drill(bundle)
        self._cluster = cluster
        with ExitStack() as stack:
            self.acks, suffix = _own_spool(bundle, _spool_name(client_id))
            stack.enter_context(self.acks)
            self._beats = stack.enter_context(Spool(bundle, "heartbeats", f"heartbeats-{suffix}"))
            self.client_rows = (
                stack.enter_context(Spool(bundle, "client_stats", f"client_stats-{suffix}")) if client_stats else None
            )
            self._stack = stack.pop_all()
        self.heart = Heart(self._beats)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_end, name=f"heart {self.acks.collector}", daemon=True)
        self._lock = threading.Lock()

    def start(self) -> None:
        """Beat from now on."""
        self._thread.start()

    def beat(self, interval_seconds: float = BEAT_SECONDS) -> None:
        """A sign of life. It vouches for what is on disk: a disk that fails or hangs shows as a hole."""
        at = self.heart.now()
        self.acks.flush()
        if self.acks.is_healthy:
            rows = self.acks.durable_rows
            self.heart.beat(self.acks.collector, self._cluster, interval_seconds, rows, occurred_at=at)

    def close(self) -> None:
        """Write and seal everything, with a farewell: no outcome is to come. Safe to call twice."""
        with self._lock:
            if self._end.is_set():
                return
            self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        self.beat(FAREWELL_SECONDS)
        self._stack.close()

    def _beat_until_end(self) -> None:
        self.beat()
        while not self._end.wait(BEAT_SECONDS):
            self.beat()


class AckRecorder(Recorder):
    """A producer whose outcomes are recorded. See `Recorder` for what it records, `wrap` for how to get one."""

    _capture: Capture | None = None
    open_error: str | None = None
    """Why nothing is recorded: the disk refused when the recorder was opened. The application goes on without it."""

    @classmethod
    def wrap(
        cls,
        producer: Producer,
        bundle: str | Path,
        *,
        cluster: str,
        client_id: str = _CLIENT_ID,
        acks: str = "all",
        record_id: RecordId | None = from_key,
        on_delivery: OnDelivery | None = None,
    ) -> Self:
        """Record what `producer` produces to the cluster of that name in the bundle's drill.yaml.

        `client_id`, `acks` and `on_delivery` are what the producer's settings say: it cannot be asked for them.
        Raises UsageError for what is no bundle or a sealed one. A disk that refuses raises nothing: see `open_error`.
        """
        capture, error = _opened(lambda: Capture(Path(bundle), cluster, client_id, client_stats=False))
        return cls._with(
            capture,
            error,
            producer,
            cluster=cluster,
            client_id=client_id,
            acks=acks,
            record_id=record_id,
            on_delivery=on_delivery,
        )

    @classmethod
    def connect(
        cls,
        settings: Mapping[str, Any],
        bundle: str | Path,
        *,
        cluster: str,
        record_id: RecordId | None = from_key,
        client_stats: bool = False,
    ) -> Self:
        """Make the producer of these settings, and record what it produces; otherwise as `wrap`.

        `client_stats` also records the client's statistics, once a second unless the settings say otherwise; a
        `stats_cb` of the application is called as before. Raises MissingDependencyError without confluent-kafka.
        """
        client_id = str(settings.get("client.id", _CLIENT_ID))
        capture, error = _opened(lambda: Capture(Path(bundle), cluster, client_id, client_stats=client_stats))
        changed = {name: value for name, value in settings.items() if name != "on_delivery"}
        if capture and capture.client_rows:
            changed |= _stats_settings(changed, capture, cluster, client_id)
        acks = str(settings.get("acks", settings.get("request.required.acks", "all")))
        return cls._with(
            capture,
            error,
            client_module().Producer(changed),
            cluster=cluster,
            client_id=client_id,
            acks=_ACKS.get(acks, acks),
            record_id=record_id,
            on_delivery=settings.get("on_delivery"),
        )

    @property
    def is_healthy(self) -> bool:
        """Whether everything recorded so far could be written, or waits for its turn."""
        return self.open_error is None and (self._capture is None or self._capture.acks.is_healthy)

    @property
    def last_error(self) -> str | None:
        """What the disk refused last, None when it did not."""
        return self.open_error or (self._capture.acks.last_error if self._capture else None)

    def close(self) -> bool:
        """Close the producer as it is closed itself, then write and seal what was recorded. Safe to call twice."""
        is_closed: bool = self._producer.close() if hasattr(self._producer, "close") else True
        self._finish()
        return is_closed

    def __exit__(self, *error: object) -> None:
        """Leave the producer as it is left itself, then write and seal what was recorded."""
        super().__exit__(*error)
        self._finish()

    @classmethod
    def _with(cls, capture: Capture | None, error: str | None, producer: Producer, **more: Values) -> Self:
        recorder = cls(producer, capture.acks if capture else None, **more)
        if (order := positional_order(producer)) != ORDER:
            recorder.produce = in_order(recorder.produce, order)
        recorder.open_error = error
        if capture:
            recorder._capture = capture
            capture.start()
            atexit.register(recorder._finish)
        return recorder

    def _finish(self) -> None:
        if self._capture:
            self._capture.close()
            atexit.unregister(self._finish)


def _opened(open_capture: Callable[[], Capture]) -> tuple[Capture | None, str | None]:
    try:
        return open_capture(), None
    except OSError as error:
        return None, f"{type(error).__name__}: {error}"


def _own_spool(bundle: Path, name: str) -> tuple[Spool, str]:
    """The first spool of that name which no other process writes: an application may have several workers."""
    for number in count(1):
        suffix = name if number == 1 else f"{name}-{number}"
        try:
            return Spool(bundle, "acks", f"acks-{suffix}"), suffix
        except SpoolInUseError:
            continue
    raise AssertionError  # pragma: no cover  (`count` has no end)


def _spool_name(client_id: str) -> str:
    """Client and host in the letters that a spool may have.

    >>> _spool_name("Payments App").startswith("payments-app.")
    True
    """
    return re.sub(r"[^a-z0-9._-]+", "-", f"{client_id}.{socket.gethostname()}".lower())


def _stats_settings(settings: Mapping[str, Any], capture: Capture, cluster: str, client_id: str) -> dict[str, Any]:
    """Settings that make the client report to us, and to the application as before."""
    assert capture.client_rows is not None  # noqa: S101  (asked for)
    every_ms = float(settings.get("statistics.interval.ms") or BEAT_SECONDS * 1000)
    mine = ClientStats(
        capture.client_rows, capture.heart, cluster=cluster, client_id=client_id, interval_seconds=every_ms / 1000
    )
    theirs = settings.get("stats_cb")

    def both(document: str) -> None:
        mine(document)
        if theirs:
            theirs(document)

    return {**mine.settings(), "stats_cb": both}
