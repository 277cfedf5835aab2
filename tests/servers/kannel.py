"""A real Kannel on loopback (bearerbox and smsbox), with the phones of its own `fakesmsc` behind it.

User guide: https://www.kannel.org/download/kannel-userguide-snapshot/userguide.html. Texts to numbers that begin with
+44 have no route; texts to those that begin with +49 wait for a network that is away.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import tempfile
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from bridge.types import Encoding
from tests.servers.ports import free_port

USER, PASSWORD = "bridge", "correct-horse"
PATIENCE = 15.0
FAKESMSC = "/usr/lib/kannel/test/fakesmsc"

_GOT = re.compile(rb"Got message \d+: <(\S+) (\S+) (?:udh (\S+) )?(\S+) (.*)>\n")


@dataclass(frozen=True, slots=True)
class Segment:
    """What one SMS brought to a phone."""

    sender: str
    number: str
    header: bytes
    """The user data header (3GPP TS 23.040 section 9.2.3.24); empty when the text is one SMS."""
    body: bytes


@dataclass
class KannelServer:
    """One Kannel: takes texts at `url`, has them at `segments`, calls back where it is told."""

    folder: Path
    inbound: str
    """Where the texts of phones are called in, with the escapes of a `post-url`."""
    core: Mapping[str, str]
    port: int
    _phones: int = field(default_factory=free_port)
    _replies: int = field(default_factory=free_port)
    _away: int = field(default_factory=free_port)
    _boxes: int = field(default_factory=free_port)
    _admin: int = field(default_factory=free_port)
    _running: list[Process] = field(default_factory=list)

    @staticmethod
    async def create(inbound: str = "", port: int | None = None, **core: str) -> KannelServer:
        """Make a new Kannel and start it, on `port` if one is given.

        `inbound` is its `post-url`; `core` are lines of its group `core`, with `_` for `-`.
        """
        assert shutil.which("bearerbox"), "Kannel is missing: run `make test`, or apt-get install kannel kannel-extras"
        server = KannelServer(Path(tempfile.mkdtemp(prefix="bridge-kannel-")), inbound, core, port or free_port())
        (server.folder / "kannel.conf").write_text(server._settings())
        try:
            await server._start()
        except BaseException:
            await server.remove()
            raise
        return server

    @property
    def url(self) -> str:
        """What the operator writes into `url`."""
        return f"http://127.0.0.1:{self.port}"

    def segments(self) -> list[Segment]:
        """Every SMS that reached a phone, in order."""
        found = _GOT.findall((self.folder / "fakesmsc").read_bytes())
        return [
            Segment(sender.decode(), number.decode(), unquote_to_bytes(header), _body(kind, body))
            for sender, number, header, kind, body in found
        ]

    async def reached(self, after: int, count: int) -> list[Segment]:
        """The next `count` segments behind the first `after`; a phone writes them down later than its receipt comes."""
        await until(lambda: len(self.segments()) >= after + count, self.log)
        return self.segments()[after:]

    async def write(self, number: str, to: str, text: str, encoding: Encoding = Encoding.GSM7) -> None:
        """Let a phone write one SMS."""
        unicode = encoding is Encoding.UCS2
        await self._send(f"{number} {to} {f'ucs2 {_quoted(text)}' if unicode else f'text {text}'}")

    async def write_long(self, number: str, to: str, *parts: str) -> None:
        """Let a phone write a text of several SMS, joined by a header with an 8-bit reference."""
        for place, part in enumerate(parts, 1):
            header = "".join(f"%{octet:02X}" for octet in (5, 0, 3, 7, len(parts), place))
            await self._send(f"{number} {to} udh-text {header} {part}")

    async def network_comes(self) -> None:
        """Connect the network that was away."""
        await self._connect(self._away)

    async def remove(self) -> None:
        """Stop everything and delete it."""
        for process in reversed(self._running):
            if process.returncode is not None:
                continue
            process.kill()  # with a message that waits it would take ten seconds to end by itself
            await process.wait()
        shutil.rmtree(self.folder)

    def log(self, *programs: str) -> str:
        """Everything they said."""
        files = [self.folder / name for name in programs or ("bearerbox", "smsbox", "fakesmsc")]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    async def _start(self) -> None:
        await self._run("bearerbox", "-v", "0", "kannel.conf")
        await until(lambda: _answers(self._boxes), self.log)
        await self._run("smsbox", "-v", "0", "kannel.conf")
        # The first client of bearerbox was our question whether it answers.
        boxes = "Client connected from"
        await until(lambda: self.log("bearerbox").count(boxes) == 2 and _answers(self.port), self.log)
        await self._connect(self._phones)
        await until(lambda: "Fakesmsc client connected" in self.log("bearerbox"), self.log)

    async def _connect(self, port: int) -> None:
        await self._run(FAKESMSC, "-H", "127.0.0.1", "-r", str(port), "-m", "0", "-v", "0", "1 2 text none")

    async def _send(self, message: str) -> None:
        heard = "smsc_fake: new message received"
        before = self.log("bearerbox").count(heard)
        arguments = ("-H", "127.0.0.1", "-r", str(self._replies), "-m", "1", "-i", "0.01", message)
        phone = await self._run(FAKESMSC, *arguments, log="replies")
        await until(lambda: self.log("bearerbox").count(heard) > before, self.log)
        phone.terminate()
        await phone.wait()
        self._running.remove(phone)

    async def _run(self, program: str, *arguments: str, log: str = "") -> Process:
        with (self.folder / (log or Path(program).name)).open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                program, *arguments, cwd=self.folder, stdin=DEVNULL, stdout=output, stderr=STDOUT
            )
        self._running.append(process)
        return process

    def _settings(self) -> str:
        core = {
            "admin-port": str(self._admin),
            "admin-interface": "127.0.0.1",
            "admin-password": PASSWORD,
            "smsbox-port": str(self._boxes),
            "box-allow-ip": "127.0.0.1",
            "smsbox-interface": "127.0.0.1",
            "dlr-storage": "internal",
            **{name.replace("_", "-"): value for name, value in self.core.items()},
        }
        smsc = {"smsc": "fake", "connect-allow-ip": "127.0.0.1"}
        groups: list[tuple[str, dict[str, str]]] = [
            ("core", core),
            ("smsc", {**smsc, "smsc-id": "phones", "port": str(self._phones), "allowed-prefix": "+39"}),
            ("smsc", {**smsc, "smsc-id": "replies", "port": str(self._replies), "allowed-prefix": "none"}),
            ("smsc", {**smsc, "smsc-id": "away", "port": str(self._away), "allowed-prefix": "+49"}),
            (
                "smsbox",
                {
                    "bearerbox-host": "127.0.0.1",
                    "bearerbox-port": str(self._boxes),
                    "sendsms-port": str(self.port),
                    "sendsms-interface": "127.0.0.1",
                    "http-request-retry": "20",
                    "http-queue-delay": "1",
                },
            ),
            ("sendsms-user", {"username": USER, "password": PASSWORD, "max-messages": "10", "concatenation": "true"}),
            (
                "sms-service",
                {
                    "keyword": "default",
                    "catch-all": "true",
                    "post-url": f'"{self.inbound}"',
                    "max-messages": "0",
                    "omit-empty": "true",
                },
            ),
        ]
        return "\n".join(
            f"group = {name}\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())
            for name, lines in groups
        )


async def until(true: Callable[[], bool], log: Callable[[], str]) -> None:
    """Wait for what another program does."""
    for _ in range(round(PATIENCE / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(log())


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _quoted(text: str) -> str:
    return "".join(f"%{octet:02X}" for octet in text.encode("utf-16-be"))


def _body(kind: bytes, body: bytes) -> bytes:
    return body if kind == b"text" else unquote_to_bytes(body.replace(b"+", b" "))
