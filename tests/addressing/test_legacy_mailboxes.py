"""Mailboxes that write in the form of another service: whom their addresses mean, and that no password is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.addressing import targets
from bridge.decision import Decision, decide
from bridge.errors import Refusal
from bridge.preview import of_targets
from bridge.routing import Routes
from bridge.types import Destination, GrammarName, Preview, Recipient, Target
from tests.addressing.house import DOMAIN, GROUND, MARIO, NOW, PEOPLE, address_book, decided
from tests.clinic import CLINIC

KEY = "e3f3a759b6677959"
NUMBER = MARIO.removeprefix("+")
BOOK = address_book(PEOPLE, {"Group 77": ["Mario Rossi"]})


def meant(grammar: GrammarName, address: str) -> tuple[Target, ...]:
    return targets(replace(CLINIC, grammar=grammar), Recipient(address), replace(GROUND, book=BOOK))


def mail(subject: str = "Visita", text: str = "Domani alle 9.", to: str = "") -> bytes:
    head = f"From: clinic@example.test\r\nMessage-ID: <1@example.test>\r\nTo: {to}\r\nSubject: {subject}\r\n"
    return f"{head}\r\n{text}\r\n".encode()


def taken(grammar: GrammarName, raw: bytes, *addresses: str) -> Decision:
    mailbox = replace(CLINIC, grammar=grammar)
    found = [target for address in addresses for target in meant(grammar, address)]
    return decide(mailbox, found, raw, GROUND, Routes.anywhere(), NOW)


def shown(grammar: GrammarName, raw: bytes, *addresses: str) -> Preview:
    found = [target for address in addresses for target in meant(grammar, address)]
    return of_targets(replace(CLINIC, grammar=grammar), found, raw, GROUND, Routes.anywhere(), NOW)


WITH_PASSWORD = [
    pytest.param(GrammarName.TEXTANYWHERE, f"{NUMBER}.{KEY}@{DOMAIN}", id="textanywhere"),
    pytest.param(GrammarName.SEVEN, f"{NUMBER}.{KEY}@{DOMAIN}", id="seven"),
    pytest.param(GrammarName.LOX24, f"1234567.{KEY}.{NUMBER}@{DOMAIN}", id="lox24"),
    pytest.param(GrammarName.LOX24, f"1234567.{KEY}.77@email2bulk.{DOMAIN}", id="lox24, a group"),
]


@pytest.mark.parametrize(("grammar", "address"), WITH_PASSWORD)
def test_a_password_in_an_address_stands_nowhere_in_what_is_kept(grammar: GrammarName, address: str) -> None:
    local = address.partition("@")[0]
    found = taken(grammar, mail(to=f'"{local}" <{address}>'), address)
    assert [message.number for message in found.messages] == [MARIO]
    assert found.submission.passwords == (KEY,)
    assert KEY not in repr(found)


@pytest.mark.parametrize(("grammar", "address"), WITH_PASSWORD)
@pytest.mark.parametrize("text", ["Domani alle 9.", "", "x" * 5_000], ids=["taken", "empty", "too long"])
def test_a_preview_shows_no_password(grammar: GrammarName, address: str, text: str) -> None:
    found = shown(grammar, mail("", text), f"preview@{DOMAIN}", address)
    assert found.messages or found.refused
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("grammar", "raw"),
    [
        (GrammarName.CLICKATELL, mail(text=f"user:clinic\r\npassword:{KEY}\r\nto:{NUMBER}\r\ntext:Fire")),
        (GrammarName.OVH, mail(f"sms-xx11111-1:user:{KEY}:Clinic:{MARIO}", "Fire\r\n\r\nMario")),
        (GrammarName.ASPSMS, mail(f"U=AB12345678,P={KEY},R={MARIO}", "Fire")),
        (GrammarName.SEVEN, mail(f"key={KEY} to={MARIO}", "##Fire##")),
        (GrammarName.SMS_PARTNER, mail(f"apiKey={KEY}&phoneNumbers={MARIO}", "Fire")),
    ],
    ids=lambda value: value.value if isinstance(value, GrammarName) else "",
)
def test_a_password_in_a_mail_stands_nowhere_in_what_is_kept(grammar: GrammarName, raw: bytes) -> None:
    for found in (taken(grammar, raw, f"sms@{DOMAIN}"), shown(grammar, raw, f"sms@{DOMAIN}")):
        assert [(message.number, message.encoded.text) for message in found.messages] == [(MARIO, "Fire")]
        assert KEY not in repr(found)


def test_a_phone_with_a_password_in_its_address_keeps_its_name() -> None:
    address = f"393351234567.Ab12@{DOMAIN}"
    found = taken(GrammarName.TEXTANYWHERE, mail(to=f"Signora Verdi <{address}>"), address)
    assert [(message.contact, message.recipient.address) for message in found.messages] == [
        ("Signora Verdi", f"393351234567.***@{DOMAIN}")
    ]


@pytest.mark.parametrize(
    ("address", "shown_as"),
    [
        (f"393331234567.1234@{DOMAIN}", f"393331234567.***@{DOMAIN}"),
        (f'"393331234567.1234"@{DOMAIN}', f'"393331234567.***"@{DOMAIN}'),
        (f"393331234567.sms@{DOMAIN}", f"393331234567.***@{DOMAIN}"),
    ],
)
def test_a_pin_is_taken_out_of_an_address_and_nothing_else(address: str, shown_as: str) -> None:
    (message,) = taken(GrammarName.TEXTANYWHERE, mail(), address).messages
    assert (message.recipient.address, message.number) == (shown_as, MARIO)


def test_a_pin_is_taken_out_of_what_the_client_calls_the_original_recipient() -> None:
    mailbox = replace(CLINIC, grammar=GrammarName.TEXTANYWHERE)
    recipient = Recipient(f"393331234567.1234@{DOMAIN}", orcpt=f"rfc822;393331234567.1234@{DOMAIN}")
    found = targets(mailbox, recipient, GROUND)
    (message,) = decide(mailbox, found, mail(), GROUND, Routes.anywhere(), NOW).messages
    assert message.recipient.orcpt == f"rfc822;393331234567.***@{DOMAIN}"


def test_one_password_for_many_phones_is_one() -> None:
    addresses = [f"39333{at:07}.{KEY}@{DOMAIN}" for at in range(50)]
    assert taken(GrammarName.TEXTANYWHERE, mail(), *addresses).submission.passwords == (KEY,)


def test_a_group_of_lox24_is_called_by_its_id() -> None:
    (found,) = meant(GrammarName.LOX24, f"1234567.{KEY}.77@email2bulk.{DOMAIN}")
    assert isinstance(found, Destination)
    assert found.number == MARIO
    with pytest.raises(Refusal) as caught:
        meant(GrammarName.LOX24, f"1234567.{KEY}.78@email2bulk.{DOMAIN}")
    assert caught.value.reply.startswith('550 5.1.1 "group 78" is no contact and no group here.')


def test_a_domain_of_ours_is_no_mode_of_another_one() -> None:
    ground = replace(GROUND, domains={"example.test", "smsid.example.test"})
    mailbox = replace(CLINIC, grammar=GrammarName.TEXTANYWHERE)
    modes = []
    for domain in ("smsid.example.test", "sms160.example.test"):
        (found,) = targets(mailbox, Recipient(f"{MARIO}@{domain}"), ground)
        assert isinstance(found, Destination)
        modes.append(found.mode)
    assert modes == [None, "sms160"]


def test_the_numbers_of_a_marked_text_may_stand_in_the_subject() -> None:
    found = taken(GrammarName.SEVEN, mail(MARIO, "Studio\r\n##Fire##\r\nMario"), f"sms@{DOMAIN}")
    assert [(message.number, message.encoded.text) for message in found.messages] == [(MARIO, "Fire")]


def test_a_flash_text_that_no_provider_can_send_says_so() -> None:
    raw = mail(f"key={KEY} flash=1", "##Fire##")
    mailbox = replace(CLINIC, grammar=GrammarName.SEVEN)
    found = targets(mailbox, Recipient(f"{MARIO}@{DOMAIN}"), GROUND)
    routes = replace(Routes.anywhere(), flash=frozenset())
    with pytest.raises(Refusal, match="No provider is set up for flash texts"):
        decide(mailbox, found, raw, GROUND, routes, NOW)


def test_without_a_form_nothing_is_redacted() -> None:
    found = decided("From: a@example.test\nSubject: 1234\n\n1234\n", MARIO)
    assert (found.submission.subject, found.submission.text) == ("1234", "1234")
