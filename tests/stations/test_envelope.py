"""What the envelope of a mail asks for, between the front door and a real store: when, until when, in which order."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bridge import clock
from bridge.errors import MailRefusal, Reason
from bridge.notices.wording import WORDINGS
from bridge.routing import Route
from bridge.smtp_parameters import parse_mail
from bridge.store.claims import Claim, Claimed
from bridge.types import Envelope, Priority, Recipient
from tests.stations.conftest import waiting, words
from tests.stations.test_admission import admission
from tests.store.conftest import StoreRoom

PHONE = "+393331234567"
LONG_AFTER = timedelta(days=400)
HOUR = timedelta(hours=1)


async def hand_in(room: StoreRoom, parameters: str, header: str = "", options: str = "") -> datetime:
    """Take a mail from its MAIL command on; the moment of that."""
    desk, now = admission(room, Route("any")), clock.now()
    command = parse_mail(f"FROM:<{room.mailbox.login}> {parameters}".strip(), now)
    targets = desk.check_recipient(room.mailbox, Recipient(f"{PHONE}{options}@sms.example.test"))
    envelope = Envelope(command.address, now, command.ret, command.envid, options=command.options)
    raw = f"From: {room.mailbox.login}\r\nMessage-ID: <1@x>\r\n{header}\r\nTomorrow at nine.\r\n"
    await desk.admit(room.mailbox, envelope, targets, raw.encode())
    return now


async def stored(room: StoreRoom) -> Claimed:
    """The message, claimed long after all of its times."""
    late = clock.now() + LONG_AFTER
    (claimed,) = await room.store.queue.claim(Claim("test", late, late + HOUR, 10))
    return claimed


async def test_a_mail_that_is_held_is_due_when_it_says(room: StoreRoom) -> None:
    asked = await hand_in(room, "HOLDFOR=3600")
    assert (await stored(room)).due_at == asked + HOUR


async def test_a_mail_with_a_deadline_is_worth_nothing_after_it(room: StoreRoom) -> None:
    asked = await hand_in(room, "BY=600;R")
    assert (await stored(room)).sms.expires_at == asked + timedelta(seconds=600)


@pytest.mark.parametrize(
    ("parameters", "header", "options", "priority"),
    [
        ("", "", "", Priority.NORMAL),
        ("MT-PRIORITY=4", "", "", Priority.HIGH),
        ("MT-PRIORITY=-9", "", "", Priority.NORMAL),
        ("", "MT-Priority: 4 (urgent)\r\n", "", Priority.HIGH),
        ("", "MT-Priority: very\r\n", "", Priority.NORMAL),
        ("MT-PRIORITY=0", "MT-Priority: 4\r\n", "", Priority.NORMAL),
        ("MT-PRIORITY=0", "", "+p=high", Priority.HIGH),
        ("MT-PRIORITY=4", "", "+p=normal", Priority.NORMAL),
    ],
)
async def test_the_phone_goes_before_the_envelope_and_the_envelope_before_the_header(
    room: StoreRoom, parameters: str, header: str, options: str, priority: Priority
) -> None:
    await hand_in(room, parameters, header, options)
    assert (await stored(room)).sms.priority is priority


async def test_the_envelope_goes_before_the_headers_of_the_bridge(room: StoreRoom) -> None:
    header = "X-SMS-Send-At: 2020-01-01T09:00:00Z\r\nX-SMS-Expires: 2020-01-01T10:00:00Z\r\n"
    asked = await hand_in(room, "HOLDFOR=3600 BY=7200;R", header)
    claimed = await stored(room)
    assert (claimed.due_at, claimed.sms.expires_at) == (asked + HOUR, asked + 2 * HOUR)


async def test_a_deadline_before_the_release_is_refused_wherever_each_stands(room: StoreRoom) -> None:
    header = f"X-SMS-Send-At: {(clock.now() + HOUR).isoformat()}\r\n"
    with pytest.raises(MailRefusal, match="is over before the text may go") as refused:
        await hand_in(room, "BY=600;R", header)
    assert refused.value.reason is Reason.BAD_HEADER


async def test_the_validity_of_an_address_counts_from_the_release(room: StoreRoom) -> None:
    asked = await hand_in(room, "HOLDFOR=3600", options="+v=60")
    assert (await stored(room)).sms.expires_at == asked + HOUR + timedelta(seconds=60)


async def test_a_trial_shows_what_the_envelope_asks_for(room: StoreRoom) -> None:
    trial = Recipient(f"preview+{PHONE[1:]}@sms.example.test")
    desk, command = admission(room, Route("any")), parse_mail("FROM:<> HOLDFOR=3600 MT-PRIORITY=4", clock.now())
    envelope = Envelope(room.mailbox.login, clock.now(), options=command.options)
    raw = f"From: {room.mailbox.login}\r\nMessage-ID: <1@x>\r\n\r\nTomorrow at nine.\r\n".encode()
    await desk.admit(room.mailbox, envelope, desk.check_recipient(room.mailbox, trial), raw)
    (mail,) = await waiting(room)
    wording = WORDINGS[room.mailbox.language]
    assert wording.say("preview.high") in words(mail)
    assert wording.say("preview.send_at") in words(mail)
