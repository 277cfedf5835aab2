"""Lines that nobody would write, many, in every state of a session: answers only, no exception, and memory stays flat.

`--long` says 200,000 of them, others each time. A failure names the seed that says the same again.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.smtp.conftest import LOGIN, NUMBER, House, OpenHouse, resident

SHORT, LONG = 2_700, 200_000
A_CONNECTION = 60
"""Lines said on one connection; after 100 that bring no mail nearer it would end."""
GROWTH = 8 << 20
"""Octets that the process may have more after the second half of the lines than before it."""

_MAIL, _RCPT = f"MAIL FROM:<{LOGIN}>", f"RCPT TO:{NUMBER}"
STATES: dict[str, tuple[bool, tuple[str, ...]]] = {
    "connected": (False, ()),
    "greeted": (False, ("EHLO pc",)),
    "in a login": (False, ("EHLO pc", "AUTH LOGIN")),
    "trusted": (True, ("EHLO pc",)),
    "in a mail": (True, ("EHLO pc", f"{_MAIL} SMTPUTF8")),
    "with a recipient": (True, ("EHLO pc", _MAIL, _RCPT)),
    "in data": (True, ("EHLO pc", _MAIL, _RCPT, "DATA")),
    "in chunks": (True, ("EHLO pc", _MAIL, _RCPT, "BDAT 4\r\nHi")),
    "after a failed chunk": (True, ("EHLO pc", _MAIL, _RCPT, "BDAT 4 AGAIN\r\nHi")),
}
"""Whether the peer is trusted without a login, and what it has said."""

_SEEDS = [
    b"EHLO pc.example.test",
    b"HELO pc",
    b"AUTH PLAIN AGEAYg==",
    b"AUTH LOGIN",
    b"AUTH PLAIN =",
    b"*",
    _MAIL.encode(),
    f"{_MAIL} SIZE=100 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb AUTH=<>".encode(),
    f"{_MAIL} HOLDFOR=60 BY=600;RT MT-PRIORITY=-4".encode(),
    f"{_MAIL} HOLDUNTIL=2026-03-01T09:00:00+01:00".encode(),
    b"MAIL FROM:<>",
    _RCPT.encode(),
    f"{_RCPT} NOTIFY=SUCCESS,DELAY ORCPT=utf-8;jos\\x{{E9}}@example.test".encode(),
    b'RCPT TO:<"+39 333"@[IPv6:2001:db8::1]>',
    b"RCPT TO:<jos\xc3\xa9@sms.example.test>",
    b"DATA",
    b"Subject: a",
    b".",
    b"..",
    b"RSET",
    b"NOOP",
    b"HELP me",
    b"VRFY clinic",
    b"EXPN staff",
    b"BDAT 2\r\n",
    b"BDAT 0",
    b"BDAT 2 LAST\r\n",
    b"BDAT 3000",
    b"",
]
_PIECES = [bytes([octet]) for octet in b'\0\r\n =+;<>@"\\-(]%\xff']
_PIECES += [b"\r\n", b".\r\n", b"9" * 30, b"x" * 3000, "\u2028".encode(), "٣".encode()]
_ANSWER = re.compile(rb"(220|250|334|354)[ -][ -~]*\Z|([245])\d\d[ -]\2\.\d\.\d{1,2} [ -~]+\Z")


def lines(chance: random.Random) -> Iterator[bytes]:
    """Commands as they should be, with something wrong in most of them."""
    while True:
        line = bytearray(chance.choice(_SEEDS))
        for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
            at = chance.randint(0, len(line))
            match chance.randrange(4):
                case 0:
                    line[at:at] = chance.choice(_PIECES)
                case 1:
                    del line[at : at + chance.randint(1, 4)]
                case 2:
                    line[at : at + 1] = chance.randbytes(1)
                case _:
                    line[at:at] = chance.choice(_SEEDS)
        yield bytes(line) + chance.choice((b"\r\n",) * 12 + (b"\n", b"\r", b""))


async def say(house: House, said: bytes) -> list[bytes]:
    """All the answers of a connection on which all this was said, and the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    try:
        writer.write(said)
        writer.write_eof()
        async with asyncio.timeout(30):
            return (await reader.read()).split(b"\r\n")
    except ConnectionError:  # it hung up while there was still something to be said
        return [b"220 ", b""]
    finally:
        writer.transport.abort()


@pytest.mark.usefixtures("quick")
@pytest.mark.timeout(600)
async def test_nothing_that_is_said_breaks_the_server(open_house: OpenHouse, long: bool) -> None:
    house = await open_house(max_mail_bytes=2000, max_recipients=3)
    house.admission.keeps = False
    seed = random.SystemRandom().randrange(1 << 32) if long else 1
    chance, strange = random.Random(seed), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: strange.append(context))
    rounds = -(-(LONG if long else SHORT) // (A_CONNECTION * len(STATES)))
    line, before = lines(chance), 0
    for number in range(rounds):
        if number == rounds // 2:
            before = resident()
        for state, (trusted, opening) in STATES.items():
            house.directory.networks = {"127.0.0.1": LOGIN} if trusted else {}
            first = b"".join(each.encode() + b"\r\n" for each in opening)
            answers = await say(house, first + b"".join(next(line) for _ in range(A_CONNECTION)))
            where = f"seed {seed}, round {number}, {state}"
            assert answers[0].startswith((b"220 ", b"421 ")), where
            assert answers.pop() == b"", where
            for answer in answers:
                assert _ANSWER.match(answer), (where, answer)
                assert not answer.startswith(b"451 4.3.0"), (where, answer)
    await house.emptied()
    asyncio.get_running_loop().set_exception_handler(None)
    assert strange == []
    assert resident() - before < GROWTH
