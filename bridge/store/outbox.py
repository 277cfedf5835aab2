"""Taking mails in: what admission decided becomes rows, many mails in one transaction, each phone once.

The work is done by bulk inserts for a whole batch of mails. A mail that was taken before (same mailbox, same
fingerprint, same phone, inside the resubmission window) changes nothing; a mail beyond the mailbox's daily cap is
not taken; neither fails its neighbours. With the mail by which a signature is learned goes the mail that says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, bindparam, delete, func, select

from bridge import clock
from bridge.store import pool, usage, watched
from bridge.store.bulk import insert_rows
from bridge.store.committer import Committer
from bridge.store.conversations import continue_threads
from bridge.store.engine import upsert
from bridge.store.keys import NumberKey
from bridge.store.mails import MailKind, insert_mail
from bridge.store.rows import message_content, message_row, submission_content, submission_row
from bridge.store.signatures import Endings
from bridge.store.tables import (
    QUEUED,
    fingerprints,
    message_contents,
    messages,
    submission_contents,
    submissions,
)
from bridge.types import NewMail, NewMessage, OutgoingMail

Tell = Callable[[NewMail, str], OutgoingMail]
"""Composes the mail that says that a mail's ending was learned, under this id."""

log = structlog.get_logger("bridge.outbox")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail that was handed to the outbox."""

    submission_id: str
    """Its id, or the id of the submission that took the same mail before."""
    messages: int
    """How many messages it made; 0 when it was taken before."""
    over_cap: bool = False
    """Nothing was stored: the mailbox has reached its daily cap."""
    used: int = 0
    """Messages of the mailbox on the mail's day, this mail among them."""
    learned: bool = False
    """With it, what ends it was learned to be a signature of the mailbox."""


@dataclass(slots=True)
class _Draft:
    mail: NewMail
    submission_id: str
    keys: dict[str, tuple[str, NewMessage]]
    """Fingerprint to message id and message."""
    twins: list[_Draft] = field(default_factory=list)
    """Drafts of the same batch that hold phones of this one: the same mail, handed in twice at the same moment."""
    earlier: str | None = None
    over_cap: bool = False
    used: int = 0
    learned: bool = False

    @property
    def new(self) -> list[NewMessage]:
        """The messages that it makes."""
        return [message for _, message in self.keys.values()]


