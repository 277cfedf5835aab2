"""Vonage (once Nexmo), its SMS API: a form out; JSON, a form or a query back, as the account is set.

https://developer.vonage.com/en/api/sms, /en/api-errors/sms, /en/messaging/sms/guides/delivery-receipts, …/inbound-sms
and /en/getting-started/concepts/signing-messages. HTTP 200 says nothing yet: the body has a status for each SMS that
a text was cut into. Callbacks are signed only where Vonage's support has turned that on.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence

from bridge.errors import Reason
from bridge.gateways.base import Hook, HookRefused, Traits
from bridge.gateways.callback import (
    check_recent,
    fields_of,
    json_object,
    moment_of,
    phone_of,
    prove,
    raw_of,
    text_of,
    words_of,
)
from bridge.gateways.connection import Option
from bridge.gateways.http import Answer, HttpGateway, Order, accepted, basic, code_of, form_order, unclear
from bridge.types import Encoding, HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

_THROTTLED = frozenset({"1", "10"})
_REFUSED = {
    "7": Reason.BARRED,
    "12": Reason.TOO_MANY_SEGMENTS,
    "15": Reason.SENDER_REFUSED,
    "33": Reason.UNKNOWN_SUBSCRIBER,
}
_STATES: Mapping[str, MessageState | None] = {
    "accepted": MessageState.SENT,
    "buffered": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "undelivered": MessageState.UNDELIVERED,
    "failed": MessageState.UNDELIVERED,
    "rejected": MessageState.FAILED,
    "expired": MessageState.EXPIRED,
    "unknown": None,
}
_REASONS = {
    "2": Reason.ABSENT_SUBSCRIBER,
    "3": Reason.UNKNOWN_SUBSCRIBER,
    **dict.fromkeys(("4", "13", "14", "15"), Reason.BARRED),
    "6": Reason.FILTERED,
    "7": Reason.ABSENT_SUBSCRIBER,
    "9": Reason.OPTED_OUT,
}
_LONGEST = 604_800
"""Seconds that Vonage tries at most."""
_CALLED_AGAIN = 86_400.0
"""Seconds for which Vonage calls again what we did not confirm; the signed time may be that of the first call."""
_AS_WRITTEN = str.maketrans("&=", "__")


class Vonage(HttpGateway):
    """A connection to Vonage; `account` is the key, `webhook_secret` the signature secret where there is one."""

    kind = "vonage"
    title = "Vonage"
    base_url = "https://rest.nexmo.com"
    options = (
        Option(
            "signature",
            "how callbacks are signed, as the account's settings say",
            "sha256",
            ("md5hash", "md5", "sha1", "sha256", "sha512"),
        ),
    )
    traits = Traits(receipts=True, inbound=True)

    def order(self, sms: OutboundSms) -> Order:
        fields = {"from": sms.sender.removeprefix("+"), "to": sms.number.removeprefix("+"), "text": sms.text}
        fields |= {"client-ref": sms.reference, "callback": self.hook_url(self.hooks()[0])}
        if sms.encoding is Encoding.UCS2:
            fields["type"] = "unicode"
        seconds = self.seconds_left(sms, _LONGEST)
        if seconds is not None:
            fields["ttl"] = str(seconds * 1000)
        return form_order(f"{self.connection.url}/sms/json", fields, self._login)

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            return self.refused(answer)
        parts = answer.at("messages")
        known = isinstance(parts, list)
        codes = {code_of(part.get("status")) if isinstance(part, dict) else "" for part in parts} if known else {""}
        if not codes or "" in codes:
            return unclear(answer)
        if codes == {"0"}:
            return accepted(answer.at("messages", 0, "message-id"))
        diagnostic = f"Vonage {' '.join(sorted(codes))}"
        if codes & {"0", "5"}:  # a piece of the text is on its way, or 5: an error inside Vonage
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=diagnostic)
        if codes <= _THROTTLED:
            return Outcome(OutcomeKind.THROTTLED, diagnostic=diagnostic)
        reason = next((reason for code, reason in _REFUSED.items() if code in codes), None)
        return Outcome(OutcomeKind.REJECTED, reason=reason, diagnostic=diagnostic)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/account/get-balance", self._login)

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound))

    @property
    def _login(self) -> dict[str, str]:
        return basic(self.connection.account, self.connection.secret)

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = self._believe(request)
        provider_id, status = text_of(event, "messageId"), text_of(event, "status")
        if status not in _STATES:
            raise HookRefused(400, "The receipt has a status that this gateway does not know.")
        state, code = _STATES[status], code_of(event.get("err-code"))
        if state is None:
            return ()
        return (
            Receipt(
                gateway=self.name,
                provider_id=provider_id,
                reference=words_of(event, "client-ref") or None,
                state=state,
                event_id=f"{provider_id}:{status}",
                reason=_REASONS.get(code),
                diagnostic=f"Vonage {status} {code}".strip(),
                occurred_at=moment_of(event, "message-timestamp"),
                raw=raw_of(request),
            ),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = self._believe(request)
        return (
            InboundSms(
                gateway=self.name,
                event_id=text_of(event, "messageId"),
                number=phone_of(event, "msisdn"),
                to=phone_of(event, "to"),
                text=words_of(event, "text"),
                received_at=moment_of(event, "message-timestamp") or self.connection.now(),
                raw=raw_of(request),
            ),
        )

    def _believe(self, request: HttpRequest) -> Mapping[str, object]:
        is_json = request.headers.get("content-type", "").startswith("application/json")
        event: Mapping[str, object] = json_object(request) if is_json else fields_of(request)
        if self.connection.webhook_secret:
            prove(self._signature(event), str(event.get("sig", "")).lower())
            written = str(event.get("timestamp", ""))
            signed_at = float(written) if written.isdecimal() else math.nan
            check_recent(signed_at, self.connection.now(), _CALLED_AGAIN)
        return event

    def _signature(self, event: Mapping[str, object]) -> str:
        named = {str(key).translate(_AS_WRITTEN): str(value).translate(_AS_WRITTEN) for key, value in event.items()}
        text = "".join(f"&{key}={named[key]}" for key in sorted(named) if key != "sig").encode("utf-8", "replace")
        secret, method = self.connection.webhook_secret.encode(), self.option("signature")
        if method == "md5hash":
            return hashlib.md5(text + secret).hexdigest()
        return hmac.digest(secret, text, method).hex()
