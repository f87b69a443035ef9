"""Client statistics: what librdkafka says of itself (`statistics.interval.ms`, `stats_cb`).

One statistics document becomes one row for the client as a whole (`broker` null: messages and rebalances, which the
client only counts in total) and one row per broker connection (requests, errors, retries, timeouts, round trip).
Each counter stands in one kind of row only, so the latest rows of a client can be summed without counting twice.
The connection to the group coordinator is a connection of its own: `host:port/coordinator`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.clocks import now_us

if TYPE_CHECKING:
    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.sampling import Heart
    from rtoanalytics_collectors.spool import Row, Spool

_COORDINATOR = "GroupCoordinator"
_LARGEST = 2**63 - 1
_CONNECTED = ("learned", "logical")


class ClientStats:
    """A `stats_cb` that keeps each document as rows of `client_stats`, with a heartbeat.

    The client calls it while the application polls: an application that hangs shows as a hole.
    """

    def __init__(
        self,
        spool: Spool,
        heart: Heart,
        *,
        cluster: str,
        client_id: str,
        interval_seconds: float,
        clock: Clock = now_us,
    ) -> None:
        self._spool = spool
        self._heart = heart
        self._cluster = cluster
        self._client_id = client_id
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._rows = 0

    def settings(self) -> dict[str, Any]:
        """The client settings that make it report here."""
        return {"stats_cb": self, "statistics.interval.ms": int(self._interval_seconds * 1000)}

    def __call__(self, document: str) -> None:
        """Keep one statistics document."""
        rows = client_stats(json.loads(document), self._cluster, self._clock())
        self._spool.append(*rows)
        self._rows += len(rows)
        self._heart.beat("client_stats", self._client_id, self._interval_seconds, self._rows)


def client_stats(document: dict[str, Any], cluster: str | None, observed_at: int) -> list[Row]:
    """Rows of `client_stats` from one parsed statistics document. Negative numbers mean "not known" there."""
    stamp = {
        "client_id": document["client_id"],
        "role": document["type"],
        "cluster": cluster,
        "observed_at": observed_at,
    }
    brokers = [broker for broker in document.get("brokers", {}).values() if _is_connection(broker)]
    return [stamp | _client_row(document), *(stamp | _broker_row(broker) for broker in brokers)]


def _client_row(document: dict[str, Any]) -> Row:
    return {
        "messages_sent": _count(document, "txmsgs"),
        "messages_received": _count(document, "rxmsgs"),
        "rebalances": _count(document.get("cgrp", {}), "rebalance_cnt"),
    }


def _broker_row(broker: dict[str, Any]) -> Row:
    return {
        "broker": _address(broker),
        "broker_state": broker["state"],
        "requests_sent": _count(broker, "tx"),
        "request_errors": _sum(broker, "txerrs", "rxerrs"),
        "retries": _count(broker, "txretries"),
        "timeouts": _count(broker, "req_timeouts"),
        "rtt_p99_ms": _round_trip_p99_ms(broker.get("rtt", {})),
    }


def _round_trip_p99_ms(window: dict[str, Any]) -> float | None:
    """99th percentile of a window's round trips, ms; the longest one when the client's percentiles leave too many out.

    Its histogram ends at about half a second until slower round trips have been among faster ones: a broker that
    always takes longer has percentiles of 0. What was left out since then is in `outofrange`; `max` leaves out nothing.
    """
    count = _count(window, "cnt")
    if not count:
        return None
    is_covered = (_count(window, "outofrange") or 0) * 100 <= count
    found = window["p99"] if is_covered else _count(window, "max")
    return found / 1000 if found is not None and found >= 0 else None


def _is_connection(broker: dict[str, Any]) -> bool:
    """Whether this is a broker or the coordinator with an address, not a bootstrap name or an internal queue."""
    address = str(broker.get("nodename", ""))
    return broker.get("source") in _CONNECTED and not address.startswith(":") and ":" in address


def _address(broker: dict[str, Any]) -> str:
    address = str(broker["nodename"])
    return f"{address}/coordinator" if broker.get("name") == _COORDINATOR else address


def _count(counters: dict[str, Any], name: str) -> int | None:
    value = counters.get(name)
    return value if isinstance(value, int) and 0 <= value <= _LARGEST else None


def _sum(counters: dict[str, Any], *names: str) -> int | None:
    values = [value for name in names if (value := _count(counters, name)) is not None]
    return sum(values) if values else None
