"""A real gammu-smsd with a modem of the tests' own, on a database of its own: PostgreSQL, or SQLite through libdbi."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.modem import Modem
from tests.servers.postgres import PostgresServer

ZONE = "America/New_York"
"""Where gammu-smsd is: not where anything else is."""
PATIENCE = 30.0
_DATABASES = iter(range(1, 1000))


@dataclass
class GammuServer:
    """One gammu-smsd; `sql` runs a statement in its database."""

    folder: Path
    postgres: PostgresServer | None
    database: str
    modem: Modem = field(default_factory=Modem)
    settings: str = ""
    _device: str = ""
    _process: Process | None = None

    @staticmethod
    def create(postgres: PostgresServer | None, **settings: str) -> GammuServer:
        """Make its database, on `postgres` or in a file, and do not start it; `settings` are lines of `[smsd]`."""
        assert shutil.which("gammu-smsd"), "gammu-smsd is missing: run `make test`, or apt-get install gammu-smsd"
        folder = Path(tempfile.mkdtemp(prefix="bridge-gammu-"))
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        server = GammuServer(folder, postgres, f"smsd{next(_DATABASES)}", settings=lines)
        if postgres is not None:
            postgres.sql(f"CREATE DATABASE {server.database}")
            postgres.sql(_schema("pgsql.sql").replace("CREATE LANGUAGE plpgsql;", ""), server.database)
        else:
            with closing(sqlite3.connect(folder / "smsd.db")) as made:
                made.execute("PRAGMA journal_mode = WAL")  # as docs/gateways/gammu.md says
                made.executescript(_schema("sqlite.sql"))
        return server

    @property
    def url(self) -> str:
        """What the operator writes into `url`."""
        if self.postgres is None:
            return f"sqlite:///{self.folder}/smsd.db"
        return f"postgresql://postgres@127.0.0.1:{self.postgres.port}/{self.database}"

    async def start(self) -> None:
        """Start it, and the modem if it is off."""
        self._device = self._device or self.modem.open()
        (self.folder / "smsdrc").write_text(self._settings())
        with (self.folder / "log").open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                "gammu-smsd",
                "--config",
                str(self.folder / "smsdrc"),
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                env={"PATH": "/usr/bin:/bin", "TZ": ZONE, "PGTZ": ZONE},
            )
        await self.until(lambda: "Inserting phone info" in self.log())

    async def kill(self) -> None:
        """A power cut."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def remove(self) -> None:
        """End it and delete everything."""
        await self.kill()
        if self._device:
            self.modem.close()
        shutil.rmtree(self.folder)

    def sql(self, statement: str) -> str:
        """Run one statement; its rows with `|` between columns, as both databases' clients print them."""
        if self.postgres is not None:
            return self.postgres.sql(statement, self.database).strip()
        with closing(sqlite3.connect(self.folder / "smsd.db", timeout=10)) as connection, connection:
            return "\n".join("|".join(map(str, row)) for row in connection.execute(statement))

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for what it does."""
        for _ in range(round(PATIENCE / 0.02)):
            if true():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(self.log()[-4000:])

    def log(self) -> str:
        """Everything it said."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def _settings(self) -> str:
        if self.postgres is None:
            driver = f"driver = sqlite3\ndatabase = smsd.db\ndbdir = {self.folder}/\n"
        else:
            host = f"127.0.0.1:{self.postgres.port}"
            driver = f"driver = native_pgsql\nhost = {host}\nuser = postgres\ndatabase = {self.database}\n"
        return f"""\
[gammu]
device = {self._device}
connection = at
synchronizetime = no
[smsd]
service = sql
{driver}logfile = stderr
debuglevel = 1
phoneid = first
commtimeout = 1
receivefrequency = 1
maxretries = 0
retrytimeout = 1
sendtimeout = 2
deliveryreport = sms
{self.settings}"""


def _schema(name: str) -> str:
    """The tables as Debian's package brings them."""
    file = Path("/usr/share/doc/gammu-smsd/examples") / name
    assert file.exists(), "the tables of gammu-smsd are missing: this system leaves out the documentation of packages"
    return file.read_text()
