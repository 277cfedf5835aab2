"""Anything at all, said in each state of a connection: every line is answered, none breaks the server."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.smtp.conftest import LOGIN, NUMBER, House

STATES = {
    "connected": [],
    "greeted": ["EHLO pc"],
    "in a login": ["EHLO pc", "AUTH LOGIN"],
    "logged in": ["EHLO pc", "AUTH PLAIN AGNsaW5pY0BleGFtcGxlLnRlc3QAY2xpbmljLWRlbW8="],
}
STATES["in a mail"] = [*STATES["logged in"], f"MAIL FROM:<{LOGIN}> SMTPUTF8"]
STATES["before data"] = [*STATES["in a mail"], f"RCPT TO:{NUMBER}"]
STATES["in chunks"] = [*STATES["before data"], "BDAT 2\r\n"]
STATES["in data"] = [*STATES["before data"], "DATA"]

WORDS = st.sampled_from(
    [
        "EHLO",
        "HELO",
        "AUTH",
        "PLAIN",
        "LOGIN",
        "MAIL",
        "FROM:",
        "RCPT",
        "TO:",
        "DATA",
        "BDAT",
        "BDAT 1",
        " LAST",
        "HOLDFOR=",
        "HOLDUNTIL=",
        "BY=1;",
        "MT-PRIORITY=",
        "RSET",
        "NOOP",
        "VRFY",
        "HELP",
        "<",
        ">",
        "<>",
        "SIZE=1",
        "NOTIFY=",
        "ORCPT=rfc822;",
        "+",
        "=",
        "AA==",
        "*",
        " ",
        ".",
        '"',
        "\\",
        "@",
        NUMBER,
    ]
)
LINES = st.lists(
    st.one_of(
        st.lists(WORDS, max_size=6).map(" ".join).map(str.encode),
        st.lists(WORDS, max_size=6).map("".join).map(str.encode),
        st.binary(max_size=40),
    ),
    max_size=8,
)
ANSWER = re.compile(rb"(220|250|334|354)[ -]|([245])\d\d[ -]\2\.\d\.\d{1,2} [ -~]+\Z")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("state", STATES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=LINES)
async def test_every_answer_is_an_answer(house: House, state: str, lines: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    said = [line.encode() for line in STATES[state]] + lines
    writer.write(b"".join(line + b"\r\n" for line in said))
    writer.write_eof()
    async with asyncio.timeout(30):
        answers = (await reader.read()).split(b"\r\n")
        writer.close()
        await writer.wait_closed()
    assert answers.pop() == b""
    assert answers[0].startswith(b"220 ")
    for answer in answers:
        assert ANSWER.match(answer), answer
        assert not answer.startswith(b"451 4.3.0"), answer
