"""May this mailbox text that kind of number in that country; asked at RCPT and again before sending."""

from __future__ import annotations

from bridge.errors import Reason, RecipientRefusal
from bridge.sms.numbers import NumberKind, PhoneNumber, international
from bridge.types import Mailbox

_TEXTABLE = frozenset({NumberKind.MOBILE, NumberKind.VOIP})


def check_destination(number: PhoneNumber, mailbox: Mailbox) -> None:
    """Raises `RecipientRefusal` when the number costs extra, lies in a country the mailbox may not text, or cannot
    receive an SMS. What costs extra comes first, since opening its country would not help.
    """
    if number.region in mailbox.countries and number.kind in _TEXTABLE:
        return
    shown = international(number.e164)
    if number.kind is NumberKind.PREMIUM:
        raise RecipientRefusal(
            Reason.PREMIUM_NUMBER,
            f"{shown} is a premium-rate, shared-cost or satellite number, which is never texted: "
            "use the person's ordinary mobile number.",
        )
    if number.region not in mailbox.countries:
        allowed = ", ".join(mailbox.countries) or "none"
        raise RecipientRefusal(
            Reason.COUNTRY_NOT_ALLOWED,
            f"{shown} is a number in {number.region}, which {mailbox.login} may not text (allowed: {allowed}): "
            f"check the country code, or ask the administrator to allow {number.region}.",
        )
    what = "a landline" if number.kind is NumberKind.LANDLINE else "not a mobile number"
    raise RecipientRefusal(
        Reason.LANDLINE, f"{shown} is {what} and cannot receive a text message: use a mobile number."
    )
