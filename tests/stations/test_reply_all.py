"""Reply All: a mail that answers another does not text a crowd that has no part in their thread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge import clock
from bridge.errors import MailRefusal, Reason
from bridge.routing import Route
from bridge.types import Envelope, InboundSms, Recipient
from tests.stations.conftest import intake_of, waiting
from tests.stations.test_admission import admission
from tests.stations.test_trials import DOMAIN, TRIAL, letter
from tests.store.conftest import GATEWAY, StoreRoom

PHONES = [f"+3933312345{n:02}" for n in range(20)]
FIRST = "<first@client.test>"


async def hand_in(
    room: StoreRoom, phones: list[str], *, answering: str = "", message_id: str = "<1@x>", more: str = ""
) -> None:
    """A mail to these phones, which answers the mail `answering`."""
    desk = admission(room, Route("any"))
    recipients = [Recipient(f"{phone}@{DOMAIN}") for phone in phones] + ([Recipient(more)] if more else [])
    targets = [target for recipient in recipients for target in desk.check_recipient(room.mailbox, recipient)]
    thread = f"References: {answering}\r\n" if answering else ""
    raw = f"From: {room.mailbox.login}\r\nMessage-ID: {message_id}\r\n{thread}\r\nTomorrow at nine.\r\n"
    await desk.admit(room.mailbox, Envelope(room.mailbox.login, clock.now()), targets, raw.encode())


async def test_a_new_mail_texts_as_many_as_it_likes(room: StoreRoom) -> None:
    await hand_in(room, PHONES)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        pytest.param([], PHONES[:5], id="a few that have no part in it"),
        pytest.param(PHONES, PHONES, id="all to whom the mail itself went: its author adds a word"),
        pytest.param(PHONES[:4], PHONES[:9], id="five more than the thread knows"),
    ],
)
async def test_an_answer_may_text(room: StoreRoom, asked: list[str], answered: list[str]) -> None:
    if asked:
        await hand_in(room, asked, message_id=FIRST)
    await hand_in(room, answered, answering=FIRST, message_id="<2@x>")


@pytest.mark.parametrize(
    ("asked", "answered", "strangers"),
    [
        pytest.param([], PHONES[:6], 6, id="staff wrote to each other about six patients"),
        pytest.param(PHONES[:1], PHONES[:7], 6, id="one is known and six are not"),
        pytest.param(PHONES[:10], PHONES, 10, id="ten are known and ten are not"),
    ],
)
async def test_an_answer_may_not_text(room: StoreRoom, asked: list[str], answered: list[str], strangers: int) -> None:
    if asked:
        await hand_in(room, asked, message_id=FIRST)
    with pytest.raises(MailRefusal, match=f"would text {strangers} phones that have no part in that thread") as refused:
        await hand_in(room, answered, answering=FIRST, message_id="<2@x>")
    assert refused.value.reason is Reason.BEYOND_THREAD
    assert refused.value.reply.startswith("550 5.7.1 This mail answers another")
    await hand_in(room, answered, message_id="<3@x>")


async def test_a_phone_that_answered_is_part_of_the_thread(room: StoreRoom) -> None:
    """Also where it wrote first, and no mail ever texted it."""
    phones = PHONES[:6]
    answers = [InboundSms(GATEWAY, phone, phone, room.mailbox.sender, "Sì", clock.now()) for phone in phones]
    await intake_of(room).hear(answers)
    thread = " ".join(f"<{mail.id}@{DOMAIN}>" for mail in await waiting(room))
    await hand_in(room, phones, answering=thread)
    with pytest.raises(MailRefusal):
        await hand_in(room, [*phones, *PHONES[6:12]], answering=thread, message_id="<2@x>")


async def test_what_another_organisation_wrote_makes_nobody_known(room: StoreRoom) -> None:
    await hand_in(room, PHONES, message_id=FIRST)
    foreign = replace(room, mailbox=replace(room.mailbox, organisation_id="another"))
    with pytest.raises(MailRefusal):
        await hand_in(foreign, PHONES, answering=FIRST, message_id="<2@x>")


@pytest.mark.parametrize("thread", ["<\ud800@x>", "<a\0b@x>", "<" + "x" * 900 + "@x> " * 300])
async def test_a_thread_that_was_never_one_does_no_harm(room: StoreRoom, thread: str) -> None:
    assert await room.store.threads.strangers("main", thread.split(), PHONES) == len(PHONES)


async def test_preview_says_so_too(room: StoreRoom) -> None:
    await hand_in(room, PHONES[:6], answering=FIRST, more=TRIAL)
    assert "would text 6 phones" in await letter(room)
