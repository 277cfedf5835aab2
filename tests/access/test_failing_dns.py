"""When DNS does not answer: a mail comes again later, but only if the answer could have made its author known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bridge import clock
from bridge.access.judge import judge
from bridge.access.verdict import Doubt, Result, Verdict
from bridge.types import Envelope
from tests.access.letters import (
    ANNA,
    EVE,
    FORGED,
    STRANGER_IP,
    UNVERIFIED,
    Letter,
    by_list,
    by_stranger,
    mail,
    opened,
    sealed,
    signed,
    with_footer,
    zone,
)
from tests.servers.dns import Fault, NameServer

LATER = "451 4.4.3"

KEY, SPF, POLICY = "s1._domainkey.clinic.example", "clinic.example", "_dmarc.clinic.example"

UNKNOWN: dict[str, tuple[Callable[[], Letter], str]] = {
    "the key of the author's domain": (lambda: by_stranger(signed(mail())), KEY),
    "the key of a subdomain": (
        lambda: by_stranger(signed(mail(), "mail.clinic.example")),
        "s1._domainkey.mail.clinic.example",
    ),
    "the SPF record of the author's domain": (lambda: Letter(mail()), SPF),
    "an included SPF record": (lambda: Letter(mail("a@watching.example"), "a@watching.example"), "_spf.hoster.example"),
    "the address of a mail server": (lambda: Letter(mail(), "b@mail.clinic.example"), "mail.clinic.example"),
    "the policy, where a subdomain passed": (lambda: Letter(mail(), "b@mail.clinic.example"), POLICY),
    "the policy of a subdomain that passed": (
        lambda: Letter(mail(), "b@mail.clinic.example"),
        "_dmarc.mail.clinic.example",
    ),
    "the key of a trusted forwarder": (
        lambda: by_list(sealed(with_footer(mail()))),
        "s1._domainkey.lists.example",
    ),
}


@pytest.mark.parametrize(("letter", "silent"), UNKNOWN.values(), ids=UNKNOWN)
async def test_nobody_can_say_now(letter: Callable[[], Letter], silent: str, names: NameServer) -> None:
    names.faults = {silent: Fault.SERVFAIL}
    verdict = await opened(letter(), names)
    assert (verdict.author, verdict.doubt) == ("", Doubt.DNS)
    assert verdict.reply.startswith(f"{LATER} ")
    names.faults = {}
    assert (await opened(letter(), names)).doubt is None


KNOWN: dict[str, tuple[Callable[[], Letter], tuple[str, ...]]] = {
    "the key, where SPF passed": (lambda: Letter(signed(mail())), (KEY,)),
    "SPF, where the signature is right": (lambda: Letter(signed(mail())), (SPF,)),
    "the policy, where the very domain passed": (lambda: Letter(signed(mail())), (POLICY, "_dmarc.example")),
    "the key of a foreign signature": (
        lambda: Letter(signed(mail(), "evil.example")),
        ("s1._domainkey.evil.example",),
    ),
    "the key of one of two signatures": (
        lambda: by_stranger(signed(signed(mail()), "mail.clinic.example")),
        ("s1._domainkey.mail.clinic.example",),
    ),
}


@pytest.mark.parametrize(("letter", "silent"), KNOWN.values(), ids=KNOWN)
async def test_something_else_spoke_for_the_author(
    letter: Callable[[], Letter], silent: tuple[str, ...], names: NameServer
) -> None:
    names.faults = dict.fromkeys(silent, Fault.SERVFAIL)
    assert (await opened(letter(), names)).author == ANNA


HOPELESS: dict[str, tuple[Callable[[], Letter], str, str]] = {
    "the key of a foreign signature": (
        lambda: by_stranger(signed(mail(), "evil.example")),
        "s1._domainkey.evil.example",
        FORGED,
    ),
    "SPF of a foreign sender": (lambda: Letter(mail(), EVE, STRANGER_IP), "evil.example", FORGED),
    "the policy, where nothing passed": (lambda: by_stranger(mail()), POLICY, UNVERIFIED),
    "the key of a forwarder that nobody trusts": (
        lambda: by_list(sealed(mail(), "stranger.example")),
        "s1._domainkey.stranger.example",
        FORGED,
    ),
}


@pytest.mark.parametrize(("letter", "silent", "reply"), HOPELESS.values(), ids=HOPELESS)
async def test_no_answer_would_have_helped(
    letter: Callable[[], Letter], silent: str, reply: str, names: NameServer
) -> None:
    names.faults = {silent: Fault.SERVFAIL}
    verdict = await opened(letter(), names)
    assert verdict.reply.startswith(f"{reply} ")


async def test_names_that_nobody_answers_for_hold_up_no_other_mail(names: NameServer) -> None:
    """Ten connections, which one address may have, bring mails whose signers' keys are with a silent server."""
    selectors = [f"k{number}" for number in range(80)]
    names.zone = dict(zone())
    names.faults = dict.fromkeys((f"{selector}._domainkey.evil.example" for selector in selectors), Fault.SILENCE)
    resolver = names.resolver()
    claims = [
        f"DKIM-Signature: v=1; a=rsa-sha256; d=evil.example; s={selector}; h=from:subject:date; bh=AA==; b=AA=="
        for selector in selectors
    ]

    async def judged(raw: bytes) -> Verdict:
        return await judge(raw, Envelope(EVE, clock.now()), STRANGER_IP, "mail.evil.example", resolver)

    silent = [asyncio.create_task(judged(mail("e@evil.test", *claims[place::10]))) for place in range(10)]
    async with asyncio.timeout(3):
        while len(set(names.asked)) < len(claims):
            await asyncio.wait(silent, timeout=0.01)
        assert (await judged(signed(mail()))).author == ANNA
    for each in silent:
        each.cancel()
    await asyncio.wait(silent)


async def test_checks_end_when_dns_is_slow(names: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.access.judge.PATIENCE", 0.3)
    names.faults = {KEY: Fault.SILENCE, SPF: Fault.SILENCE, POLICY: Fault.SILENCE}
    verdict = await opened(Letter(signed(mail())), names)
    assert verdict.reply.startswith(f"{LATER} ")
    assert verdict.spf is not None
    assert {verdict.spf.result, *(check.result for check in verdict.dkim)} == {Result.TEMPERROR}
