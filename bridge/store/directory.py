"""Every mailbox, name and opt-out in memory, for the front door that asks for them at each RCPT.

A revision counter in the database says when they changed; whoever changes them moves it.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from datetime import time
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.store.blocks import block_of
from bridge.store.certificates import read_certificates
from bridge.store.contacts import read_books
from bridge.store.engine import reading
from bridge.store.keys import NumberKey
from bridge.store.keywords import read_keywords
from bridge.store.passwords import read_passwords
from bridge.store.tables import mailboxes, opt_outs, revisions, signatures
from bridge.types import (
    EMPTY_BOOK,
    AddressBook,
    AppPassword,
    Block,
    BlockKind,
    ClientCertificate,
    Confirm,
    CutRule,
    DigestPlan,
    GrammarName,
    Greetings,
    Habits,
    Keyword,
    Language,
    Mailbox,
    OpeningHours,
    Spoken,
    SubjectUse,
    UnicodePolicy,
)


class Directory:
    """Mailboxes, address books and opt-outs as they were at the last refresh, in memory."""

    def __init__(self, engine: AsyncEngine, key: NumberKey) -> None:
        self._engine = engine
        self._key = key
        self._revision = -1
        self._refreshing = asyncio.Lock()
        self._by_login: dict[str, Mailbox] = {}
        self._by_id: dict[str, Mailbox] = {}
        self._networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, Mailbox]] = []
        self._peers: dict[str, Mailbox | None] = {}
        self._blocks: dict[tuple[str, str, str], Block] = {}
        self._books: dict[str, AddressBook] = {}
        self._keywords: dict[str, dict[str, Keyword]] = {}
        self._passwords: dict[str, tuple[AppPassword, ...]] = {}
        self.certificates: Mapping[str, ClientCertificate] = {}
        """Client certificates, by their fingerprints."""

    async def refresh(self) -> bool:
        """Read again if anything changed; whether it did. Raises StoreUnavailable."""
        async with self._refreshing:  # two at once could let the older reading win
            return await self._refresh()

    async def _refresh(self) -> bool:
        async with reading(self._engine) as connection:
            query = select(revisions.c.value).where(revisions.c.name == "directory")
            revision = (await connection.execute(query)).scalar_one_or_none() or 0
            if revision == self._revision:
                return False
            rows = (await connection.execute(select(mailboxes).order_by(mailboxes.c.created_at))).all()
            stopped = (await connection.execute(select(opt_outs))).all()
            endings = (await connection.execute(_LEARNED)).all()
            books = await read_books(connection)
            words = await read_keywords(connection)
            passwords = await read_passwords(connection)
            certificates = await read_certificates(connection)
        learned: dict[str, list[str]] = {}
        for row in endings:
            learned.setdefault(row.mailbox_id, []).append(row.text)
        found = [_mailbox(row, tuple(learned.get(row.id, ()))) for row in rows]
        self._by_login = {mailbox.login.lower(): mailbox for mailbox in found}
        self._by_id = {mailbox.id: mailbox for mailbox in found}
        networks = [(ipaddress.ip_network(cidr), mailbox) for mailbox in found for cidr in mailbox.networks]
        self._networks = sorted(networks, key=lambda pair: pair[0].prefixlen, reverse=True)
        self._blocks = {(row.organisation_id, row.sender, row.number_hash): block_of(row) for row in stopped}
        self._books = books
        self._keywords = words
        self._passwords = passwords
        self.certificates = certificates
        self._peers = {}
        self._revision = revision
        return True

    def all(self) -> list[Mailbox]:
        """Every mailbox, oldest first."""
        return list(self._by_id.values())

    def by_id(self, mailbox_id: str) -> Mailbox | None:
        """The mailbox with this id."""
        return self._by_id.get(mailbox_id)

    def by_login(self, login: str) -> Mailbox | None:
        """The mailbox with this login; the comparison ignores case."""
        return self._by_login.get(login.lower())

    def passwords(self, mailbox_id: str) -> tuple[AppPassword, ...]:
        """The app passwords of a mailbox, oldest first."""
        return self._passwords.get(mailbox_id, ())

    def by_network(self, address: str) -> Mailbox | None:
        """The mailbox whose networks hold this peer address; the narrowest network wins."""
        if not self._networks:
            return None
        if address in self._peers:
            return self._peers[address]
        if len(self._peers) >= 4096:
            self._peers.clear()
        found = self._peers[address] = self._narrowest(address)
        return found

    def _narrowest(self, address: str) -> Mailbox | None:
        try:
            peer = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return None
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
            peer = peer.ipv4_mapped
        return next((mailbox for network, mailbox in self._networks if peer in network), None)

    def by_address(self, address: str) -> Mailbox | None:
        """The mailbox that may send from this address; an exact address goes before a whole domain."""
        exact = self.by_login(address)
        if exact is not None:
            return exact
        folded = address.lower()
        named = (mailbox for mailbox in self._by_id.values() if folded in mailbox.addresses)
        allowed = (mailbox for mailbox in self._by_id.values() if mailbox.may_send_from(folded))
        return next(named, None) or next(allowed, None)

    def owners(self, sender: str) -> list[Mailbox]:
        """The mailboxes that text from this sender number, oldest first."""
        return [mailbox for mailbox in self._by_id.values() if sender in mailbox.senders]

    def languages(self, sender: str, mailbox: Mailbox) -> set[str]:
        """Those in which a phone may answer `mailbox` at this number: of all mailboxes that text from it, and of their
        phones (ISO 639-1)."""
        asked = (mailbox, *self.owners(sender))
        return {language.value for each in asked for language in (each.language, *each.phone_languages)}

    def book(self, organisation_id: str) -> AddressBook:
        """The address book of an organisation."""
        return self._books.get(organisation_id, EMPTY_BOOK)

    def keywords(self, mailbox_id: str) -> Mapping[str, Keyword]:
        """The keywords of a mailbox, by the word as it is compared."""
        return self._keywords.get(mailbox_id, _NO_KEYWORDS)

    def blocks(self, mailbox: Mailbox, number: str) -> list[tuple[str, Block]]:
        """What keeps a mailbox from texting this phone, by its numbers: what nobody but the phone lifts goes first."""
        if not self._blocks:
            return []
        found = ((sender, self.block(mailbox.organisation_id, sender, number)) for sender in mailbox.senders)
        standing = [(sender, block) for sender, block in found if block is not None]
        return sorted(standing, key=lambda each: _RANK[each[1].kind])

    def block(self, organisation_id: str, sender: str, number: str) -> Block | None:
        """Why this phone is not texted from this sender number; None when it may be."""
        if not self._blocks:
            return None
        return self._blocks.get((organisation_id, sender, self._key.hash(number)))


_RANK = {kind: rank for rank, kind in enumerate((BlockKind.ORDER, BlockKind.SET, BlockKind.WISH))}

_NO_KEYWORDS: Mapping[str, Keyword] = MappingProxyType({})

_LEARNED = (
    select(signatures.c.mailbox_id, signatures.c.text)
    .where(signatures.c.learned_at.is_not(None), signatures.c.forgotten_at.is_(None))
    .order_by(signatures.c.learned_at)
)


def _mailbox(row: Any, learned: tuple[str, ...]) -> Mailbox:
    return Mailbox(
        id=row.id,
        organisation_id=row.organisation_id,
        login=row.login,
        addresses=tuple(row.addresses),
        region=row.region,
        countries=tuple(row.countries),
        language=Language(row.language),
        timezone=row.timezone,
        sender=row.sender,
        pool=tuple(row.pool),
        confirm=Confirm(row.confirm),
        unicode=UnicodePolicy(row.unicode),
        max_segments=row.max_segments,
        daily_cap=row.daily_cap,
        paused=row.paused,
        networks=tuple(row.networks),
        password_hash=row.password_hash,
        habits=Habits(
            kept=frozenset(CutRule(rule) for rule in row.kept_cuts),
            end_marks=tuple(row.end_marks),
            signatures=learned,
            subject=SubjectUse(row.subject),
        ),
        grammar=GrammarName(row.grammar) if row.grammar else None,
        order_password_hash=row.order_password_hash,
        digest=DigestPlan(
            to=tuple(row.digest_to),
            at=time.fromisoformat(row.digest_at),
            days=row.digest_days,
            since=row.digest_since,
        ),
        subject_tags=row.subject_tags,
        phone_languages=tuple(map(Spoken, row.phone_languages)),
        greetings=Greetings(
            unprompted=row.unprompted,
            hours=OpeningHours.parse(row.hours) if row.hours else None,
            closed=row.closed,
        ),
    )
