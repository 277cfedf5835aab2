"""Who really wrote a mail that came over the open Internet: asked by the MX door for every mail, after its last octet.

All checks run side by side and wait for the same resolver. An author is verified when DMARC would pass, whether or not
the domain publishes a policy: something that passed, SPF or DKIM, belongs to the domain of From. Failing that, a
trusted forwarder may have seen so (ARC). Whoever gets hold of a signed mail can send it again to other recipients, so
what DKIM alone vouches for is the mail and not its envelope; the verdict says what spoke (RFC 6376 section 8.6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from bridge.access import arc, dkim_check, dmarc, spf
from bridge.access.author import Author, SeveralAuthors, author
from bridge.access.body import Body
from bridge.access.dkim_keys import Unusable
from bridge.access.dns import DnsFailed, Resolver
from bridge.access.domains import akin
from bridge.access.fields import Mail, Malformed, take_apart
from bridge.access.spf_macros import Sender
from bridge.access.verdict import (
    ArcCheck,
    DkimCheck,
    DmarcCheck,
    Doubt,
    Mechanism,
    Policy,
    Result,
    SpfCheck,
    Verdict,
)
from bridge.types import Envelope

PATIENCE = 20.0
"""Seconds for all checks of a mail (RFC 7208 section 4.6.4 asks for no less)."""

_LATE = "DNS took too long"
_NO_POLICY = "DNS does not say what the author's domain publishes"
_LATE_SIGNATURE = DkimCheck(Result.TEMPERROR, "", why=_LATE)
_T = TypeVar("_T")


async def judge(
    raw: bytes,
    envelope: Envelope,
    peer_ip: str,
    helo: str,
    resolver: Resolver,
    trusted_forwarders: Collection[str] = (),
) -> Verdict:
    """The verdict on a mail with CRLF line ends, as it was received from `peer_ip`.

    `trusted_forwarders` are the domains, in lower case, whose ARC seals are believed. Raises ValueError when `peer_ip`
    is no IP address, and nothing else: what DNS does not say is a verdict too.
    """
    try:
        mail = take_apart(raw)
        who = author(mail)
    except SeveralAuthors as several:
        return Verdict("", Doubt.SEVERAL_AUTHORS, f"550 5.7.1 {several.sentence} Send it from one address.")
    except Malformed as malformed:
        return Verdict("", Doubt.MALFORMED, f"550 5.6.0 {malformed.sentence} Correct the program that sends it.")
    sender = spf.sender_of(peer_ip, helo, envelope.mail_from)
    checks = await _checks(mail, who.domain, sender, envelope.received_at, resolver, trusted_forwarders)
    return _ruling(who, checks)


@dataclass(frozen=True, slots=True)
class _Checks:
    spf: SpfCheck
    dkim: tuple[DkimCheck, ...]
    dmarc: DmarcCheck
    arc: ArcCheck
    unsure: bool
    """Something that DNS did not say might have spoken for the author."""


async def _checks(
    mail: Mail,
    domain: str,
    sender: Sender | None,
    now: datetime,
    resolver: Resolver,
    trusted: Collection[str],
) -> _Checks:
    body = Body(mail.body)
    end = asyncio.get_running_loop().time() + PATIENCE
    async with asyncio.TaskGroup() as group:
        asks_spf = group.create_task(_spf(sender, resolver, end))
        asks_dkim = group.create_task(
            _in_time(end, dkim_check.check(mail, body, domain, resolver, now), (_LATE_SIGNATURE,))
        )
        asks_arc = group.create_task(
            _in_time(end, _arc(mail, body, domain, resolver, now, trusted), ArcCheck(Result.TEMPERROR, why=_LATE))
        )
        asks_policy = group.create_task(_in_time(end, _published(domain, resolver), None))
    spf_check, signatures, chain = asks_spf.result(), asks_dkim.result(), asks_arc.result()
    published = asks_policy.result()
    passed = [_Passed(Mechanism.DKIM, each.domain) for each in signatures if each.result is Result.PASS]
    if spf_check.result is Result.PASS:
        passed.append(_Passed(Mechanism.SPF, spf_check.domain, spf_check.anybody))
    aligned, unsure = await _in_time(end, _aligned(passed, domain, published, resolver), ((), True))
    waiting = [each.domain for each in signatures if each.result is Result.TEMPERROR]
    if spf_check.result is Result.TEMPERROR:
        waiting.append(spf_check.domain)
    unsure = unsure or chain.result is Result.TEMPERROR or any(not each or akin(each, domain) for each in waiting)
    return _Checks(spf_check, signatures, _dmarc(domain, published, aligned), chain, unsure)


def _ruling(who: Author, checks: _Checks) -> Verdict:
    """What follows from the checks."""
    verdict = Verdict(who.address, None, "", checks.spf, checks.dkim, checks.dmarc, checks.arc)
    if verdict.vouching:
        return verdict
    if checks.unsure:
        doubt = Doubt.DNS
        reply = "451 4.4.3 The sender cannot be verified now: DNS gives no answer. Send it again later."
    elif checks.dmarc.result is Result.FAIL and checks.dmarc.policy is not Policy.NONE:
        doubt = Doubt.POLICY
        reply = (
            f"550 5.7.26 Neither SPF nor DKIM passed for {who.domain}, which wants such mail refused (DMARC). "
            "If you wrote it, send it through your own provider, and have its servers named in SPF or sign by DKIM."
        )
    else:
        doubt = Doubt.UNVERIFIED
        reply = (
            f"550 5.7.1 This address could not be verified: neither SPF nor DKIM speaks for {who.domain}. "
            "Send it through your own provider, and ask whoever runs the mail of that domain to set up both."
        )
    return replace(verdict, author="", doubt=doubt, reply=reply)


@dataclass(frozen=True, slots=True)
class _Passed:
    mechanism: Mechanism
    domain: str
    anybody: bool = False


async def _aligned(
    passed: Sequence[_Passed], domain: str, published: dmarc.Published | None, resolver: Resolver
) -> tuple[tuple[_Passed, ...], bool]:
    """What passed for the author's domain, and whether DNS keeps from us that more did."""
    aligned: list[_Passed] = []
    unsure = False
    for each in passed:
        if each.domain == domain:
            aligned.append(each)
        elif published is None:
            unsure = unsure or akin(each.domain, domain)
        else:
            try:
                if await dmarc.aligned(each.domain, published, resolver, each.mechanism):
                    aligned.append(each)
            except DnsFailed:
                unsure = True
    return tuple(aligned), unsure


