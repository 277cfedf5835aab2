"""GatewayAPI: JSON out; receipts signed over their body, answers of phones signed as a token (JWT, RFC 7519).

https://gatewayapi.com/docs/message/overview/ and its OpenAPI description (2026.06.03) for texts and receipts;
https://gatewayapi.com/docs/webhooks for answers; https://gatewayapi.com/docs/errors for the codes in receipts. That
`/rest/me` takes the same token is known from code of others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bridge.errors import Reason
from bridge.gateways.base import Hook, HookRefused, Traits
from bridge.gateways.callback import json_object, object_of, phone_of, prove, text_of, time_of, words_of
from bridge.gateways.http import Answer, HttpGateway, Order, accepted, code_of, json_order, unclear
from bridge.types import HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, Receipt

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
    traits = Traits(receipts=True, inbound=True)

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
        return json_order(f"{self.connection.url}/mobile/single", value, self._login)

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            return self.refused(answer)
        return accepted(answer.at("msg_id")) if answer.at("msg_id") else unclear(answer)

    def question(self) -> Order:
        # The account is asked at the older API, which has no name before its domain.
        return Order("GET", self.connection.url.replace("://messaging.", "://", 1) + "/rest/me", self._login)

    def hooks(self) -> Sequence[Hook]:
        return (Hook("receipts", self._receipt), Hook("inbound", self._inbound))

    @property
    def _login(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.connection.secret}"}

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        """The time in it is that of the event, also when it comes a day late: its id alone tells a repeated one."""
        digest = self._hmac(request.body).hex()
        prove(f"v1={digest}", request.headers.get("signature", ""))
        envelope = json_object(request)
        if not text_of(envelope, "event_type").startswith("message.status."):
            raise HookRefused(400, "This address takes receipts. Give the bridge's other address to the number.")
        event = object_of(envelope, "event")
        message_id, status, reference = text_of(event, "msg_id"), text_of(event, "status"), words_of(event, "reference")
        if status not in _STATES:
            raise HookRefused(400, "The receipt has a status that this gateway does not know.")
        state = _STATES[status]
        if state is None:
            return ()
        code = code_of(object_of(event, "error").get("hex_code")) if event.get("error") else ""
        return (
            Receipt(
                gateway=self.name,
                provider_id=message_id,
                reference=reference or None,
                state=state,
                event_id=text_of(envelope, "event_id"),
                reason=REASONS.get(code),
                diagnostic=f"GatewayAPI {status} {code}".strip(),
                occurred_at=time_of(event, "status_at"),
                raw=request.body.decode(),
            ),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        signed, _, signature = request.headers.get("x-gwapi-signature", "").rpartition(".")
        prove(_plain64(self._hmac(signed.encode("utf-8", "replace"))), signature)
        event = json_object(request)
        if event != _token(signed):  # the token alone is signed, the body only repeats it
            raise HookRefused(403, "The callback is not what its signature was made for.")
        message_id, sent = event.get("id"), event.get("senttime")
        if not isinstance(message_id, int) or not isinstance(sent, int | float) or not 0 < sent < 1 << 32:
            raise HookRefused(400, "The callback has no id or no time.")
        return (
            InboundSms(
                gateway=self.name,
                event_id=str(message_id),
                number=phone_of(event, "msisdn"),
                to=phone_of(event, "receiver"),
                text=words_of(event, "message"),
                received_at=datetime.fromtimestamp(sent, UTC),
                raw=request.body.decode(),
            ),
        )

    def _hmac(self, data: bytes) -> bytes:
        return hmac.digest(self.connection.webhook_secret.encode(), data, hashlib.sha256)


def _plain64(data: bytes) -> str:
    """Base64 for URLs without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _token(signed: str) -> object:
    """What the signed part of a token says; its head is not read, since only one algorithm is accepted."""
    try:
        return json.loads(base64.urlsafe_b64decode(signed.rpartition(".")[2] + "=="))
    except (binascii.Error, ValueError, RecursionError):
        return None
