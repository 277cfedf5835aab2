"""GatewayAPI: JSON out; receipts signed over their body, answers of phones signed as a token (JWT, RFC 7519).

https://gatewayapi.com/docs/message/overview/ and its OpenAPI description (2026.06.03) for texts and receipts;
https://gatewayapi.com/docs/webhooks for answers; https://gatewayapi.com/docs/errors for the codes in receipts. That
`/rest/me` takes the same token is known from code of others.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bridge.errors import Reason
from bridge.gateways.base import Hook, HookRefused, Traits
from bridge.gateways.callback import json_object, object_of, prove, raw_of, text_of, time_of, told_by, words_of
from bridge.gateways.http import HttpGateway
from bridge.gateways.jwt import decoded, signature_of
from bridge.gateways.money import balance_of
from bridge.gateways.orders import Answer, Order, code_of, json_order, taken
from bridge.types import HttpRequest, InboundSms, MessageState, Money, OutboundSms, Outcome, Receipt

LONGEST_VALIDITY = 5 * 24 * 3600
"""Seconds; GatewayAPI takes no more."""

_STATES: Mapping[str, MessageState | None] = {
    **dict.fromkeys(("ENROUTE", "ACCEPTED"), MessageState.SENT),
    **dict.fromkeys(("DELIVERED", "READ"), MessageState.DELIVERED),
    **dict.fromkeys(("REJECTED", "DELETED"), MessageState.FAILED),
    "UNDELIVERABLE": MessageState.UNDELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "UNKNOWN": None,
}
"""What each status tells; None: nothing new."""

REASONS = {
    **dict.fromkeys(("0x1010", "0x1020", "0x1040", "0x1060"), Reason.UNKNOWN_SUBSCRIBER),
    **dict.fromkeys(("0x1013", "0x1019", "0x1021", "0x1022"), Reason.ABSENT_SUBSCRIBER),
    **dict.fromkeys(("0x1011", "0x1025", "0x1034", "0x1093", "0x0215"), Reason.BARRED),
    **dict.fromkeys(("0x1030", "0x1035"), Reason.FILTERED),
    **dict.fromkeys(("0x1033", "0x1065", "0x1905"), Reason.SENDER_REFUSED),
    "0x0217": Reason.COUNTRY_NOT_ALLOWED,
}


class GatewayApi(HttpGateway):
    """A connection to GatewayAPI; `secret` is an API token, `webhook_secret` the key of both its webhooks."""

    kind = "gatewayapi"
    title = "GatewayAPI"
    base_url = "https://messaging.gatewayapi.com"
    needs = ("secret", "webhook_secret")
    traits = Traits(receipts=True, inbound=True, balance=True)

    def order(self, sms: OutboundSms) -> Order:
        value: dict[str, object] = {
            "sender": sms.sender.removeprefix("+"),
            "recipient": int(sms.number.removeprefix("+")),
            "message": sms.text,
            "reference": sms.reference,
        }
        left = self.seconds_left(sms, LONGEST_VALIDITY)
        if left is not None:
            value["expiration"] = (self.connection.now() + timedelta(seconds=left)).isoformat(timespec="seconds")
        return json_order(f"{self.connection.url}/mobile/single", value, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        return taken(answer, "msg_id") if answer.ok else self.refused(answer)

    def question(self) -> Order:
        # The account is asked at the older API, which has no name before its domain.
        return Order("GET", self.connection.url.replace("://messaging.", "://", 1) + "/rest/me", self.login)

    def left(self, answer: Answer) -> Money | None:
        return balance_of(answer.at("credit"), answer.at("currency"))

    def hooks(self) -> Sequence[Hook]:
        return (Hook("receipts", self._receipt), Hook("inbound", self._inbound))

    @property
    def login(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.connection.secret}"}

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        """The time in it is that of the event, also when it comes a day late: its id alone tells a repeated one."""
        digest = hmac.digest(self.connection.webhook_secret.encode(), request.body, "sha256").hex()
        prove(f"v1={digest}", request.headers.get("signature", ""))
        envelope = json_object(request)
        if not text_of(envelope, "event_type").startswith("message.status."):
            raise HookRefused(400, "This address takes receipts. Give the bridge's other address to the number.")
        event = object_of(envelope, "event")
        status = text_of(event, "status")
        code = code_of(object_of(event, "error").get("hex_code")) if event.get("error") else ""
        return self.receipt(
            raw_of(request),
            told_by(_STATES, status),
            text_of(event, "msg_id"),
            status,
            code,
            reference=words_of(event, "reference"),
            reason=REASONS.get(code),
            at=time_of(event, "status_at"),
            event_id=text_of(envelope, "event_id"),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        signed, _, signature = request.headers.get("x-gwapi-signature", "").rpartition(".")
        prove(signature_of(signed, self.connection.webhook_secret, "sha256"), signature)
        event = json_object(request)
        if event != decoded(signed.rpartition(".")[2]):  # the token alone is signed, the body only repeats it
            raise HookRefused(403, "The callback is not what its signature was made for.")
        message_id, sent = event.get("id"), event.get("senttime")
        if not isinstance(message_id, int) or not isinstance(sent, int | float) or not 0 < sent < 1 << 32:
            raise HookRefused(400, "The callback has no id or no time.")
        sms, at = {**event, "id": str(message_id)}, datetime.fromtimestamp(sent, UTC)
        return self.inbound(raw_of(request), sms, event_id="id", number="msisdn", to="receiver", text="message", at=at)
