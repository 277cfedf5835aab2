"""A real PostgreSQL on loopback, in a folder of its own, that lives as long as the tests that ask for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.ports import free_port

USER = "postgres"

HASTY = "-c fsync=off -c full_page_writes=off -c autovacuum=off"
"""A test stops the server at worst, never the machine: what the operating system was given stays. Each test has a
database of its own, and a thousand of them would keep vacuuming busy."""


def programs() -> Path:
    """Where Debian keeps the server's programs; a missing server is a failure, not a skip."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    assert found, "PostgreSQL is missing: run `make test`, which installs it, or apt-get install postgresql"
    return found[-1].parent


@dataclass
class PostgresServer:
    """One server process group. `psql` runs SQL in it; every database is made from an empty one."""

    folder: Path
    port: int

    @staticmethod
    def create() -> PostgresServer:
        """Make a new, empty server and start it."""
        folder = Path(tempfile.mkdtemp(prefix="bridge-postgres-"))
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(data, USER, USER)
        server = PostgresServer(folder, free_port())
        server._run("initdb", "-D", str(data), "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        server.start()
        return server

    def start(self) -> None:
        """Start and wait until it answers."""
        where = f"-c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories="
        options = f"{where} -c max_connections=200 {HASTY}"
        self._run(
            "pg_ctl",
            "-D",
            str(self.folder / "data"),
            "-w",
            "-l",
            str(self.folder / "data" / "log"),
            "-o",
            options,
            "start",
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop; `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def remove(self) -> None:
        """Stop for good and delete everything."""
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        """How the bridge reaches a database of this server."""
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{database}"

    def dsn(self, database: str) -> str:
        """How asyncpg reaches it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement; what it prints."""
        return self._run(
            "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database, "-qAtc", statement
        )

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [*_as_server_user(), str(programs() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "psql" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            cwd="/",
            timeout=60,
            check=False,
            text=True,
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"
        return done.stdout or ""


def _as_server_user() -> Sequence[str]:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"] if os.geteuid() == 0 else []
