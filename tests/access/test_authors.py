"""Mails that programs could read in different ways: nobody is asked about their author."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.access.letters import (
    ANNA,
    EVE,
    MALFORMED,
    UNVERIFIED,
    Letter,
    by_stranger,
    mail,
    opened,
    signed,
)
from tests.servers.dns import NameServer

SEVERAL: dict[str, Callable[[], Letter]] = {
    "two addresses in From": lambda: Letter(mail(f"{ANNA}, {EVE}")),
    "two addresses in From, with names": lambda: Letter(mail(f"A <{ANNA}>, E <{EVE}>")),
    "a group in From": lambda: Letter(mail(f"staff: {ANNA};")),
    "two addresses in brackets": lambda: Letter(mail(f"<{EVE}> <{ANNA}>")),
    "a route": lambda: Letter(mail(f"<@evil.example:{ANNA}>")),
}


@pytest.mark.parametrize("letter", SEVERAL.values(), ids=SEVERAL)
async def test_a_mail_of_several_authors_is_nobodys(letter: Callable[[], Letter], names: NameServer) -> None:
    await refused(
        letter(),
        f"{UNVERIFIED} The From field of the mail does not hold exactly one address. Send it from one address.",
        names,
    )


UNREADABLE: dict[str, tuple[Callable[[], Letter], str]] = {
    "two From fields": (
        lambda: by_stranger(signed(mail(EVE, f"From: {ANNA}"), "evil.example")),
        "The mail has more than one From field.",
    ),
    "two From fields, one with a blank before its colon": (
        lambda: Letter(mail(ANNA, f"From : {EVE}")),
        "The mail has more than one From field.",
    ),
    "a second From on top of a signed mail": (
        lambda: by_stranger(b"From: " + EVE.encode() + b"\r\n" + signed(mail())),
        "The mail has more than one From field.",
    ),
    "a second Subject on top of a signed mail": (
        lambda: by_stranger(b"Subject: Money\r\n" + signed(mail())),
        "The mail has more than one Subject field.",
    ),
    "a second Content-Type": (
        lambda: Letter(mail(ANNA, "Content-Type: text/html")),
        "The mail has more than one Content-Type field.",
    ),
    "no From": (
        lambda: Letter(mail().replace(b"From: anna@clinic.example\r\n", b"")),
        "The mail has no From field.",
    ),
    "an empty From": (
        lambda: Letter(mail("")),
        "The From field of the mail is not an address.",
    ),
    "an address in front of the address": (
        lambda: Letter(mail(f"boss@clinic.example <{EVE}>")),
        "The From field of the mail is not an address.",
    ),
    "a word behind the address": (
        lambda: Letter(mail(f"<{ANNA}> Anna")),
        "The From field of the mail is not an address.",
    ),
    "an address literal": (
        lambda: Letter(mail("anna@[192.0.2.25]")),
        "The From field of the mail is not an address.",
    ),
    "a domain of one label": (
        lambda: Letter(mail("root@localhost")),
        "The domain in the From field of the mail is not a domain name.",
    ),
    "a comment that does not end": (
        lambda: Letter(mail(f"{ANNA} (boss")),
        "The From field of the mail has a comment or a quotation that does not end.",
    ),
    "a NUL in the address": (
        lambda: Letter(mail("anna\0@clinic.example")),
        "The From field of the mail has control characters.",
    ),
    "letters that are not UTF-8": (
        lambda: Letter(mail().replace(b"From: anna", b"From: \xe4nna")),
        "The From field of the mail is not written in UTF-8.",
    ),
    "a line that is no field": (
        lambda: Letter(mail(ANNA, "no field")),
        "The header of the mail has a line that is no field.",
    ),
    "a bare LF in the header": (
        lambda: Letter(mail().replace(b"Date", b"X: y\nDate")),
        "The header of the mail has line ends that are not CR LF.",
    ),
    "a header without end": (
        lambda: Letter(mail(ANNA, "X-Filler: " + 300_000 * "x")),
        "The header of the mail is longer than 256 KB.",
    ),
    "two thousand fields": (
        lambda: Letter(mail(ANNA, *(2_000 * ["X-Filler: x"]))),
        "The mail has more than 1000 header fields.",
    ),
    "nothing": (
        lambda: Letter(b""),
        "The header of the mail has a line that is no field.",
    ),
}


@pytest.mark.parametrize(("letter", "sentence"), UNREADABLE.values(), ids=UNREADABLE)
async def test_a_mail_that_could_be_read_in_two_ways_is_nobodys(
    letter: Callable[[], Letter], sentence: str, names: NameServer
) -> None:
    await refused(letter(), f"{MALFORMED} {sentence} Correct the program that sends it.", names)


async def refused(letter: Letter, reply: str, names: NameServer) -> None:
    """Before anything is asked."""
    verdict = await opened(letter, names)
    assert (verdict.author, verdict.reply) == ("", reply)
    assert names.asked == []
