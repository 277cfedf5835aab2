"""Bandwidth: JSON out, lists of JSON events back, which nobody signs.

https://dev.bandwidth.com/docs/messaging/createMessage, …/webhooks and …/errors: an error answer of Bandwidth's own,
4xx or 5xx, means that the text is not sent. All events of an application can go to one address. The files of an MMS are
at the API itself, among them the layout that the phone sent; Bandwidth waits 10 seconds for the answer to a callback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC

from bridge.errors import Reason
from bridge.gateways.base import Hook, HookRefused, Said, Traits
from bridge.gateways.callback import (
    addresses_of,
    json_value,
    moment_of,
    object_of,
    objects_of,
    raw_of,
    text_of,
    words_of,
)
from bridge.gateways.connection import Option
from bridge.gateways.http import HttpGateway
from bridge.gateways.orders import Answer, Order, code_of, json_order, taken
from bridge.types import GatewayEvent, HttpRequest, MessageState, OutboundSms, Outcome, OutcomeKind

_REASONS = {
    **dict.fromkeys(("4303", "4406", "4720", "4721"), Reason.UNKNOWN_SUBSCRIBER),
    **dict.fromkeys(("4302", "4403", "4405", "4407", "4481", "4740"), Reason.SENDER_REFUSED),
    **dict.fromkeys(("4404", "4434", "4482", "4492", "4790"), Reason.BARRED),
    **dict.fromkeys(("4701", "4702"), Reason.ABSENT_SUBSCRIBER),
    **dict.fromkeys(("4470", "4770", "4771"), Reason.FILTERED),
    "4360": Reason.VALIDITY_EXPIRED,
    "4432": Reason.COUNTRY_NOT_ALLOWED,
    "4751": Reason.TOO_MANY_SEGMENTS,
    "4775": Reason.OPTED_OUT,
}
_EXPIRED = "4360"
_NO_RECEIPT_CAME = "9902"


class Bandwidth(HttpGateway):
    """A connection to Bandwidth; `account` and `secret` are name and password of an API user."""

    kind = "bandwidth"
    title = "Bandwidth"
    base_url = "https://messaging.bandwidth.com/api/v2"
    options = (
        Option("account_id", "number of the Bandwidth account"),
        Option("application_id", "id of the messaging application that the numbers belong to"),
    )
    traits = Traits(receipts=True, inbound=True, mms=True)

    def order(self, sms: OutboundSms) -> Order:
        fields: dict[str, object] = {"applicationId": self.option("application_id"), "to": [sms.number]}
        fields |= {"from": sms.sender, "text": sms.text, "tag": sms.reference}
        if sms.expires_at is not None:
            fields["expiration"] = sms.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return json_order(f"{self._url}/messages", fields, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        if answer.ok:
            return taken(answer, "id")
        kind = code_of(answer.at("type"))
        if kind and answer.status >= 500:  # Bandwidth itself says so, not a machine before it: nothing was sent
            return self.throttled(answer, f"Bandwidth {kind}")
        if kind and answer.status not in (408, 429):
            return Outcome(OutcomeKind.REJECTED, diagnostic=f"Bandwidth {kind}")
        return self.refused(answer)

    def question(self) -> Order:
        return Order("GET", f"{self._url}/media", self.login)

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("events", self._events, Said()),)

    @property
    def _url(self) -> str:
        return f"{self.connection.url}/users/{self.option('account_id')}"

    def _events(self, request: HttpRequest) -> Sequence[GatewayEvent]:
        heard = objects_of({"the body": json_value(request)}, "the body")
        return [told for event in heard for told in self._event(event, raw_of(request))]

    def _event(self, event: Mapping[str, object], raw: str) -> Sequence[GatewayEvent]:
        kind, message, code = text_of(event, "type"), object_of(event, "message"), code_of(event.get("errorCode"))
        if kind == "message-received":
            sms, at = {**message, "to": event.get("to")}, moment_of(message, "time")
            media = addresses_of(message.get("media"))
            return self.inbound(raw, sms, event_id="id", number="from", to="to", text="text", at=at, media=media)
        if kind not in ("message-sending", "message-delivered", "message-failed"):
            raise HookRefused(400, "The callback has a type that this gateway does not know.")
        if code == _NO_RECEIPT_CAME:
            return ()
        return self.receipt(
            raw,
            _state(kind, code),
            text_of(message, "id"),
            kind,
            code,
            reference=words_of(message, "tag"),
            reason=_REASONS.get(code),
            at=moment_of(event, "time"),
        )


def _state(kind: str, code: str) -> MessageState:
    """What an event tells; codes that begin with 40, 43 or 44 are Bandwidth's own refusals."""
    if kind != "message-failed":
        return MessageState.DELIVERED if kind == "message-delivered" else MessageState.SENT
    if code == _EXPIRED:
        return MessageState.EXPIRED
    return MessageState.FAILED if code[:2] in ("40", "43", "44") else MessageState.UNDELIVERED
