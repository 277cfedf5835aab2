"""Whether an SMS that names mail addresses is mailed to them: asked by the sorter for every message of a phone. Pure.

The number that an SMS comes from can be forged, by whoever has a way into the signalling network or a careless
provider. So the operator names the phones and also whom they may mail, and what one phone has mailed is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from bridge.meaning.phone_mail import read_mail
from bridge.settings import ReplySettings
from bridge.types import InboundSms
from bridge.types.phone_mail import MOST_MAILS, PhoneMail

WINDOW = timedelta(days=1)
"""How far back the mails of a phone are counted."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """What becomes of an SMS that is a mail."""

    mail: PhoneMail
    """To those who get it."""
    refused: tuple[str, ...] = ()
    """Addresses that the operator does not allow, and ours."""
    too_many: bool = False
    """Nobody gets it, since the phone has mailed enough."""


def judge(sms: InboundSms, settings: ReplySettings, domain: str, mailed: Callable[[], int]) -> Mailing | None:
    """What becomes of `sms`; None when it is no mail, or its phone may write none.

    `domain` is the one that phone addresses are in: what is mailed there would be texted, or come back. `mailed` counts
    the mails that the phone's SMS became within `WINDOW`; it is asked only when that matters.
    """
    mail = written(sms.number, sms.text, settings)
    if mail is None:
        return None
    allowed = tuple(each for each in mail.addresses if _may_be_mailed(each, settings.phones_may_mail_to, domain))
    refused = tuple(each for each in mail.addresses if each not in allowed)
    if allowed and mailed() + len(allowed) > MOST_MAILS:
        return Mailing(replace(mail, addresses=()), refused, too_many=True)
    return Mailing(replace(mail, addresses=allowed), refused)


def written(number: str, text: str, settings: ReplySettings) -> PhoneMail | None:
    """The mail that an SMS of this phone is: what it says, it says to others, and answers nothing of ours."""
    return read_mail(text) if number in settings.phones_may_mail else None


def _may_be_mailed(address: str, allowed: Collection[str], domain: str) -> bool:
    folded = address.lower()
    of_domain = "@" + folded.rpartition("@")[2]
    return of_domain != f"@{domain.lower()}" and any(each.lower() in (folded, of_domain) for each in allowed)
