"""Vonage (once Nexmo), its SMS API: a form out; JSON, a form or a query back, as the account is set.

https://developer.vonage.com/en/api/sms, /en/api-errors/sms, /en/messaging/sms/guides/delivery-receipts, …/inbound-sms
and /en/getting-started/concepts/signing-messages. HTTP 200 says nothing yet: the body has a status for each SMS that
a text was cut into. Callbacks are signed only where Vonage's support has turned that on.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal

from bridge.errors import Reason
from bridge.gateways.base import Hook, Traits
from bridge.gateways.callback import (
    check_recent,
    event_of,
    moment_of,
    place_of,
    prove,
    raw_of,
    text_of,
    told_by,
    words_of,
)
from bridge.gateways.connection import Option
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of, price_of
from bridge.gateways.orders import Answer, Order, accepted, code_of, form_order, unclear
from bridge.types import (
    Encoding,
    HttpRequest,
    InboundPart,
    InboundSms,
    MessageState,
    Money,
    OutboundSms,
    Outcome,
    OutcomeKind,
    Rates,
    Receipt,
)

_THROTTLED = frozenset({"1", "10"})
_REFUSED = {
    "7": Reason.BARRED,
    "12": Reason.TOO_MANY_SEGMENTS,
    "15": Reason.SENDER_REFUSED,
    "33": Reason.UNKNOWN_SUBSCRIBER,
}
_STATES: Mapping[str, MessageState | None] = {
    **dict.fromkeys(("accepted", "buffered"), MessageState.SENT),
    "delivered": MessageState.DELIVERED,
    **dict.fromkeys(("undelivered", "failed"), MessageState.UNDELIVERED),
    "rejected": MessageState.FAILED,
    "expired": MessageState.EXPIRED,
    "unknown": None,
}
_REASONS = {
    **dict.fromkeys(("2", "7"), Reason.ABSENT_SUBSCRIBER),
    "3": Reason.UNKNOWN_SUBSCRIBER,
    **dict.fromkeys(("4", "13", "14", "15"), Reason.BARRED),
    "6": Reason.FILTERED,
    "9": Reason.OPTED_OUT,
}
_LONGEST = 604_800
"""Seconds that Vonage tries at most."""
_CALLED_AGAIN = 86_400.0
"""Seconds for which Vonage calls again what we did not confirm; the signed time may be that of the first call."""
_SIGNATURES = ("md5hash", "md5", "sha1", "sha256", "sha512")
_AS_WRITTEN = str.maketrans("&=", "__")


class Vonage(HttpGateway):
    """A connection to Vonage; `account` is the key, `webhook_secret` the signature secret where there is one."""

    kind = "vonage"
    title = "Vonage"
    base_url = "https://rest.nexmo.com"
    options = (Option("signature", "how callbacks are signed, as the account's settings say", "sha256", _SIGNATURES),)
    # Requests, and one is at least a segment: support article 203993598, "throughput limit for outbound SMS".
    traits = Traits(receipts=True, inbound=True, balance=True, price=True, rates=Rates(gateway=30.0), flash=True)

    def order(self, sms: OutboundSms) -> Order:
        fields = {"from": sms.sender.removeprefix("+"), "to": sms.number.removeprefix("+"), "text": sms.text}
        fields |= {"client-ref": sms.reference, "callback": self.hook_url(self.hooks()[0])}
        if sms.encoding is Encoding.UCS2:
            fields["type"] = "unicode"
        if sms.flash:
            fields["message-class"] = "0"
        seconds = self.seconds_left(sms, _LONGEST)
        if seconds is not None:
            fields["ttl"] = str(seconds * 1000)
        return form_order(f"{self.connection.url}/sms/json", fields, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            return self.refused(answer)
        parts = answer.at("messages")
        known = isinstance(parts, list)
        codes = {code_of(part.get("status")) if isinstance(part, dict) else "" for part in parts} if known else {""}
        if not codes or "" in codes:
            return unclear(answer)
        if codes == {"0"}:
            return accepted(answer.at("messages", 0, "message-id"), _price(parts))
        diagnostic = f"Vonage {' '.join(sorted(codes))}"
        if codes & {"0", "5"}:  # a piece of the text is on its way, or 5: an error inside Vonage
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=diagnostic)
        if codes <= _THROTTLED:
            return Outcome(OutcomeKind.THROTTLED, diagnostic=diagnostic)
        reason = next((reason for code, reason in _REFUSED.items() if code in codes), None)
        return Outcome(OutcomeKind.REJECTED, reason=reason, diagnostic=diagnostic)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/account/get-balance", self.login)

    def left(self, answer: Answer) -> Money | None:
        return balance_of(answer.at("value"), "EUR")

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound))

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = self._believe(request)
        status, code = text_of(event, "status"), code_of(event.get("err-code"))
        state, message_id = told_by(_STATES, status), text_of(event, "messageId")
        reason = Reason.ABSENT_SUBSCRIBER if status == "buffered" else _REASONS.get(code)  # for later delivery
        reference, at = words_of(event, "client-ref"), moment_of(event, "message-timestamp")
        return self.receipt(raw_of(request), state, message_id, status, code, reference=reference, reason=reason, at=at)

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms | InboundPart]:
        event, raw = self._believe(request), raw_of(request)
        place = place_of(event, "concat-ref", "concat-total", "concat-part") if event.get("concat") == "true" else None
        at = moment_of(event, "message-timestamp")
        (sms,) = self.inbound(raw, event, event_id="messageId", number="msisdn", to="to", text="text", at=at)
        if place is None:
            return (sms,)
        # From now on the others are waited for: after hours without us, Vonage may still bring both.
        return (InboundPart(self.name, sms.event_id, sms.number, sms.to, sms.text, self.connection.now(), *place, raw),)

    def _believe(self, request: HttpRequest) -> Mapping[str, object]:
        event = event_of(request)
        if self.connection.webhook_secret:
            prove(self._signature(event), str(event.get("sig", "")).lower())
            check_recent(str(event.get("timestamp", "")), self.connection.now(), _CALLED_AGAIN)
        return event

    def _signature(self, event: Mapping[str, object]) -> str:
        named = {str(key).translate(_AS_WRITTEN): str(value).translate(_AS_WRITTEN) for key, value in event.items()}
        text = "".join(f"&{key}={named[key]}" for key in sorted(named) if key != "sig").encode("utf-8", "replace")
        secret, method = self.connection.webhook_secret.encode(), self.option("signature")
        if method == "md5hash":
            return hashlib.md5(text + secret).hexdigest()
        return hmac.digest(secret, text, method).hex()


def _price(parts: Sequence[Mapping[str, object]]) -> Money | None:
    """What all parts cost together; none where one of them does not say it."""
    prices = [price_of(part.get("message-price")) for part in parts]
    known = [price.amount for price in prices if price is not None]
    return Money(sum(known, Decimal(0))) if len(known) == len(prices) else None
