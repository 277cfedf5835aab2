"""Bridges on one PostgreSQL that share their ports, and the simulated phone network as a process of its own."""

from __future__ import annotations

import os
import re
import smtplib
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.cli.commands import run
from tests.road.demo_process import BRIDGE, LOGIN, PASSWORD, PATIENCE, SENDER, eventually
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.web import web

_SECRET = "a secret of the cluster"
_READY = "bridge.ready"


@dataclass
class Cluster:
    """`start` begins with the phone network and no node; `add_node` starts one."""

    folder: Path
    postgres: PostgresServer
    database: str
    gateway: str = ""
    """Lines that the section of the gateway has besides."""
    smtp_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    phones_port: int = field(default_factory=free_port)
    mail_port: int = field(default_factory=free_port)
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """Those that were started and not killed."""
    simulator: subprocess.Popen[bytes] | None = None
    _begun: int = 0
    _logs: dict[int, Path] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The configuration of every node."""
        return self.folder / "bridge.toml"

    @property
    def log(self) -> Path:
        """What the phone network and all workers wrote to standard error; a node has a file of its own."""
        return self.folder / "log"

    def start(self) -> Cluster:
        """Write the configuration, add the mailbox, start the phone network."""
        self.postgres.sql(f"CREATE DATABASE {self.database}")
        (self.folder / "secret").write_text(_SECRET)
        (self.folder / "secret").chmod(0o600)
        (self.folder / "password").write_text(PASSWORD)
        self.config.write_text(self._configuration())
        self.command("db", "upgrade")
        self.command("mailbox", "add", LOGIN, "--sender", SENDER, "--password-file", str(self.folder / "password"))
        arguments = ["--http-port", str(self.phones_port), "--smtp-port", str(self.mail_port)]
        arguments += ["--data-dir", str(self.folder / "phones"), "--secret-file", str(self.folder / "secret")]
        arguments += ["--hooks-url", f"http://127.0.0.1:{self.http_port}/hooks/main"]
        self.simulator = self._spawn("simulator", *arguments)
        eventually(lambda: _answers(f"http://127.0.0.1:{self.phones_port}/simulator/api/phones"))
        return self

    def _configuration(self) -> str:
        return f"""
data_dir = "data"
[database]
url = "{self.postgres.url(self.database)}"
[smtp]
port = {self.smtp_port}
plaintext_login = true
[http]
port = {self.http_port}
[relay]
host = "127.0.0.1"
port = {self.mail_port}
tls = "none"
[gateways.main]
kind = "simulator"
url = "http://127.0.0.1:{self.phones_port}/simulator/provider"
secret_file = "secret"
{self.gateway}
[sending]
gateway = "main"
"""

    def add_node(self) -> subprocess.Popen[bytes]:
        """Start one more bridge on the shared ports; it answers when this returns."""
        node = self.begin_node()
        eventually(lambda: node in self.ready())
        return node

    def begin_node(self) -> subprocess.Popen[bytes]:
        """Begin to start one more bridge."""
        self._begun += 1
        log = self.folder / f"node-{self._begun}.log"
        node = self._spawn("serve", "--config", str(self.config), log=log)
        self.nodes.append(node)
        self._logs[node.pid] = log
        return node

    def ready(self) -> list[subprocess.Popen[bytes]]:
        """The nodes that answer."""
        return [node for node in self.nodes if _READY in self._logs[node.pid].read_text()]

    def start_workers(self, number: int) -> subprocess.Popen[bytes]:
        """Start `bridge serve --workers`; every worker answers when this returns."""
        parent = self._spawn("serve", "--config", str(self.config), "--workers", str(number))
        self.nodes.append(parent)
        self.wait_for_starts(number)
        return parent

    def wait_for_starts(self, number: int) -> None:
        """Wait until so many bridges have started since the cluster began."""
        eventually(lambda: self.log.read_text().count(_READY) >= number)

    def workers(self) -> list[int]:
        """Process ids of the workers that were started, in the order of the log."""
        found = re.findall(r'"pid": (\d+)', self.log.read_text())
        return [int(pid) for pid in found]

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """End a node as a power cut would."""
        node.kill()
        node.wait(PATIENCE)
        self.nodes.remove(node)

    def stop(self) -> None:
        """End everything."""
        self.stop_nodes()
        if self.simulator is not None:
            _end(self.simulator)

    def stop_nodes(self) -> None:
        """End the nodes."""
        _end(*self.nodes)
        self.nodes.clear()

    def smtp(self) -> smtplib.SMTP:
        """A connection to one of the nodes that has logged in."""
        client = smtplib.SMTP(timeout=PATIENCE)
        try:
            client.connect("127.0.0.1", self.smtp_port)
            client.login(LOGIN, PASSWORD)
        except BaseException:
            client.close()
            raise
        return client

    def states(self) -> dict[str, str]:
        """State of the newest message to each phone."""
        rows = self.postgres.sql("SELECT number, state FROM message ORDER BY id", self.database).split()
        return dict(row.split("|") for row in rows)

    def texts(self) -> Counter[str]:
        """How many texts each phone got."""
        phones = web.get(f"http://127.0.0.1:{self.phones_port}/simulator/api/phones", timeout=PATIENCE).json()
        return Counter({phone["number"]: phone["messages"] for phone in phones})

    def command(self, *arguments: str) -> str:
        """Run another `bridge` command on this cluster, in the test's own process."""
        done = run(*arguments, "--config", self.config)
        assert done.code == 0, done.err
        return done.out

    def _spawn(self, *arguments: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        with (log or self.log).open("ab") as output:
            return subprocess.Popen(
                [*BRIDGE, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                env={**os.environ, "SMS_BRIDGE_WORKER": "test", "PYTHONUNBUFFERED": "1"},
            )


def _end(*running: subprocess.Popen[bytes]) -> None:
    for process in running:
        process.terminate()
    for process in running:
        process.wait(PATIENCE)


def _answers(url: str) -> bool:
    try:
        return web.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False
