"""The commands that run: `bridge demo`, `bridge serve`, `bridge simulator`."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Protocol

import typer

from bridge.cli.shared import DEMO_DIR, Config, settings_of
from bridge.errors import BridgeError, UsageError

Folder = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder that keeps everything; it is made.")]
SmtpPort = Annotated[
    int, typer.Option(metavar="PORT", help="Port that takes mail; 0 takes any free one.", min=0, max=65535)
]
HttpPort = Annotated[
    int, typer.Option(metavar="PORT", help="Port of the phone page; 0 takes any free one.", min=0, max=65535)
]

MANY_FILES = 10_240
"""Files and connections that a bridge may have open."""


class _Runs(Protocol):
    @property
    def failed(self) -> bool: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `bridge`."""
    app.command()(demo)
    app.command()(serve)
    app.command()(simulator)


def demo(
    data_dir: Folder = DEMO_DIR,
    smtp_port: SmtpPort = 2525,
    http_port: HttpPort = 8025,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier demo left.")] = False,
) -> None:
    """Try everything on this machine, without an account anywhere.

    Runs the bridge with a simulated phone network and a mailbox to read, and prints what to paste. Ctrl-C stops it;
    what it keeps is there again at the next start.
    """
    with _loading():
        from bridge import redact
        from bridge.demo import Demo, forget

    redact.configure("warning", "text")
    if fresh:
        forget(data_dir)
    running = Demo(data_dir, smtp_port=smtp_port, http_port=http_port)
    asyncio.run(_until_told(running, lambda: _welcome(running.smtp_port, running.http_port)))


def serve(
    config: Config = None,
    workers: Annotated[
        int, typer.Option(metavar="N", help="Processes to run, for more cores; needs PostgreSQL.", min=1, max=64)
    ] = 1,
) -> None:
    """Run the bridge until it is told to stop.

    It stops on SIGTERM or Ctrl-C, after finishing what it holds.
    """
    with _loading():
        from bridge import redact
        from bridge.app import Bridge
        from bridge.store.store import database_file
        from bridge.workers import SHARED_PORTS, keep_running

    settings = settings_of(config)
    redact.configure(settings.log.level, settings.log.format, settings.secrets())
    open_files()
    if workers == 1:
        asyncio.run(_until_told(Bridge(settings, shares_ports=SHARED_PORTS in os.environ), lambda: None))
        return
    if database_file(settings) is not None:
        raise UsageError("--workers needs PostgreSQL: set database.url to postgresql+asyncpg://…, or run one process.")
    asyncio.run(keep_running(["serve", *(["--config", str(config)] if config else [])], workers))


def open_files() -> None:
    """Take leave to have `MANY_FILES` open, as far as the system allows. By default it is 1024, which is what the front
    door alone needs when it is full."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if most == resource.RLIM_INFINITY else min(MANY_FILES, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def simulator(
    hooks_url: Annotated[
        str, typer.Option(metavar="URL", help="Where the bridge hears this network, …/hooks/NAME of its gateway.")
    ] = "http://127.0.0.1:8025/hooks/simulator",
    secret_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File with the secret that the bridge's gateway has too.", show_default=False
        ),
    ] = None,
    data_dir: Folder = Path("data/simulator"),
    smtp_port: Annotated[
        int, typer.Option(metavar="PORT", help="Port of the catch-all mailbox.", min=0, max=65535)
    ] = 2526,
    http_port: Annotated[int, typer.Option(metavar="PORT", help="Port of the phone network.", min=0, max=65535)] = 8026,
    smpp_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Port of its SMSC: receipts and answers then come by SMPP and not to --hooks-url.",
            min=0,
            max=65535,
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the simulated phone network alone, for another bridge.

    A catch-all mailbox comes with it. Point relay and gateway of the other bridge here.
    """
    with _loading():
        from bridge import redact
        from bridge.simulator.server import run_alone

    if secret_file is None:
        raise UsageError("Name the file that holds the shared secret with --secret-file FILE.")
    try:
        secret = secret_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"The secret cannot be read from {secret_file}: {error.strerror}.") from error
    redact.configure("info", "text", [secret])
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(
            run_alone(data_dir, hooks_url, secret, http_port=http_port, smtp_port=smtp_port, smpp_port=smpp_port)
        )
    except OSError as error:
        ports = "--http-port, --smtp-port and --smpp-port"
        raise UsageError(f"A port cannot be used: {error.strerror}. Choose {ports}.") from error


@contextmanager
def _loading() -> Iterator[None]:
    """Nobody looks for garbage meanwhile: nearly all that is made when a bridge starts stays as long as it runs."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _until_told(running: _Runs, ready: Callable[[], None]) -> None:
    told = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, told.set)
    with _loading():
        await running.start()
        gc.freeze()  # what is there now stays: to look through it again would stop everything for a tenth of a second
    try:
        ready()
        await told.wait()
    finally:
        await running.stop()
    if running.failed:
        raise BridgeError("A part of the bridge broke, so it stopped. The log says which; start it again.")


def _welcome(smtp_port: int, http_port: int) -> None:
    from bridge.demo_mailboxes import PASSWORDS, SAMPLE_NUMBER

    login, password = next(iter(PASSWORDS.items()))
    print(
        f"""
The bridge is ready, with a simulated phone network. Nothing leaves this machine.

  Phones and mailbox   http://127.0.0.1:{http_port}/
  Mail server          127.0.0.1 port {smtp_port} (STARTTLS offered)
  Login                {login}   password {password}
  Text a phone         mail to {SAMPLE_NUMBER}@sms.example.test

Paste this line into another terminal to send the first text:

  python3 -c "import smtplib; s = smtplib.SMTP('127.0.0.1', {smtp_port}); s.login('{login}', '{password}'); \
s.sendmail('{login}', '{SAMPLE_NUMBER}@sms.example.test', 'Subject: Hello\\n\\nYour visit is tomorrow at 10:30.')"

Ctrl-C stops it.
""",
        flush=True,
    )
