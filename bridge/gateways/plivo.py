"""Plivo: JSON out, signed forms back.

https://docs.plivo.com/docs/messaging/api/message, …/message-status-callbacks, …/handling-incoming,
/docs/messaging/concepts/signature-validation and /docs/messaging/troubleshooting/error-codes. A callback's signature
covers its address and a nonce but not what it says, so its path holds a part that nobody can guess besides. An MMS
has its words under another name than an SMS. Where its files are, Plivo's pages do not say: media.plivo.com is where
its recordings are.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence

from bridge.errors import Reason
from bridge.gateways.base import Hook, Said, Traits
from bridge.gateways.callback import fields_of, numbered_of, prove, raw_of, text_of, told_by
from bridge.gateways.connection import media_hosts
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of, price_of
from bridge.gateways.orders import Answer, Order, code_of, json_order, taken
from bridge.types import HttpRequest, InboundSms, MessageState, Money, OutboundSms, Outcome, Receipt

_STATES: Mapping[str, MessageState | None] = {
    "queued": None,
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "undelivered": MessageState.UNDELIVERED,
    "failed": MessageState.FAILED,
    "rejected": MessageState.FAILED,
}
_REASONS = {
    "30": Reason.FILTERED,
    "40": Reason.SENDER_REFUSED,
    "50": Reason.UNKNOWN_SUBSCRIBER,
    "70": Reason.UNKNOWN_SUBSCRIBER,
    "80": Reason.ABSENT_SUBSCRIBER,
    "100": Reason.BARRED,
    "110": Reason.TOO_MANY_SEGMENTS,
    "200": Reason.OPTED_OUT,
    "450": Reason.COUNTRY_NOT_ALLOWED,
}
_LONGEST = 10_799
"""Seconds that a text may wait at Plivo, which keeps none for longer than three hours."""


class Plivo(HttpGateway):
    """A connection to Plivo; `account` is the Auth ID, `secret` the Auth Token, which also signs the callbacks."""

    kind = "plivo"
    title = "Plivo"
    base_url = "https://api.plivo.com"
    options = (media_hosts("media.plivo.com"),)
    traits = Traits(receipts=True, inbound=True, mms=True, answers_orders=True, balance=True, price=True)

    def order(self, sms: OutboundSms) -> Order:
        # Health data: with `log` off Plivo keeps no text, and masks the number.
        fields: dict[str, object] = {
            "src": sms.sender,
            "dst": sms.number,
            "text": sms.text,
            "type": "sms",
            "log": False,
        }
        fields |= {"url": self.hook_url(self.hooks()[0]), "method": "POST"}
        seconds = self.seconds_left(sms, _LONGEST)
        if seconds is not None:
            fields["message_expiry"] = seconds
        return json_order(f"{self._url}/Message/", fields, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        return taken(answer, "message_uuid", 0) if answer.ok else self.refused(answer)

    def question(self) -> Order:
        return Order("GET", f"{self._url}/", self.login)

    def left(self, answer: Answer) -> Money | None:
        return balance_of(answer.at("cash_credits"), "USD")

    def hooks(self) -> Sequence[Hook]:
        # An empty document: answer nothing to the phone.
        nothing = Said("<Response/>", "application/xml")
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound, nothing))

    @property
    def _url(self) -> str:
        return f"{self.connection.url}/v1/Account/{self.connection.account}"

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = self._believe(request)
        status, code = text_of(event, "Status"), code_of(event.get("ErrorCode"))
        state, reason, price = told_by(_STATES, status), _REASONS.get(code), price_of(event.get("TotalAmount"), "USD")
        message_id = text_of(event, "MessageUUID")
        return self.receipt(raw_of(request), state, message_id, status, code, reason=reason, price=price)

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = self._believe(request)
        words, media = "Text" if event.get("Text") else "Body", numbered_of(event, "Media")
        return self.inbound(
            raw_of(request), event, event_id="MessageUUID", number="From", to="To", text=words, media=media
        )

    def _believe(self, request: HttpRequest) -> Mapping[str, str]:
        address = self.connection.public_url + request.target.partition("?")[0]
        signed = address + request.headers.get("x-plivo-signature-v2-nonce", "")
        digest = hmac.digest(self.connection.secret.encode(), signed.encode(), "sha256")
        prove(base64.b64encode(digest).decode(), request.headers.get("x-plivo-signature-v2", ""))
        return fields_of(request)
