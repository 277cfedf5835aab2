"""SMSGate (SMS Gateway for Android): a phone of one's own with a SIM card; JSON out, signed JSON back.

https://docs.sms-gate.app (sending messages, webhooks, status tracking, errors), the source of its server
(github.com/android-sms-gateway/server) and of its app (github.com/capcom6/android-sms-gateway). Server and phone take
the same requests. A callback is signed anew at every try: HMAC-SHA256 over its body and `X-Timestamp`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC

import httpx

from bridge.errors import Reason, RecipientRefusal
from bridge.gateways.base import Doubt, Hook, HookRefused, SenderKind, Traits, outcome_of_error
from bridge.gateways.callback import (
    check_recent,
    json_object,
    moment_of,
    object_of,
    phone_of,
    prove,
    raw_of,
    text_of,
    time_of,
    words_of,
)
from bridge.gateways.connection import Option
from bridge.gateways.http import Answer, HttpGateway, Order, accepted, basic, json_order, unclear
from bridge.sms.numbers import read_number
from bridge.types import HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

_STATES = {
    "sms:sent": (MessageState.SENT, "sentAt"),
    "sms:delivered": (MessageState.DELIVERED, "deliveredAt"),
    "sms:failed": (MessageState.FAILED, "failedAt"),
    "sms:cancelled": (MessageState.FAILED, "cancelledAt"),
}
_NO_NEWS = frozenset({"system:ping", "app:started"})
_FULL = "queue limits exceeded"
_HELD = frozenset({"Pending", "Processed", "Sent", "Delivered", "Cancelling"})
_ENDED = frozenset({"Failed", "Cancelled"})
_RESULT = re.compile(r"\bRESULT_[A-Z_]{1,60}")
_TP_STATUS = re.compile(r"Delivery result(?: from SC .*: (\d{1,3})\Z)?", re.DOTALL)
_TP_REASONS = {
    0x43: Reason.UNKNOWN_SUBSCRIBER,  # not obtainable
    0x46: Reason.VALIDITY_EXPIRED,
    0x61: Reason.ABSENT_SUBSCRIBER,  # busy
    0x62: Reason.ABSENT_SUBSCRIBER,  # does not respond
}
"""What the network's status tells (TP-Status, 3GPP TS 23.040 section 9.2.3.15)."""


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
    traits = Traits(receipts=True, inbound=True, lookup=True, senders=frozenset({SenderKind.NUMBER}))

    def order(self, sms: OutboundSms) -> Order:
        value: dict[str, object] = {"id": sms.reference, "phoneNumbers": [sms.number], "withDeliveryReport": True}
        value["textMessage"] = {"text": sms.text}
        if self.option("number_2"):
            value["simNumber"] = 2 if sms.sender == self.option("number_2") else 1
        if self.option("device"):
            value["deviceId"] = self.option("device")
        if sms.expires_at is not None:
            value["validUntil"] = sms.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return json_order(f"{self.connection.url}/messages", value, self._login)

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
        return Order("GET", f"{self.connection.url}/webhooks", self._login)

    async def lookup(self, message: Doubt) -> Outcome:
        """By our reference. That it has no such message proves nothing: it may still come in."""
        url = f"{self.connection.url}/messages/{message.reference}"
        try:
            answer = await self.exchange(Order("GET", url, self._login))
        except httpx.HTTPError as error:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=outcome_of_error(error).diagnostic)
        if answer.ok:
            return self._state(answer) if answer.at("id") == message.reference else unclear(answer)
        return Outcome(OutcomeKind.UNKNOWN, diagnostic=f"HTTP {answer.status}")

    def hooks(self) -> Sequence[Hook]:
        return (Hook("events", self._event),)

    @property
    def _login(self) -> dict[str, str]:
        return basic(self.connection.account, self.connection.secret)

    def _state(self, answer: Answer) -> Outcome:
        provider_id, state = answer.at("id"), answer.at("state")
        if not isinstance(provider_id, str) or not isinstance(state, str) or state not in _HELD | _ENDED:
            return unclear(answer)
        return accepted(provider_id) if state in _HELD else Outcome(OutcomeKind.REJECTED, diagnostic=f"SMSGate {state}")

    def _event(self, request: HttpRequest) -> Sequence[Receipt | InboundSms]:
        timestamp = request.headers.get("x-timestamp", "")
        signed = hmac.new(self.connection.webhook_secret.encode(), request.body + timestamp.encode(), hashlib.sha256)
        prove(signed.hexdigest(), request.headers.get("x-signature", ""))
        check_recent(float(timestamp) if timestamp.isdecimal() else 0.0, self.connection.now())
        event = json_object(request)
        told = text_of(event, "event")
        if told in _NO_NEWS:
            return ()
        if told == "sms:received":
            return (self._inbound(event, raw_of(request)),)
        if told not in _STATES:
            raise HookRefused(400, "The bridge does not listen to this event. Remove its webhook from SMSGate.")
        return (self._receipt(told, object_of(event, "payload"), raw_of(request)),)

    def _receipt(self, told: str, payload: Mapping[str, object], raw: str) -> Receipt:
        reference, (state, when) = text_of(payload, "messageId"), _STATES[told]
        reason, code = None, ""
        if told == "sms:cancelled":
            reason = Reason.CANCELLED
        elif state is MessageState.FAILED:
            state, reason, code = _failure(str(payload.get("reason", "")))
        return Receipt(
            gateway=self.name,
            provider_id=reference,
            reference=reference,
            state=state,
            event_id=f"{reference}:{told}",
            reason=reason,
            diagnostic=f"SMSGate {told} {code}".strip(),
            occurred_at=moment_of(payload, when),
            raw=raw,
        )

    def _inbound(self, event: Mapping[str, object], raw: str) -> InboundSms:
        payload, second = object_of(event, "payload"), self.option("number_2")
        # The operator's word counts: what a SIM card says of its own number is often old, or nothing.
        sim = payload.get("simNumber")
        if sim is None and payload.get("recipient"):
            sim = 2 if self._phone(payload, "recipient") == second else 1
        return InboundSms(
            gateway=self.name,
            event_id=text_of(event, "id"),
            number=self._phone(payload, "sender" if payload.get("sender") else "phoneNumber"),
            to=second if sim == 2 and second else self.option("number"),
            text=words_of(payload, "message"),
            received_at=time_of(payload, "receivedAt"),
            raw=raw,
        )

    def _phone(self, payload: Mapping[str, object], key: str) -> str:
        """The phone under `key`; Android may give a number of its own country without the country's code."""
        phone = phone_of(payload, key)
        if phone.startswith("+") and not text_of(payload, key).startswith("+"):
            with suppress(RecipientRefusal):
                return read_number(phone[1:], read_number(self.option("number"), "").region).e164
        return phone


def _failure(told: str) -> tuple[MessageState, Reason | None, str]:
    """The state, reason and code of the app's own words; they may hold the number of a service centre."""
    if told == "TTL expired":
        return MessageState.EXPIRED, Reason.VALIDITY_EXPIRED, ""
    if found := _TP_STATUS.match(told):
        reason = _TP_REASONS.get(int(found[1] or 0))
        expired = reason is Reason.VALIDITY_EXPIRED
        code = f"TP-Status {found[1]}" if found[1] else ""
        return MessageState.EXPIRED if expired else MessageState.UNDELIVERED, reason, code
    result = _RESULT.search(told)
    return MessageState.FAILED, None, result[0] if result else ""