class Outbox:
    """The way in to the table of messages."""

    def __init__(
        self,
        committer: Committer,
        key: NumberKey,
        resubmission_window: float,
        *,
        conversation_window: timedelta,
        late_after: timedelta,
        tell: Tell,
        mailed: Callable[[], None],
    ) -> None:
        """`resubmission_window` is in seconds; for as long as `conversation_window` after its last text a conversation
        keeps the number that the pool gave it; a text that waits `late_after` the moment when it may leave is late;
        `mailed` is called when what `tell` composed has been queued."""
        self._committer = committer
        self._key = key
        self._endings = Endings(key)
        self._window = timedelta(seconds=resubmission_window)
        self._conversation_window = conversation_window
        self._late_after = late_after
        self._tell = tell
        self._mailed = mailed
        self._used: dict[str, tuple[str, int]] = {}
        self.crowded = False
        """More messages are queued than may be, as of the last `look`."""

    def used(self, mailbox_id: str, day: str) -> int:
        """Messages of a mailbox on `day`, as of the last mail that this process took; `take` judges the cap itself."""
        last_day, messages = self._used.get(mailbox_id, ("", 0))
        return messages if last_day == day else 0

    async def take(self, mail: NewMail) -> Taken:
        """Store a mail; when this returns it is on disk. Raises StoreUnavailable."""
        taken = await self._committer.do(self._take, mail, wakes=True, weight=len(mail.messages), last=True)
        mailbox_id = mail.mailbox.id
        if taken.learned:
            log.info("signature.learned", mailbox=mailbox_id, submission=taken.submission_id)
            self._mailed()
        self._used[mailbox_id] = max((mail.day, taken.used), self._used.get(mailbox_id, ("", 0)))
        return taken

    async def look(self, most: int) -> None:
        """Count what is queued, on this node and all others, against the most that may be. Raises StoreUnavailable."""
        self.crowded = await self._committer.do(_crowded, most)

    async def forget(self, now: datetime) -> None:
        """Forget the mails whose resubmission window is over."""
        await self._committer.do(_forget, now)

    def _take(self, connection: Connection, mails: Sequence[NewMail]) -> list[Taken]:
        drafts = [self._draft(mail) for mail in mails]
        self._drop_done(connection, drafts)
        self._drop_known(connection, drafts)
        self._drop_over_cap(connection, drafts)
        kept = [draft for draft in drafts if draft.keys and not draft.over_cap]
        if kept:
            self._insert(connection, kept)
            self._learn(connection, kept)
        return [
            Taken(
                draft.earlier or draft.submission_id,
                0 if draft.over_cap else len(draft.keys),
                draft.over_cap,
                draft.used,
                draft.learned,
            )
            for draft in drafts
        ]

    def _draft(self, mail: NewMail) -> _Draft:
        keys: dict[str, tuple[str, NewMessage]] = {}
        for message in mail.messages:
            keys.setdefault(self._fingerprint(mail, message), (clock.new_id(), message))
        return _Draft(mail, clock.new_id(), keys)

    def _fingerprint(self, mail: NewMail, message: NewMessage) -> str:
        phone = self._key.hash(message.number or message.recipient.address)
        parts = (mail.mailbox.id, mail.submission.fingerprint, phone)
        digest = hashlib.sha256()
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(4, "big") + data)
        return digest.hexdigest()

    def _drop_done(self, connection: Connection, drafts: Sequence[_Draft]) -> None:
        """A mail of a watched mailbox that was dealt with before, whenever that was, makes nothing."""
        places = {draft.mail.envelope.place: draft for draft in drafts}
        for place in watched.take(connection, filter(None, places)):
            places[place].keys.clear()

    def _drop_known(self, connection: Connection, drafts: Sequence[_Draft]) -> None:
        holders: dict[str, _Draft] = {}
        for draft in drafts:
            for key in draft.keys:
                holders.setdefault(key, draft)
        rows = [
            {"key": key, "message_id": draft.keys[key][0], "expires_at": draft.mail.at + self._window}
            for key, draft in sorted(holders.items(), key=lambda pair: pair[0])
        ]
        if not rows:
            return
        statement = upsert(connection.dialect.name, fingerprints)
        statement = statement.on_conflict_do_update(
            index_elements=[fingerprints.c.key],
            set_={"message_id": statement.excluded.message_id, "expires_at": statement.excluded.expires_at},
            where=fingerprints.c.expires_at < drafts[0].mail.at,
        )
        won = set((connection.execute(statement.returning(fingerprints.c.key), rows)).scalars())
        for draft in drafts:
            known = [key for key in draft.keys if key not in won or holders[key] is not draft]
            draft.twins = list({id(holders[key]): holders[key] for key in known if key in won}.values())
            for key in known:
                del draft.keys[key]
            if known and not draft.keys:
                draft.earlier = draft.twins[0].submission_id if draft.twins else _earlier(connection, known[0])

    def _drop_over_cap(self, connection: Connection, drafts: Sequence[_Draft]) -> None:
        days = sorted({(draft.mail.mailbox.id, draft.mail.day) for draft in drafts if draft.keys})
        if not days:
            return
        used = usage.locked(connection, days)
        over: list[str] = []
        for draft in drafts:
            day, cap = (draft.mail.mailbox.id, draft.mail.day), draft.mail.mailbox.daily_cap
            total = used.get(day, 0) + len(draft.keys)
            beyond = bool(draft.keys) and cap is not None and total > cap
            # A twin that was not taken holds nothing: this mail must not be answered as if it did.
            if beyond or any(twin.over_cap for twin in draft.twins):
                draft.over_cap = True
                over.extend(draft.keys)
            elif draft.keys:
                used[day] = total
            draft.used = used.get(day, 0)
        if over:
            released = delete(fingerprints).where(fingerprints.c.key == bindparam("b_key"))
            connection.execute(released, [{"b_key": key} for key in over])
            places = (draft.mail.envelope.place for draft in drafts if draft.over_cap)
            watched.give_back(connection, filter(None, places))
        usage.write(connection, used, days)

    def _insert(self, connection: Connection, drafts: Sequence[_Draft]) -> None:
        self._give_numbers(connection, drafts)
        said = _said(drafts)
        threads = continue_threads(connection, self._key, said)
        taken = [submission_row(draft.mail, draft.submission_id, draft.new, self._late_after) for draft in drafts]
        insert_rows(connection, submissions, taken)
        insert_rows(
            connection, submission_contents, [submission_content(draft.mail, draft.submission_id) for draft in drafts]
        )
        rows, contents = [], []
        for draft in drafts:
            for message_id, message in draft.keys.values():
                number_hash = self._key.hash(message.number)
                thread = threads.get((draft.mail.mailbox.id, number_hash, message.sender))
                ids = draft.submission_id, message_id
                rows.append(message_row(draft.mail, *ids, message, number_hash, thread, self._late_after))
                contents.append(message_content(message_id, message))
        insert_rows(connection, messages, rows)
        insert_rows(connection, message_contents, contents)

    def _give_numbers(self, connection: Connection, drafts: Sequence[_Draft]) -> None:
        """Let each message leave from the number that its conversation gets."""
        assigned = iter(pool.assign(connection, self._key, _said(drafts), self._conversation_window))
        for draft in drafts:
            draft.keys = {key: (message_id, next(assigned)) for key, (message_id, _) in draft.keys.items()}

    def _learn(self, connection: Connection, drafts: Sequence[_Draft]) -> None:
        """Count what ends these mails, and queue for each signature that is learned by it the mail that says so."""
        taught = {id(each.mail): each for each in self._endings.count(connection, [draft.mail for draft in drafts])}
        for draft in drafts:
            learned = taught.get(id(draft.mail))
            if learned is None:
                continue
            draft.learned = True
            insert_mail(
                connection,
                self._tell(draft.mail, learned.signature_id),
                organisation_id=draft.mail.mailbox.organisation_id,
                mailbox_id=draft.mail.mailbox.id,
                kind=MailKind.LEARNED,
                submission_id=draft.submission_id,
            )


def _said(drafts: Sequence[_Draft]) -> list[tuple[NewMail, NewMessage]]:
    return [(draft.mail, message) for draft in drafts for message in draft.new]


def _earlier(connection: Connection, key: str) -> str | None:
    """The submission that took the mail with this fingerprint."""
    query = (
        select(messages.c.submission_id)
        .join(fingerprints, fingerprints.c.message_id == messages.c.id)
        .where(fingerprints.c.key == key)
    )
    return (connection.execute(query)).scalar_one_or_none()


def _forget(connection: Connection, moments: Sequence[datetime]) -> list[None]:
    connection.execute(delete(fingerprints).where(fingerprints.c.expires_at < max(moments)))
    return [None] * len(moments)


def _crowded(connection: Connection, limits: Sequence[int]) -> list[bool]:
    """A queue is counted no further than needed, in the index that the dispatcher claims from."""
    queued = select(messages.c.id).where(messages.c.state == QUEUED).limit(max(limits)).subquery()
    found = connection.execute(select(func.count()).select_from(queued)).scalar_one()
    return [found >= most for most in limits]
