"""Conversations as text: each dialog in a folder of them is one connection.

`C:` is what the client says, `S:` what it must hear: a regular expression, matched from the start of the line. A reply
of several lines needs one `S:` line for each, or `S: ...` for the rest of them; `S: [closed]` is the end. `A:` is
searched in what was taken, as the test spells it; `A: nothing` stands where nothing was. `T: TLS` is the handshake.

`C:` knows \\r, \\n, \\0, \\xNN and \\{x*3000} for the same octets many times; `{now+3600}` is the moment in so many
seconds; a line that ends in `\\` is sent without its CRLF.

A line `== title` begins a further dialog in the same file. A line that begins with `=>` says what the test must see to
before the first line is said: at the least, how far the conversation has come.

Whatever is tested, every reply that any dialog hears must be formed as RFC 5321 and RFC 2034 say.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bridge.clock import now
from tests.smtp.conftest import Client

_GREETING = re.compile(r"220 bridge\.example\.test ESMTP")
_HELLO = re.compile(r"250[ -]bridge\.example\.test\Z")
_MORE = re.compile(r"3(34 [A-Za-z0-9+/=]*|54 [ -~]+)\Z")
_CODED = re.compile(r"([245])[0-5][0-9][ -]\1\.[0-9]{1,3}\.[0-9]{1,3} [ -~]+\Z")


@dataclass(frozen=True)
class Dialog:
    """One connection, as a file tells it."""

    name: str
    lines: tuple[tuple[int, str], ...]
    """With their numbers in the file."""

    @property
    def words(self) -> set[str]:
        """What its `=>` lines say."""
        return {word for _, line in self.lines if line.startswith("=> ") for word in line[3:].split()}


def read_dialogs(folder: Path) -> Iterator[Dialog]:
    """All dialogs of a folder."""
    for file in sorted(folder.glob("*.txt")):
        name, lines = file.stem, list[tuple[int, str]]()
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if line.startswith("== "):
                if any(said.startswith("S:") for _, said in lines):
                    yield Dialog(name, tuple(lines))
                name, lines = f"{file.stem}: {line[3:]}", []
            else:
                lines.append((number, line))
        yield Dialog(name, tuple(lines))


@dataclass
class Ear:
    """Hears a connection's replies, line by line, and lets none pass that is not well formed."""

    client: Client
    more: bool = False
    """The reply goes on."""
    offers: bool = False
    """It is the answer to HELO or EHLO, whose lines carry no code (RFC 2034 section 4)."""
    heard: list[str] = field(default_factory=list)

    async def line(self) -> str:
        octets = await self.client.reader.readline()
        if not octets:
            return "[closed]"
        line = octets.decode("ascii")
        assert line.endswith("\r\n"), line
        line = line[:-2]
        self.offers = self.offers if self.more else bool(_HELLO.match(line))
        before, self.more = self.heard[-1][:3] if self.more else line[:3], line[3:4] == "-"
        assert line.startswith(before), f"{line!r}: a reply has one code (RFC 5321 section 4.2.1)"
        self.heard.append(line)
        assert len(line) <= 510, f"{line!r}: a reply line has 512 octets at most (RFC 5321 section 4.5.3.1.5)"
        plain = self.offers or _MORE.match(line) or _GREETING.match(line)
        assert plain or _CODED.match(line), f"{line!r}: not as RFC 2034 says"
        return line

    async def reply(self) -> str:
        """The last line of the next reply."""
        line = await self.line()
        while self.more:
            line = await self.line()
        return line


def octets(said: str) -> bytes:
    """What a `C:` line puts on the wire."""
    unfinished = said.endswith("\\")
    said = re.sub(r"\{now\+([0-9]+)\}", lambda found: _in(int(found[1])), said.removesuffix("\\"))
    raw = said.encode("utf-8").decode("latin-1")
    raw = re.sub(r"\\\{(.+?)\*([0-9]+)\}", lambda found: found[1] * int(found[2]), raw)
    plain = re.sub(r"\\(x[0-9a-f]{2}|[rn0])", lambda found: _escape(found[1]), raw).encode("latin-1")
    return plain if unfinished else plain + b"\r\n"


def _in(seconds: int) -> str:
    return f"{now() + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def _escape(code: str) -> str:
    return {"r": "\r", "n": "\n", "0": "\0"}.get(code) or chr(int(code[1:], 16))


async def open_with(ear: Ear, states: Mapping[str, Sequence[str]], dialog: Dialog) -> None:
    """Say what comes before a dialog, by the state that it names."""
    for said in next((states[word] for word in dialog.words if word in states), ()):
        await ear.client.send(octets(said))
        await ear.reply()


async def converse(dialog: Dialog, ear: Ear, taken: Callable[[], Awaitable[str]], trusting: ssl.SSLContext) -> None:
    """Hold a dialog; `taken` says what was taken, on one line."""
    client = ear.client
    for number, line in dialog.lines:
        where = f"{dialog.name}, line {number}"
        if line == "C:" or line.startswith("C: "):
            await client.send(octets(line[3:]))
        elif line == "S: ...":
            while ear.more:
                await ear.line()
        elif line.startswith("S: "):
            answer = await ear.line()
            assert re.match(line[3:].replace("[closed]", r"\[closed\]"), answer), f"{where}: heard {answer!r}"
        elif line.startswith("A: "):
            found = await taken()
            assert re.search(line[3:], found), f"{where}: taken was {found!r}"
        elif line == "T: TLS":
            await client.writer.start_tls(trusting, server_hostname="localhost")
        else:
            assert not line or line.startswith(("#", "=> ")), f"{where}: not understood"
