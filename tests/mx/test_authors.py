"""Who may text through the MX door: whoever wrote the mail, proven, and with a mailbox here. Nothing else counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge import clock
from bridge.types import Door, Mailbox, MessageState
from tests.access.letters import sealed, sealed_by_hand, signed
from tests.mx.conftest import ANNA, AWAY, HERE, LANDLINE, OTHER, PHONE, Mx, OpenMx, letter
from tests.servers.dns import Fault
from tests.stations.conftest import waiting
from tests.store.conftest import DOMAIN

EVE = "eve@other.example"
SIGNED = "from:to:subject:date:message-id"


async def test_a_mail_of_the_clinics_provider_is_texted(mx: Mx) -> None:
    assert (await mx.brings(letter())).startswith("250 2.0.0 Taken as ")
    assert await mx.texts() == [("+393331234567", "Your visit is on Monday at 10.")]


async def test_what_was_judged_is_in_the_log_without_an_address(mx: Mx, capsys: pytest.CaptureFixture[str]) -> None:
    await mx.brings(letter())
    await mx.brings(letter("Eve <boss@clinic.example>"), sender=EVE)
    lines = [line for line in capsys.readouterr().out.splitlines() if "mx.judged" in line]
    assert len(lines) == 2
    assert "vouching=['spf']" in lines[0]
    assert "doubt=policy" in lines[1]
    assert not any("@" in line or "3331234567" in line for line in lines)


async def test_a_domain_in_letters_beyond_ascii_is_the_same_as_dns_has_it(mx: Mx) -> None:
    assert (await mx.brings(letter("anna@xn--mnchen-3ya.example"), sender="a@xn--mnchen-3ya.example")).startswith("250")
    assert (await mx.brings(letter("anna@MÜNCHEN.example"), sender="a@xn--mnchen-3ya.example")).startswith("250")


@pytest.mark.parametrize(
    ("raw", "sender", "reply"),
    [
        pytest.param(letter(), EVE, "550 5.7.26 ", id="forged: only the sender's own domain passed"),
        pytest.param(letter(f"{ANNA}, {EVE}"), ANNA, "550 5.7.1 ", id="two authors"),
        pytest.param(letter("front@small.example"), EVE, "550 5.7.1 This address could not be verified", id="nobody"),
        pytest.param(letter(f'"{ANNA}" <{EVE}>'), EVE, "550 5.7.1 No mailbox of the bridge", id="a name as an address"),
        pytest.param(letter("boss@clinic.example"), ANNA, "550 5.7.1 No mailbox", id="no mailbox of that domain"),
        pytest.param(b"To: x\r\n\r\nHi\r\n", ANNA, "550 5.6.0 ", id="no author at all"),
        pytest.param(letter(f"Anna <{ANNA}>", f"From: {EVE}"), ANNA, "550 5.6.0 ", id="two From fields"),
    ],
)
async def test_a_mail_of_anybody_else_is_refused(mx: Mx, raw: bytes, sender: str, reply: str) -> None:
    assert (await mx.brings(raw, sender=sender)).startswith(reply)
    assert await mx.texts() == []


async def test_without_an_answer_of_dns_the_mail_may_come_again(mx: Mx) -> None:
    mx.names.faults = dict.fromkeys(("clinic.example", "_dmarc.clinic.example"), Fault.SERVFAIL)
    assert (await mx.brings(letter())).startswith("451 4.4.3 ")
    assert await mx.texts() == []


async def test_a_mail_that_its_provider_sends_again_is_texted_once(mx: Mx) -> None:
    raw = letter()
    first = await mx.brings(raw)
    again = await mx.brings(b"Received: from elsewhere\r\n" + raw)
    assert again == first
    assert len(await mx.texts()) == 1


async def test_phones_that_may_not_be_texted_are_reported_beside_the_others(mx: Mx) -> None:
    assert (await mx.brings(letter(), LANDLINE, PHONE)).startswith("250")
    assert await mx.texts() == [("", ""), ("+393331234567", "Your visit is on Monday at 10.")]
    refused = await mx.room.store.ledger.messages(state=MessageState.REFUSED, number=None, login=None, limit=9)
    assert [view.reason for view in refused] == ["landline"]


async def test_a_mail_for_nobody_who_can_be_texted_is_refused_with_the_reason(mx: Mx) -> None:
    assert (await mx.brings(letter(), LANDLINE)).startswith("550 5.7.1 ")
    assert (await mx.brings(letter(), f"mario@{DOMAIN}")).startswith("550 5.1.1 ")
    assert (await mx.brings(letter(), f"+3912@{DOMAIN}")).startswith("553 5.1.3 ")
    assert await mx.texts() == []


async def test_a_paused_mailbox_is_waited_for(mx: Mx) -> None:
    await mx.room.store.mailboxes.save(replace(_anna(mx), paused=True))
    await mx.room.store.directory.refresh()
    assert (await mx.brings(letter())).startswith("450 4.2.1 ")


async def test_absence_notes_and_reports_are_not_texted(mx: Mx) -> None:
    assert (await mx.brings(letter(ANNA, "Auto-Submitted: auto-replied"))).startswith("550 5.7.1 ")
    assert await mx.texts() == []


async def test_a_mail_can_be_tried_and_decides_about_phones(mx: Mx) -> None:
    assert (await mx.brings(letter(), f"preview@{DOMAIN}")).startswith("250 2.0.0 Taken as preview.")
    (answer,) = await waiting(mx.room)
    assert answer.envelope_to == ANNA
    said = await mx.brings(letter(), f"+393331234567+block@{DOMAIN}")
    assert said.startswith("250 2.0.0 Texts to +39 333 123 4567 are blocked.")
    assert (await mx.brings(letter(message_id="<2@x>"))).startswith("550 5.7.1 Texts from ")
    both = (f"+393331234567+block@{DOMAIN}", OTHER)
    assert (await mx.brings(letter(message_id="<3@x>"), *both)).startswith("550 5.1.1 A decision about a phone")
    assert await mx.texts() == []


async def test_priority_in_the_header_is_believed_of_a_verified_author(mx: Mx) -> None:
    await mx.brings(letter(ANNA, "MT-Priority: 4"))
    (view,) = await mx.room.store.ledger.messages(state=None, number=None, login=None, limit=9)
    assert view.priority == "high"


async def test_reports_and_answers_go_to_the_verified_author(mx: Mx) -> None:
    """Not to an envelope sender that is nobody's here, although SPF knows it."""
    await mx.brings(letter(), sender="bounces@clinic.example")
    assert await _ways_back(mx) == [(ANNA, ANNA, Door.MX)]


