"""Commands of `rto` that capture: `rto demo`, `rto mark` and `rto recover`."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rtoanalytics.errors import UsageError

_MAX_SECONDS = 3_600.0
_INTERRUPTED = 130


def demo(
    seconds: Annotated[
        float,
        typer.Option(help="How long traffic runs, at least; the fault and the recovery may take longer."),
    ] = 30.0,
    fault: Annotated[
        str,
        typer.Option(
            help="What goes wrong: broker-loss, coordinator-loss, slow-network, all-brokers-down, consumer-crash "
            "or commit-before-apply."
        ),
    ] = "broker-loss",
    bundle: Annotated[
        Path | None,
        typer.Option(help="Folder for the drill; by default drills/<id> in the current folder.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is in the folder.")] = False,
) -> None:
    """Conduct a drill on an embedded, simulated cluster: capture it, reconcile it, judge it."""
    # Imported here: `rto --help` must not load a Kafka client.
    from rtoanalytics_collectors.demo.conduct import Conduct
    from rtoanalytics_collectors.demo.faults import fault_named
    from rtoanalytics_collectors.demo.progress import Shown
    from rtoanalytics_collectors.kafka import client_version

    client_version()
    chosen = fault_named(fault)
    _refuse_seconds(seconds)
    drill_id = f"demo-{chosen.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    folder = bundle if bundle is not None else Path("drills") / drill_id
    _make_room(folder, is_forced=force)
    talk = Console(stderr=True)
    rows: dict[str, int] = {}
    progress = Shown(talk, lambda: dict(rows))
    conduct = Conduct(folder.resolve(), drill_id, chosen, seconds, progress)
    rows = conduct.watch.rows
    try:
        with _polite_kill(), progress:
            captured = conduct.run()
    except KeyboardInterrupt:
        talk.print(f"stopped; what was captured until now is in {folder}", highlight=False, soft_wrap=True)
        raise typer.Exit(_INTERRUPTED) from None
    talk.print(f"captured {sum(captured.rows.values()):,} rows in {captured.seconds:.0f} s", highlight=False)
    _conclude(folder)


def mark(
    bundle: Annotated[Path, typer.Argument(help="Folder of the drill.", show_default=False)],
    kind: Annotated[
        str,
        typer.Argument(
            help="inject, heal, detect, declare, decide, switch, application_ok, rollback, stand_down, note, "
            "or a kind of your own.",
            show_default=False,
        ),
    ],
    text: Annotated[str | None, typer.Option(help="What was said or done.")] = None,
    step: Annotated[str | None, typer.Option(help="Runbook step it belongs to.")] = None,
    actor: Annotated[str | None, typer.Option(help="Who did it: a role or a name.")] = None,
    channel: Annotated[str | None, typer.Option(help="Where it was said.")] = None,
    at: Annotated[
        str | None, typer.Option(help="When it happened, such as 2026-11-20T10:40:00Z; now by default.")
    ] = None,
) -> None:
    """Add an event to a drill that is being captured."""
    from rtoanalytics_collectors.events import mark as mark_event

    occurred_at = None if at is None else instant(at)
    path = mark_event(bundle, kind, step=step, actor=actor, channel=channel, text=text, occurred_at=occurred_at)
    sys.stdout.write(f"{path}\n")


def recover(bundle: Annotated[Path, typer.Argument(help="Folder of the drill.", show_default=False)]) -> None:
    """Turn what a killed capture left in spool/ into evidence."""
    from rtoanalytics_collectors.bundle import refuse_without_drill
    from rtoanalytics_collectors.spool.recovery import recover as recover_spool

    refuse_without_drill(bundle)
    for recovery in recover_spool(bundle):
        torn = f", {recovery.torn_bytes} torn bytes dropped" if recovery.torn_bytes else ""
        sys.stdout.write(f"{recovery.segment}: {recovery.rows} rows kept{torn}\n")


def instant(text: str) -> int:
    """Microseconds since the epoch of an ISO 8601 instant with a zone. Raises UsageError for anything else.

    >>> instant("1970-01-01T00:00:01Z")
    1000000
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        msg = f'"{text}" is no instant with a time zone; write it like 2026-11-20T10:40:00Z'
        raise UsageError(msg)
    since_epoch = value - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_epoch.days * 86_400 + since_epoch.seconds) * 1_000_000 + since_epoch.microseconds


@contextmanager
def _polite_kill() -> Iterator[None]:
    """Let SIGTERM end a drill as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _refuse_seconds(seconds: float) -> None:
    if not 1 <= seconds <= _MAX_SECONDS:
        msg = f"--seconds is {seconds:g}; allowed are 1 to {_MAX_SECONDS:g}"
        raise UsageError(msg)


def _make_room(folder: Path, *, is_forced: bool) -> None:
    if folder.exists() and not folder.is_dir():
        msg = f"{folder}: found a file; name a folder with --bundle"
        raise UsageError(msg)
    if folder.is_dir() and any(folder.iterdir()):
        if not is_forced:
            msg = f"{folder}: the folder is not empty; name another with --bundle, or replace it with --force"
            raise UsageError(msg)
        _empty(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _empty(folder: Path) -> None:
    """Remove an earlier drill. Anything that is not one is refused, forced or not."""
    if not (folder / "drill.yaml").is_file():
        msg = f"{folder}: found no drill.yaml, so this is not an earlier drill and is not replaced; empty it yourself"
        raise UsageError(msg)
    shutil.rmtree(folder)


def _conclude(folder: Path) -> None:
    from rtoanalytics_collectors.demo.conclude import conclude

    conclude(folder.resolve(), folder.as_posix(), Console())
