"""What phones wrote, read from gammu-smsd's inbox: the rows that are not marked as processed.

A row is marked when the bridge has committed it, which is known when the next look begins with the cursor that was
committed with it. So none is lost and none is missed, whichever rows are committed late; one that is read twice, since
the bridge was killed in between, is known by its event id. gammu-smsd writes a row a segment. Those of a longer text
stay unmarked until all are there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import String, cast, select, update

from bridge.gateways.base import HookRefused, Polled, PollRefused
from bridge.gateways.gammu.database import Database, inbox
from bridge.gateways.smpp.coding import Place, concatenation
from bridge.gateways.smsgate_phone import phone_in
from bridge.types import InboundSms

EVERY = 5.0
"""Seconds between two looks."""
AT_ONCE = 100
"""Texts that one look brings at most."""
LOOKED_AT = 5000
"""Rows that one look reads at most: more than a modem hears while a text waits for its segments."""
WAIT = timedelta(hours=1)
"""How long a text waits for a segment that does not come."""
MISSING = "[…]"
"""What stands for a segment that never came."""
NOBODY = "anonymous"
"""Who wrote, where the network does not say."""

_USSD = 127
_8BIT = "8bit"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the inbox."""

    id: int
    number: str
    recipient: str
    received: str
    coding: str
    header: str
    """The user data header, in hexadecimal."""
    body: str
    """The words in hexadecimal; those of this segment alone."""
    decoded: str
    """The words as gammu-smsd reads them; it writes those of all segments into the first."""

    @property
    def mark(self) -> str:
        """What this row has alone, also among those of tables that are made anew and count from one again."""
        return f"{self.id}:{hashlib.sha256(repr(self).encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"

    @property
    def place(self) -> Place | None:
        """Which part of which longer text it is."""
        try:
            header = bytes.fromhex(self.header)
        except ValueError:
            return None
        return concatenation(header[1:] if header[:1] == bytes((len(header) - 1 & 0xFF,)) else header)

    @property
    def units(self) -> bytes:
        """Its words as UTF-16; a segment may end within a surrogate pair."""
        try:
            octets = bytes.fromhex(self.body)
        except ValueError:
            octets = b""
        if self.coding == _8BIT:
            return _eight_bits(octets).encode("utf-16-be")
        if octets and len(octets) % 2 == 0:
            return octets
        return self.decoded.encode("utf-16-be", "surrogatepass")


class Inbox:
    """One bridge's view of it."""

    def __init__(self, gateway: str, database: Database, *, number: str, phone: str, zone: tzinfo | None) -> None:
        """`number` is the SIM card's own, `phone` the PhoneID of its gammu-smsd (empty: all), `zone` that of its clock
        (None: this machine's)."""
        self._gateway = gateway
        self._database = database
        self._number = number
        self._phone = phone
        self._zone = zone
        self._incomplete: dict[str, datetime] = {}
        """Segments that wait for others, and since when."""

    async def read(self, cursor: str, now: datetime) -> Polled:
        """What is new, and the marks of its rows, which the next look is given as its `cursor` when they were kept."""
        kept = set(cursor.split())
        try:
            rows = await self._unprocessed()
            done = [row.id for row in rows if row.mark in kept]
            if done:
                await self._process(done)
        except self._database.faults as error:
            raise PollRefused(f"gammu-smsd's database cannot be read or written ({type(error).__name__})") from error
        fresh = {row.mark: row for row in rows if row.mark not in kept}
        self._incomplete = {mark: self._incomplete.get(mark, now) for mark in fresh}
        texts = [text for text in _texts(list(fresh.values())) if self._is_due(text, now)]
        events = [self._event(text, now) for text in texts[:AT_ONCE]]
        marks = [row.mark for text in texts[:AT_ONCE] for row in text.rows]
        full = len(rows) == LOOKED_AT and bool(texts or done)
        return Polled(events, " ".join(marks), more=full or len(texts) > AT_ONCE)

    async def _unprocessed(self) -> Sequence[Row]:
        names = ("SenderNumber", "RecipientID", "ReceivingDateTime", "Coding", "UDH", "Text", "TextDecoded")
        query = select(inbox.c.id, *(cast(inbox.c[name], String) for name in names))
        query = query.where(inbox.c.Processed.in_([False]), inbox.c.Class != _USSD)
        query = query.order_by(inbox.c.id).limit(LOOKED_AT)
        if self._phone:
            query = query.where(inbox.c.RecipientID == self._phone)
        async with self._database.reading() as connection:
            return [Row(row[0], *(value or "" for value in row[1:])) for row in await connection.execute(query)]

    async def _process(self, ids: Sequence[int]) -> None:
        async with self._database.writing() as connection:
            await connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(Processed=True))
            await connection.commit()

    def _is_due(self, text: _Text, now: datetime) -> bool:
        return text.is_whole or now - max(self._incomplete[row.mark] for row in text.rows) >= WAIT

    def _event(self, text: _Text, now: datetime) -> InboundSms:
        last = text.rows[-1]
        return InboundSms(
            gateway=self._gateway,
            event_id=last.mark,
            number=_phone(last.number, self._number),
            to=self._number,
            text=text.words,
            received_at=min(_moment(last.received, self._zone) or now, now),
            raw=" ".join(f"{row.coding} {row.header} {row.body}" for row in text.rows).replace("\0", ""),
        )


@dataclass(frozen=True, slots=True)
class _Text:
    """The rows of one text, in the order of its segments, as far as they are there."""

    rows: Sequence[Row]
    total: int
    ordinals: Mapping[int, Row]

    @property
    def is_whole(self) -> bool:
        return len(self.ordinals) == self.total

    @property
    def words(self) -> str:
        gap = MISSING.encode("utf-16-be")
        units = [row.units if (row := self.ordinals.get(at)) else gap for at in range(1, self.total + 1)]
        return b"".join(units).decode("utf-16-be", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _texts(rows: Sequence[Row]) -> Iterator[_Text]:
    """Rows put together to texts. A segment that is there already begins another text: phones use references again."""
    open_: dict[tuple[str, str, int, int], list[tuple[int, Row]]] = {}
    for row in rows:
        place = row.place
        if place is None:
            yield _Text([row], 1, {1: row})
            continue
        key = (row.number, row.recipient, place.reference, place.total)
        found = open_.setdefault(key, [])
        if place.ordinal in dict(found):
            yield _text(open_.pop(key), place.total)
            found = open_.setdefault(key, [])
        found.append((place.ordinal, row))
        if len(found) == place.total:
            yield _text(open_.pop(key), place.total)
    for key, found in open_.items():
        yield _text(found, key[-1])


def _text(found: Sequence[tuple[int, Row]], total: int) -> _Text:
    return _Text([row for _, row in found], total, dict(found))


def _eight_bits(octets: bytes) -> str:
    """Octets of which nobody says what they mean: as UTF-8 where they are that, else as ISO 8859-1."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _phone(written: str, own: str) -> str:
    try:
        return phone_in({"sender": written.strip()}, "sender", own)
    except HookRefused:
        return NOBODY


def _moment(written: str, zone: tzinfo | None) -> datetime | None:
    """A local time of the database; None when it is none."""
    try:
        local = datetime.fromisoformat(written)
        return (local.replace(tzinfo=zone) if zone is not None else local).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