# What a signature alone proves: the mail, and not the way it came.


@pytest.fixture
async def away(mx: Mx) -> Mx:
    """Mail comes from servers that SPF does not know: somebody has sent it on, or sends it again."""
    mx.names.zone |= AWAY
    return mx


async def test_a_signature_speaks_for_the_mail_and_for_whom_it_names(away: Mx) -> None:
    """The envelope sender may be anybody's choice, so it gets no reports, even if it is an address of the mailbox."""
    assert (await away.brings(signed(letter(), names=SIGNED), sender="front@small.example")).startswith("250")
    assert await away.texts() == [("+393331234567", "Your visit is on Monday at 10.")]
    assert await _ways_back(away) == [(ANNA, ANNA, Door.MX)]


@pytest.mark.parametrize(
    ("raw", "recipients", "leaves_open"),
    [
        pytest.param(signed(letter(), names=SIGNED), (OTHER,), "to whom", id="to another phone"),
        pytest.param(signed(letter(), names=SIGNED), (PHONE, OTHER), "to whom", id="to one more phone"),
        pytest.param(
            signed(letter(to=f'"{OTHER}" <{PHONE}> ({OTHER})'), names=SIGNED), (OTHER,), "to whom", id="to a name"
        ),
        pytest.param(
            signed(letter(), names="from:subject:date:message-id"), (PHONE,), "to whom", id="To is not signed"
        ),
        pytest.param(
            signed(signed(letter(), names="from:subject:date:message-id"), "other.example", names=SIGNED),
            (PHONE,),
            "to whom",
            id="To is signed by somebody else",
        ),
        pytest.param(signed(letter(), names="from:to:subject:date"), (PHONE,), "which mail", id="Message-ID is not"),
        pytest.param(
            signed(letter(message_id="<1 of 2@clinic.example>"), names=SIGNED),
            (PHONE,),
            "which mail",
            id="Message-ID is none",
        ),
        pytest.param(
            signed(letter(ANNA, "Content-Type: text/plain; charset=utf-8"), names=SIGNED),
            (PHONE,),
            "what its text is (Content-Type)",
            id="Content-Type is not",
        ),
        pytest.param(
            b"Content-Transfer-Encoding: quoted-printable\r\n" + signed(letter(), names=SIGNED),
            (PHONE,),
            "what its text is (Content-Transfer-Encoding)",
            id="an encoding was added",
        ),
        pytest.param(
            b"Content-Disposition: attachment\r\n"
            + signed(letter(ANNA, "Content-Disposition: inline"), names=f"{SIGNED}:content-disposition"),
            (PHONE,),
            "what its text is (Content-Disposition)",
            id="a second one was added",
        ),
        pytest.param(
            signed(letter(date=clock.now() - timedelta(days=2)), names=SIGNED), (PHONE,), "so long after", id="too old"
        ),
        pytest.param(
            signed(letter(date=clock.now() + timedelta(hours=2)), names=SIGNED), (PHONE,), "so long after", id="to come"
        ),
    ],
)
async def test_who_sends_a_signed_mail_again_texts_nobody(
    away: Mx, raw: bytes, recipients: tuple[str, ...], leaves_open: str
) -> None:
    reply = await away.brings(raw, *recipients, sender=EVE)
    assert reply.startswith("550 5.7.1 Only a signature vouches for this mail")
    assert leaves_open in reply
    assert await away.texts() == []


