"""The application of the soak: produces at a steady rate through an `AckRecorder`, and says what was delivered.

It counts deliveries in its own callback, beside the recorder: a number that the recorder has no part in.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from rtoanalytics_collectors.acks import AckRecorder

_TICK_SECONDS = 0.005
_VALUE = b"x" * 100


class Application:
    """A producer at a steady rate."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._topic = order["topic"]
        self._rate = order["records_per_second"]
        self.delivered = self.undelivered = self.sent = 0
        settings = {"bootstrap.servers": order["bootstrap_servers"], "client.id": "soak", "compression.type": "lz4"}
        settings |= {"linger.ms": 20}
        self._producer = AckRecorder.connect(settings, order["bundle"], cluster="primary", client_stats=True)

    def run(self, seconds: float) -> None:
        """Produce for some seconds, and wait for every outcome."""
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < seconds:
            self._produce_until(int(elapsed * self._rate))
            self._producer.poll(_TICK_SECONDS)
        self._producer.flush()

    def close(self) -> dict[str, Any]:
        """Seal the evidence; what the application and the recorder counted."""
        self._producer.close()
        counts = {"sent": self.sent, "delivered": self.delivered, "undelivered": self.undelivered}
        return {**counts, "outcomes": self._producer.outcomes, "cpu_seconds": time.process_time()}

    def _produce_until(self, number: int) -> None:
        while self.sent < number:
            self._producer.produce(
                self._topic, _VALUE, f"record-{self.sent}", on_delivery=self._settled, wait_seconds=60
            )
            self.sent += 1

    def _settled(self, error: object, _message: object) -> None:
        if error is None:
            self.delivered += 1
        else:
            self.undelivered += 1


def main() -> None:
    """Take one order as a line of JSON, carry it out, answer with one."""
    order = json.loads(sys.stdin.readline())
    application = Application(order)
    application.run(order["seconds"])
    sys.stdout.write(json.dumps(application.close()) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
