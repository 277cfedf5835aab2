"""Plivo: JSON out, signed forms back.

https://docs.plivo.com/docs/messaging/api/message, …/message-status-callbacks, …/handling-incoming,
/docs/messaging/concepts/signature-validation and /docs/messaging/troubleshooting/error-codes. A callback's signature
covers its address and a nonce but not what it says, so its path holds a part that nobody can guess besides.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence

from bridge.errors import Reason
from bridge.gateways.base import Hook, HookRefused, Said, Traits
from bridge.gateways.callback import fields_of, phone_of, prove, raw_of, text_of, words_of
from bridge.gateways.http import Answer, HttpGateway, Order, accepted, basic, code_of, json_order, unclear
from bridge.types import HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, Receipt

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
    traits = Traits(receipts=True, inbound=True)

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
        return json_order(f"{self._url}/Message/", fields, self._login)

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            return self.refused(answer)
        return accepted(answer.at("message_uuid", 0)) if answer.at("message_uuid", 0) else unclear(answer)

    def question(self) -> Order:
        return Order("GET", f"{self._url}/", self._login)

    def hooks(self) -> Sequence[Hook]:
        # An empty document: answer nothing to the phone.
        nothing = Said("<Response/>", "application/xml")
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound, nothing))

    @property
    def _url(self) -> str:
        return f"{self.connection.url}/v1/Account/{self.connection.account}"

    @property
    def _login(self) -> dict[str, str]:
        return basic(self.connection.account, self.connection.secret)

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = self._believe(request)
        provider_id, status = text_of(event, "MessageUUID"), text_of(event, "Status")
        if status not in _STATES:
            raise HookRefused(400, "The receipt has a status that this gateway does not know.")
        state, code = _STATES[status], code_of(event.get("ErrorCode"))
        if state is None:
            return ()
        return (
            Receipt(
                gateway=self.name,
                provider_id=provider_id,
                reference=None,
                state=state,
                event_id=f"{provider_id}:{status}",
                reason=_REASONS.get(code),
                diagnostic=f"Plivo {status} {code}".strip(),
                raw=raw_of(request),
            ),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = self._believe(request)
        return (
            InboundSms(
                gateway=self.name,
                event_id=text_of(event, "MessageUUID"),
                number=phone_of(event, "From"),
                to=phone_of(event, "To"),
                text=words_of(event, "Text"),
                received_at=self.connection.now(),
                raw=raw_of(request),
            ),
        )

    def _believe(self, request: HttpRequest) -> Mapping[str, str]:
        address = self.connection.public_url + request.target.partition("?")[0]
        signed = address + request.headers.get("x-plivo-signature-v2-nonce", "")
        digest = hmac.digest(self.connection.secret.encode(), signed.encode(), "sha256")
        prove(base64.b64encode(digest).decode(), request.headers.get("x-plivo-signature-v2", ""))
        return fields_of(request)