async def test_a_signed_mail_that_comes_again_is_known(away: Mx) -> None:
    raw = signed(letter(), names=SIGNED)
    assert await away.brings(raw, sender=EVE) == await away.brings(raw, sender="mallory@other.example")
    assert len(await away.texts()) == 1


async def test_a_signed_mail_that_comes_again_with_other_blanks_is_known(away: Mx) -> None:
    """A relaxed signature is right however many blanks are between the words."""
    raw = signed(letter(), names=SIGNED, form="relaxed/relaxed")
    first = await away.brings(raw, sender=EVE)
    assert await away.brings(raw.replace(b"Your visit", b"Your \t visit").replace(b"10.", b"10. "), sender=EVE) == first
    assert len(await away.texts()) == 1


async def test_what_was_added_to_a_signed_mail_is_not_done(away: Mx) -> None:
    """Only what the author has signed counts: wishes above the signature are whoever's wishes."""
    added = b"X-SMS-Sender: +390299999999\r\nX-SMS-Send-At: Mon, 01 Jan 2035 10:00:00 +0000\r\nMT-Priority: 9\r\n"
    assert (await away.brings(added + signed(letter(), names=SIGNED), sender=EVE)).startswith("250")
    (view,) = await away.room.store.ledger.messages(state=None, number=None, login=None, limit=9)
    assert view.priority == "normal"
    assert view.due_at - view.created_at < timedelta(minutes=1)


async def test_a_wish_that_is_signed_counts_unless_another_stands_above_it(away: Mx) -> None:
    names = f"{SIGNED}:x-sms-reference"
    wishing = signed(letter(ANNA, "X-SMS-Reference: bed 4"), names=names)
    assert (await away.brings(wishing, sender=EVE)).startswith("250")
    other = signed(letter(ANNA, "X-SMS-Reference: bed 5", message_id="<2@x>"), names=names)
    assert (await away.brings(b"X-SMS-Reference: mine\r\n" + other, sender=EVE)).startswith("250")
    views = await away.room.store.ledger.messages(state=None, number=None, login=None, limit=9)
    assert [view.reference for view in reversed(views)] == ["bed 4", None]


async def test_a_machines_mail_stays_one_although_nothing_of_that_is_signed(away: Mx) -> None:
    """Taking away what is not signed never makes a mail more welcome: one of the bridge's own stays recognised."""
    own = b"X-Auto-Response-Suppress: All\r\nX-SMS-Status: delivered\r\n"
    assert (await away.brings(own + signed(letter(), names=SIGNED), sender=EVE)).startswith("550 5.7.1 This is an auto")


async def test_a_list_that_is_trusted_may_bring_the_mail_itself(open_mx: OpenMx) -> None:
    """The list changes the mail, so that the signature breaks, and says by ARC that it was right."""
    mx = await open_mx(trusted=["lists.example"])
    mx.names.zone["clinic.example"] = AWAY["clinic.example"]
    passed_on = sealed(letter(subject="[staff] Visit"))
    assert (await mx.brings(passed_on, sender="bounces@lists.example")).startswith("250")
    assert await mx.texts() == [("+393331234567", "Your visit is on Monday at 10.")]


async def test_who_sends_a_mail_of_a_trusted_list_again_texts_nobody_else(open_mx: OpenMx) -> None:
    mx = await open_mx(trusted=["lists.example"])
    mx.names.zone |= AWAY
    reply = await mx.brings(sealed(letter()), OTHER, sender=EVE)
    assert reply.startswith("550 5.7.1 Only a signature vouches for this mail")
    assert await mx.texts() == []


async def test_a_list_that_leaves_the_subject_open_must_bring_the_mail_itself(open_mx: OpenMx) -> None:
    mx = await open_mx(trusted=["lists.example"])
    mx.names.zone["clinic.example"] = AWAY["clinic.example"]
    passed_on = sealed_by_hand(letter(), "from:to:date:message-id")
    assert (await mx.brings(passed_on, sender="bounces@lists.example")).startswith("250")
    mx.names.zone |= AWAY
    reply = await mx.brings(passed_on.replace(b"Subject: Visit", b"Subject: Money"), sender=EVE)
    assert "it leaves open what its text is (Subject)" in reply


async def test_a_list_that_is_not_trusted_vouches_for_nobody(mx: Mx) -> None:
    mx.names.zone["clinic.example"] = AWAY["clinic.example"]
    assert (await mx.brings(sealed(letter()), sender="bounces@lists.example")).startswith("550 5.7.26 ")
    assert HERE["clinic.example"] != AWAY["clinic.example"]


def _anna(mx: Mx) -> Mailbox:
    found = mx.room.store.directory.by_login(ANNA)
    assert found is not None
    return found


async def _ways_back(mx: Mx) -> list[tuple[str, ...]]:
    """Where reports and where answers go, and the door, of the one mail that was taken."""
    async with mx.room.store.engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT report_to, reply_to, door FROM submission, conversation")
        return [tuple(row) for row in rows.all()]
