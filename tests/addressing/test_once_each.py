"""One message a phone, however often and in whatever ways a mail names it (Promise 2); and preview shows the same."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.addressing import targets
from bridge.decision import decide
from bridge.errors import Refusal
from bridge.preview import preview
from bridge.routing import Route, Routes
from bridge.types import Mailbox, National, NewMessage, Recipient, Target, UnicodePolicy
from tests.addressing.house import ANNA, DOMAIN, GROUND, JOSE, MARIO, NOW, PEOPLE
from tests.clinic import CLINIC

WORDS = "Ğ “Domani” " + "alle 9 " * 10
"""Written otherwise where the Turkish table may be used: elsewhere it is UCS-2, and its quotation marks stay."""
TURKISH = Routes(
    (Route("turkish", priority=1), Route("plain", priority=2)),
    answered=frozenset({"turkish"}),
    flash=frozenset({"plain"}),
    alphabets={"turkish": frozenset({National.TURKISH})},
)
"""Only the gateway without the table can send flash texts, and it does not stand in for the other."""
NO_FLASH = Routes((Route("plain"),))


def mail(subject: str = "", text: str = WORDS) -> bytes:
    head = f"From: clinic@example.test\r\nMessage-ID: <1@example.test>\r\nSubject: {subject}\r\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


def messages(
    locals_: Sequence[str], raw: bytes, routes: Routes = TURKISH, mailbox: Mailbox = CLINIC
) -> tuple[NewMessage, ...]:
    """What a mail to these recipients comes to; those that are refused at RCPT are left out, as a client does."""
    found: list[Target] = []
    for local in locals_:
        try:
            found += targets(mailbox, Recipient(f"{local}@{DOMAIN}"), GROUND)
        except Refusal:
            continue
    return decide(mailbox, found, raw, GROUND, routes, NOW).messages


@pytest.mark.parametrize(
    ("locals_", "subject", "numbers"),
    [
        pytest.param([MARIO, "mario.rossi", "333.1234567"], "", [MARIO], id="three spellings"),
        pytest.param(["mario.rossi", "today"], "", [MARIO, JOSE], id="a member and the group"),
        pytest.param(["today", "everybody"], "", list(PEOPLE.values()), id="two groups with the same members"),
        pytest.param([MARIO, f"{MARIO}+flash"], "", [MARIO], id="once as flash, by another gateway"),
        pytest.param(["sms", "sms+flash"], f"{MARIO};{JOSE}", [MARIO, JOSE], id="two fixed addresses"),
        pytest.param(["sms", "mario.rossi"], f"{MARIO};{JOSE}", [MARIO, JOSE], id="in the mail and in an address"),
    ],
)
def test_a_phone_that_is_named_twice_is_texted_once(locals_: Sequence[str], subject: str, numbers: list[str]) -> None:
    assert len({each.encoded.text for each in messages([MARIO, f"{JOSE}+flash"], mail())}) == 2, "one text in two ways"
    assert [each.number for each in messages(locals_, mail(subject))] == numbers


@pytest.mark.parametrize("locals_", [["sms+flash", MARIO], [MARIO, "sms+flash"]])
def test_a_phone_that_cannot_be_reached_one_way_is_texted_the_other(locals_: list[str]) -> None:
    """Flash is refused for the number in the mail; the same phone was taken at its own RCPT."""
    found = messages(locals_, mail(MARIO), NO_FLASH)
    assert [(each.number, each.refused) for each in found] == [(MARIO, None)]


def test_very_many_fixed_addresses_cost_no_more_than_one() -> None:
    numbers = ";\r\n ".join(f"+39333{at:07}" for at in range(400))
    begun = time.process_time()
    found = messages([f"sms+ref={at}" for at in range(500)], mail(numbers))
    assert len(found) == 400
    assert time.process_time() - begun < 1  # each of them once more for each address took four seconds


LOCALS = ["mario.rossi", MARIO, f"{MARIO}+flash", "today", "everybody", "today+flash", "porter", "nobody.can", "12",
          ANNA, "sms", "sms+flash", "sms+ref=A"]  # fmt: skip
SUBJECTS = ["", MARIO, f"{ANNA}; {JOSE}; 12 34 56", "Visita", "2026 2027"]
TEXTS = [WORDS, "", f"{JOSE}\r\n{WORDS}", "x" * 2_000]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(LOCALS), min_size=1, max_size=5),
    st.sampled_from(SUBJECTS),
    st.sampled_from(TEXTS),
    st.sampled_from([TURKISH, NO_FLASH, Routes(())]),
    st.sampled_from(UnicodePolicy),
)
def test_preview_shows_what_is_sent(
    locals_: list[str], subject: str, text: str, routes: Routes, policy: UnicodePolicy
) -> None:
    mailbox, raw = replace(CLINIC, unicode=policy), mail(subject, text)
    shown = preview(mailbox, [f"{local}@{DOMAIN}" for local in locals_], raw, GROUND, routes, NOW)
    sent, reply = _sent(locals_, raw, routes, mailbox)
    assert reply is None or reply in {each.reply for each in shown.refused}
    assert shown.messages == tuple(each for each in sent if each.refused is None)
    assert {each.recipient.address for each in sent if each.refused} <= {each.address for each in shown.refused}
    assert shown.messages or shown.refused


def _sent(
    locals_: list[str], raw: bytes, routes: Routes, mailbox: Mailbox
) -> tuple[tuple[NewMessage, ...], str | None]:
    """The messages of a mail, or the reply with which it is refused."""
    if not any(map(_is_taken, locals_)):
        return (), None
    try:
        return messages(locals_, raw, routes, mailbox), None
    except Refusal as refusal:
        return (), refusal.reply


def _is_taken(local: str) -> bool:
    try:
        return bool(targets(CLINIC, Recipient(f"{local}@{DOMAIN}"), GROUND))
    except Refusal:
        return False
