"""The mail with an answer that several mailboxes get: each is told of the others and sees its own conversation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge import clock
from bridge.store.claims import Claim
from bridge.store.inbox import Inbox
from bridge.types import InboundSms, Keyword, MessageState, Receipt
from tests.clinic import CLINIC
from tests.stations.conftest import PHONE, intake_of, waiting, words
from tests.store.conftest import GATEWAY, StoreRoom, new_mail

SHARED = "+390200000071"
ASKED = {"desk": "Ha una piscina?", "lab": "Ha le analisi?"}


@pytest.mark.parametrize(
    ("ambiguous", "history", "shown"),
    [
        ("all", 6, {"desk": ["desk"], "lab": ["lab"]}),
        ("last", 6, {"lab": ["lab"]}),
        ("all", 0, {"desk": [], "lab": []}),
    ],
)
async def test_each_sees_its_own_conversation(
    room: StoreRoom, ambiguous: str, history: int, shown: dict[str, list[str]]
) -> None:
    for name in ASKED:
        await room.store.mailboxes.add(replace(CLINIC, login=f"{name}@example.test", sender=SHARED))
    await room.store.directory.refresh()
    for days, (name, question) in zip((2, 1), ASKED.items(), strict=True):
        mailbox = room.store.directory.by_login(f"{name}@example.test")
        assert mailbox is not None
        at = clock.now() - timedelta(days=days)
        await room.outbox.take(new_mail(mailbox, [PHONE], message_id=f"<{name}@x>", text=question, at=at))
    now = clock.now()
    for claimed in await room.store.queue.claim(Claim("me", now, now + timedelta(seconds=90), 10)):
        reference = claimed.sms.reference
        await room.inbox.receipt(Receipt(GATEWAY, None, reference, MessageState.DELIVERED, reference), now)
    inbox = Inbox(room.store.committer, room.store.key, report_wait=60, history=history)
    sms = InboundSms(GATEWAY, "1", PHONE, SHARED, "Sì", clock.now())
    await intake_of(replace(room, inbox=inbox), ambiguous=ambiguous).hear([sms])

    mails = {mail.envelope_to.partition("@")[0]: words(mail) for mail in await waiting(room)}
    assert {name: [other for other in ASKED if ASKED[other] in mails[name]] for name in mails} == shown
    for told in mails.values():
        assert "desk@example.test" in told
        assert "lab@example.test" in told
        assert ("all of them have got this message" in told) is (ambiguous == "all")


async def test_a_keyword_forwards_the_answer_and_not_what_was_said_before(room: StoreRoom) -> None:
    await room.store.keywords.save(room.mailbox, Keyword("Ricetta", forward=("pharmacy@example.org",)))
    await room.store.directory.refresh()
    inbox = Inbox(room.store.committer, room.store.key, report_wait=60, history=6)
    intake = intake_of(replace(room, inbox=inbox))
    for event, text in (("1", "Ho la febbre"), ("2", "Ricetta per Rossi")):
        await intake.hear([InboundSms(GATEWAY, event, PHONE, room.mailbox.sender, text, clock.now())])
    _, own, forwarded = await waiting(room)
    assert "Ho la febbre" in words(own)
    assert forwarded.envelope_to == "pharmacy@example.org"
    assert "Ricetta per Rossi" in words(forwarded)
    assert "Ho la febbre" not in words(forwarded)
