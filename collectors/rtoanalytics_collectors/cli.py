"""Commands of `rto` that capture: `rto demo`, `rto collect`, `rto mark` and `rto recover`."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics_collectors.instants import instant
from rtoanalytics_collectors.subcommands import BundleOrSubcommand

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


collect = typer.Typer(
    cls=BundleOrSubcommand,
    help="Capture evidence of a drill from its clusters, downstreams and connectors, until Ctrl-C.",
    add_completion=False,
    rich_markup_mode=None,
)


@collect.command(name=BundleOrSubcommand.DEFAULT)
def collect_bundle(
    bundle: Annotated[Path, typer.Argument(help="Folder of the drill.", show_default=False)],
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Run only this collector, by its name (watermarks-primary), its kind (watermarks) or the table that "
            "it fills; may be given several times.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", help="Stop after so many seconds; by default when told to.")
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(help="Seconds between two looks; by default collect.interval_seconds of drill.yaml, or 0.5."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="Name of this host in the names of the files, where several hosts capture into copies of one bundle; "
            "by default the name of the machine.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would run and how each connects, then end.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Capture evidence of a drill from its clusters, downstreams and connectors, until Ctrl-C.

    Which collectors run follows from drill.yaml. The first Ctrl-C (or SIGTERM) looks once more and seals what was
    captured, the second ends at once; either way the next rto collect into the same bundle continues.
    """
    from rtoanalytics_collectors.capture import command

    if dry_run:
        sys.stdout.writelines(f"{line}\n" for line in command.planned_lines(bundle, only or ()))
        return
    summary = command.collect(bundle, only or (), seconds=seconds, interval_seconds=interval, host=host)
    sys.stdout.write(json.dumps(summary) + "\n" if json_ else "\n".join(summary_lines(summary)) + "\n")
    refused = [f"  {one['collector']}: {one['refusal']}" for one in summary["collectors"] if one["refusal"]]
    if refused:
        raise ClusterError("the others captured, but not every collector could start:\n" + "\n".join(refused))


@collect.command(name="log")
def collect_log(
    bundle: Annotated[Path, typer.Argument(help="Folder of the drill.", show_default=False)],
    cluster: Annotated[
        list[str] | None,
        typer.Option(help="Read this cluster only; may be given several times.", show_default=False),
    ] = None,
    fence: Annotated[
        bool,
        typer.Option("--fence", help="Write one record to each partition first, and read until it is found there."),
    ] = False,
    rate: Annotated[float | None, typer.Option(help="Read at most so many records a second.")] = None,
    host: Annotated[
        str | None,
        typer.Option(help="As of rto collect: name of this host in the names of the files.", show_default=False),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Read the topics of the flow back, after the drill: what was acknowledged and is not there is lost.

    Each partition is read from where its capture began to the end of its log, on every cluster of the drill. A folder
    that is named log is given to rto collect as ./log.
    """
    from rtoanalytics_collectors.capture.read_back import read_back
    from rtoanalytics_collectors.capture.showing import ReadingShown

    with ReadingShown(Console(stderr=True)) as shown:
        summary = read_back(
            bundle, cluster or (), has_fences=fence, records_per_second=rate, host=host, on_progress=shown.tell
        )
    sys.stdout.write(json.dumps(summary) + "\n" if json_ else "\n".join(read_lines(summary)) + "\n")
    failures = [partition["failure"] for partition in summary["partitions"] if partition["failure"]]
    if failures:
        raise ClusterError("not everything was read back:\n" + "\n".join(dict.fromkeys(failures)))


def read_lines(summary: dict[str, Any]) -> Iterator[str]:
    """The summary of what was read back for people."""
    for read in summary["partitions"]:
        place = f"{read['cluster']} {read['topic']}-{read['partition']}"
        found = "not read" if read["failure"] else f"{read['records']:,} records from offset {read['from_offset']}"
        yield f"{place}: {found}"
    yield f"read {summary['records']:,} records in {summary['seconds']:.0f} s into {summary['bundle']}"


def summary_lines(summary: dict[str, Any]) -> Iterator[str]:
    """The summary of a capture for people: one line a collector, then the whole."""
    for collector in summary["collectors"]:
        if collector["refusal"]:
            found = f"could not start: {collector['refusal']}"
        elif collector["missed"] == collector["looks"]:
            found = f"never saw its target: {collector['last_failure'] or 'no look ended'}"
        else:
            rows, holes = collector["rows"], collector["holes"]
            found = f"{rows:,} row{'' if rows == 1 else 's'}, {holes} hole{'' if holes == 1 else 's'}"
        yield f"{collector['collector']}: {found}"
    yield f"captured {summary['rows']:,} rows in {summary['seconds']:.0f} s into {summary['bundle']}"


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
