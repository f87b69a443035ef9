"""A network that can be hurt: TCP proxies in front of the listeners of a lab cluster.

A cut loses nothing and refuses nothing, as a network that drops packets: connections stay open, nothing arrives, new
ones get no answer; healed, they go on where they were. A proxy knows who speaks by the client id in the first
request, so that one broker can be cut off from its peers in both directions.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import threading
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

Answer = TypeVar("Answer")
EVERYBODY = None
_CHUNK_BYTES = 64 * 1024
_CLIENT_ID_AT = 14
"""Behind size (4 bytes), API key (2), API version (2), correlation id (4) and the length of the client id (2)."""
_BROKER = re.compile(r"(?:broker-|raft-client-)?(\d+)(?:-.*)?")
_ANSWER_SECONDS = 10.0


class Network:
    """The thread in which proxies run."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab network", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do `work` in the network's thread and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_SECONDS)

    def close(self) -> None:
        """End the thread; every connection is dropped. Safe to call twice."""
        if self._loop.is_closed():
            return
        self.run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_SECONDS)
        self._loop.close()
        with warnings.catch_warnings():
            # A connection that was accepted in the moment of closing has no task yet that could close it.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@dataclass(eq=False)
class _Link:
    """One connection: who opened it, and whether it lets anything pass."""

    origin: int | None
    is_open: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Stands in front of one port. Methods may be called from any thread; they have worked when they return."""

    def __init__(self, network: Network, port: int, target_port: int) -> None:
        """Listen on `port` of the loopback interface and hand on to `target_port` of it."""
        self._network = network
        self._target_port = target_port
        self._delay_seconds = 0.0
        self._cut_origins: set[int | None] = set()
        self._links: set[_Link] = set()
        self._server = network.run(asyncio.start_server(self._serve, "127.0.0.1", port))

    def delay(self, seconds: float) -> None:
        """From now on everything arrives `seconds` later, in each direction; 0 ends it."""
        self._delay_seconds = seconds

    def cut(self, origin: int | None = EVERYBODY) -> None:
        """Let nothing pass of what broker `origin` opened; of anybody's connections when it is not named."""
        self._network.run(self._change(self._cut_origins | {origin}))

    def heal(self) -> None:
        """Undo every cut and delay."""
        self._delay_seconds = 0.0
        self._network.run(self._change(set()))

    def close(self) -> None:
        """Stop listening."""
        self._network.run(self._close())

    async def _close(self) -> None:
        self._server.close()

    async def _change(self, cut_origins: set[int | None]) -> None:
        self._cut_origins = cut_origins
        for link in self._links:
            self._gate(link)

    def _gate(self, link: _Link) -> None:
        is_cut = EVERYBODY in self._cut_origins or (link.origin is not None and link.origin in self._cut_origins)
        (link.is_open.clear if is_cut else link.is_open.set)()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first bytes (a Kafka client always speaks first) to the end of either side."""
        target: asyncio.StreamWriter | None = None
        try:
            first = await reader.read(_CHUNK_BYTES)
            link = _Link(origin_of(first))
            self._links.add(link)
            self._gate(link)
            await link.is_open.wait()
            answers, target = await asyncio.open_connection("127.0.0.1", self._target_port)
            target.write(first)
            pumps = [self._pump(reader, target, link), self._pump(answers, writer, link)]
            await _first_of(pumps)
            self._links.discard(link)
        except (OSError, asyncio.CancelledError):
            pass  # nobody listens behind us, a side went away, or the network ends: who is left is told below
        finally:
            for stream in (writer, target):
                if stream is not None:
                    stream.transport.abort()  # a side that reads no more must not keep the other's bytes waiting

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, link: _Link) -> None:
        """Hand on what arrives, each chunk when its delay has passed: a slow network is not a narrow one."""
        chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        await _first_of([self._receive(source, chunks), self._deliver(chunks, sink, link)])

    async def _receive(self, source: asyncio.StreamReader, chunks: asyncio.Queue[tuple[float, bytes]]) -> None:
        clock = asyncio.get_running_loop()
        is_over = False
        while not is_over:
            chunk = await source.read(_CHUNK_BYTES)
            is_over = not chunk
            chunks.put_nowait((clock.time() + self._delay_seconds, chunk))
        await asyncio.Event().wait()  # the other half ends when it has delivered the end

    async def _deliver(
        self, chunks: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter, link: _Link
    ) -> None:
        clock = asyncio.get_running_loop()
        while True:
            due, chunk = await chunks.get()
            await asyncio.sleep(due - clock.time())
            await link.is_open.wait()
            if not chunk:
                return
            sink.write(chunk)
            await sink.drain()


def origin_of(request: bytes) -> int | None:
    r"""The broker that sent this request, by its client id; None for anybody else.

    >>> head = bytes(12)
    >>> origin_of(head + b"\x00\x12broker-2-fetcher-0")
    2
    >>> [origin_of(head + name) for name in (b"\x00\x0draft-client-3", b"\x00\x011", b"\x00\x03app")]
    [3, 1, None]
    """
    length = int.from_bytes(request[_CLIENT_ID_AT - 2 : _CLIENT_ID_AT], signed=True)
    name = request[_CLIENT_ID_AT : _CLIENT_ID_AT + max(0, length)].decode(errors="replace")
    found = _BROKER.fullmatch(name)
    return int(found[1]) if found else None


async def _first_of(works: list[Coroutine[Any, Any, None]]) -> None:
    """Wait until the first of them ends, end the others, and raise what any of them raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(OSError):
            await asyncio.gather(*tasks, return_exceptions=True)


async def _cancel_all() -> None:
    await asyncio.sleep(0)  # connections just accepted get their task, which closes them
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # what they have closed is closed in the next turn
