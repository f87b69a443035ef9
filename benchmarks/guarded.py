"""`python -m benchmarks.guarded REPORT SECONDS GIGABYTES COMMAND…`: run a command, end it before it does harm.

Writes to the file REPORT, as JSON, what the command took. A process of its own and a small one: the system counts the
memory of the process that starts a command as the command's, up to the moment it becomes the command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOK_EVERY_SECONDS = 0.05
_OWN_MEMORY = ("RssAnon:", "RssShmem:")
"""Pages of files do not count: the system can take them back."""


def main(report: str, seconds: str, gigabytes: str, *command: str) -> None:
    """Run the command; its standard output and error are this process's."""
    started = time.perf_counter()
    process = subprocess.Popen(command)
    with _guarded(process.pid, float(seconds), float(gigabytes)) as exceeded:
        _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    told = {
        "seconds": taken,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_gb": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9,
        "status": process.returncode,
        "exceeded": exceeded[0] if exceeded else None,
    }
    Path(report).write_text(json.dumps(told), "utf-8")


@contextmanager
def _guarded(pid: int, seconds: float, gigabytes: float) -> Iterator[list[str]]:
    """End a process that takes more; what it exceeded is then in the list."""
    exceeded: list[str] = []
    is_over = threading.Event()
    watch = threading.Thread(target=_watch, args=(pid, seconds, gigabytes, is_over, exceeded), daemon=True)
    watch.start()
    try:
        yield exceeded
    finally:
        is_over.set()
        watch.join()


def _watch(pid: int, seconds: float, gigabytes: float, is_over: threading.Event, exceeded: list[str]) -> None:
    deadline = time.monotonic() + seconds
    while not is_over.wait(_LOOK_EVERY_SECONDS):
        if time.monotonic() > deadline:
            exceeded.append(f"over {seconds:g} s")
        elif _own_gigabytes(pid) > gigabytes:
            exceeded.append(f"over {gigabytes:g} GB")
        if exceeded:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return


def _own_gigabytes(pid: int) -> float:
    """Memory of the process that is no file's; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0.0
    lines = (line.split() for line in status.splitlines())
    return sum(int(line[1]) for line in lines if line and line[0] in _OWN_MEMORY) * 1024 / 1e9


if __name__ == "__main__":
    main(*sys.argv[1:])
