"""The payments application of the demo: an ordinary at-least-once producer that sends at a steady pace.

The only thing that is not ordinary is one line: its producer is wrapped in an `AckRecorder`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from rtoanalytics_collectors.acks import AckRecorder
from rtoanalytics_collectors.clients import ClientStats
from rtoanalytics_collectors.demo import flow
from rtoanalytics_collectors.demo.pipes import HANG_UP, Message, Orders, report
from rtoanalytics_collectors.kafka import new_producer
from rtoanalytics_collectors.sampling import Heart
from rtoanalytics_collectors.spool import Spool

_TICK_SECONDS = 0.01
_REPORT_SECONDS = 0.2
_BEAT_SECONDS = 1.0
_STATS_SECONDS = 1.0
_GIVE_UP_SECONDS = 2.0


class Payments:
    """Sends payments until it is told to stop, and says every now and then how they fare."""

    def __init__(self, recorder: AckRecorder, heart: Heart, records_per_second: float) -> None:
        self._recorder = recorder
        self._heart = heart
        self._records_per_second = records_per_second
        self._sent = 0
        self._open: dict[int, float] = {}
        """When each payment without an outcome was sent, oldest first."""

    def run(self, orders: Orders) -> Message:
        """Send until an order comes, which is returned."""
        started = reported = beaten = time.monotonic()
        while (order := orders.take()) is None:
            now = time.monotonic()
            self._send_until(int((now - started) * self._records_per_second))
            if now - reported >= _REPORT_SECONDS:
                self._report()
                reported = now
            if now - beaten >= _BEAT_SECONDS:
                self._beat()
                beaten = now
            self._recorder.poll(_TICK_SECONDS)
        return order

    def finish(self) -> None:
        """Wait until every payment has its outcome, and say so."""
        self._recorder.flush()
        self._end()

    def give_up(self) -> None:
        """Wait a little, then drop what has no outcome yet: the drill is gone, and its cluster may be too."""
        self._recorder.flush(_GIVE_UP_SECONDS)
        self._recorder.purge()
        self._recorder.flush()
        self._end()

    def _end(self) -> None:
        self._beat()
        self._report(is_finished=True)

    def _send_until(self, number: int) -> None:
        while self._sent < number:
            self._send(self._sent)
            self._sent += 1
            self._recorder.poll(0)

    def _send(self, number: int) -> None:
        account = f"account-{number % flow.ACCOUNTS:03d}"
        payment = {"account": account, "cents": 100 + number % 9_900, "currency": "EUR"}
        self._open[number] = time.monotonic()
        self._recorder.produce(
            flow.TOPIC,
            key=account,
            value=json.dumps(payment),
            headers=[(flow.ID_HEADER, f"pay-{number:08d}")],
            on_delivery=lambda *_: self._settled(number),
            wait_seconds=1.0,
        )

    def _settled(self, number: int) -> None:
        self._open.pop(number, None)

    def _report(self, **more: bool) -> None:
        oldest = next(iter(self._open.values()), None)
        age = 0.0 if oldest is None else time.monotonic() - oldest
        report(sent=self._sent, outcomes=self._recorder.outcomes, oldest_open_seconds=age, **more)

    def _beat(self) -> None:
        self._heart.beat("acks", flow.CLUSTER, _BEAT_SECONDS, sum(self._recorder.outcomes.values()))


def settings_of(order: Message, stats: ClientStats) -> dict[str, Any]:
    """Client settings: acks=all, retries on, not idempotent (the mock cluster would not honor it)."""
    return {
        "bootstrap.servers": order["bootstrap_servers"],
        "client.id": flow.PRODUCER_ID,
        "acks": "all",
        "enable.idempotence": False,
        "linger.ms": 5,
        "delivery.timeout.ms": order["delivery_timeout_ms"],
        "socket.timeout.ms": order["request_timeout_ms"],
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 500,
        **stats.settings(),
    }


def main() -> None:
    """Wait for the first order, send until the next one, wait for the last outcome."""
    orders = Orders()
    order = orders.wait()
    if order == HANG_UP:
        return
    bundle = Path(order["bundle"])
    with (
        Spool(bundle, "heartbeats", "heartbeats-producer") as beats,
        Spool(bundle, "client_stats", "client_stats-producer") as client_rows,
        Spool(bundle, "acks") as acks,
    ):
        heart = Heart(beats)
        stats = ClientStats(
            client_rows, heart, cluster=flow.CLUSTER, client_id=flow.PRODUCER_ID, interval_seconds=_STATS_SECONDS
        )
        recorder = AckRecorder(
            new_producer(settings_of(order, stats)),
            acks,
            cluster=flow.CLUSTER,
            client_id=flow.PRODUCER_ID,
            record_id=flow.RECORD_ID,
        )
        payments = Payments(recorder, heart, order["records_per_second"])
        if payments.run(orders) == HANG_UP:
            payments.give_up()
        else:
            payments.finish()


if __name__ == "__main__":
    main()
