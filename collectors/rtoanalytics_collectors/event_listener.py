"""Events by HTTP: what automation did, posted to an endpoint on loopback while the drill is captured.

`POST /events` takes one JSON object with `kind` and, as wanted, `step`, `actor`, `channel`, `text` and `occurred_at`
(ISO 8601 with a zone; now when left out), and answers 201 once the event is on disk. Events go to a spool, not to a
file each as `rto mark` does: a program may post many a second. `GET /health` tells whether events are being kept.

Web pages must not be able to post here through somebody's browser: only loopback is listened on, only the names of
loopback are accepted as Host (DNS rebinding), nothing with an Origin, and JSON only, which a form cannot send.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rtoanalytics.errors import RtoError, UsageError, nearest
from rtoanalytics_collectors.bundle import refuse_sealed, refuse_without_drill
from rtoanalytics_collectors.events import event_row
from rtoanalytics_collectors.instants import instant

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics_collectors.sampling import Heart, Stop
    from rtoanalytics_collectors.spool import Row, Spool

SOURCE = "http"
"""`source` of the events that came this way."""
MAX_BODY_BYTES = 64 * 1024
_IDLE_SECONDS = 10.0
_KEYS = ("kind", "step", "actor", "channel", "text", "occurred_at")
_LOCALHOST = "localhost"


class _Refusal(Exception):  # noqa: N818  (an answer, not a failure)
    """An answer other than success, with its one message."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class EventListener:
    """Listens for events and keeps them, with a heartbeat as long as it listens and can keep what comes."""

    tables = ("events",)

    def __init__(
        self,
        bundle: Path,
        spool: Spool,
        heart: Heart,
        listen: str = "127.0.0.1:8710",
        *,
        token: str | None = None,
        interval_seconds: float = 1.0,
    ) -> None:
        """Bind to `listen` (host:port, loopback only; port 0 for any free one); `run` serves.

        With `token`, callers must send `Authorization: Bearer <token>`. Raises UsageError for an address that is not
        loopback or is taken, a folder that is no bundle, and a sealed one.
        """
        refuse_without_drill(bundle)
        refuse_sealed(bundle)
        self.received = 0
        """Events kept so far."""
        self._bundle = bundle
        self._spool = spool
        self._heart = heart
        self._interval_seconds = interval_seconds
        self._token = token
        self._lock = threading.Lock()
        self._server = _server(listen, self)
        host, port = self._server.server_address[:2]
        self.target = f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"
        """host:port that it listens on."""

    def run(self, stop: Stop) -> None:
        """Serve until `stop` is set, with a heartbeat at every interval and one at the end; then let the port go."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="events", daemon=True)
        thread.start()
        try:
            self._beat()
            while not stop.wait(self._interval_seconds):
                self._beat()
        finally:
            self._server.shutdown()
            thread.join()
            self._beat()
            self.close()

    def close(self) -> None:
        """Let the port go. `run` does so at its end."""
        self._server.server_close()

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[HTTPStatus, dict[str, Any]]:  # noqa: ANN401
        """Status and document for one request."""
        try:
            self._refuse_strangers(headers)
            return self._served(method, path, headers, body)
        except _Refusal as refusal:
            return refusal.status, {"error": str(refusal)}
        except RtoError as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}

    def _served(self, method: str, path: str, headers: Any, body: bytes) -> tuple[HTTPStatus, dict[str, Any]]:  # noqa: ANN401
        if (method, path) == ("GET", "/health"):
            return self._health()
        if (method, path) == ("POST", "/events"):
            return self._keep(_event(_media_type(headers), body))
        raise _Refusal(HTTPStatus.NOT_FOUND, f"{method} {path} is not served; POST /events or GET /health")

    def _keep(self, row: Row) -> tuple[HTTPStatus, dict[str, Any]]:
        refuse_sealed(self._bundle)
        self._spool.append(row)
        self._spool.flush()  # those who post at the same time share one write
        if not self._spool.is_healthy:
            raise _Refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"the event is not on disk: {self._spool.last_error}")
        with self._lock:
            self.received += 1
        where = f"evidence/events/{self._spool.collector}-*.parquet"
        return HTTPStatus.CREATED, {"file": where, "kind": row["kind"], "occurred_at_us": row["occurred_at"]}

    def _health(self) -> tuple[HTTPStatus, dict[str, Any]]:
        if not self._spool.is_healthy:
            return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "events cannot be kept", "error": self._spool.last_error}
        return HTTPStatus.OK, {"status": "listening", "events": self.received}

    def _beat(self) -> None:
        if self._spool.is_healthy:
            self._heart.beat("events", self.target, self._interval_seconds, self.received)

    def _refuse_strangers(self, headers: Any) -> None:  # noqa: ANN401
        hosts = headers.get_all("Host") or []
        if len(hosts) != 1 or not _is_loopback_name(hosts[0]):
            message = "the Host header is not a name of this host; post to 127.0.0.1 or localhost"
            raise _Refusal(HTTPStatus.FORBIDDEN, message)
        if headers.get("Origin") is not None:
            raise _Refusal(HTTPStatus.FORBIDDEN, "requests of web pages (with an Origin header) are refused")
        given = (headers.get("Authorization") or "").encode()
        if self._token is not None and not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            raise _Refusal(HTTPStatus.UNAUTHORIZED, "send the token of this listener as Authorization: Bearer …")


def _event(media_type: str, body: bytes) -> Row:
    """The event in a body. Raises UsageError with one message for everything that is none."""
    if media_type != "application/json":
        msg = f'Content-Type is "{media_type}"; send the event as application/json'
        raise UsageError(msg)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        msg = f"the body is no JSON object; send one with kind and, as wanted, {', '.join(_KEYS[1:])}"
        raise UsageError(msg)
    for key, value in document.items():
        if key not in _KEYS:
            msg = f'found the key "{key}"{nearest(key, _KEYS)}; allowed are {", ".join(_KEYS)}'
            raise UsageError(msg)
        if not isinstance(value, str) and (value is not None or key == "kind"):
            msg = f"{key} is {type(value).__name__}; send a text"
            raise UsageError(msg)
    happened = document.pop("occurred_at", None)
    occurred_at = None if happened is None else instant(happened)
    return event_row(document.pop("kind", ""), **document, source=SOURCE, occurred_at=occurred_at)


def _media_type(headers: Any) -> str:  # noqa: ANN401
    return (headers.get("Content-Type") or "").partition(";")[0].strip().lower()


def _is_loopback_name(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return name == _LOCALHOST or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _server(listen: str, listener: EventListener) -> ThreadingHTTPServer:
    try:
        parts = urlsplit(f"//{listen}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or not _is_loopback(host):
        msg = f'events.listen is "{listen}"; allowed is a port of loopback, such as 127.0.0.1:8710'
        raise UsageError(msg)
    try:
        return _server_class(host)(("127.0.0.1" if host == _LOCALHOST else host, port), _handler(listener))
    except OSError as error:
        msg = f"events.listen is {listen}, which cannot be listened on: {error.strerror}; choose another port"
        raise UsageError(msg) from None


def _server_class(host: str) -> type[ThreadingHTTPServer]:
    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, *_: object) -> None:
            """A caller that goes away is its own affair."""

    return Server


def _handler(listener: EventListener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _IDLE_SECONDS
        server_version, sys_version = "rtoanalytics", ""

        def do_POST(self) -> None:
            self._answer("POST")

        def do_GET(self) -> None:
            self._answer("GET")

        def _answer(self, method: str) -> None:
            try:
                status, document = listener.answer(method, urlsplit(self.path).path, self.headers, self._body())
            except _Refusal as refusal:
                self.close_connection = True  # what was not read would be taken for the next request
                status, document = refusal.status, {"error": str(refusal)}
            encoded = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def _body(self) -> bytes:
            length = self.headers.get("Content-Length", "0")
            if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
                raise _Refusal(HTTPStatus.BAD_REQUEST, "send the event with its Content-Length")
            if int(length) > MAX_BODY_BYTES:
                message = f"the body has {length} bytes; allowed are {MAX_BODY_BYTES}"
                raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
            return self.rfile.read(int(length))

        def log_message(self, *_: object) -> None:
            """The evidence is the log."""

    return Handler
