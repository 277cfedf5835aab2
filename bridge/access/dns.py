"""Answers of the domain name system, asked once and kept for a while: what SPF, DKIM, DMARC and ARC rest on.

One resolver serves all mails. It asks a recursive server over UDP, and over TCP where an answer was cut off (RFC 7766
section 5), keeps answers and their absence (RFC 2308) within bounds of our own, keeps failures for a moment (RFC 9520
section 3.2), and asks once where several mails wait for the same answer. What it asks is not signed: whoever can bend
the path to the server can bend a verdict, so the server stands on this machine or in a network that is trusted.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.errors import BridgeError

if TYPE_CHECKING:
    import dns.asyncresolver
    import dns.rrset

PATIENCE = 8.0
"""Seconds for one question, all tries together."""
TRY = 3.0
"""Seconds for one try at one server."""
SHORTEST, LONGEST = 10.0, 3_600.0
"""Seconds for which an answer is kept, whatever its own time to live says."""
LONGEST_ABSENCE = 300.0
"""Seconds for which it is remembered that there is nothing: somebody may be publishing a key just now."""
FAILURE = 5.0
"""Seconds for which a question that failed is not asked again."""
REMEMBERED = 10_000
"""Answers that are kept, and"""
REMEMBERED_OCTETS = 8 * 1024 * 1024
"""octets that they take; the one unused for longest goes first."""
OPEN = 512
"""Questions that wait for their answer at the same time: more than the mails of one address can ask in vain (ten
connections, and a dozen questions for each), so that whoever publishes names that nobody answers for holds up no other
mail."""
_OVERHEAD = 400
"""Octets that an answer takes beside its values, roughly."""
_NO_ANSWER = "The domain name system gives no answer: try again later."
_ESCAPED = frozenset('"()$;@\\')
"""Read as something else where a name is written as text (RFC 1035 section 5.1); no name that we ask has them."""
_NAME = re.compile(r"(?=.{1,253}\Z)[ -\-/-~]{1,63}(?:\.[ -\-/-~]{1,63})*+")


class RecordType(StrEnum):
    """What is asked for."""

    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    PTR = "PTR"
    TXT = "TXT"


class DnsFailed(BridgeError):
    """No server gave an answer, so nobody knows whether there is one: the mail is to come again later. `detail` does
    not name what was asked: SPF puts addresses into names (RFC 7208 section 7), and an address may be a number."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands under a name, or that nothing does."""

    values: tuple[str, ...] = ()
    """Addresses, host names without the last dot in lower case (MX by preference), or texts with one character for
    each octet, their pieces joined (RFC 7208 section 3.3)."""
    exists: bool = True
    """False when there is no such name at all (NXDOMAIN)."""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer | None
    """None: the question failed."""
    until: float
    octets: int


class Resolver:
    """Asks the domain name system. Belongs to one event loop."""

    def __init__(
        self,
        servers: Sequence[tuple[str, int]] = (),
        *,
        patience: float = PATIENCE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask these servers (address and port); none means those of the machine. `patience` are the seconds for one
        question; `now` gives seconds that only grow."""
        self._servers = tuple(servers)
        self._patience = patience
        self._now = now
        self._kept: OrderedDict[tuple[str, RecordType], _Kept] = OrderedDict()
        self._octets = 0
        self._asking: dict[tuple[str, RecordType], asyncio.Task[Answer]] = {}
        self._gate = asyncio.Semaphore(OPEN)
        self._wire: dns.asyncresolver.Resolver | None = None

    async def ask(self, name: str, kind: RecordType) -> Answer:
        """What stands under `name`, a domain name in ASCII. Raises `DnsFailed`.

        What cannot be a name (an empty or overlong label, more than 253 characters) does not exist.
        """
        name = name.removesuffix(".").lower()
        if not _NAME.fullmatch(name) or _ESCAPED & set(name):
            return Answer(exists=False)
        key = name, kind
        kept = self._recall(key)
        if kept is not None:
            if kept.answer is None:
                raise DnsFailed(_NO_ANSWER, detail=f"DNS: {kind}: failed a moment ago")
            return kept.answer
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key))
            task.add_done_callback(self._asked)
        # Who gives up waiting does not take the answer from the others.
        return await asyncio.shield(task)

    async def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records under `name`. Raises `DnsFailed`."""
        return (await self.ask(name, RecordType.TXT)).values

    @property
    def remembered_octets(self) -> int:
        """The room that answers take, roughly."""
        return self._octets

    async def _ask(self, key: tuple[str, RecordType]) -> Answer:
        import dns.exception

        try:
            async with self._gate:
                answer, seconds = await self._resolve(key)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            self._keep(key, None, FAILURE)
            raise DnsFailed(_NO_ANSWER, detail=f"DNS: {key[1]}: {type(error).__name__}") from error
        finally:
            del self._asking[key]
        self._keep(key, answer, max(SHORTEST, min(seconds, LONGEST if answer.values else LONGEST_ABSENCE)))
        return answer

    async def _resolve(self, key: tuple[str, RecordType]) -> tuple[Answer, float]:
        """The answer, and the seconds for which its owner lets it be kept."""
        import dns.message
        import dns.rdatatype
        import dns.resolver

        name, kind = key
        try:
            found = await self._resolver().resolve(f"{name}.", kind.value, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN as missing:
            reply: dns.message.QueryMessage = next(iter(missing.kwargs["responses"].values()))
            # A name that leads on to one that does not exist is there itself.
            alias = any(rrset.rdtype == dns.rdatatype.CNAME for rrset in reply.answer)
            return Answer(exists=alias), float(reply.resolve_chaining().minimum_ttl)
        values = () if found.rrset is None else _values(found.rrset, kind)
        return Answer(values), float(found.chaining_result.minimum_ttl)

    def _resolver(self) -> dns.asyncresolver.Resolver:
        if self._wire is None:
            import dns.asyncresolver
            import dns.nameserver

            wire = dns.asyncresolver.Resolver(configure=not self._servers)
            if self._servers:
                wire.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in self._servers]
            wire.use_edns(0, 0, 1232)
            wire.timeout, wire.lifetime = TRY, self._patience
            self._wire = wire
        return self._wire

    def _recall(self, key: tuple[str, RecordType]) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self._now():
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def _keep(self, key: tuple[str, RecordType], answer: Answer | None, seconds: float) -> None:
        octets = _OVERHEAD + sum(map(len, answer.values)) if answer is not None else _OVERHEAD
        self._kept[key] = _Kept(answer, self._now() + seconds, octets)
        self._octets += octets
        while len(self._kept) > REMEMBERED or self._octets > REMEMBERED_OCTETS:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: tuple[str, RecordType]) -> None:
        self._octets -= self._kept.pop(key).octets

    @staticmethod
    def _asked(task: asyncio.Task[Answer]) -> None:
        # Where nobody waits any more, nobody hears of the failure either.
        if not task.cancelled():
            task.exception()


def _values(rrset: dns.rrset.RRset, kind: RecordType) -> tuple[str, ...]:
    match kind:
        case RecordType.TXT:
            return tuple(b"".join(record.strings).decode("latin-1") for record in rrset)
        case RecordType.MX:
            by_preference = sorted(rrset, key=lambda record: record.preference)
            return tuple(_host(record.exchange.to_text()) for record in by_preference)
        case RecordType.PTR:
            return tuple(_host(record.target.to_text()) for record in rrset)
        case RecordType.A | RecordType.AAAA:
            return tuple(record.address for record in rrset)


def _host(name: str) -> str:
    return name.removesuffix(".").lower()
