"""What one recipient of a mailbox in Italy comes to: every spelling of a number, names, groups, options, refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.addressing import targets, tried
from bridge.errors import RecipientRefusal
from bridge.types import (
    Deferred,
    Destination,
    Dialled,
    GrammarName,
    Phone,
    Priority,
    Recipient,
    Ruled,
    Tried,
    Unreached,
    Wishes,
)
from tests.addressing.house import (
    ABROAD,
    ANNA,
    DOMAIN,
    GONE,
    GROUND,
    JOSE,
    LANDLINE,
    MARIO,
    address_book,
    meant,
)
from tests.clinic import CLINIC


def phones(local: str) -> list[str]:
    found = meant(local)
    assert all(isinstance(each, Destination) for each in found)
    return [each.number for each in found if isinstance(each, Destination)]


@pytest.mark.parametrize(
    "local",
    [
        "+393331234567",
        "+39.333.123.4567",
        "+39-333-1234567",
        "+39_333_1234567",
        '"+39 333 123 4567"',
        '"+39 (333) 1234567"',
        '"(+39) 333 1234567"',
        "+39333/1234567",
        "00393331234567",
        "0039-333-1234567",
        "393331234567",
        "3331234567",
        "333.1234567",
        "333/1234567",
        '"333 123 45 67"',
        "p393331234567",
        "P393331234567",
        "p00393331234567",
        "sms+393331234567",
        "SMS+00393331234567",
        '"sms:+393331234567"',
        '"tel:+39-333-1234567"',
        "SMS=+393331234567",
        "sms=+39-333-1234567",
        "SMS=+393331234567/TYPE=PLMN",
        "SMS=+393331234567+flash",
        "SMS=+393331234567/TYPE=PLMN+ref=A1",
        "+393331234567/TYPE=PLMN+p=high",
        "+393331234567/TYPE=PLMN",
        "+393331234567/type=plmn",
        "+393331234567+flash",
        "p393331234567+ref=A1",
        "mario.rossi",
        "Mario.Rossi",
        "MARIO_ROSSI",
        "mario-rossi",
        '"Mario Rossi"',
        "mario.rossi+flash",
    ],
)
def test_a_phone_in_every_spelling(local: str) -> None:
    assert phones(local) == [MARIO]


@pytest.mark.parametrize(
    ("local", "number"),
    [
        ("jose.garcia", JOSE),
        ("José.García", JOSE),
        ('"jose garcia"', JOSE),
        ("anna.d.angelo", ANNA),
        ("anna.d'angelo", ANNA),
        ("anna.d’angelo", ANNA),
        ("lukasz", "+393381234567"),
    ],
)
def test_names_are_compared_without_accents_and_marks(local: str, number: str) -> None:
    assert phones(local) == [number]


@pytest.mark.parametrize(
    ("options", "wishes"),
    [
        ("flash", Wishes(flash=True)),
        ("from=390200000001", Wishes(sender="390200000001")),
        ("p=high", Wishes(priority=Priority.HIGH)),
        ("ref=AB12", Wishes(reference="AB12")),
        ("v=3600", Wishes(validity=3600)),
        ("p=high+ref=AB12+v=60", Wishes(priority=Priority.HIGH, reference="AB12", validity=60)),
    ],
)
@pytest.mark.parametrize("local", ["+393331234567", "mario.rossi", "today", "sms"])
def test_options_hold_for_every_kind_of_address(local: str, options: str, wishes: Wishes) -> None:
    found = meant(f"{local}+{options}")
    assert {each.wishes for each in found if isinstance(each, Destination | Deferred)} == {wishes}


@pytest.mark.parametrize("word", ["allow", "block", "ALLOW"])
@pytest.mark.parametrize("local", ["+393331234567", "3331234567", "p393331234567", "sms+393331234567", f"{GONE}"])
def test_a_decision_is_about_a_phone_and_texts_nobody(local: str, word: str) -> None:
    (found,) = meant(f"{local}+{word}")
    assert isinstance(found, Ruled)
    assert found.number == (GONE if local == GONE else MARIO), "whether or not it may be texted"
    assert found.allows is (word.lower() == "allow")


def test_a_mailbox_that_writes_in_the_form_of_another_service_decides_in_our_form() -> None:
    for name in GrammarName:
        (found,) = meant("+393331234567+allow", replace(CLINIC, grammar=name))
        assert isinstance(found, Ruled), name


def test_a_group_is_its_members_each_under_an_address_of_its_own() -> None:
    found = meant("today")
    assert [(each.recipient.address, each.recipient.orcpt) for each in found] == [
        (f"{MARIO}@{DOMAIN}", f"rfc822;today@{DOMAIN}"),
        (f"{JOSE}@{DOMAIN}", f"rfc822;today@{DOMAIN}"),
    ]
    assert [each.contact for each in found if isinstance(each, Destination)] == ["Mario Rossi", "José García"]


def test_what_the_client_calls_the_original_recipient_stays() -> None:
    found = targets(CLINIC, Recipient(f"today@{DOMAIN}", orcpt="rfc822;list@example.test"), GROUND)
    assert {each.recipient.orcpt for each in found} == {"rfc822;list@example.test"}


def test_members_that_may_not_be_texted_stand_beside_the_others() -> None:
    found: dict[str, Phone] = {
        each.number: each for each in meant("everybody") if isinstance(each, Destination | Unreached)
    }
    refused = {number: each.reason.value for number, each in found.items() if isinstance(each, Unreached)}
    assert refused == {LANDLINE: "landline", GONE: "opted_out", ABROAD: "country_not_allowed"}
    assert len(found) - len(refused) == 4


def test_a_number_is_called_by_its_name_in_the_book() -> None:
    (found,) = meant("333.1234567")
    assert isinstance(found, Destination)
    assert found.contact == "Mario Rossi"


def test_of_two_names_for_one_phone_the_one_that_was_written_counts() -> None:
    ground = replace(GROUND, book=address_book({"Casa Rossi": MARIO, "Mario Rossi": MARIO}, {}))
    for name in ("Casa Rossi", "Mario Rossi"):
        (found,) = meant(name.replace(" ", "."), ground=ground)
        assert isinstance(found, Destination)
        assert found.contact == name


@pytest.mark.parametrize(
    ("local", "reply"),
    [
        ("12", '553 5.1.3 "12" is too short for a telephone number: '),
        ("+39333", '553 5.1.3 "+39333" is too short for a telephone number: '),
        ("3931234567890123456", '553 5.1.3 "3931234567890123456" has more than the 15 digits '),
        ("+393331234567+blink", '553 5.1.3 "+393331234567+blink" has the option "blink", which is not understood: '),
        ("+393331234567+from=ACME", "550 5.7.1 The option from= names a sender that is not yours. Leave it out, or "),
        ("sms+from=ACME", "550 5.7.1 The option from= names a sender that is not yours. Leave it out, or "),
        ("nobody.can+from=ACME", "550 5.7.1 The option from= names a sender that is not yours. Leave it out, or "),
        ("SMS=3331234567", '553 5.1.3 "SMS=3331234567" has no number after SMS=: '),
        ("SMS=+39x", '553 5.1.3 "SMS=+39x" has no number after SMS=: '),
        ("+393331234567/T33S=1", '553 5.1.3 "+393331234567/T33S=1" has the qualifier "T33S=1", which is not '),
        (LANDLINE, "550 5.7.1 +39 02 1234 5678 is a landline and cannot receive a text message: use a mobile number."),
        ("porter", "550 5.7.1 +39 02 1234 5678 is a landline and cannot receive a text message: use a mobile number."),
        (ABROAD, "550 5.7.1 +31 6 12345678 is a number in NL, which clinic@example.test may not text (allowed: IT)"),
        ("piet", "550 5.7.1 +31 6 12345678 is a number in NL, which clinic@example.test may not text (allowed: IT)"),
        ("+39899123456", "550 5.7.1 +39 899 123 456 is a premium-rate, shared-cost or satellite number"),
        (GONE, "550 5.7.1 This phone asked for no more texts from +390200000001 on 2026-11-20."),
        ("left.us", "550 5.7.1 This phone asked for no more texts from +390200000001 on 2026-11-20."),
        ("nobody.can", "550 5.7.1 +39 02 1234 5678 is a landline"),
        ("empty", '550 5.1.1 The group "empty" has no members. Ask your operator to add some.'),
        ("mario.rosi", '550 5.1.1 "mario.rosi" is no contact and no group here. Did you mean mario.rossi?'),
        ("rossi.mario", '550 5.1.1 "rossi.mario" is no contact and no group here. Did you mean mario.rossi?'),
        ("garcia", '550 5.1.1 "garcia" is no contact and no group here. Did you mean jose.garcia?'),
        ("josè.garzia", "550 5.1.1 \"jos?.garzia\" is no contact and no group here. Did you mean jose.garcia?"),
        ("dangelo", '550 5.1.1 "dangelo" is no contact and no group here. Did you mean anna.d.angelo?'),
        ("todya", '550 5.1.1 "todya" is no contact and no group here. Did you mean today?'),
        ("xyzzy", '550 5.1.1 "xyzzy" is not a telephone number and no name is known here that is like it: '),
        ("+393331234567+allow+flash", '553 5.1.3 "+393331234567+allow+flash" has +allow beside something else: '),
        ("+393331234567+ref=A1+block", '553 5.1.3 "+393331234567+ref=A1+block" has +block beside something else: '),
        ("mario.rossi+allow", '553 5.1.3 "mario.rossi+allow" has +allow beside something else: it stands alone'),
        ("preview+393331234567+allow", '553 5.1.3 "+393331234567+allow" has +allow beside something else: '),
        ("preview+mario", '553 5.1.3 "preview+mario" has no telephone number behind its plus: '),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_to_change(local: str, reply: str) -> None:
    with pytest.raises(RecipientRefusal) as caught:
        meant(local)
    assert caught.value.reply.startswith(reply)


def test_near_names_are_the_nearest_and_few() -> None:
    people = {f"Rossi {first}": f"+3933312345{at}0" for at, first in enumerate(["Ada", "Bea", "Ciro", "Dino", "Enzo"])}
    with pytest.raises(RecipientRefusal) as caught:
        meant("rosi.bea", ground=replace(GROUND, book=address_book(people, {})))
    proposals = caught.value.sentence.partition("Did you mean ")[2]
    assert proposals.startswith("rossi.bea or ")
    assert proposals.count(" or ") == 2


@pytest.mark.parametrize(
    ("local", "dialled"),
    [
        ("preview", None),
        ("Preview", None),
        ("preview+393331234567", MARIO),
        ("preview+00393331234567", MARIO),
        ("preview+393331234567+flash", MARIO),
    ],
)
def test_a_trial_sends_nothing_and_may_name_a_phone(local: str, dialled: str | None) -> None:
    (found,) = meant(local)
    assert isinstance(found, Tried)
    phone = tried(CLINIC, found, GROUND)
    assert (phone.number if phone is not None else None) == dialled


def test_a_trial_tells_what_is_wrong_with_its_number() -> None:
    with pytest.raises(RecipientRefusal, match="is a landline"):
        tried(CLINIC, Tried(Recipient(f"preview@{DOMAIN}"), Dialled(LANDLINE)), GROUND)


@pytest.mark.parametrize(
    ("address", "reply"),
    [
        ("+393331234567@example.test", '550 5.1.1 "example.test" is not a domain of this bridge: it serves sms.'),
        ("mario.rossi@SMS.EXAMPLE.TEST", None),
    ],
)
def test_only_the_bridges_own_domains_are_served(address: str, reply: str | None) -> None:
    if reply is None:
        assert targets(CLINIC, Recipient(address), GROUND)
        return
    with pytest.raises(RecipientRefusal) as caught:
        targets(CLINIC, Recipient(address), GROUND)
    assert caught.value.reply.startswith(reply)
