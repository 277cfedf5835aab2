"""One watched mailbox: looks for new mails, hands those that are for phones to the reception, and moves them away.

Every look asks for all mails from the first that is not dealt with. What becomes of a mail is on disk before it is
moved, so a mail that still stands there after a crash is only moved. What is not for a phone is left as it is, and so
is everything that was in the folder before the bridge first looked into it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bridge import clock
from bridge.errors import MailRefusal, MailRefused, Reason, StoreUnavailable
from bridge.mailback.imap_answers import Answer
from bridge.mailback.imap_inbox import Account, Entered, Inbox, Listed
from bridge.mailback.imap_session import Broken
from bridge.mailbox_door.reception import MAX_HEADER, NotNow, Reception, Rules
from bridge.settings import Settings
from bridge.settings.accounts import levels
from bridge.smtp_visit import too_large
from bridge.store.watched import Watched
from bridge.types import Fate, Place

log = structlog.get_logger("bridge.mailbox_door")

IDLE = 540.0
"""Seconds after which IDLE is begun anew: servers end it after 29 minutes (RFC 2177), and what stands between often
after ten."""

POLL = 60.0
"""Seconds between two looks where the server does not say by itself that a mail has come."""

FIRST_RETRY = 5.0
MAX_RETRY = 600.0
"""Seconds until a mail that can neither be taken nor refused is tried again."""

OLDEST = timedelta(days=1)
"""Mails that came longer ago are not texted: what a phone is told days late may be worse than nothing."""

KEYWORDS = {Fate.TAKEN: "$SMSTaken", Fate.REFUSED: "$SMSRefused"}
"""On mails that cannot be moved away."""


@dataclass(slots=True)
class _Delayed:
    """A mail that can neither be taken nor refused for now."""

    tries: int
    due_at: datetime


class Watch:
    """Looks after one mailbox, over one connection after another."""

    def __init__(
        self,
        account: Account,
        reception: Reception,
        watched: Watched,
        rules: Rules,
        *,
        folder: tuple[str, ...],
        away: dict[Fate, tuple[str, ...]],
    ) -> None:
        """`folder` is the one that is watched; `away` where mails are moved to."""
        self._account = account
        self._reception = reception
        self._watched = watched
        self._rules = rules
        self._folder = folder
        self._away = away
        self._name = f"{rules.address.lower()} {'/'.join(folder)}"
        self._delayed: dict[int, _Delayed] = {}
        self._done: set[int] = set()
        """Mails above the first one that waits which need no further look."""
        self._broke: set[int] = set()
        """Mails over which a connection broke."""
        self._entered = Entered(Answer("", ""))
        self._first = 0
        self.stopped = asyncio.Event()
        """Set when no further mail is to be dealt with."""

    async def open(self) -> Inbox:
        """A new connection, on which the folder is open. Raises Broken, MailRefused and StoreUnavailable."""
        inbox = await self._account.open()
        ready = False
        try:
            await self._begin(inbox)
            ready = True
        finally:
            if not ready:
                inbox.drop()
        return inbox

    async def _begin(self, inbox: Inbox) -> None:
        entered = await inbox.enter(inbox.hierarchy.name(self._folder))
        if not entered.answer.ok:
            code = entered.answer.code or entered.answer.result
            raise MailRefused("The folder that is watched cannot be opened.", retryable=True, detail=f"SELECT {code}")
        if not entered.uid_validity:
            raise MailRefused("The IMAP server numbers no mails.", retryable=True, detail="no UIDVALIDITY")
        start = await self._watched.enter(self._name, entered.uid_validity, entered.next_uid)
        if start.renumbered:
            self._delayed.clear()
            self._done.clear()
            self._broke.clear()
            log.error("mailbox_door.renumbered", watch=self._rules.address)
        self._entered, self._first = entered, start.next_uid

    async def round(self, inbox: Inbox) -> None:
        """Deal with what is new. Raises Broken and StoreUnavailable."""
        uids = await inbox.uids(self._first)
        self._delayed = {uid: delayed for uid, delayed in self._delayed.items() if uid in uids}
        new = [uid for uid in uids if uid not in self._done]
        listed = await inbox.listed(new)
        for uid in set(new) - {mail.uid for mail in listed}:  # gone by now, or the server says nothing of it
            self._delay(uid, "not listed")
        for mail in listed:
            if self.stopped.is_set():
                return
            delayed = self._delayed.get(mail.uid)
            if delayed is None or delayed.due_at <= clock.now():
                await self._deal(inbox, mail)
        following = min(self._delayed, default=max(uids, default=self._first - 1) + 1)
        if following > self._first:
            await self._watched.passed(self._name, self._entered.uid_validity, following)
            self._first = following
        self._done = {uid for uid in self._done if uid >= self._first}
        self._broke = {uid for uid in self._broke if uid >= self._first}

    def pause(self, inbox: Inbox) -> float:
        """Seconds until the next look, if nothing happens before."""
        longest = IDLE if inbox.idles else POLL
        due = (delayed.due_at - clock.now() for delayed in self._delayed.values())
        return min([longest, *(max(1.0, each.total_seconds()) for each in due)])

    async def _deal(self, inbox: Inbox, mail: Listed) -> None:
        """Deal with one mail, unless it must wait. Raises Broken and StoreUnavailable."""
        try:
            fate = await self._fate(inbox, mail)
        except NotNow as reason:
            self._delay(mail.uid, str(reason))
            return
        except Broken:
            if mail.uid in self._broke:  # some servers hang up whenever they are asked for a mail that they cannot read
                self._delay(mail.uid, "broke off")
            self._broke.add(mail.uid)
            raise
        except (StoreUnavailable, MailRefused):
            raise
        except Exception:
            # What one mail breaks, the others must not wait for.
            log.exception("mailbox_door.failed", watch=self._rules.address, uid=mail.uid)
            self._delay(mail.uid, "failed")
            return
        self._delayed.pop(mail.uid, None)
        if fate is not None:
            how = await inbox.put_away(mail.uid, self._away[fate], KEYWORDS[fate], self._entered.permanent)
            log.info("mailbox_door.put_away", watch=self._rules.address, uid=mail.uid, fate=fate.value, how=how)
        self._done.add(mail.uid)

    async def _fate(self, inbox: Inbox, mail: Listed) -> Fate | None:
        """What becomes of a mail; None for one that is no business of the bridge. Raises NotNow as well for one that
        the server does not give out, which may be gone."""
        validity = self._entered.uid_validity
        known = await self._watched.fates(self._name, validity, [mail.uid])
        if known:
            return known[mail.uid]
        header = await inbox.header(mail.uid, MAX_HEADER)
        if header is None:
            raise NotNow("not fetched")
        to = self._reception.recipients(header, self._rules)
        if not to:
            return None
        if mail.size > self._rules.max_octets:
            place = Place(self._name, validity, mail.uid, self._reception.digest(header, to))
            return await self._reception.turn_away(place, header, too_large(self._rules.max_octets), self._rules)
        arrived = mail.arrived or clock.now()
        late = _late(arrived)
        given_up = late is not None and mail.uid in self._delayed
        raw = None if given_up and mail.uid in self._broke else await inbox.mail(mail.uid, mail.size)
        if raw is None:
            if not given_up:
                raise NotNow("not fetched")
            raw = header  # its author is told, even if nobody can read the rest
        place = Place(self._name, validity, mail.uid, self._reception.digest(raw, to))
        if late is not None:
            return await self._reception.turn_away(place, raw, late, self._rules)
        return await self._reception.take(place, raw, to, self._rules, arrived)

    def _delay(self, uid: int, why: str) -> None:
        now = clock.now()
        delayed = self._delayed.setdefault(uid, _Delayed(0, now))
        delayed.tries += 1
        seconds = clock.jitter(min(FIRST_RETRY * 2.0 ** min(delayed.tries - 1, 30), MAX_RETRY))
        delayed.due_at = now + timedelta(seconds=seconds)
        log.warning("mailbox_door.waits", watch=self._rules.address, uid=uid, tries=delayed.tries, why=why)


def _late(arrived: datetime) -> MailRefusal | None:
    """The refusal of a mail that came too long ago, while the bridge was not there or could not deal with it."""
    hours = (clock.now() - arrived) // timedelta(hours=1)
    if hours < OLDEST // timedelta(hours=1):
        return None
    return MailRefusal(
        Reason.BUSY,
        f"This mail came {hours} hours ago and could not be texted until now. If it still matters, send it again.",
    )


def watches(
    settings: Settings, accounts: Mapping[str, Account], reception: Reception, watched: Watched
) -> dict[str, Watch]:
    """Those that the operator has set, by their address; `accounts` are how they are reached."""
    found = {}
    for address, watch in settings.watch.items():
        rules = Rules(
            address=address,
            authserv_ids=frozenset(watch.authserv_ids),
            subject_numbers=watch.subject_numbers,
            max_octets=settings.smtp.max_mail_bytes,
        )
        away = {Fate.TAKEN: levels(watch.done), Fate.REFUSED: levels(watch.refused)}
        found[address] = Watch(accounts[address], reception, watched, rules, folder=watch.levels, away=away)
    return found
