"""46elks: a form out, forms back; its callbacks are not signed, and what answers an inbound one is texted back.

https://46elks.com/docs/send-sms and /docs/receive-sms: `POST /a1/sms` with a Basic login; `whendelivered` is called
with `id`, `status` and `delivered`. Costs and the balance are whole numbers, ten thousandths of the account's currency.
/docs/receive-mms: the fields of an SMS, and `image`, `image2` and so on, which are at the API.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.gateways.base import Hook, Traits
from bridge.gateways.callback import fields_of, moment_of, numbered_of, raw_of, text_of, told_by
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of, price_of
from bridge.gateways.orders import Answer, Order, form_order, taken
from bridge.types import HttpRequest, InboundSms, MessageState, Money, OutboundSms, Outcome, Receipt

_STATES = {"sent": MessageState.SENT, "delivered": MessageState.DELIVERED, "failed": MessageState.UNDELIVERED}


class Elks46(HttpGateway):
    """A connection to 46elks."""

    kind = "46elks"
    title = "46elks"
    base_url = "https://api.46elks.com/a1"
    traits = Traits(receipts=True, inbound=True, mms=True, balance=True, price=True, flash=True)

    def order(self, sms: OutboundSms) -> Order:
        fields = {"from": sms.sender, "to": sms.number, "message": sms.text}
        # Health data: 46elks keeps no copy of the text.
        fields |= {"dontlog": "message", "whendelivered": self.hook_url(self.hooks()[0])}
        if sms.flash:
            fields["flashsms"] = "yes"
        return form_order(f"{self.connection.url}/sms", fields, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        return taken(answer, "id", price=_whole(price_of(answer.at("cost")))) if answer.ok else self.refused(answer)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/me", self.login)

    def left(self, answer: Answer) -> Money | None:
        return _whole(balance_of(answer.at("balance"), answer.at("currency")))

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound))

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = fields_of(request)
        status, at = text_of(event, "status"), moment_of(event, "delivered")
        return self.receipt(raw_of(request), told_by(_STATES, status), text_of(event, "id"), status, at=at)

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = fields_of(request)
        at, media = moment_of(event, "created"), numbered_of(event, "image")
        return self.inbound(
            raw_of(request), event, event_id="id", number="from", to="to", text="message", at=at, media=media
        )


def _whole(fraction: Money | None) -> Money | None:
    return Money(fraction.amount.scaleb(-4), fraction.unit) if fraction is not None else None
