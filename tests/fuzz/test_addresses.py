"""Mutated addresses: whatever stands in a RCPT is an addressee, and what it dials a number, or a refusal says why."""

from __future__ import annotations

import time
from random import Random

import pytest

from bridge.errors import RecipientRefusal
from bridge.reading.addresses import MAX_ADDRESS, read_local_part, split_address
from bridge.reading.names import name_key, near_names
from bridge.sms.numbers import PhoneNumber, international, read_number
from bridge.types import Dialled, InTheMail, Named, Trial
from tests.addressing.house import GROUND

SHORT, LONG = 4_000, 400_000

SEEDS = (
    *("+393331234567", "00393331234567", "333 123 45 67", "(02) 1234-567", "p393331234567", "sms:+393331234567"),
    *("SMS=+393331234567", "SMS=+39-333-1234567/T33S=12", "+393331234567/TYPE=PLMN", "tel:+393331234567"),
    *("+393331234567+flash", "+393331234567+from=ACME+p=high+ref=AB.12+v=3600", "anna.rossi", "medici+p=high", '"a b"'),
    *("sms", "sms+393331234567", "sms+393331234567+flash", "preview", "preview+393331234567", "1", "112", "+1" * 8),
    *("+8821234567", "+39899123456", "+390212345678", "+12025550123", "+4915112345678", "٠٠٣٩٣٣٣١٢٣٤٥٦٧", "josé"),
)
TOKENS = (
    *("+", "++", "00", "39", "@", ".", "..", "-", "_", "(", ")", " ", "/", "=", '"', "\\", "\0", "\r\n", "\t", "%"),
    *("+flash", "+from=", "+p=", "+ref=", "+v=", "+v=99999999", "/TYPE=PLMN", "SMS=", "sms:", "p39", "9" * 20),
    *("0" * 400, "<"),
    *("é", "\u0323\u0301" * 9, "\u200b", "\u202e", "١", "²", "👩‍⚕️", "\udcff", "a" * 70),
    *("@sms.example.test", "sms", "preview"),
)  # fmt: skip


def address(number: int) -> str:
    """The address of `number`: one that people write, damaged."""
    chance = Random(number)
    made = chance.choice(SEEDS) + chance.choice(("@sms.example.test", "@SMS.example.test.", "@[127.0.0.1]", ""))
    for _ in range(chance.choice((0, 1, 1, 2, 4, 8))):
        at = chance.randrange(len(made) + 1)
        made = made[:at] + chance.choice((*TOKENS, chance.choice(SEEDS))) + made[at + chance.choice((0, 0, 1, 5)) :]
    return made


def read(text: str) -> str:
    """What an address comes to: the kind of its addressee, or the reason of the refusal."""
    try:
        local, _ = split_address(text)
        meant = read_local_part(local)
        dialled = meant.dialled if isinstance(meant, Trial) else meant
        if isinstance(dialled, Dialled):
            number = read_number(dialled.digits, "IT")
            assert isinstance(number, PhoneNumber)
            assert number.e164[0] == "+"
            assert number.e164[1:].isdecimal()
            assert international(number.e164)
    except RecipientRefusal as refusal:
        return said(refusal)
    assert isinstance(meant, Dialled | Named | InTheMail | Trial)
    if isinstance(meant, Named):
        assert all(name_key(each) for each in near_names(meant.name, GROUND.book))
    return type(meant).__name__


def said(refusal: RecipientRefusal) -> str:
    assert refusal.sentence.strip()
    assert refusal.reply.isprintable()
    return refusal.reason.value


def test_any_address_means_somebody_or_is_refused_with_a_reason(long: bool) -> None:
    outcomes = {read(address(number)) for number in range(LONG if long else SHORT)}
    assert outcomes >= {"Dialled", "Named", "InTheMail", "Trial", "malformed_number", "unknown_alias"}


@pytest.mark.parametrize("token", TOKENS, ids=ascii)
def test_no_address_takes_time(token: str) -> None:
    """Nor does what is longer than an address may be, or the local part that another service's grammar hands on."""
    before = time.process_time()
    for text in (token * 100_000, "+39" + token * (MAX_ADDRESS // len(token)), f"{token * 60}@sms.example.test"):
        read(text)
    assert time.process_time() - before < 1
