"""Events by HTTP: kept before they are answered, from this host only, and refused with one clear message."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors.event_listener import MAX_BODY_BYTES, EventListener, _event
from rtoanalytics_collectors.sampling import Heart
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Captured = Callable[[Path, str], list[dict[str, Any]]]

JSON = {"Content-Type": "application/json"}


@contextmanager
def listening(bundle: Path, **options: Any) -> Iterator[EventListener]:  # noqa: ANN401
    """A listener on a free port, serving; everything is sealed afterwards."""
    stop = threading.Event()
    with Spool(bundle, "events", "events-http") as spool, Spool(bundle, "heartbeats", "events-http-heart") as beats:
        listener = EventListener(bundle, spool, Heart(beats), "127.0.0.1:0", interval_seconds=0.05, **options)
        thread = threading.Thread(target=listener.run, args=(stop,))
        thread.start()
        try:
            yield listener
        finally:
            stop.set()
            thread.join(10)
        assert not thread.is_alive()


def ask(
    listener: EventListener,
    body: Any = None,  # noqa: ANN401
    method: str = "POST",
    path: str = "/events",
    **headers: str,
) -> tuple[int, dict[str, Any]]:
    """Status and document of one request; `body` is JSON unless it is bytes. `_` in a header's name stands for `-`."""
    connection = http.client.HTTPConnection(listener.target, timeout=10)
    try:
        encoded = body if isinstance(body, bytes) or body is None else json.dumps(body)
        given_headers = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, encoded, given_headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_event_is_kept_as_it_was_said(bundle: Path, captured: Captured) -> None:
    """Every column, the instant to the microsecond; what is left out is null, and `source` says how it came."""
    with listening(bundle) as listener:
        said = {
            "kind": "switch",
            "step": "s",
            "actor": "bot",
            "channel": "ci",
            "text": "é",
            "occurred_at": "2023-11-14T23:13:20.000001+01:00",
        }
        status, answer = ask(listener, said)
        assert (status, answer["file"]) == (201, "evidence/events/events-http-*.parquet")
        assert ask(listener, {"kind": "note", "text": None})[0] == 201
        assert ask(listener, method="GET", path="/health") == (200, {"status": "listening", "events": 2})
    first, second = sorted(captured(bundle, "events"), key=lambda event: event["occurred_at"])
    assert first.pop("occurred_at").isoformat() == "2023-11-14T22:13:20.000001+00:00"
    assert first == {"kind": "switch", "step": "s", "actor": "bot", "channel": "ci", "text": "é", "source": "http"}
    assert (second["kind"], second["text"]) == ("note", None)


def test_answered_event_is_on_disk(bundle: Path) -> None:
    """201 means durable: a kill right after it loses nothing."""
    with listening(bundle) as listener:
        ask(listener, {"kind": "note"})
        assert listener._spool.durable_rows == 1


def test_many_events_at_once_share_a_few_files(bundle: Path, captured: Captured) -> None:
    """Eight programs that post as fast as they can: every event once, in one file."""

    def post(number: int) -> None:
        connection = http.client.HTTPConnection(listener.target, timeout=10)
        for event in range(50):
            connection.request("POST", "/events", json.dumps({"kind": "note", "text": f"{number}-{event}"}), JSON)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 201
        connection.close()

    with listening(bundle) as listener:
        threads = [threading.Thread(target=post, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert listener.received == 400
    assert len({event["text"] for event in captured(bundle, "events")}) == 400
    assert len(list((bundle / "evidence" / "events").iterdir())) == 1


def test_it_beats_while_it_listens(
    bundle: Path, captured: Captured, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """Heartbeats without events tell silence from a listener that is gone; rows are those kept so far."""
    with listening(bundle) as listener:
        wait_until(lambda: listener._heart._spool.rows >= 3)
        ask(listener, {"kind": "note"})
        target = listener.target
    beats = sorted(captured(bundle, "heartbeats"), key=lambda beat: beat["occurred_at"])
    assert {(beat["collector"], beat["target"]) for beat in beats} == {("events", target)}
    assert (beats[0]["rows"], beats[-1]["rows"]) == (0, 1)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kind": "note", "txt": "x"}, 'found the key "txt" (did you mean "text"?); allowed are kind, step'),
        ({"text": "x"}, "the event has no kind"),
        ({"kind": ""}, "the event has no kind"),
        ({"kind": None}, "kind is NoneType; send a text"),
        ({"kind": "note", "text": 3}, "text is int; send a text"),
        ({"kind": "note", "occurred_at": "2026-11-20T10:40:00"}, "is no instant with a time zone"),
        ({"kind": "note", "occurred_at": "2526-11-20T10:40:00Z"}, "allowed are instants from 1970 to 2199"),
        ({"kind": "note", "text": "\ud800"}, "text holds half a character"),
        (["note"], "the body is no JSON object"),
        (b"kind=note", "the body is no JSON object"),
        (b"", "the body is no JSON object"),
        (b"[" * 60_000, "the body is no JSON object"),
    ],
)
def test_event_that_is_none_is_refused(bundle: Path, body: object, message: str) -> None:
    """Status 400 and one message: what was found and what is allowed; nothing is kept."""
    with listening(bundle) as listener:
        status, answer = ask(listener, body)
        assert (status, listener.received) == (400, 0)
    assert message in answer["error"]
    assert set(answer) == {"error"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example:8710"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content_Type": "text/plain"}, 400),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 400),
        ({"Host": "localhost:99"}, 201),
        ({"Host": "[::1]"}, 201),
        ({"Content_Type": "application/json; charset=utf-8"}, 201),
    ],
)
def test_web_pages_cannot_post(bundle: Path, headers: dict[str, str], status: int) -> None:
    """Neither a page that rebinds its name to loopback nor a form, whatever browser they are opened in."""
    with listening(bundle) as listener:
        assert ask(listener, {"kind": "note"}, **headers)[0] == status


