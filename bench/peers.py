"""The servers that are measured: the bridge, Postfix that queues durably, and two that throw mail away.

Each is a process of its own on loopback. What is stored lies in the folder that is given, so all of it on one disk.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import trustme

from bench import mails
from tests.servers.ports import free_port
from tests.servers.postfix import PostfixServer

PATIENCE = 30.0
SMPP_USER, SMPP_PASSWORD = "bench", "bench123"
BRIDGE = (sys.executable, "-m", "bridge", "serve", "--config")


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server: where it takes mail, and the process that all of its processes descend from."""

    name: str
    port: int
    tls_port: int | None
    pid: int


def certificate(folder: Path) -> Path:
    """One PEM file with key and certificate (ECDSA P-256) for all servers."""
    file = folder / "server.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(file)
    file.chmod(0o600)
    return file


@contextmanager
def bridge(
    folder: Path,
    pem: Path,
    gateway_url: str,
    command: Sequence[str] = BRIDGE,
    settings: str = "",
    options: Mapping[str, str] | None = None,
) -> Iterator[Peer]:
    """`bridge serve` with SQLite in `folder` and one mailbox, which loopback may use without login.

    What was kept there by an earlier one is found again. `command` runs it under something else, such as a profiler.
    `settings` are more lines of its configuration; what stands before their first heading belongs to `[sending]`.
    `options` are the gateway's.
    """
    folder.mkdir(exist_ok=True)
    port, tls_port, http_port = free_port(), free_port(), free_port()
    config = folder / "bridge.toml"
    config.write_text(
        f"""
domain = "{mails.DOMAIN}"
data_dir = "{folder / "data"}"
[smtp]
port = {port}
tls_port = {tls_port}
certificate = "{pem}"
private_key = "{pem}"
[http]
port = {http_port}
public_url = "http://127.0.0.1:{http_port}"
[relay]
host = "127.0.0.1"
port = {free_port()}
tls = "none"
[gateways.main]
{_provider(gateway_url, options or {})}
[sending]
gateway = "main"
{settings}"""
    )
    if not (folder / "data").exists():
        (folder / "data").mkdir(mode=0o700)
        _add_mailbox(config)
    with (
        (folder / "log").open("ab") as log,
        running([*command, str(config)], log, lambda: _healthy(http_port)) as process,
    ):
        yield Peer("bridge", port, tls_port, process.pid)


QUEUES = {"defer_transports": "smtp"}
"""Postfix as it works: each mail is queued, its queue manager schedules it, and puts off its delivery for good."""

HOLDS = {"smtpd_client_restrictions": "check_client_access static:HOLD"}
"""The least that Postfix can do with a mail and still keep it: nothing but its file on disk."""


@contextmanager
def postfix(name: str, folder: Path, pem: Path, keeping: Mapping[str, str]) -> Iterator[Peer]:
    """Postfix with its own queue, logins checked by Dovecot; `keeping` is `QUEUES` or `HOLDS`.

    `in_flow_delay` is off: it would slow down clients that bring mail faster than the queue manager takes it up.
    """
    folder.mkdir(mode=0o755)
    settings = {
        **keeping,
        "in_flow_delay": "0",
        "smtpd_tls_chain_files": str(pem),
        "smtpd_tls_security_level": "may",
        "smtpd_tls_session_cache_database": "",
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": str(folder / "login" / "auth"),
    }
    with _dovecot(folder / "login"):
        server = PostfixServer.create(settings, implicit_tls=True, folder=folder)
        try:
            pid = server.master_pid()
            assert pid is not None
            yield Peer(name, server.port, server.tls_port, pid)
        finally:
            server.stop()


@contextmanager
def smtp_sink(folder: Path) -> Iterator[Peer]:
    """Postfix's own test server, which throws mail away; it knows neither TLS nor logins."""
    port = free_port()
    program = shutil.which("smtp-sink")
    assert program is not None, "smtp-sink is missing: it comes with Postfix"
    with (
        (folder / "smtp-sink.log").open("ab") as log,
        running([program, "-u", "postfix", f"127.0.0.1:{port}", "512"], log, lambda: is_open(port)) as process,
    ):
        yield Peer("smtp-sink", port, None, process.pid)


