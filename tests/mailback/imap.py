"""What the tests of filing share: mails to file, accounts to file in, and an IMAP server of fixed answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bridge.mailback.imap import Filed, Folders, FolderSettings
from bridge.settings import TlsMode
from tests.servers.dovecot import DovecotServer
from tests.servers.imap_account import PASSWORD, Account

FOLDER = ("SMS", "+393331234567")


def filed(number: int = 0, *, size: int = 100, folder: tuple[str, ...] = FOLDER, **changes: Any) -> Filed:
    """A mail to be filed; `number` tells it from others, `size` is about its text."""
    message_id = f"<{number:026d}@sms.example.test>"
    text = (f"{number} " * size)[:size]
    raw = f"From: +39 333 123 4567 <x@example.test>\r\nMessage-ID: {message_id}\r\n\r\n{text}\r\n".encode()
    return Filed(message_id, folder, raw, datetime(2026, 11, 2, 9, 30, tzinfo=UTC), **changes)


def reaching(port: int, account: str = "anna", **changes: Any) -> FolderSettings:
    """Settings for a server on loopback; times are long, so that whoever waits for one is noticed."""
    values: dict[str, Any] = {"tls": TlsMode.NONE, "password": PASSWORD, "timeout": 30.0}
    return FolderSettings(host="127.0.0.1", port=port, username=account, **(values | changes))


def folders(dovecot: DovecotServer, account: str, port: int = 0, **changes: Any) -> Folders:
    """The account's folders on Dovecot, perhaps through a proxy on `port`."""
    return Folders(reaching(port or dovecot.port, account, **changes))


def folders_of(box: Account, port: int = 0, **changes: Any) -> Folders:
    """The account's folders on any server, perhaps through a proxy on `port`."""
    return Folders(reaching(port or box.server.port, box.user, **changes))


ANSWERS: Mapping[str, str | None] = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1\r\n{tag} OK done",
    "LIST": '* LIST (\\Noselect) "/" ""\r\n{tag} OK done',
    "LOGOUT": "* BYE\r\n{tag} OK done",
}


@dataclass
class ScriptedImap:
    """A server with one answer for each command; `{tag}` stands for the command's tag, None for silence."""

    answers: Mapping[str, str | None]
    greeting: str
    port: int = 0
    after: Mapping[str, str | None] = field(default_factory=dict)
    """What follows the client's next line, where the answer to a command was a question (`+`)."""
    said: list[bytes] = field(default_factory=list)
    """What the client answered to questions."""
    heard: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has left."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting.encode() + b"\r\n")
        try:
            while line := await reader.readline():
                tag, command = line.decode().replace(" UID ", " ", 1).split()[:2]
                self.heard.append(command)
                self.lines.append(line)
                literal = re.search(rb"\{(\d+)\}\r\n", line)
                if literal:
                    writer.write(b"+ go on\r\n")
                    await reader.readexactly(int(literal[1]) + 2)
                answer = self.answers.get(command, "{tag} OK done")
                if answer is not None and answer.startswith("+"):
                    writer.write(answer.encode() + b"\r\n")
                    self.said.append((await reader.readline()).rstrip(b"\r\n"))
                    answer = self.after[command]
                if answer is not None:
                    writer.write(answer.replace("{tag}", tag).encode() + b"\r\n")
        except ConnectionError:
            self.heard.append("RESET")
        finally:
            self.gone.set()
            writer.close()


@asynccontextmanager
async def scripted_imap(
    answers: Mapping[str, str | None] | None = None,
    greeting: str = "* OK ready",
    after: Mapping[str, str | None] | None = None,
) -> AsyncIterator[ScriptedImap]:
    """A scripted IMAP server on loopback, with `answers` in place of the usual ones."""
    script = ScriptedImap({**ANSWERS, **(answers or {})}, greeting, after=after or {})
    server = await asyncio.start_server(script.talk, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
