"""What listens instead of looking: the endpoint for events, run and counted like a collector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.errors import RtoError
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.sampling import Counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtoanalytics_collectors.event_listener import EventListener
    from rtoanalytics_collectors.sampling import Stop


class ListeningLoop:
    """Runs a listener until it is stopped."""

    def __init__(self, target: str, interval_seconds: float, listen: Callable[[], EventListener]) -> None:
        """`listen` binds the port. Raises UsageError when it is taken."""
        self.target = target
        self.interval_seconds = interval_seconds
        self.counts = Counts()
        self.refusal: str | None = None
        """Why it could not start."""
        self._listen = listen

    def run(self, stop: Stop) -> None:
        """Listen until `stop` is set."""
        try:
            listener = self._listen()
        except RtoError as error:
            self.refusal = str(error)
            return
        self.target = listener.target
        listener.run(_Counted(stop, listener, self.counts))
        self.counts.rows = listener.received

    def close(self) -> None:
        """The listener lets its port go by itself."""


class _Counted:
    """The stop event of a listener, which waits for it after each heartbeat."""

    def __init__(self, stop: Stop, listener: EventListener, counts: Counts) -> None:
        self._stop = stop
        self._listener = listener
        self._counts = counts

    def is_set(self) -> bool:
        """Whether to end."""
        return self._stop.is_set()

    def wait(self, timeout: float) -> bool:
        """Wait, having counted."""
        self._counts.ticks += 1
        self._counts.rows = self._listener.received
        self._counts.last_beat_at = now_us()
        return self._stop.wait(timeout)
