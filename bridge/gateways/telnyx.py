"""Telnyx: JSON out, JSON back, signed with Ed25519 (RFC 8032).

https://developers.telnyx.com/docs/messaging/messages/send-message, …/receiving-webhooks and …/error-codes. A callback
is signed over its time, a bar and its body, so one address does for all of them. …/send-receive-mms: addresses of
files are signed and short-lived; the host, media.telnyx.com, is only known from Telnyx's examples. Telnyx waits 2
seconds for the answer to a callback and calls three times: what is told again is kept once.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bridge.errors import Reason, SettingsError
from bridge.gateways.base import Hook, HookRefused, Said, Traits
from bridge.gateways.callback import (
    addresses_of,
    check_recent,
    json_object,
    moment_of,
    object_of,
    objects_of,
    text_of,
    told_by,
    words_of,
)
from bridge.gateways.connection import Connection, Option, media_hosts
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of, price_in
from bridge.gateways.orders import Answer, Order, code_of, json_order, taken
from bridge.types import GatewayEvent, HttpRequest, MessageState, Money, OutboundSms, Outcome, OutcomeKind, Receipt

_STATES: Mapping[str, MessageState | None] = {
    **dict.fromkeys(("scheduled", "queued", "sending", "delivery_unconfirmed")),
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "delivery_failed": MessageState.UNDELIVERED,
    **dict.fromkeys(("sending_failed", "cancelled"), MessageState.FAILED),
    "expired": MessageState.EXPIRED,
}
_REASONS = {
    "40001": Reason.LANDLINE,
    **dict.fromkeys(("40002", "40003", "40015"), Reason.FILTERED),
    **dict.fromkeys(("40005", "40014"), Reason.VALIDITY_EXPIRED),
    **dict.fromkeys(("40012", "40310"), Reason.UNKNOWN_SUBSCRIBER),
    **dict.fromkeys(("40013", "40305", "40306", "40315"), Reason.SENDER_REFUSED),
    "40302": Reason.TOO_MANY_SEGMENTS,
    "40309": Reason.COUNTRY_NOT_ALLOWED,
}
_OPTED_OUT = "40300"
_THROTTLED = frozenset({"10011", "40318"})


class Telnyx(HttpGateway):
    """A connection to Telnyx; `secret` is the API key."""

    kind = "telnyx"
    title = "Telnyx"
    base_url = "https://api.telnyx.com/v2"
    needs = ("secret",)
    options = (
        Option("public_key", "the account's public key, in base64, with which callbacks are checked"),
        Option("messaging_profile_id", "messaging profile; needed where a name of letters is the sender", ""),
        media_hosts("media.telnyx.com"),
    )
    traits = Traits(receipts=True, inbound=True, mms=True, answers_orders=True, balance=True, price=True)

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        given = self.option("public_key")
        try:
            self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(given, validate=True))
        except ValueError:
            remedy = "this is no Ed25519 public key in base64; copy it from the portal, Keys & Credentials, Public Key"
            raise SettingsError(f"gateways.{self.name}.options.public_key", f'"{given}"', remedy) from None

    def order(self, sms: OutboundSms) -> Order:
        fields = {"from": sms.sender, "to": sms.number, "text": sms.text, "type": "SMS"}
        profile = self.option("messaging_profile_id")
        own = {"webhook_url": self.hook_url(self.hooks()[0]), "use_profile_webhooks": False}
        fields |= {"messaging_profile_id": profile} if profile else {}
        return json_order(f"{self.connection.url}/messages", fields | own, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        if answer.ok:
            return taken(answer, "data", "id")
        code = code_of(answer.at("errors", 0, "code"))
        if answer.status == 429 or (code in _THROTTLED and answer.status < 500):
            return self.throttled(answer, f"Telnyx {code}")
        if code and 400 <= answer.status < 500 and answer.status != 408:
            reason = Reason.OPTED_OUT if code == _OPTED_OUT else _REASONS.get(code)
            return Outcome(OutcomeKind.REJECTED, reason=reason, diagnostic=f"Telnyx {code}")
        return self.refused(answer)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/balance", self.login)

    def left(self, answer: Answer) -> Money | None:
        # What may still be spent, with the limit that Telnyx allows an account to overdraw.
        return balance_of(answer.at("data", "available_credit"), answer.at("data", "currency"))

    def hooks(self) -> Sequence[Hook]:
        return (Hook("events", self._event, says=Said()),)

    @property
    def login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.connection.secret}"}

    def _event(self, request: HttpRequest) -> Sequence[GatewayEvent]:
        self._believe(request)
        data = object_of(json_object(request), "data")
        payload, kind = object_of(data, "payload"), text_of(data, "event_type")
        if kind not in ("message.received", "message.sent", "message.finalized"):
            return ()
        phones = objects_of(payload, "to")
        if not phones:
            raise HookRefused(400, "The callback names no phone under 'to'.")
        raw = request.body.decode()
        if kind == "message.received":
            ours, phone = phones[0].get("phone_number"), object_of(payload, "from").get("phone_number")
            media, at = addresses_of(payload.get("media"), "url"), moment_of(payload, "received_at")
            words = "\n".join(filter(None, (words_of(payload, "subject"), words_of(payload, "text"))))
            sms = {**payload, "from": phone, "to": ours, "text": words}
            return self.inbound(raw, sms, event_id="id", number="from", to="to", text="text", at=at, media=media)
        return self._receipt(payload, phones[0], raw)

    def _receipt(self, payload: Mapping[str, object], phone: Mapping[str, object], raw: str) -> Sequence[Receipt]:
        status, errors = text_of(phone, "status"), objects_of(payload, "errors") if payload.get("errors") else ()
        code = code_of(errors[0].get("code")) if errors else ""
        state, reason, at = told_by(_STATES, status), _REASONS.get(code), moment_of(payload, "completed_at")
        price = price_in(payload.get("cost"))
        return self.receipt(raw, state, text_of(payload, "id"), status, code, reason=reason, at=at, price=price)

    def _believe(self, request: HttpRequest) -> None:
        written = request.headers.get("telnyx-timestamp", "")
        try:
            signature = base64.b64decode(request.headers.get("telnyx-signature-ed25519", ""), validate=True)
            self._key.verify(signature, written.encode() + b"|" + request.body)
        except (InvalidSignature, ValueError):
            raise HookRefused(403, "The signature is wrong. Give the bridge the account's public key.") from None
        check_recent(written, self.connection.now())
