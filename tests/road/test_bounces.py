"""An answer that cannot be delivered: a real Postfix sends it back, the operator hears of it, another reads it."""

from __future__ import annotations

import asyncio
import smtplib
from pathlib import Path

import pytest

from tests.road.demo_process import LOGIN
from tests.road.mail_server import ALSO_CLOSED, CLOSED, FULL, OPERATOR, REFUSED, Clinic, Relay, clinic
from tests.servers.postfix import PostfixServer

NUMBER = "+393331270001"


def taken_back(relay: Relay, bounce_address: str) -> int:
    """How many bounces to this address the bridge has taken from Postfix."""
    lines = relay.postfix.log().splitlines()
    return sum(f"to=<{bounce_address}>" in line and "250 2.0.0 Bounce taken" in line for line in lines)


def hand_in_again(postfix: PostfixServer, sender: str, recipient: str) -> None:
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
        client.sendmail(sender, recipient, b"Subject: SI\r\n\r\nSI\r\n")


async def text_of(running: Clinic, address: str) -> list[str]:
    bodies = [mail.get_body(("plain",)) for mail in await running.mails(address)]
    return [str(body.get_content()) for body in bodies if body is not None]


async def test_answers_and_reports_pass_through_postfix(relay: Relay, tmp_path: Path) -> None:
    async with clinic(relay, tmp_path, fallback=ALSO_CLOSED) as running:
        asked = await running.asks(NUMBER, **{"X-SMS-Confirm": "all"})
        await running.texts_back(NUMBER, "Sì")
        await running.until(lambda: len(running.outgoing()) == 2)
        await running.quiet()
        mails = await running.mails(LOGIN)
        (bounces_to, _), (nobody, _) = running.envelope("reply"), running.envelope("report")
    assert bounces_to.startswith("b-")
    assert nobody == ""
    assert f"from=<{bounces_to}>" in relay.postfix.log()
    assert {mail["In-Reply-To"] for mail in mails} == {asked}
    assert {mail.get_content_type() for mail in mails} == {"multipart/report", "multipart/alternative"}
    assert {state for _, _, state in running.outgoing()} == {"sent"}


@pytest.mark.parametrize(
    ("author", "state", "reason"),
    [
        pytest.param(CLOSED, "bounced", "does not know this address (5.1.1)", id="Postfix takes it, and it bounces"),
        pytest.param(FULL, "bounced", "the mailbox is full (5.2.2)", id="it bounces since the mailbox is full"),
        pytest.param(REFUSED, "failed", "does not know this address (550 5.1.1)", id="Postfix does not take it"),
    ],
)
async def test_the_operator_hears_of_it_and_the_fallback_mailbox_reads_it(
    relay: Relay, tmp_path: Path, author: str, state: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with clinic(relay, tmp_path, fallback=LOGIN) as running:
        await running.asks(NUMBER, author)
        await running.texts_back(NUMBER, "Sì, ma il 14 non posso")
        await running.until(lambda: len(running.outgoing()) == 3)
        await running.quiet()
        (alert,), (answer,) = await running.mails(OPERATOR), await running.mails(LOGIN)
        (told,), (read,) = await text_of(running, OPERATOR), await text_of(running, LOGIN)
        sender, recipient = running.envelope("reply")
        if state == "bounced":
            assert taken_back(relay, sender) == 1
            await asyncio.to_thread(hand_in_again, running.postfix, sender, recipient)
            await running.until(lambda: taken_back(relay, sender) == 2)
            await running.quiet()
        outgoing = running.outgoing()
        phones = await running.phones()
        assert len(await running.mails(OPERATOR)) == len(await running.mails(LOGIN)) == 1
    assert sorted(outgoing) == [
        ("alert", OPERATOR, "sent"),
        ("fallback", LOGIN, "sent"),
        ("reply", author, state),
    ]
    assert phones == [NUMBER], "no bounce became a text"
    log = capsys.readouterr().out
    assert "reply.lost" in log
    assert NUMBER[1:] not in log
    assert "posso" not in log
    assert alert["Subject"] == "SMS bridge: an answer could not be delivered"
    assert alert["Auto-Submitted"] == "auto-generated"
    for word in (author, LOGIN, reason):
        assert word in told
    assert NUMBER[-6:] not in alert.as_string()
    assert "posso" not in told
    assert author in read.partition("* * *")[0]
    assert read.partition("* * *")[2].partition("-- ")[0].strip() == "Sì, ma il 14 non posso"
    assert answer["X-SMS-From"] == NUMBER
    assert answer["Subject"] == "Re: Appointment"


async def test_a_bounce_from_the_fallback_mailbox_is_told_and_ends_there(relay: Relay, tmp_path: Path) -> None:
    async with clinic(relay, tmp_path, fallback=ALSO_CLOSED) as running:
        await running.asks(NUMBER, CLOSED)
        await running.texts_back(NUMBER, "Sì")
        await running.until(lambda: len(running.outgoing()) == 4)
        await running.quiet()
        told = await text_of(running, OPERATOR)
        outgoing = running.outgoing()
    assert sorted(outgoing) == [
        ("alert", OPERATOR, "sent"),
        ("alert", OPERATOR, "sent"),
        ("fallback", ALSO_CLOSED, "bounced"),
        ("reply", CLOSED, "bounced"),
    ]
    first, second = sorted(told, key=lambda text: "already" in text)
    assert f"sent to the fallback mailbox {ALSO_CLOSED}" in first
    assert "It is not sent anywhere else" in second


async def test_without_another_mailbox_the_operator_is_told_that_nobody_read_it(relay: Relay, tmp_path: Path) -> None:
    async with clinic(relay, tmp_path, fallback="") as running:
        await running.asks(NUMBER, CLOSED)
        await running.texts_back(NUMBER, "Sì")
        await running.until(lambda: len(running.outgoing()) == 2)
        await running.quiet()
        (told,) = await text_of(running, OPERATOR)
    assert "Nobody has read it yet" in told