def _dmarc(domain: str, published: dmarc.Published | None, aligned: Sequence[_Passed]) -> DmarcCheck:
    speaking = frozenset(each.mechanism for each in aligned if not each.anybody)
    signers = frozenset(each.domain for each in aligned if each.mechanism is Mechanism.DKIM)
    if published is None:
        return DmarcCheck(Result.TEMPERROR, domain, aligned=speaking, signers=signers, why=_NO_POLICY)
    result = Result.NONE if published.record is None else Result.PASS if aligned else Result.FAIL
    return DmarcCheck(result, domain, published.policy, speaking, signers)


async def _published(domain: str, resolver: Resolver) -> dmarc.Published | None:
    """None when DNS does not say."""
    try:
        return await dmarc.published(domain, resolver)
    except DnsFailed:
        return None


async def _spf(sender: Sender | None, resolver: Resolver, end: float) -> SpfCheck:
    if sender is None:
        return SpfCheck(Result.NONE, "", why="the sender has no domain that could be asked")
    return await _in_time(end, spf.check(sender, resolver), SpfCheck(Result.TEMPERROR, sender.domain, why=_LATE))


async def _arc(
    mail: Mail, body: Body, domain: str, resolver: Resolver, now: datetime, trusted: Collection[str]
) -> ArcCheck:
    sealer = ""
    try:
        chain = arc.read_chain(mail)
        if chain is None:
            return ArcCheck(Result.NONE)
        sealer = chain.sealer
        if sealer not in trusted:
            return ArcCheck(Result.POLICY, sealer, why="the forwarder is not one that is trusted")
        covers = await arc.check_chain(mail, body, chain, resolver, now)
    except Unusable as unusable:
        return ArcCheck(unusable.result, sealer, why=unusable.sentence)
    except DnsFailed as failed:
        return ArcCheck(Result.TEMPERROR, sealer, why=failed.sentence)
    return ArcCheck(Result.PASS, sealer, vouches=arc.vouched(chain, domain, trusted), covers=covers)


async def _in_time(end: float, work: Coroutine[None, None, _T], late: _T) -> _T:
    """The outcome of `work`, or `late` when it is not there at `end`, in seconds of the event loop."""
    try:
        async with asyncio.timeout_at(end):
            return await work
    except TimeoutError:
        return late
