"""Small questions over HTTP: GET, within a bounded time, and never a credential in a message.

By the standard library's urllib: one GET a look needs no pool of connections, and so no dependency. Redirects are not
followed, because they would carry the credentials to wherever they point.
"""

from __future__ import annotations

import base64
import http.client
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.json_documents import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS = 2.0
MAX_BYTES = 64 * 1024 * 1024
_CHUNK = 1024 * 1024
_REFUSED = (401, 403)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    content_type: str
    body: bytes
    """Empty for an error status."""

    def json(self, where: str) -> Any:  # noqa: ANN401  (JSON is anything until it was looked at)
        """The body as JSON. Raises TransientError naming `where` when it is none."""
        try:
            return parsed(self.body)
        except ValueError:
            msg = f"{where} answered with something that is no JSON; is this the right address?"
            raise TransientError(msg) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """A redirect is an answer with its status."""


class Endpoint:
    """One HTTP server that is asked again and again. `name` is its address without credentials, for messages.

    `username` and `password` (or those in the URL) become basic auth, `token` a bearer token. Raises UsageError for an
    address that is not http:// or https://.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        ca_file: str | None = None,
    ) -> None:
        self.url, userinfo = _without_userinfo(url)
        self.name = urlsplit(self.url).netloc
        given = (username, password or "") if username is not None else userinfo
        self._headers = {"User-Agent": "rtoanalytics", **_authorization(given, token)}
        self._timeout_seconds = timeout_seconds
        context = ssl.create_default_context(cafile=ca_file)
        self._opener = urllib.request.build_opener(_NoRedirects, urllib.request.HTTPSHandler(context=context))

    def get(
        self, path: str = "", query: Mapping[str, str] | None = None, *, accept: str = "application/json"
    ) -> Answer:
        """Ask once. Every status is an answer, but 401 and 403 (ClusterError) and 5xx (TransientError).

        Raises TransientError when there is no answer within the timeout or it is larger than `MAX_BYTES`.
        """
        address = self.url.rstrip("/") + path if path else self.url
        address += ("&" if "?" in address else "?") + urlencode(query) if query else ""
        request = urllib.request.Request(address, headers={**self._headers, "Accept": accept})  # noqa: S310
        try:
            answer = self._ask(request)
        except (OSError, http.client.HTTPException, ValueError) as error:
            msg = f"{self.name} did not answer {path or 'GET'}: {_reason(error)}"
            raise TransientError(msg) from None
        return self._accepted(answer, path)

    def _ask(self, request: urllib.request.Request) -> Answer:
        deadline = time.monotonic() + self._timeout_seconds
        try:
            with self._opener.open(request, timeout=self._timeout_seconds) as response:
                body = self._read(response, deadline)
                return Answer(response.status, response.headers.get("Content-Type", ""), body)
        except urllib.error.HTTPError as error:
            error.close()
            return Answer(error.code, "", b"")

    def _read(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        """The body; a server that trickles must not hold a look longer than its timeout."""
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if time.monotonic() > deadline:
                msg = f"the answer was not complete after {self._timeout_seconds:g} s"
                raise TimeoutError(msg)
            if len(body) > MAX_BYTES:
                msg = f"the answer is larger than {MAX_BYTES} bytes"
                raise ValueError(msg)
        return bytes(body)

    def _accepted(self, answer: Answer, path: str) -> Answer:
        if answer.status in _REFUSED:
            msg = f"{self.name} refused {path or 'GET'} with status {answer.status}; check username, password or token"
            raise ClusterError(msg)
        if answer.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            msg = f"{self.name} answered {path or 'GET'} with status {answer.status}"
            raise TransientError(msg)
        return answer


def _without_userinfo(url: str) -> tuple[str, tuple[str, str] | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in {"http", "https"} or not host:
        msg = "found an address that is no URL of a server; write it like http://127.0.0.1:8083"
        raise UsageError(msg)
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    userinfo = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, "")), userinfo


def _authorization(basic: tuple[str, str] | None, token: str | None) -> dict[str, str]:
    if token is not None:
        return {"Authorization": f"Bearer {token}"}
    if basic is not None:
        return {"Authorization": "Basic " + base64.b64encode(":".join(basic).encode()).decode()}
    return {}


def _reason(error: Exception) -> str:
    """Why it failed, in the words of the system, which hold no header."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return str(cause) if "complete" in str(cause) else "timed out"
    if isinstance(cause, OSError):
        return cause.strerror or type(cause).__name__
    return type(cause).__name__ if isinstance(cause, http.client.HTTPException) else str(cause)
