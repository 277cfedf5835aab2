"""46elks: a form out, forms back; its callbacks are not signed, and what answers an inbound one is texted back.

https://46elks.com/docs/send-sms and /docs/receive-sms: `POST /a1/sms` with a Basic login; `whendelivered` is called
with `id`, `status` and `delivered`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bridge.gateways.base import Hook, HookRefused, Traits
from bridge.gateways.callback import fields_of, phone_of, text_of
from bridge.gateways.http import Answer, HttpGateway, Order, accepted, basic, form_order, unclear
from bridge.types import HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, Receipt

_STATES = {"sent": MessageState.SENT, "delivered": MessageState.DELIVERED, "failed": MessageState.UNDELIVERED}


class Elks46(HttpGateway):
    """A connection to 46elks."""

    kind = "46elks"
    title = "46elks"
    base_url = "https://api.46elks.com/a1"
    traits = Traits(receipts=True, inbound=True)

    def order(self, sms: OutboundSms) -> Order:
        fields = {"from": sms.sender, "to": sms.number, "message": sms.text}
        # Health data: 46elks keeps no copy of the text.
        fields |= {"dontlog": "message", "whendelivered": self.hook_url(self.hooks()[0])}
        return form_order(f"{self.connection.url}/sms", fields, self._login)

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            return self.refused(answer)
        return accepted(answer.at("id")) if answer.at("id") else unclear(answer)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/me", self._login)

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound))

    @property
    def _login(self) -> dict[str, str]:
        return basic(self.connection.account, self.connection.secret)

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = fields_of(request)
        provider_id, status = text_of(event, "id"), text_of(event, "status")
        if status not in _STATES:
            raise HookRefused(400, "The receipt has a status that this gateway does not know.")
        return (
            Receipt(
                gateway=self.name,
                provider_id=provider_id,
                reference=None,
                state=_STATES[status],
                event_id=f"{provider_id}:{status}",
                occurred_at=_moment(event.get("delivered", "")),
                raw=request.body.decode(),
            ),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = fields_of(request)
        return (
            InboundSms(
                gateway=self.name,
                event_id=text_of(event, "id"),
                number=phone_of(event, "from"),
                to=phone_of(event, "to"),
                text=event.get("message", ""),
                received_at=_moment(event.get("created", "")) or self.connection.now(),
                raw=request.body.decode(),
            ),
        )


def _moment(written: str) -> datetime | None:
    """46elks writes UTC without saying so."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
