"""A real PostgreSQL on loopback, of its own, that a test may kill and restart.

Its programs are looked for where distributions put them and on the PATH. PostgreSQL refuses to run as root, so root
hands it to the account `postgres` (else `nobody`).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import adbc_driver_postgresql.dbapi as postgresql  # type: ignore[import-untyped]

from tests.lab.harness.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Sequence

USER = "lab"
_START_SECONDS = 60.0
_ACCOUNTS = ("postgres", "nobody")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "50",
    "shared_buffers": "32MB",
    "timezone": "Asia/Kathmandu",  # an instant must come out the same whatever the server's zone is
}


def postgres_programs() -> Path | None:
    """The folder that holds `initdb` and `postgres`, the newest version first; None on a machine without them."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    brewed = sorted(Path("/opt/homebrew/opt").glob("postgresql@*/bin"), key=_version, reverse=True)
    return next((folder for folder in [*installed, *on_path, *brewed] if (folder / "initdb").exists()), None)


class Postgres:
    """One server, made anew in a scratch folder that `close` removes. Use as a context manager."""

    def __init__(self, programs: Path) -> None:
        """Make the data folder and start the server. `programs` is the folder that holds `initdb` and `postgres`."""
        self._programs = programs
        self._account = _account()
        self._folder = Path(tempfile.mkdtemp(prefix="rto-postgres-"))
        self._log = self._folder / "log"
        self.password = secrets.token_hex(8)
        self.port = free_ports(1)[0]
        self._server: subprocess.Popen[bytes] | None = None
        try:
            self._make_data_folder()
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def user(self) -> str:
        """The superuser's name."""
        return USER

    @property
    def uri(self) -> str:
        """Connection URI of the maintenance database, with the password."""
        return self.uri_of("postgres")

    def uri_of(self, database: str, password: str | None = None) -> str:
        """Connection URI of a database, with the password (or another one)."""
        return f"postgresql://{USER}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def jdbc_url_of(self, database: str) -> str:
        """JDBC URL of a database; user and password are settings beside it."""
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """Make a database, dropping one of the same name; gives its URI."""
        self.execute(f'drop database if exists "{name}" with (force)')
        self.execute(f'create database "{name}"')
        return self.uri_of(name)

    def connect(self, database: str = "postgres", *, autocommit: bool = True) -> postgresql.Connection:
        """A connection of one's own; the caller closes it."""
        return postgresql.connect(self.uri_of(database), autocommit=autocommit)

    def execute(self, statement: str, database: str = "postgres", parameters: Sequence[Any] | None = None) -> None:
        """Run one statement, committed at once."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    def rows(self, query: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def value(self, query: str, database: str = "postgres") -> Any:  # noqa: ANN401  (whatever the query gives)
        """The first column of the only row of a query."""
        [[value]] = self.rows(query, database)
        return value

    def start(self) -> None:
        """Start the server on its port and wait until it answers. Does nothing while it runs."""
        if self.is_running:
            return
        deadline = time.monotonic() + _START_SECONDS
        while not self._try_to_start(deadline):
            if time.monotonic() > deadline:
                msg = f"PostgreSQL did not start within {_START_SECONDS} s; its log ends:\n{self._log_tail()}"
                raise TimeoutError(msg)
            time.sleep(0.1)  # processes of a killed server hold its memory until they see that it is gone

    def kill(self) -> None:
        """SIGKILL the server; its backends end by themselves, and what was not committed is lost."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop the server at once, ending its sessions (a "fast" shutdown)."""
        self._end(signal.SIGINT)

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""
        return self._server is not None and self._server.poll() is None

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make_data_folder(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(self.password, encoding="utf-8")
        if self._account:
            for path in (self._folder, password_file):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        options = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile={password_file}", "--encoding=UTF8"]
        command = [str(self._programs / "initdb"), *options, "--no-sync", "-D", str(self._folder / "data")]
        answer = subprocess.run(
            command, check=False, cwd=self._folder, capture_output=True, text=True, **self._identity()
        )
        if answer.returncode:
            msg = f"initdb failed: {answer.stderr.strip()}"
            raise RuntimeError(msg)

    def _try_to_start(self, deadline: float) -> bool:
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port)]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [*command, *settings],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._identity(),
            )
        while self.is_running and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)
        return False

    def _answers(self) -> bool:
        try:
            self.execute("select 1")
        except postgresql.Error:
            return False
        return True

    def _end(self, how: signal.Signals) -> None:
        if self._server is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._server.send_signal(how)
        self._server.wait(_START_SECONDS)
        self._server = None

    def _identity(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _log_tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2_000:]


def _version(folder: Path) -> int:
    number = re.search(r"(\d+)", folder.parent.name)
    return int(number[1]) if number else 0


def _account() -> pwd.struct_passwd | None:
    """The account that PostgreSQL shall run as; None for the present one."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return next(known[name] for name in _ACCOUNTS if name in known)
