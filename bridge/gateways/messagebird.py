"""MessageBird (Bird's SMS API at rest.messagebird.com): JSON out, queries and forms back.

https://developers.messagebird.com/api/sms-messaging and the makers' own libraries (github.com/messagebird). A receipt
is a GET, and only a text with a reference has one. Callbacks carry a JSON Web Token (RFC 7519) in
`MessageBird-Signature-JWT` with hashes of the URL and of the body. What an inbound SMS looks like is known from others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from bridge.errors import Reason
from bridge.gateways.base import Evidence, Hook, HookRefused, Said, Traits
from bridge.gateways.callback import check_recent, fields_of, moment_of, prove, raw_of, text_of, told_by, words_of
from bridge.gateways.http import HttpGateway
from bridge.gateways.jwt import claims_of
from bridge.gateways.money import balance_of, price_in
from bridge.gateways.orders import Answer, Order, code_of, json_order, taken
from bridge.types import (
    CREDITS,
    Encoding,
    HttpRequest,
    InboundSms,
    MessageState,
    Money,
    OutboundSms,
    Outcome,
    OutcomeKind,
    Rates,
    Receipt,
)

_STATES: Mapping[str, MessageState | None] = {
    "scheduled": None,
    "sent": MessageState.SENT,
    "buffered": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "expired": MessageState.EXPIRED,
    "delivery_failed": MessageState.UNDELIVERED,
}
_UNITS = {"credits": CREDITS, "euros": "EUR", "pounds": "GBP", "dollars": "USD"}
_OPTED_OUT = "103"
_LONGEST = 172_800
"""Seconds that a text may be tried, by us; MessageBird names no limit."""


class MessageBird(HttpGateway):
    """A connection to MessageBird; `secret` is the access key, `webhook_secret` the signing key."""

    kind = "messagebird"
    title = "MessageBird"
    base_url = "https://rest.messagebird.com"
    needs = ("secret",)
    traits = Traits(
        receipts=True,
        inbound=True,
        balance=True,
        price=True,
        flash=True,
        rates=Rates(gateway=500.0),  # POST requests, developers.messagebird.com/api
        evidence=Evidence.SECOND_HAND,
    )

    def order(self, sms: OutboundSms) -> Order:
        fields: dict[str, object] = {
            "originator": sms.sender.removeprefix("+"),
            "recipients": [sms.number.removeprefix("+")],
            "body": sms.text,
            "datacoding": "unicode" if sms.encoding is Encoding.UCS2 else "plain",
            "reference": sms.reference,
            "reportUrl": self.hook_url(self.hooks()[0]),
        }
        if sms.flash:
            fields["type"] = "flash"
        seconds = self.seconds_left(sms, _LONGEST)
        if seconds is not None:
            fields["validity"] = seconds
        return json_order(f"{self.connection.url}/messages", fields, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        code = code_of(answer.at("errors", 0, "code"))
        if answer.ok and answer.at("recipients", "items", 0, "status") == "delivery_failed":
            return Outcome(OutcomeKind.REJECTED, diagnostic="MessageBird delivery_failed")
        if answer.ok:
            return taken(answer, "id", price=price_in(answer.at("recipients", "items", 0, "price")))
        if code and 400 <= answer.status < 500 and answer.status not in (408, 429):
            return Outcome(OutcomeKind.REJECTED, diagnostic=f"MessageBird {code}")
        return self.refused(answer)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/balance", self.login)

    def left(self, answer: Answer) -> Money | None:
        # An account that is billed later has no limit that it could fall below.
        if answer.at("payment") != "prepaid":
            return None
        return balance_of(answer.at("amount"), _UNITS.get(str(answer.at("type")), ""))

    def hooks(self) -> Sequence[Hook]:
        confirmed = Said("OK", "text/plain")
        return (
            self.unsigned("receipts", self._receipt, confirmed),
            self.unsigned("inbound", self._inbound, confirmed),
        )

    @property
    def login(self) -> dict[str, str]:
        return {"Authorization": f"AccessKey {self.connection.secret}"}

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = self._believe(request)
        status, code = text_of(event, "status"), code_of(event.get("statusErrorCode"))
        state, reason = told_by(_STATES, status), Reason.OPTED_OUT if code == _OPTED_OUT else None
        reference, at = words_of(event, "reference"), moment_of(event, "statusDatetime")
        return self.receipt(
            raw_of(request), state, text_of(event, "id"), status, code, reference=reference, reason=reason, at=at
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = self._believe(request)
        raw, at = raw_of(request), moment_of(event, "createdDatetime")
        if "shortcode" in event:
            return self.inbound(raw, event, event_id="mid", number="originator", to="shortcode", text="message", at=at)
        return self.inbound(raw, event, event_id="id", number="originator", to="recipient", text="body", at=at)

    def _believe(self, request: HttpRequest) -> Mapping[str, str]:
        key = self.connection.webhook_secret
        if key:
            claims = claims_of(request.headers.get("messagebird-signature-jwt", ""), key)
            url = self.connection.public_url + request.target
            prove(hashlib.sha256(url.encode()).hexdigest(), str(claims.get("url_hash")))
            if request.body or "payload_hash" in claims:
                prove(hashlib.sha256(request.body).hexdigest(), str(claims.get("payload_hash")))
            if claims.get("iss") != "MessageBird" or not isinstance(claims.get("nbf"), int):
                raise HookRefused(403, "The signature does not say that it is MessageBird's, or from when it is.")
            # Our five minutes take the place of `exp`, which leaves one.
            check_recent(str(claims["nbf"]), self.connection.now())
        return fields_of(request)
