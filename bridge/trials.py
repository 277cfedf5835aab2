"""Mails to `preview@…`: each is answered with a mail that tells what it would send, and nothing is sent.

The answer is queued like a report. Its id is made of the mailbox, the mail and its recipients, so a mail that is handed
in again is not answered again.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email.utils import parseaddr

import structlog

from bridge import notices
from bridge.errors import MailRefusal, Reason
from bridge.reading import headers
from bridge.store.mails import MailKind, Mails
from bridge.types import Mailbox, OutgoingMail, Preview, PreviewNotice

log = structlog.get_logger("bridge.trials")

MOST = 60
"""Mails of one mailbox that are answered in an hour by one node."""

_HOUR = timedelta(hours=1)
_ADDRESS = re.compile(r"[^\s\"(),:;<>@\[\\\]]+@[A-Za-z0-9.-]+")


class Trials:
    """Answers mails to `preview@…`."""

    def __init__(
        self,
        mails: Mails,
        *,
        domain: str,
        mailed: Callable[[], None],
        sign: Callable[[OutgoingMail], OutgoingMail],
    ) -> None:
        self._mails = mails
        self._domain = domain
        self._mailed = mailed
        self._sign = sign
        self._answered: dict[str, deque[datetime]] = defaultdict(lambda: deque(maxlen=MOST))

    async def answer(
        self, mailbox: Mailbox, addresses: Iterable[str], raw: bytes, shown: Preview, now: datetime
    ) -> str:
        """Queue the answer to the mail `raw`, which went to `addresses` and would come to what is `shown`; the answer's
        id. When this returns, it is on disk. Raises MailRefusal (busy) beyond `MOST`, and StoreUnavailable."""
        self._count(mailbox, now)
        mail = self._sign(notices.previewed(_notice(mailbox, addresses, raw, shown, now), self._domain))
        if await self._mails.add(mail, MailKind.PREVIEW, mailbox):
            log.info("preview.queued", mail=mail.id, messages=len(shown.messages), refused=len(shown.refused))
            self._mailed()
        return mail.id

    def _count(self, mailbox: Mailbox, now: datetime) -> None:
        answered = self._answered[mailbox.id]
        if len(answered) == MOST and now - answered[0] < _HOUR:
            raise MailRefusal(
                Reason.BUSY, f"This mailbox has tried {MOST} mails within an hour. Try the next one later."
            )
        answered.append(now)


def _notice(mailbox: Mailbox, addresses: Iterable[str], raw: bytes, shown: Preview, now: datetime) -> PreviewNotice:
    author, message_id, references, subject = _heading(mailbox, raw, shown)
    return PreviewNotice(
        notice_id=_notice_id(mailbox, message_id or hashlib.sha256(raw).hexdigest(), addresses),
        to=author if _ADDRESS.fullmatch(author) and mailbox.may_send_from(author) else mailbox.login,
        mailbox=mailbox,
        preview=shown,
        message_id=message_id,
        references=references,
        subject=subject,
        created_at=now,
    )


def _heading(mailbox: Mailbox, raw: bytes, shown: Preview) -> tuple[str, str, tuple[str, ...], str]:
    """Author, Message-ID, references and subject of a mail; as they stand in it, where it could not be read."""
    if shown.submission is not None:
        found = shown.submission
        return found.header_from, found.message_id, found.references, found.subject
    try:
        fields, _, _ = headers.split(raw, 0, len(raw))
    except MailRefusal:  # more header fields than are read; the answer says so, and nothing of the mail can be repeated
        return "", "", (), ""
    # In the form of another service the subject may hold a password, which nobody has found in it.
    subject = headers.decoded(fields.raw("subject")) if mailbox.grammar is None else ""
    references = fields.line("references") or fields.line("in-reply-to")
    return parseaddr(fields.line("from"))[1], fields.line("message-id"), tuple(references.split()), subject


def _notice_id(mailbox: Mailbox, mail: str, addresses: Iterable[str]) -> str:
    parts = (mailbox.id, mail, *sorted({address.lower() for address in addresses}))
    return f"preview.{hashlib.sha256(chr(0).join(parts).encode('utf-8', 'surrogatepass')).hexdigest()[:26]}"
