"""SMSGate (SMS Gateway for Android): a phone of one's own with a SIM card; JSON out, signed JSON back.

https://docs.sms-gate.app (sending messages, webhooks, status tracking, errors), the source of its server
(github.com/android-sms-gateway/server) and of its app (github.com/capcom6/android-sms-gateway). Server and phone take
the same requests. A callback is signed anew at every try: HMAC-SHA256 over its body and `X-Timestamp`.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC

from bridge.errors import Reason
from bridge.gateways.base import Doubt, Handed, Hook, HookRefused, Recall, Recalled, SenderKind, Traits
from bridge.gateways.callback import check_recent, json_object, moment_of, object_of, prove, raw_of, text_of, time_of
from bridge.gateways.connection import Option
from bridge.gateways.http import HttpGateway
from bridge.gateways.orders import Answer, Order, accepted, json_order, unclear
from bridge.gateways.smsgate_phone import failure, phone_in
from bridge.types import HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

_STATES = {
    "sms:sent": (MessageState.SENT, "sentAt"),
    "sms:delivered": (MessageState.DELIVERED, "deliveredAt"),
    "sms:failed": (MessageState.FAILED, "failedAt"),
    "sms:cancelled": (MessageState.CANCELLED, "cancelledAt"),
}
_NO_NEWS = frozenset({"system:ping", "app:started"})
_FULL = "queue limits exceeded"
_HELD = frozenset({"Pending", "Processed", "Sent", "Delivered", "Cancelling"})
_ENDED = frozenset({"Failed", "Cancelled"})


class SmsGate(HttpGateway):
    """A connection to SMSGate's server or to the phone itself; `account` and `secret` stand on the app's first page."""

    kind = "smsgate"
    title = "SMSGate"
    base_url = "https://api.sms-gate.app/3rdparty/v1"
    needs = ("account", "secret", "webhook_secret")
    options = (
        Option("number", "the phone's own number, like +393331234567"),
        Option("number_2", "the number of its second SIM card", ""),
        Option("device", "id of the phone, where the account has several", ""),
    )
    traits = Traits(receipts=True, inbound=True, lookup=True, cancel=True, senders=frozenset({SenderKind.NUMBER}))

    def order(self, sms: OutboundSms) -> Order:
        value: dict[str, object] = {"id": sms.reference, "phoneNumbers": [sms.number], "withDeliveryReport": True}
        value["textMessage"] = {"text": sms.text}
        if self.option("number_2"):
            value["simNumber"] = 2 if sms.sender == self.option("number_2") else 1
        if self.option("device"):
            value["deviceId"] = self.option("device")
        if sms.expires_at is not None:
            value["validUntil"] = sms.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return json_order(f"{self.connection.url}/messages", value, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        if answer.ok:
            return self._state(answer)
        if answer.status == 409:
            # It has a message of this id already, and only we give it ours.
            return accepted(None)
        if answer.status == 503 and str(answer.at("message")).startswith(_FULL):
            return Outcome(OutcomeKind.THROTTLED, diagnostic=f"SMSGate: {_FULL}")
        return self.refused(answer)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/webhooks", self.login)

    def inquiry(self, message: Doubt) -> Order:
        return Order("GET", f"{self.connection.url}/messages/{message.reference}", self.login)

    def found(self, message: Doubt, answer: Answer) -> Outcome:
        """That it has no such message proves nothing: it may still come in."""
        if answer.ok:
            return self._state(answer) if answer.at("id") == message.reference else unclear(answer)
        return Outcome(OutcomeKind.UNKNOWN, diagnostic=f"HTTP {answer.status}")

    def recall(self, message: Handed) -> Order:
        return Order("DELETE", f"{self.connection.url}/messages/{message.reference}", self.login)

    def recalled(self, answer: Answer) -> Recall:
        """What waits for the phone is cancelled at once, or when the phone has agreed."""
        state = answer.at("state") if answer.ok else None
        if state in ("Cancelled", "Cancelling"):
            return Recall(Recalled.CANCELLED if state == "Cancelled" else Recalled.ASKED, f"SMSGate {state}")
        return self.kept(answer)

    def hooks(self) -> Sequence[Hook]:
        return (Hook("events", self._event),)

    def _state(self, answer: Answer) -> Outcome:
        provider_id, state = answer.at("id"), answer.at("state")
        if not isinstance(provider_id, str) or not isinstance(state, str) or state not in _HELD | _ENDED:
            return unclear(answer)
        return accepted(provider_id) if state in _HELD else Outcome(OutcomeKind.REJECTED, diagnostic=f"SMSGate {state}")

    def _event(self, request: HttpRequest) -> Sequence[Receipt | InboundSms]:
        timestamp = request.headers.get("x-timestamp", "")
        signed = hmac.digest(self.connection.webhook_secret.encode(), request.body + timestamp.encode(), "sha256")
        prove(signed.hex(), request.headers.get("x-signature", ""))
        check_recent(timestamp, self.connection.now())
        event = json_object(request)
        told = text_of(event, "event")
        if told in _NO_NEWS:
            return ()
        if told == "sms:received":
            return self._inbound(event, raw_of(request))
        if told not in _STATES:
            raise HookRefused(400, "The bridge does not listen to this event. Remove its webhook from SMSGate.")
        return self._receipt(told, object_of(event, "payload"), raw_of(request))

    def _receipt(self, told: str, payload: Mapping[str, object], raw: str) -> Sequence[Receipt]:
        reference, (state, when) = text_of(payload, "messageId"), _STATES[told]
        reason, code = None, ""
        if told == "sms:cancelled":
            reason = Reason.CANCELLED
        elif state is MessageState.FAILED:
            state, reason, code = failure(str(payload.get("reason", "")))
        at = moment_of(payload, when)
        return self.receipt(raw, state, reference, told, code, reference=reference, reason=reason, at=at)

    def _inbound(self, event: Mapping[str, object], raw: str) -> Sequence[InboundSms]:
        payload, own, second = object_of(event, "payload"), self.option("number"), self.option("number_2")
        # The operator's word counts: what a SIM card says of its own number is often old, or nothing.
        sim = payload.get("simNumber")
        if sim is None and payload.get("recipient"):
            sim = 2 if phone_in(payload, "recipient", own) == second else 1
        sms = {
            "id": event.get("id"),
            "phone": phone_in(payload, "sender" if payload.get("sender") else "phoneNumber", own),
            "to": second if sim == 2 and second else own,
            "text": payload.get("message"),
        }
        at = time_of(payload, "receivedAt")
        return self.inbound(raw, sms, event_id="id", number="phone", to="to", text="text", at=at)
