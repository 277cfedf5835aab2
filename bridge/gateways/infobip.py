"""Infobip: JSON out under our own reference, which its log can be asked for; unsigned JSON back, many events at once.

Facts: Infobip's OpenAPI description of the SMS API (3.210.0, `/sms/3/messages`, `/sms/3/logs` and its webhooks),
https://www.infobip.com/docs/api/channels/sms, and the tables of statuses and errors,
https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from bridge.errors import Reason
from bridge.gateways.base import Doubt, Hook, HookRefused, Traits
from bridge.gateways.callback import json_object, object_of, objects_of, text_of, time_of, words_of
from bridge.gateways.connection import LINKS
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of, price_in
from bridge.gateways.orders import Answer, Order, accepted, code_of, json_order, unclear
from bridge.types import HttpRequest, InboundSms, MessageState, Money, OutboundSms, Outcome, OutcomeKind, Receipt

LONGEST_VALIDITY = 48 * 3600
"""Seconds; Infobip takes no more."""

_GROUPS = (
    None,
    None,  # pending
    MessageState.UNDELIVERED,
    MessageState.DELIVERED,
    MessageState.EXPIRED,
    MessageState.FAILED,  # rejected
)
"""What each group of statuses tells, by its number; None: nothing new."""
_STATES: Mapping[str, MessageState | None] = {
    "PENDING_WAITING_DELIVERY": MessageState.SENT,
    "PENDING_ENROUTE": MessageState.SENT,
    "DELIVERED_TO_OPERATOR": MessageState.SENT,
    "UNDELIVERABLE_NOT_SENT": MessageState.FAILED,
    "EXPIRED_DLR_UNKNOWN": None,  # nobody knows what became of it
    "SIGNALS_BLOCKED": MessageState.FAILED,
}
"""The statuses that tell something else than their group."""

REASONS = {
    **dict.fromkeys(("EC_ABSENT_SUBSCRIBER", "EC_ABSENT_SUBSCRIBER_SM"), Reason.ABSENT_SUBSCRIBER),
    **dict.fromkeys(("EC_CALL_BARRED", "EC_ILLEGAL_SUBSCRIBER", "REJECTED_DND"), Reason.BARRED),
    **dict.fromkeys(("EC_CONTENT_BLOCKED", "EC_SC_BLOCKED_BY_END_USER"), Reason.OPTED_OUT),
    **dict.fromkeys(("EC_REJECTED_SPAM_BY_OPERATOR", "REJECTED_FLOODING_FILTER", "SIGNALS_BLOCKED"), Reason.FILTERED),
    **dict.fromkeys(("EC_UNKNOWN_SUBSCRIBER", "EC_INVALID_DESTINATION_ADDRESS"), Reason.UNKNOWN_SUBSCRIBER),
    **dict.fromkeys(("REJECTED_DESTINATION", "REJECTED_PREFIX_MISSING"), Reason.UNKNOWN_SUBSCRIBER),
    **dict.fromkeys(("REJECTED_SOURCE", "REJECTED_SENDER"), Reason.SENDER_REFUSED),
    "REJECTED_DESTINATION_BLOCKLISTED": Reason.BARRED,
    "REJECTED_MESSAGE_TOO_LONG": Reason.TOO_MANY_SEGMENTS,
    "EXPIRED_EXPIRED": Reason.VALIDITY_EXPIRED,
}
"""By the name of the error, else by that of the status."""


class Infobip(HttpGateway):
    """A connection to Infobip; `secret` is an API key and `url` the base URL of the account."""

    kind = "infobip"
    title = "Infobip"
    base_url = "https://api.infobip.com"
    needs = ("secret",)
    options = (LINKS,)
    traits = Traits(receipts=True, inbound=True, links=True, lookup=True, balance=True, price=True, flash=True)

    def order(self, sms: OutboundSms) -> Order:
        webhooks: dict[str, object] = {"delivery": {"url": self.hook_url(self.hooks()[0])}}
        webhooks["contentType"] = "application/json"
        if self._links:
            webhooks["callbackData"] = sms.reference
        message: dict[str, object] = {
            "sender": sms.sender.removeprefix("+"),
            "destinations": [{"to": sms.number.removeprefix("+"), "messageId": sms.reference}],
            "content": {"text": sms.text},
            "webhooks": webhooks,
        }
        options: dict[str, object] = {"flash": True} if sms.flash else {}
        left = self.seconds_left(sms, LONGEST_VALIDITY)
        if left is not None:
            options["validityPeriod"] = {"amount": left // 60, "timeUnit": "MINUTES"}
        if options:
            message["options"] = options
        return json_order(f"{self.connection.url}/sms/3/messages", {"messages": [message]}, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            return self.refused(answer)
        group, name = answer.at("messages", 0, "status", "groupId"), answer.at("messages", 0, "status", "name")
        if name == "REJECTED_DUPLICATE_MESSAGE_ID":  # it came in before; what became of it, the log may know
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=f"Infobip {code_of(name)}")
        if group in (2, 5):
            return _rejected(name)
        message_id = answer.at("messages", 0, "messageId")
        return accepted(message_id) if group in (1, 3) and message_id else unclear(answer)

    def question(self) -> Order:
        return self._log(limit="1")

    def inquiry(self, message: Doubt) -> Order:
        return self._log(messageId=message.reference)

    def found(self, message: Doubt, answer: Answer) -> Outcome:
        """That the log has no entry proves nothing: it may lag, and it goes back 48 hours."""
        if not answer.ok:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=f"HTTP {answer.status}")
        if answer.at("results", 0, "messageId") != message.reference:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic="Infobip's log does not have it")
        if answer.at("results", 0, "status", "groupId") == 5:
            return _rejected(answer.at("results", 0, "status", "name"))
        return accepted(message.reference)

    def statement(self) -> Order:
        return Order("GET", f"{self.connection.url}/account/1/balance", self.login)

    def left(self, answer: Answer) -> Money | None:
        return balance_of(answer.at("balance"), answer.at("currency"))

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipts), self.unsigned("inbound", self._inbound))

    @property
    def login(self) -> dict[str, str]:
        return {"Authorization": f"App {self.connection.secret}"}

    @property
    def _links(self) -> bool:
        return self.option("links") == "yes"

    def _log(self, **query: str) -> Order:
        return Order("GET", f"{self.connection.url}/sms/3/logs?{urlencode(query)}", self.login)

    def _receipts(self, request: HttpRequest) -> Sequence[Receipt]:
        results = objects_of(json_object(request), "results")
        return [receipt for result in results for receipt in self._receipt(result)]

    def _receipt(self, result: Mapping[str, object]) -> Sequence[Receipt]:
        message_id, status = text_of(result, "messageId"), object_of(result, "status")
        group, name = status.get("groupId"), text_of(status, "name")
        if not isinstance(group, int) or not 0 < group < len(_GROUPS):
            raise HookRefused(400, "The receipt has a status that this gateway does not know.")
        error = words_of(object_of(result, "error"), "name") if result.get("error") else ""
        state, reason = _STATES.get(name, _GROUPS[group]), REASONS.get(error) or REASONS.get(name)
        return self.receipt(
            json.dumps(result),
            state,
            message_id,
            code_of(name),
            code_of(error),
            reference=message_id,
            reason=reason,
            at=time_of(result, "doneAt") if result.get("doneAt") else None,
            event_id=f"{message_id}:{name}",
            price=_price(result),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        results = objects_of(json_object(request), "results")
        return [sms for result in results for sms in self._answer(result)]

    def _answer(self, result: Mapping[str, object]) -> Sequence[InboundSms]:
        raw, at, answers = json.dumps(result), time_of(result, "receivedAt"), "callbackData" if self._links else ""
        return self.inbound(
            raw, result, event_id="messageId", number="from", to="to", text="text", at=at, answers=answers
        )


def _price(result: Mapping[str, object]) -> Money | None:
    """What a text of one part costs: whether it is the price of all parts, Infobip's pages do not say."""
    return price_in(result.get("price"), "pricePerMessage") if result.get("messageCount") == 1 else None


def _rejected(name: object) -> Outcome:
    return Outcome(OutcomeKind.REJECTED, reason=REASONS.get(str(name)), diagnostic=f"Infobip {code_of(name)}".strip())
