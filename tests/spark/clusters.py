"""Real Sparks on loopback: a standalone master with a worker, and a Spark Connect server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
SECONDS = 120.0
"""How long a Spark may take to come up on a busy machine."""
SMALL = {
    "spark.driver.bindAddress": HOST,
    "spark.driver.host": HOST,
    "spark.driver.memory": "1g",
    "spark.executor.memory": "640m",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
}


@contextmanager
def standalone_cluster(folder: Path) -> Iterator[str]:
    """The address of a standalone master with one worker of one core."""
    port, *others = free_ports(4)
    address = f"spark://{HOST}:{port}"
    deploy = "org.apache.spark.deploy"
    master = [f"{deploy}.master.Master", "--host", HOST, "--port", str(port), "--webui-port", str(others[0])]
    worker = [f"{deploy}.worker.Worker", "--host", HOST, "--port", str(others[1]), "--webui-port", str(others[2])]
    sized = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work"), address]
    with ExitStack() as running:
        running.enter_context(program(folder, "spark-class", *master))
        log = running.enter_context(program(folder, "spark-class", *worker, *sized))
        wait_until(lambda: "Successfully registered" in log.read_text(), log)
        yield address


@contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """The address of a Spark Connect server on one core of this machine."""
    (port,) = free_ports(1)
    settings = {**SMALL, "spark.connect.grpc.binding.address": HOST, "spark.connect.grpc.binding.port": str(port)}
    options = [text for name, value in settings.items() for text in ("--conf", f"{name}={value}")]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    with program(folder, "spark-submit", "--master", "local[1]", "--class", server, *options, "spark-internal") as log:
        wait_until(lambda: is_listening(port), log)
        yield f"sc://{HOST}:{port}"


@contextmanager
def program(folder: Path, name: str, *arguments: str) -> Iterator[Path]:
    """One of Spark's own programs as long as the block lasts; what it says is in the file that is returned."""
    log = folder / f"{name}-{arguments[0].rpartition('.')[2]}.log"
    with log.open("w") as said:
        running = subprocess.Popen(
            [str(home() / "bin" / name), *arguments],
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "SPARK_LOCAL_IP": HOST},
            start_new_session=True,
        )
    try:
        yield log
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(SECONDS)


def home() -> Path:
    """The folder of pyspark, which holds all of Spark."""
    found = find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def wait_until(condition: Callable[[], bool], log: Path) -> None:
    """Return when the condition holds; fail with what the program said when it takes too long."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.1)
