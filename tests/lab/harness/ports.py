"""Free ports of the loopback interface."""

from __future__ import annotations

import random
import socket

_FIRST, _LAST = 20_000, 32_000
"""Below the range that connections get their own ports from: a port that a killed broker has left for a moment is
not taken by somebody's outgoing connection, and nobody who keeps trying to connect to it connects to himself."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens, different from one another."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(_FIRST, _LAST), _LAST - _FIRST):
        if len(found) == count:
            break
        if _is_free(port):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
