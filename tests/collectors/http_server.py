"""A real HTTP server on loopback that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reply = tuple[int, str, bytes] | Callable[["BaseHTTPRequestHandler"], None]


class HttpServer:
    """Use as a context manager. `pages` are replies (status, content type, body) by path without the query."""

    def __init__(self, pages: Mapping[str, Reply]) -> None:
        self.pages = pages
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Paths with their queries, and headers."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append((self.path, dict(self.headers.items())))
                reply = outer.pages.get(self.path.partition("?")[0], (404, "text/plain", b"not here"))
                if callable(reply):
                    reply(self)
                    return
                status, content_type, body = reply
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Tests look at `requests`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.address}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
