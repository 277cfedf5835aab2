"""What the envelope of a mail asks for, between the front door and a real store: when, until when, in which order."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bridge import clock
from bridge.errors import MailRefusal, Reason
from bridge.notices.wording import WORDINGS
from bridge.routing import Route
from bridge.smtp_parameters import parse_mail, parse_rcpt
from bridge.store.claims import Claim, Claimed
from bridge.types import Envelope, Priority, Recipient
from tests.receipt_requests import NOTIFIED, REQUESTS, Request, wanted
from tests.stations.conftest import waiting, words
from tests.stations.test_admission import admission
from tests.store.conftest import StoreRoom

PHONE = "+393331234567"
LONG_AFTER = timedelta(days=400)
HOUR = timedelta(hours=1)


async def hand_in(room: StoreRoom, parameters: str, header: str = "", options: str = "", rcpt: str = "") -> datetime:
    """Take a mail from its MAIL command on, with parameters of RCPT; the moment of that."""
    desk, now = admission(room, Route("any")), clock.now()
    command = parse_mail(f"FROM:<{room.mailbox.login}> {parameters}".strip(), now)
    recipient = parse_rcpt(f"TO:<{PHONE}{options}@sms.example.test> {rcpt}".strip())
    targets = desk.check_recipient(room.mailbox, recipient)
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


@pytest.mark.parametrize("request_", [*REQUESTS.values(), *NOTIFIED.values()], ids=[*REQUESTS, *NOTIFIED])
async def test_the_delivery_receipt_that_a_mail_program_asks_for(room: StoreRoom, request_: Request) -> None:
    header = "".join(f"{field}\r\n" for field in request_.fields)
    await hand_in(room, "", header, rcpt=f"NOTIFY={request_.notify}" if request_.notify else "")
    assert await wanted(room.store.engine) == [request_.wants]


@pytest.mark.parametrize(
    ("parameters", "rcpt", "wants", "late_after"),
    [
        ("", "", "DELAY,FAILURE", 3_600),
        ("BY=600;N", "", "DELAY,FAILURE", 600),
        ("BY=-600;N", "", "DELAY,FAILURE", 3_600),
        ("BY=600;N", "NOTIFY=FAILURE", "FAILURE", None),
        ("BY=600;NT", "NOTIFY=FAILURE,DELAY", "DELAY,FAILURE,RELAYED", 600),
        ("BY=600;RT", "NOTIFY=NEVER", "", None),
        ("BY=7200;RT", "", "DELAY,FAILURE,RELAYED", 3_600),
        ("BY=600;RT", "", "DELAY,FAILURE,RELAYED", None),  # it is over before it could be late
        ("HOLDFOR=3600", "", "DELAY,FAILURE", 7_200),
        ("HOLDFOR=3600 BY=4200;N", "", "DELAY,FAILURE", 4_200),
    ],
)
async def test_when_a_text_is_late_and_who_hears_of_it(
    room: StoreRoom, parameters: str, rcpt: str, wants: str, late_after: int | None
) -> None:
    asked = await hand_in(room, parameters, rcpt=rcpt)
    assert await wanted(room.store.engine) == [wants]
    due = await room.reports.next_due(asked)
    assert (due and round((due - asked).total_seconds())) == late_after


async def test_a_text_for_the_end_of_time_is_late_when_that_is_near(room: StoreRoom) -> None:
    """Nothing overflows: a mail may name any moment that can be written."""
    await hand_in(room, "", "X-SMS-Send-At: 9999-12-31T23:59:59+00:00\r\n")
    assert await wanted(room.store.engine) == ["DELAY,FAILURE"]
