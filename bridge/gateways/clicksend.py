"""ClickSend: JSON out, a form back. Its answers are 200 even for a refusal, which stands with the message.

https://developers.clicksend.com/docs/messaging/sms for sending, https://help.clicksend.com/en/articles/42318-sms-error-codes
for statuses; the fields of the callbacks from code of others, but that `custom_string` comes back "with all replies" is
said by ClickSend's own libraries. Nothing that it calls is signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.errors import Reason
from bridge.gateways.base import Evidence, Hook, Traits
from bridge.gateways.callback import fields_of, raw_of, text_of, told_by, unix_moment_of, words_of
from bridge.gateways.connection import LINKS
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of, price_of
from bridge.gateways.orders import Answer, Order, accepted, code_of, json_order, unclear
from bridge.types import HttpRequest, InboundSms, MessageState, Money, OutboundSms, Outcome, OutcomeKind, Receipt

_BUSY = frozenset({"THROTTLED", "TOO_MANY_REQUESTS"})
"""The same text went to the same phone a few seconds ago, or there were too many requests."""

REFUSALS = {
    "INVALID_RECIPIENT": Reason.UNKNOWN_SUBSCRIBER,
    "COUNTRY_NOT_ENABLED": Reason.COUNTRY_NOT_ALLOWED,
    "INVALID_SENDER_ID": Reason.SENDER_REFUSED,
}
_UNSURE = frozenset({"FAILED", "QUEUED"})
"""What stands where a refusal would and is none."""

_STATES: Mapping[str, MessageState | None] = {
    **dict.fromkeys(("queued", "scheduled", "waitapproval"), None),
    **dict.fromkeys(("cancelled", "cancelledafterreview"), MessageState.FAILED),
    "200": MessageState.SENT,
    "201": MessageState.DELIVERED,
    "300": None,  # it is tried again
    "301": MessageState.UNDELIVERED,
}
"""What each status tells by its name, else by its code; None: nothing new."""

REASONS = {
    "absent subscriber": Reason.ABSENT_SUBSCRIBER,
    "anti-spam rejection": Reason.FILTERED,
    "the message was canceled by clicksend staff": Reason.FILTERED,
    "unknown subscriber": Reason.UNKNOWN_SUBSCRIBER,
}
"""Why a text did not arrive, by how the words for it begin: ClickSend's pages do not agree on their numbers."""
_NOBODY_KNOWS = "message delivery receipt expired"


class ClickSend(HttpGateway):
    """A connection to ClickSend; `account` is the user, `secret` the API key."""

    kind = "clicksend"
    title = "ClickSend"
    base_url = "https://rest.clicksend.com/v3"
    options = (LINKS,)
    traits = Traits(receipts=True, inbound=True, links=True, balance=True, price=True, evidence=Evidence.SECOND_HAND)

    def order(self, sms: OutboundSms) -> Order:
        message = {"to": sms.number, "from": sms.sender, "body": sms.text, "custom_string": sms.reference}
        return json_order(f"{self.connection.url}/sms/send", {"messages": [message]}, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            return self.refused(answer, code_of(answer.at("response_code")))
        status = code_of(answer.at("data", "messages", 0, "status"))
        if status == "SUCCESS":
            price = price_of(answer.at("data", "messages", 0, "message_price"), _currency(answer))
            return accepted(answer.at("data", "messages", 0, "message_id"), price)
        if not status or status in _UNSURE:
            return unclear(answer)
        kind = OutcomeKind.THROTTLED if status in _BUSY else OutcomeKind.REJECTED
        return Outcome(kind, reason=REFUSALS.get(status), diagnostic=f"ClickSend {status}")

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/account", self.login)

    def left(self, answer: Answer) -> Money | None:
        return balance_of(answer.at("data", "balance"), _currency(answer))

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound))

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        fields = fields_of(request)
        name, words = words_of(fields, "status").lower(), words_of(fields, "error_text").lower()
        status = name if name in _STATES else code_of(fields.get("status_code"))
        state = told_by(_STATES, status)
        return self.receipt(
            raw_of(request),
            None if words.startswith(_NOBODY_KNOWS) else state,
            text_of(fields, "message_id"),
            status,
            code_of(fields.get("error_code")),
            reference=words_of(fields, "custom_string"),
            reason=next((reason for start, reason in REASONS.items() if words.startswith(start)), None),
            at=unix_moment_of(fields, "timestamp"),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        fields, answers = fields_of(request), ""
        if self.option("links") == "yes":  # our reference, or its own id
            answers = "custom_string" if fields.get("custom_string") else "original_message_id"
        raw, at = raw_of(request), unix_moment_of(fields, "timestamp")
        return self.inbound(
            raw, fields, event_id="message_id", number="from", to="to", text="body", at=at, answers=answers
        )


def _currency(answer: Answer) -> object:
    """ClickSend's pages write its key in two ways."""
    return answer.at("data", "_currency", "currency_name_short") or answer.at("data", "currency", "currency_name_short")
