"""The gammu-smsd gateway: texts go into its outbox, receipts and answers are read from its other tables.

A text counts as accepted when its rows are committed: from then on gammu-smsd sends it, now or when its modem is there
again. Up to the commit nothing has happened; only a commit whose answer is lost is *unknown*, and then the outbox and
sentitems show, under the lock that it ran under, whether it took place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import tzinfo
from itertools import count
from typing import ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast, delete, insert, select, true

from bridge.errors import Reason, SettingsError
from bridge.gateways.base import Doubt, Handed, Poll, Polled, Recall, Recalled, SenderKind, Traits
from bridge.gateways.connection import Connection, Option
from bridge.gateways.gammu import inbox, sent
from bridge.gateways.gammu.database import LONG_AGO, Database, is_busy, outbox, outbox_multipart, phones, version
from bridge.gateways.gammu.outgoing import rows
from bridge.gateways.provider import Provider
from bridge.types import MessageState, OutboundSms, Outcome, OutcomeKind

SCHEMA = 17
"""The version of gammu-smsd's tables, since 1.38.5 (2017)."""
SEEN = 15
"""Minutes after which a gammu-smsd that did not say that it runs counts as stopped. It says so every minute
(StatusFrequency)."""


class GammuGateway(Provider):
    """A connection to the database of gammu-smsd; `account` and `secret` are the login where it is PostgreSQL."""

    kind = "gammu"
    title = "gammu-smsd"
    needs: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[Option, ...]] = (
        Option("number", "the SIM card's own number, like +393331234567"),
        Option("phone", "PhoneID of the gammu-smsd, where several share the database", ""),
        Option("timezone", "IANA name of the clock by which gammu-smsd writes its times; this machine's if empty", ""),
    )
    traits = Traits(
        receipts=True,
        inbound=True,
        lookup=True,
        cancel=True,
        own_segments=True,
        flash=True,
        senders=frozenset({SenderKind.NUMBER}),
    )

    def __init__(self, connection: Connection) -> None:
        """Raises SettingsError for a value that cannot be used."""
        super().__init__(connection)
        number, zone = self.option("number"), _zone(connection.name, self.option("timezone"))
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
            key = f"gateways.{self.name}.options.number"
            raise SettingsError(key, f'"{number}"', "write the number with plus and country code")
        self._phone = self.option("phone")
        self._database = Database(connection)
        self._sent = sent.SentItems(self.name, self._database)
        self._inbox = inbox.Inbox(self.name, self._database, number=number, phone=self._phone, zone=zone)
        # Two long texts to one phone must not share their reference, not even across a restart.
        self._references = count(int(connection.now().timestamp()))

    async def submit(self, sms: OutboundSms) -> Outcome:
        first, *others = rows(sms, self._phone, next(self._references), self.connection.now())
        committing = False
        try:
            async with self._database.writing() as connection:
                added = await connection.execute(insert(outbox).values(first).returning(outbox.c.id))
                id_ = added.scalar_one()
                if others:
                    await connection.execute(insert(outbox_multipart), [{"id": id_, **each} for each in others])
                committing = True
                await connection.commit()
                return Outcome(OutcomeKind.ACCEPTED, str(id_))
        except self._database.faults as error:
            kind = OutcomeKind.UNKNOWN if committing and not is_busy(error) else OutcomeKind.UNREACHABLE
            return Outcome(kind, diagnostic=type(error).__name__)

    async def lookup(self, message: Doubt) -> Outcome:
        try:
            async with self._database.writing() as connection:
                ours = outbox.c.CreatorID == message.reference
                queued = await connection.execute(select(outbox.c.id).where(ours).order_by(outbox.c.id.desc()))
                if (id_ := queued.scalars().first()) is not None:
                    return Outcome(OutcomeKind.ACCEPTED, str(id_))
                parts = await sent.tried(connection, message.reference)
        except self._database.faults as error:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=type(error).__name__)
        if not parts:
            return Outcome(OutcomeKind.REJECTED, reason=Reason.GAVE_UP, diagnostic="gammu-smsd never got it")
        became = sent.fate(parts)
        if became.state is MessageState.FAILED:
            return Outcome(OutcomeKind.REJECTED, str(parts[0].id), became.reason, f"gammu-smsd {became.diagnostic}")
        return Outcome(OutcomeKind.ACCEPTED, str(parts[0].id))

    async def cancel(self, message: Handed) -> Recall:
        """Only a text that gammu-smsd has not taken up yet: its claim and this are statements on the same row."""
        mine = outbox.c.CreatorID == message.reference, outbox.c.SendingTimeOut == LONG_AGO
        try:
            async with self._database.writing() as connection:
                gone = (await connection.execute(delete(outbox).where(*mine).returning(outbox.c.id))).scalars().all()
                await connection.execute(delete(outbox_multipart).where(outbox_multipart.c.id.in_(gone)))
                await connection.commit()
        except self._database.faults as error:
            return Recall(Recalled.UNKNOWN, type(error).__name__)
        return Recall(Recalled.CANCELLED) if gone else Recall(Recalled.REFUSED, "it is not in the outbox any more")

    async def probe(self) -> str:
        seen = self._database.ago(phones.c.UpdatedInDB, SEEN)
        try:
            async with self._database.reading() as connection:
                schema = (await connection.execute(select(version.c.Version))).scalar_one_or_none() or 0
                ours = phones.c.id == self._phone if self._phone else true()
                query = select(cast(phones.c.Send, String).in_(("yes", "true")), seen).where(ours)
                found = (await connection.execute(query)).all()
        except self._database.faults as error:
            return f"The database of gammu-smsd cannot be used ({type(error).__name__}). Check url, account and secret."
        if schema < SCHEMA:
            return f"The tables of gammu-smsd have version {schema}. Use gammu-smsd 1.38.5 or newer and its tables."
        if not found:
            return "No gammu-smsd has its phone in the database. Start it, and check its PhoneID."
        if all(is_old for _, is_old in found):
            return f"gammu-smsd has not been seen for {SEEN} minutes. Start it; its StatusFrequency must not be 0."
        if not any(sends and not is_old for sends, is_old in found):
            return "This gammu-smsd sends nothing. Remove Send = False from its configuration."
        return ""

    def polls(self) -> Sequence[Poll]:
        return (Poll("sentitems", sent.EVERY, self._sent.read), Poll("inbox", inbox.EVERY, self._read_inbox))

    async def _read_inbox(self, cursor: str) -> Polled:
        return await self._inbox.read(cursor, self.connection.now())

    async def close(self) -> None:
        await self._database.close()


def _zone(gateway: str, name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        key = f"gateways.{gateway}.options.timezone"
        raise SettingsError(key, f'"{name}"', 'write an IANA name, such as "Europe/Rome"') from None
