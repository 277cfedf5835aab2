"""Asks whether a peer may send for the domain of an envelope: check_host() of RFC 7208 section 4.

A record may lead to others, and whoever writes it chooses whose servers are asked how much. So all is counted, for the
mail as a whole: ten terms that ask DNS, two of them in vain, ten hosts behind a term (section 4.6.4).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from bridge.access.dns import Answer, DnsFailed, RecordType, Resolver
from bridge.access.domains import MAX_DOMAIN, ascii_domain, within
from bridge.access.networks import plain_address
from bridge.access.spf_macros import Sender, expand
from bridge.access.spf_record import Name, SpfRecord, Term, is_spf, read_record
from bridge.access.verdict import Result, SpfCheck
from bridge.errors import BridgeError

MAX_LOOKUPS = 10
"""Terms that ask DNS."""
MAX_VOID = 2
"""Questions without an answer."""
MAX_HOSTS = 10
"""Hosts behind one `mx` or `ptr`."""
WIDEST4, WIDEST6 = 8, 16
"""Bits. A shorter prefix lets in more than any single owner of addresses has."""


class _Broken(BridgeError):
    """A record that cannot be used: permerror."""


@dataclass(frozen=True, slots=True)
class _Match:
    result: Result
    anybody: bool = False


def sender_of(peer_ip: str, helo: str, mail_from: str) -> Sender | None:
    """Who sends: MAIL FROM, or HELO where that is empty (section 2.4); None when it has no domain that could be asked.

    Raises ValueError when `peer_ip` is no IP address.
    """
    address = ipaddress.ip_address(plain_address(peer_ip))
    local, _, domain = mail_from.rpartition("@") if mail_from else ("", "", helo)
    try:
        return Sender(address, local or "postmaster", ascii_domain(domain.removesuffix(".")), helo)
    except ValueError:
        return None


async def check(sender: Sender, resolver: Resolver) -> SpfCheck:
    """What the domain of the sender says."""
    domain = sender.domain
    evaluation = _Evaluation(sender, resolver)
    try:
        match = await evaluation.check_host(domain)
    except _Broken as broken:
        return SpfCheck(Result.PERMERROR, domain, why=broken.sentence)
    except DnsFailed as failed:
        return SpfCheck(Result.TEMPERROR, domain, why=failed.sentence)
    return SpfCheck(match.result, domain, match.anybody)


class _Evaluation:
    """One check_host() with all that it leads to."""

    def __init__(self, sender: Sender, resolver: Resolver) -> None:
        self._sender = sender
        self._resolver = resolver
        self._lookups = 0
        self._void = 0
        self._names: tuple[str, ...] | None = None

    async def check_host(self, domain: str) -> _Match:
        """What the record of `domain` says. Raises `_Broken` and `DnsFailed`."""
        records = [text for text in await self._resolver.texts(domain) if is_spf(text)]
        if not records:
            return _Match(Result.NONE)
        if len(records) > 1:
            raise _Broken("the domain publishes more than one SPF record")
        try:
            record = read_record(records[0])
        except ValueError:
            raise _Broken("an SPF record cannot be read") from None
        return await self._evaluate(record, domain)

    async def _evaluate(self, record: SpfRecord, domain: str) -> _Match:
        for term in record.terms:
            match = await self._term(term, domain)
            if match is not None:
                return match
        if not record.redirect:
            return _Match(Result.NEUTRAL)
        self._count()
        found = await self.check_host(await self._target(record.redirect, domain))
        if found.result is Result.NONE:
            raise _Broken("an SPF record leads to a domain without one")
        return found

    async def _term(self, term: Term, domain: str) -> _Match | None:
        """What the term answers if it matches."""
        match term.name:
            case Name.ALL:
                return _Match(term.result, anybody=True)
            case Name.IP4 | Name.IP6:
                matched = self._in_network(term.target, term)
            case Name.INCLUDE:
                return await self._include(term, domain)
            case Name.A:
                self._count()
                matched = await self._at_host(await self._target(term.target, domain), term, counted=True)
            case Name.MX:
                self._count()
                matched = await self._mx(await self._target(term.target, domain), term)
            case Name.PTR:
                self._count()
                target = await self._target(term.target, domain)
                matched = any(within(host, target) for host in await self._own_names())
            case Name.EXISTS:
                self._count()
                matched = bool((await self._ask(await self._target(term.target, domain), RecordType.A)).values)
        return _Match(term.result, self._is_anybody(term)) if matched else None

    async def _include(self, term: Term, domain: str) -> _Match | None:
        """Section 5.2: the included record's pass is a match, and its anybody is ours."""
        self._count()
        found = await self.check_host(await self._target(term.target, domain))
        if found.result is Result.NONE:
            raise _Broken("an SPF record includes a domain without one")
        return _Match(term.result, found.anybody) if found.result is Result.PASS else None

    async def _mx(self, target: str, term: Term) -> bool:
        hosts = (await self._ask(target, RecordType.MX)).values
        if len(hosts) > MAX_HOSTS:
            raise _Broken("an SPF record names a domain with too many mail servers")
        for host in hosts:
            if await self._at_host(host, term, counted=False):
                return True
        return False

    async def _at_host(self, host: str, term: Term, *, counted: bool) -> bool:
        """Whether the peer is one of the host's addresses, or in the network around one."""
        answer = await (self._ask if counted else self._resolver.ask)(host, self._sender.address_type)
        return any(self._in_network(address, term) for address in answer.values)

    def _in_network(self, address: str, term: Term) -> bool:
        peer = self._sender.address
        prefix = term.prefix4 if peer.version == 4 else term.prefix6
        other = ipaddress.ip_address(address)
        if other.version != peer.version:
            return False
        shift = peer.max_prefixlen - prefix
        return int(other) >> shift == int(peer) >> shift

    def _is_anybody(self, term: Term) -> bool:
        if term.name in {Name.PTR, Name.EXISTS}:
            return False
        if self._sender.address.version == 4:
            return term.prefix4 < WIDEST4
        return term.prefix6 < WIDEST6

    async def _own_names(self) -> tuple[str, ...]:
        """Host names of the peer that lead back to it (section 5.5); none when DNS does not say."""
        if self._names is None:
            self._names = await self._look_up_names()
        return self._names

    async def _look_up_names(self) -> tuple[str, ...]:
        address = self._sender.address
        try:
            hosts = (await self._ask(address.reverse_pointer, RecordType.PTR)).values[:MAX_HOSTS]
        except DnsFailed:
            return ()
        names: list[str] = []
        for host in hosts:
            try:
                answer = await self._resolver.ask(host, self._sender.address_type)
            except DnsFailed:
                continue
            if any(ipaddress.ip_address(value) == address for value in answer.values):
                names.append(host)
        return tuple(names)

    async def _target(self, spec: str, domain: str) -> str:
        """The domain that a term means (section 4.8)."""
        if not spec:
            return domain
        names = await self._own_names() if "%{p" in spec.lower() else ()
        target = expand(spec, self._sender, domain, names).removesuffix(".").lower()
        while len(target) > MAX_DOMAIN:
            target = target.partition(".")[2]
        return target

    async def _ask(self, name: str, kind: RecordType) -> Answer:
        """An answer, counted when there is none."""
        answer = await self._resolver.ask(name, kind)
        if not answer.values:
            self._void += 1
            if self._void > MAX_VOID:
                raise _Broken("an SPF record asks too often for what does not exist")
        return answer

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise _Broken("an SPF record asks too much of DNS")
