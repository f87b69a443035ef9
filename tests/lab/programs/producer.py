"""A producer of the lab: sends at a steady pace through an `AckRecorder` until it is told to stop.

It keeps a journal of its own, from its own delivery callback: one JSON line a record with the id, the error if any,
and the partition and offset it was told. What the evidence says of it is held against that.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import IO, Any

from rtoanalytics_collectors.acks import AckRecorder
from rtoanalytics_collectors.demo.pipes import HANG_UP, Message, Orders, report
from rtoanalytics_collectors.identity import from_header

DeliveryError = Any
"""The client's KafkaError in a delivery callback, or None."""
Delivered = Any
"""The client's Message in a delivery callback."""
_TICK_SECONDS = 0.01
_REPORT_SECONDS = 0.2
_GIVE_UP_SECONDS = 2.0
_ACCOUNTS = 120


class Sender:
    """Sends numbered records and writes down what became of each."""

    def __init__(self, recorder: AckRecorder, order: Message, journal: IO[str]) -> None:
        self._recorder = recorder
        self._order = order
        self._journal = journal
        self.sent = 0

    def send_until(self, number: int) -> None:
        """Send every record up to `number`."""
        while self.sent < number:
            self._send(f"{self._order['id_prefix']}{self.sent:08d}", self.sent)
            self.sent += 1
            self._recorder.poll(0)

    def _send(self, record_id: str, number: int) -> None:
        account = f"account-{number % _ACCOUNTS:03d}"
        self._recorder.produce(
            self._order["topic"],
            key=account,
            value=json.dumps({"id": record_id, "cents": 100 + number % 9_900}),
            headers=[(self._order["id_header"], record_id)],
            on_delivery=lambda error, message: self._settled(record_id, error, message),
            wait_seconds=5.0,
        )

    def _settled(self, record_id: str, error: DeliveryError, message: Delivered) -> None:
        entry = {
            "id": record_id,
            "error": None if error is None else error.name(),
            "partition": message.partition(),
            "offset": message.offset(),
        }
        self._journal.write(json.dumps(entry) + "\n")


def run(sender: Sender, recorder: AckRecorder, orders: Orders, records_per_second: float) -> Message:
    """Send until an order comes, which is returned."""
    started = reported = time.monotonic()
    while (order := orders.take()) is None:
        now = time.monotonic()
        sender.send_until(int((now - started) * records_per_second))
        if now - reported >= _REPORT_SECONDS:
            report(sent=sender.sent, outcomes=recorder.outcomes)
            reported = now
        recorder.poll(_TICK_SECONDS)
    return order


def main() -> None:
    """Wait for the first order, send until the next one, wait for the last outcome."""
    orders = Orders()
    order = orders.wait()
    if order == HANG_UP:
        return
    settings = {"client.id": order["client_id"], "linger.ms": 5, **order["settings"]}
    recorder = AckRecorder.connect(
        settings,
        order["bundle"],
        cluster=order["cluster"],
        record_id=from_header(order["id_header"]),
        client_stats=True,
    )
    with recorder, Path(order["journal"]).open("w", encoding="utf-8") as journal:
        sender = Sender(recorder, order, journal)
        end = run(sender, recorder, orders, order["records_per_second"])
        if end == HANG_UP:
            recorder.flush(_GIVE_UP_SECONDS)
            recorder.purge()
        recorder.flush()
        report(sent=sender.sent, outcomes=recorder.outcomes, is_finished=True)


if __name__ == "__main__":
    main()
