"""Our own mails: leased by one, settled once, never forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bridge import clock
from bridge.store.automatic import Dealings
from bridge.store.claims import Claim
from bridge.store.inbounds import Filing, Thread
from bridge.store.mails import MailResult
from bridge.types import InboundSms, OutgoingMail
from tests.store.conftest import GATEWAY, StoreRoom, later


async def mail_of(room: StoreRoom, event_id: str = "1") -> str:
    """A reply of a phone, filed with the mail that carries it."""

    def decide(inbound_id: str, sms: InboundSms, threads: Sequence[Thread], dealings: Dealings) -> Filing:
        mail = OutgoingMail(f"mo.{inbound_id}", "", room.mailbox.login, b"Subject: SI\r\n\r\n")
        known = threads[0].conversation_id if threads else None
        return Filing(room.mailbox.organisation_id, room.mailbox.id, known, "number", mail)

    sms = InboundSms(GATEWAY, event_id, "+393331234567", room.mailbox.sender, "SI", later(0))
    filing = await room.inbox.inbound(sms, decide)
    assert filing is not None
    assert filing.mail is not None
    return filing.mail.id


async def claimed(room: StoreRoom, owner: str, seconds: float) -> list[str]:
    """Mails leased `seconds` after now; the queue's own clock stamps them."""
    now = clock.now() + timedelta(seconds=seconds)
    return [mail.id for mail in await room.mails.claim(Claim(owner, now, now + timedelta(seconds=60), 10))]


async def test_a_mail_is_leased_by_one_until_the_lease_ends(room: StoreRoom) -> None:
    mail_id = await mail_of(room)
    assert await claimed(room, "a", 1) == [mail_id]
    assert await claimed(room, "b", 2) == []
    assert await claimed(room, "b", 100) == [mail_id]


@pytest.mark.parametrize("state", ["sent", "failed"])
async def test_a_settled_mail_stays_settled(room: StoreRoom, state: str) -> None:
    """A node that lost its lease and says "try again" does not have a mail sent twice."""
    mail_id = await mail_of(room)
    await claimed(room, "a", 1)
    await room.mails.settle(MailResult(mail_id, state, later(5)))
    await room.mails.settle(MailResult(mail_id, "queued", later(6), due_at=later(6)))
    assert await claimed(room, "b", 1000) == []


async def test_two_answers_of_one_phone_are_two_mails(room: StoreRoom) -> None:
    assert await mail_of(room, "1") != await mail_of(room, "2")
    assert len(await claimed(room, "a", 1)) == 2
