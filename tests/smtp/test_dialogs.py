"""Conversations as text: each dialog in `dialogs/` is one connection.

`C:` is what the client says, `S:` what it must hear: a regular expression, matched from the start of the line. A reply
of several lines needs one `S:` line for each, or `S: ...` for the rest of them; `S: [closed]` is the end. `A:` is
searched in what was taken last, as `told` spells it; `A: nothing` stands where nothing was. `T: TLS` is the handshake.

`C:` knows \\r, \\n, \\0, \\xNN and \\{x*3000} for the same octets many times; `{now+3600}` is the moment in so many
seconds; a line that ends in `\\` is sent without its CRLF.

A line `== title` begins a further dialog in the same file. A line that begins with `=>` says how far the conversation
has come when the first line is said (`STATES`), and which door it is (`tls`, `network`, `full`, `no-plaintext-login`).

Whatever is tested, every reply that any dialog hears must be formed as RFC 5321 and RFC 2034 say.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bridge.access.credentials import Credentials
from bridge.clock import now
from bridge.types import Mailbox
from tests.smtp.conftest import LOGIN, NUMBER, Admitted, Client, House, OpenHouse, logins_of, opening

EHLO = ["EHLO pc.example.test"]
LOGGED_IN = [*EHLO, "AUTH PLAIN AGNsaW5pY0BleGFtcGxlLnRlc3QAY2xpbmljLWRlbW8="]
IN_MAIL = [*LOGGED_IN, f"MAIL FROM:<{LOGIN}>"]
WITH_RECIPIENT = [*IN_MAIL, f"RCPT TO:{NUMBER}"]
IN_CHUNKS = [*WITH_RECIPIENT, "BDAT 4\r\nHi\r\n\\"]
STATES = {
    "connected": [],
    "helo": ["HELO pc.example.test"],
    "greeted": EHLO,
    "logged-in": LOGGED_IN,
    "in-mail": IN_MAIL,
    "with-recipient": WITH_RECIPIENT,
    "in-chunks": IN_CHUNKS,
    "failed-chunk": [*IN_CHUNKS, "BDAT 3000\r\n" + "x" * 3000 + "\\"],
    "after-mail": [*WITH_RECIPIENT, "BDAT 4 LAST\r\nHi\r\n\\"],
    "in-data": [*WITH_RECIPIENT, "DATA"],
}

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
        return {word for _, line in self.lines if line.startswith("=> ") for word in line[3:].split()}


def read_dialogs() -> Iterator[Dialog]:
    for file in sorted((Path(__file__).parent / "dialogs").glob("*.txt")):
        name, lines = file.stem, list[tuple[int, str]]()
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if line.startswith("== "):
                if any(said.startswith("S:") for _, said in lines):
                    yield Dialog(name, tuple(lines))
                name, lines = f"{file.stem}: {line[3:]}", []
            else:
                lines.append((number, line))
        yield Dialog(name, tuple(lines))


DIALOGS = list(read_dialogs())


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


def told(admitted: list[Admitted]) -> str:
    """What was taken last, on one line."""
    if not admitted:
        return "nothing"
    mail = admitted[-1]
    envelope, options = mail.envelope, mail.envelope.options
    first = mail.recipients[0]
    facts = {
        "mails": len(admitted),
        "from": f"<{envelope.mail_from}>",
        "to": ",".join(mail.numbers),
        "ret": envelope.ret,
        "envid": envelope.envid,
        "notify": None if first.notify is None else ",".join(sorted(first.notify)),
        "orcpt": first.orcpt,
        "send_at": _from(envelope.received_at, options.send_at),
        "expires_at": _from(envelope.received_at, options.expires_at),
        "priority": options.priority,
        "raw": repr(mail.raw)[2:-1],
    }
    return " ".join(f"{name}={value}" for name, value in facts.items() if value is not None)


def _from(moment: datetime, other: datetime | None) -> str | None:
    """To ten seconds, which no dialog takes."""
    return None if other is None else f"{round((other - moment).total_seconds(), -1):+.0f}"


@pytest.fixture(scope="module")
async def shared(certificate: Path, credentials: Credentials, mailbox: Mailbox) -> AsyncIterator[OpenHouse]:
    """Gives every dialog the same front door, but for the one whose settings must differ."""
    known: dict[bool, House] = {}
    async with opening(certificate, credentials, mailbox) as start:

        async def house(*, plaintext_login: bool) -> House:
            if plaintext_login not in known:
                known[plaintext_login] = await start(
                    plaintext_login=plaintext_login, max_recipients=3, max_mail_bytes=2000
                )
            found = known[plaintext_login]
            found.admission.admitted.clear()
            found.directory.networks.clear()
            found.front.disk_full = lambda: False
            found.front.logins = logins_of(found.directory, credentials)
            return found

        yield house


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.name)
@pytest.mark.usefixtures("quick")
async def test_dialog(dialog: Dialog, shared: OpenHouse, trusting: ssl.SSLContext) -> None:
    words = dialog.words
    house = await shared(plaintext_login="no-plaintext-login" not in words)
    if "network" in words:
        house.directory.networks["127.0.0.1"] = LOGIN
    client = await house.connect(tls=trusting if "tls" in words else None)
    ear = Ear(client)
    for said in next((STATES[word] for word in words if word in STATES), []):
        await client.send(octets(said))
        await ear.reply()
    house.admission.admitted.clear()
    if "full" in words:
        house.front.disk_full = lambda: True
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
            taken = told(house.admission.admitted)
            assert re.search(line[3:], taken), f"{where}: taken was {taken!r}"
        elif line == "T: TLS":
            await client.writer.start_tls(trusting, server_hostname="localhost")
        else:
            assert not line or line.startswith(("#", "=> ")), f"{where}: not understood"
    await client.close()
    house.clients.remove(client)


def test_there_are_dialogs_enough() -> None:
    assert len(DIALOGS) >= 120
    assert len({dialog.name for dialog in DIALOGS}) == len(DIALOGS)
    unknown = {word for dialog in DIALOGS for word in dialog.words}
    assert unknown <= STATES.keys() | {"tls", "network", "full", "no-plaintext-login"}