def test_token_is_asked_for(bundle: Path) -> None:
    """With a token, only callers that know it are heard."""
    with listening(bundle, token="s3cret") as listener:  # noqa: S106
        assert ask(listener, {"kind": "note"})[0] == 401
        assert ask(listener, {"kind": "note"}, Authorization="Bearer s3cre")[0] == 401
        status, answer = ask(listener, {"kind": "note"}, Authorization="Bearer \xe9")
        assert (status, "s3cret" in str(answer)) == (401, False)
        assert ask(listener, {"kind": "note"}, Authorization="Bearer s3cret")[0] == 201


def test_large_bodies_and_other_paths_are_refused(bundle: Path) -> None:
    """64 KiB are allowed and not a byte more; what is not served says what is."""
    with listening(bundle) as listener:
        filler = MAX_BODY_BYTES - len(json.dumps({"kind": "note", "text": ""}))
        assert ask(listener, {"kind": "note", "text": "x" * filler})[0] == 201
        status, answer = ask(listener, {"kind": "note", "text": "x" * (filler + 1)})
        assert (status, answer["error"]) == (413, "the body has 65537 bytes; allowed are 65536")
        assert ask(listener, path="/other")[0] == 404
        assert ask(listener, method="GET")[1]["error"] == "GET /events is not served; POST /events or GET /health"
        assert ask(listener, b"{}", Content_Length="x")[0] == 400


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:8710", "8710", "192.0.2.1:1", "example.com:80", "127.0.0.1", "[::]:1", ":1"]
)
def test_only_loopback_is_listened_on(bundle: Path, listen: str) -> None:
    """An address that others could reach is refused before anything is bound."""
    with (
        Spool(bundle, "events") as spool,
        pytest.raises(UsageError, match=r"allowed is a port of loopback, such as 127\.0\.0\.1:8710"),
    ):
        EventListener(bundle, spool, Heart(spool), listen)


def test_port_that_is_taken_is_said(bundle: Path) -> None:
    """Two listeners on one port: the second says so."""
    with (
        listening(bundle) as listener,
        Spool(bundle, "events") as spool,
        pytest.raises(UsageError, match="cannot be listened on: Address already in use"),
    ):
        EventListener(bundle, spool, Heart(spool), listener.target)


def test_sealed_bundle_takes_no_event(bundle: Path) -> None:
    """A bundle that is sealed meanwhile refuses, and the message says why."""
    with listening(bundle) as listener:
        (bundle / "manifest.json").write_text("{}")
        status, answer = ask(listener, {"kind": "note"})
        (bundle / "manifest.json").unlink()
    assert (status, "is sealed" in answer["error"]) == (400, True)


def test_event_that_cannot_be_kept_is_not_answered_as_kept(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the caller hears 503, health says it, and there is no heartbeat."""
    with listening(bundle) as listener:
        monkeypatch.setattr(type(listener._spool), "is_healthy", False)
        monkeypatch.setattr(listener._spool, "flush", lambda: None)
        listener._spool.last_error = "OSError: No space left on device"
        status, answer = ask(listener, {"kind": "note"})
        assert (status, "No space left" in answer["error"]) == (503, True)
        assert ask(listener, method="GET", path="/health")[0] == 503
        assert listener.received == 0


VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
KEYS = st.sampled_from(["kind", "step", "actor", "channel", "text", "occurred_at"]) | st.text()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, VALUES) | VALUES)
def test_any_document_is_an_event_or_one_message(document: object) -> None:
    """Whatever JSON is posted becomes a row with a kind, or a UsageError."""
    try:
        row = _event("application/json", json.dumps(document).encode())
    except UsageError as error:
        assert str(error)  # noqa: PT017
    else:
        assert row["kind"]
        assert row["source"] == "http"
