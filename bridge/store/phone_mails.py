"""How many mails a phone has written by SMS; asked while it is decided about one more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from bridge.clock import first_id
from bridge.notices.bounces import mail_id
from bridge.store.automatic import Dealings
from bridge.store.mails import MailKind
from bridge.store.tables import inbounds, mails


def mailed(dealings: Dealings, since: datetime) -> int:
    """Mails to those whom it named that SMS of the phone became since then, through whichever of our numbers.

    What another node writes at the same moment does not count: a phone gets one or two more through, and no end of it.
    """
    # No index has the time, but ids begin with it; those of other kinds of mail begin with other letters.
    query = (
        select(func.count())
        .select_from(mails)
        .join(inbounds, inbounds.c.id == mails.c.inbound_id)
        .where(
            mails.c.id.between(mail_id(first_id(since)), mail_id("z")),
            mails.c.kind == MailKind.PHONE,
            inbounds.c.number_hash == dealings.number_hash,
        )
    )
    count: int = dealings.connection.execute(query).scalar_one()
    return count
