"""Lines that no mail server would write, in every state of a session at the MX door: answers, and nothing texted."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

import pytest

from tests.mx.conftest import ANNA, PHONE, OpenMx, letter
from tests.smtp.test_fuzz_lines import lines

A_CONNECTION = 60
ROUNDS = 8

_ENVELOPE = (f"MAIL FROM:<{ANNA}>", f"RCPT TO:<{PHONE}>")
STATES: dict[str, tuple[str, ...]] = {
    "connected": (),
    "greeted": ("EHLO mx.provider.example",),
    "in a mail": ("EHLO mx.provider.example", _ENVELOPE[0]),
    "in a bounce": ("EHLO mx.provider.example", "MAIL FROM:<>"),
    "with a recipient": ("EHLO mx.provider.example", *_ENVELOPE),
    "in data": ("EHLO mx.provider.example", *_ENVELOPE, "DATA"),
    "in chunks": ("EHLO mx.provider.example", *_ENVELOPE, "BDAT 4\r\nHi"),
    "after a mail": ("EHLO mx.provider.example", *_ENVELOPE, "BDAT 4 LAST\r\nHi"),
}
_ANSWER = re.compile(rb"(220|250|354)[ -][ -~]*\Z|([245])\d\d[ -]\2\.\d\.\d{1,2} [ -~]+\Z")


async def test_nothing_that_is_said_breaks_the_door(open_mx: OpenMx, capsys: pytest.CaptureFixture[str]) -> None:
    mx = await open_mx(max_mail_bytes=2000, max_recipients=3)
    chance, strange = random.Random(1), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: strange.append(context))
    line = lines(chance)
    for number in range(ROUNDS):
        for state, opening in STATES.items():
            client = await mx.connect()
            first = b"".join(each.encode() + b"\r\n" for each in opening)
            await client.send(first + b"".join(next(line) for _ in range(A_CONNECTION)))
            client.writer.write_eof()
            try:
                answers = (await client.rest()).split(b"\r\n")
            except ConnectionError:  # it hung up while there was still something to be said
                continue
            assert answers.pop() == b"", (number, state)
            for answer in answers:
                assert _ANSWER.match(answer), (number, state, answer)
                assert not answer.startswith((b"451 4.3.0", b"235", b"334")), (number, state, answer)
    asyncio.get_running_loop().set_exception_handler(None)
    assert strange == []
    assert "smtp.internal" not in capsys.readouterr().out
    assert await mx.texts() == []
    assert (await mx.brings(letter())).startswith("250"), "and a good mail is still taken"
