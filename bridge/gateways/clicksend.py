"""ClickSend: JSON out, a form back. Its answers are 200 even for a refusal, which stands with the message.

https://developers.clicksend.com/docs/messaging/sms for sending, https://help.clicksend.com/en/articles/42318-sms-error-codes
for statuses; the fields of the callbacks from code of others. Nothing that ClickSend calls is signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bridge.errors import Reason
from bridge.gateways.base import Evidence, Hook, HookRefused, Traits
from bridge.gateways.callback import fields_of, phone_of, raw_of, text_of, words_of
from bridge.gateways.http import Answer, HttpGateway, Order, accepted, basic, code_of, json_order, unclear
from bridge.types import HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

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
    traits = Traits(receipts=True, inbound=True, evidence=Evidence.SECOND_HAND)

    def order(self, sms: OutboundSms) -> Order:
        message = {"to": sms.number, "from": sms.sender, "body": sms.text, "custom_string": sms.reference}
        return json_order(f"{self.connection.url}/sms/send", {"messages": [message]}, self._login)

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            outcome, code = self.refused(answer), code_of(answer.at("response_code"))
            told = f"{outcome.diagnostic} {code}".strip()
            return Outcome(outcome.kind, diagnostic=told, retry_after=outcome.retry_after)
        status = code_of(answer.at("data", "messages", 0, "status"))
        if status == "SUCCESS":
            return accepted(answer.at("data", "messages", 0, "message_id"))
        if not status or status in _UNSURE:
            return unclear(answer)
        kind = OutcomeKind.THROTTLED if status in _BUSY else OutcomeKind.REJECTED
        return Outcome(kind, reason=REFUSALS.get(status), diagnostic=f"ClickSend {status}")

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/account", self._login)

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound))

    @property
    def _login(self) -> dict[str, str]:
        return basic(self.connection.account, self.connection.secret)

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        fields = fields_of(request)
        message_id, code = text_of(fields, "message_id"), code_of(fields.get("status_code"))
        name, words = words_of(fields, "status").lower(), words_of(fields, "error_text").lower()
        status = name if name in _STATES else code
        if status not in _STATES:
            raise HookRefused(400, "The receipt has a status that this gateway does not know.")
        state = _STATES[status]
        if state is None or words.startswith(_NOBODY_KNOWS):
            return ()
        return (
            Receipt(
                gateway=self.name,
                provider_id=message_id,
                reference=words_of(fields, "custom_string") or None,
                state=state,
                event_id=f"{message_id}:{status}",
                reason=next((reason for start, reason in REASONS.items() if words.startswith(start)), None),
                diagnostic=" ".join(("ClickSend", status, code_of(fields.get("error_code")))).strip(),
                occurred_at=_moment(fields),
                raw=raw_of(request),
            ),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        fields = fields_of(request)
        return (
            InboundSms(
                gateway=self.name,
                event_id=text_of(fields, "message_id"),
                number=phone_of(fields, "from"),
                to=phone_of(fields, "to"),
                text=words_of(fields, "body"),
                received_at=_moment(fields) or self.connection.now(),
                raw=raw_of(request),
            ),
        )


def _moment(fields: Mapping[str, str]) -> datetime | None:
    """Unix time, in seconds."""
    written = fields.get("timestamp", "")
    known = written.isascii() and written.isdecimal() and len(written) == 10
    return datetime.fromtimestamp(int(written), UTC) if known else None