@contextmanager
def aiosmtpd_sink(folder: Path, pem: Path) -> Iterator[Peer]:
    """aiosmtpd with a handler that throws mail away."""
    port, tls_port = free_port(), free_port()
    command = [sys.executable, "-W", "ignore", "-m", "bench.sink", "--port", str(port)]
    command += ["--tls-port", str(tls_port), "--certificate", str(pem)]
    with (
        (folder / "aiosmtpd.log").open("ab") as log,
        running(command, log, lambda: is_open(tls_port)) as process,
    ):
        yield Peer("aiosmtpd sink", port, tls_port, process.pid)


def _provider(url: str, options: Mapping[str, str]) -> str:
    kind, account = ("smpp", SMPP_USER) if url.startswith("smpp:") else ("simulator", "")
    written = ", ".join(f'{key} = "{value}"' for key, value in options.items())
    return (
        f'kind = "{kind}"\nurl = "{url}"\naccount = "{account}"\nsecret = "{SMPP_PASSWORD}"\noptions = {{ {written} }}'
    )


@contextmanager
def smsc(folder: Path, *manner: str) -> Iterator[tuple[str, str]]:
    """An SMSC that takes every message at once: its address, and the url that says what has come.

    `manner` are options of `bench.smsc`.
    """
    port, count_port = free_port(), free_port()
    command = [sys.executable, "-m", "bench.smsc", "--port", str(port), "--count-port", str(count_port), *manner]
    with (folder / "smsc.log").open("ab") as log, running(command, log, lambda: is_open(port)):
        yield f"smpp://127.0.0.1:{port}", f"http://127.0.0.1:{count_port}"


@contextmanager
def slow_gateway(folder: Path, pause: float) -> Iterator[str]:
    """A provider that answers each message after `pause` seconds; the url of its API."""
    port = free_port()
    command = [sys.executable, "-m", "bench.gateway", "--port", str(port), "--pause", str(pause)]
    with (folder / "gateway.log").open("ab") as log, running(command, log, lambda: is_open(port)):
        yield f"http://127.0.0.1:{port}"


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process and everything below it has used, ended children included."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    tick = os.sysconf("SC_CLK_TCK")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name in parentheses may hold spaces: count from behind it (proc(5)).
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it ended while we were looking
            continue
        parents[int(folder.name)] = int(fields[1])
        used[int(folder.name)] = sum(map(int, fields[11:15])) / tick
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(member, 0.0) for member in family)


@contextmanager
def _dovecot(folder: Path) -> Iterator[None]:
    """Dovecot's login service alone: it answers Postfix whether a password is right."""
    folder.mkdir(mode=0o755)
    (folder / "users").write_text(f"{mails.LOGIN}:{{PLAIN}}{mails.PASSWORD}\n")
    (folder / "dovecot.conf").write_text(
        f"""
protocols =
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
ssl = no
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
    )
    program = shutil.which("dovecot") or "/usr/sbin/dovecot"
    command = [program, "-F", "-c", str(folder / "dovecot.conf")]
    with (folder / "err").open("ab") as log, running(command, log, lambda: (folder / "auth").exists()):
        yield


@contextmanager
def running(command: Sequence[str], log: IO[bytes], ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs until the block ends; `ready` says when it can be used."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            assert process.poll() is None, f"{command} ended at once"
            assert time.monotonic() < deadline, f"{command} did not become ready"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE * 2)


def _add_mailbox(config: Path) -> None:
    options = ["--sender", "+390200000001", "--network", "127.0.0.0/8", "--password-file", "-", "--config", str(config)]
    subprocess.run(
        [sys.executable, "-m", "bridge", "mailbox", "add", mails.LOGIN, *options],
        input=mails.PASSWORD.encode(),
        stdout=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=True,
    )


def _healthy(http_port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{http_port}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def is_open(port: int) -> bool:
    """Whether something on loopback listens there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except ConnectionError:
        return False
