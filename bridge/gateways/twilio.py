"""Twilio: a form out, signed forms back.

https://www.twilio.com/docs/messaging/api/message-resource, /docs/messaging/guides/track-outbound-message-status and
/docs/usage/security: a callback is signed over its URL and its fields with the account's auth token. Error codes:
https://www.twilio.com/docs/api/errors. A text can be taken back "not yet sent": that means as long as it waits in the
queue of its sender. What it costs stands in the message's own resource only, some time after it was sent.

Pictures (/docs/messaging/guides/webhook-request, /docs/messaging/api/media-resource): their addresses at the API want
the login and redirect to mms.twiliocdn.com, which wants none; media.twiliocdn.com is an older name of it. Twilio waits
15 seconds for the answer to its callback.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from bridge.errors import Reason
from bridge.gateways.base import Handed, Hook, Recall, Recalled, Said, SenderKind, Traits
from bridge.gateways.callback import fields_of, numbered_of, prove, raw_of, text_of, told_by
from bridge.gateways.connection import Option, media_hosts
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of
from bridge.gateways.orders import Answer, Order, code_of, form_order, taken
from bridge.types import HttpRequest, InboundSms, MessageState, Money, OutboundSms, Outcome, OutcomeKind, Receipt

_STATES: Mapping[str, MessageState | None] = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending")),
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.DELIVERED,
    "undelivered": MessageState.UNDELIVERED,
    "failed": MessageState.FAILED,
    "canceled": MessageState.CANCELLED,
}
"""What each status tells; None: nothing new."""

REASONS = {
    "21211": Reason.UNKNOWN_SUBSCRIBER,
    "21408": Reason.COUNTRY_NOT_ALLOWED,
    "21610": Reason.OPTED_OUT,
    "21614": Reason.LANDLINE,
    "30003": Reason.ABSENT_SUBSCRIBER,
    "30004": Reason.BARRED,
    "30005": Reason.UNKNOWN_SUBSCRIBER,
    "30006": Reason.LANDLINE,
    "30007": Reason.FILTERED,
}
_THROTTLED = frozenset({"20429", "63018"})


class Twilio(HttpGateway):
    """A connection to Twilio; `account` is the account SID, or an API key beside the option `account_sid`."""

    kind = "twilio"
    title = "Twilio"
    base_url = "https://api.twilio.com"
    options = (
        Option("account_sid", "account SID, where `account` is an API key", ""),
        Option("messaging_service", "SID of a messaging service that chooses the sender", ""),
        media_hosts("mms.twiliocdn.com, media.twiliocdn.com"),
    )
    traits = Traits(
        receipts=True,
        inbound=True,
        mms=True,
        answers_orders=True,
        cancel=True,
        balance=True,
        senders=frozenset(SenderKind),
    )

    def order(self, sms: OutboundSms) -> Order:
        service = self.option("messaging_service")
        sender = {"MessagingServiceSid": service} if service else {"From": sms.sender}
        fields = {"To": sms.number, **sender, "Body": sms.text, "StatusCallback": self.hook_url(self.hooks()[0])}
        return form_order(f"{self._url}/Messages.json", fields, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        if answer.ok:
            return taken(answer, "sid")
        code = code_of(answer.at("code"))
        if answer.status == 429 or code in _THROTTLED:
            return self.throttled(answer, f"Twilio {code}")
        if code and 400 <= answer.status < 500:
            return Outcome(OutcomeKind.REJECTED, reason=REASONS.get(code), diagnostic=f"Twilio {code}")
        return self.refused(answer)

    def question(self) -> Order:
        return Order("GET", f"{self._url}.json", self.login)

    def recall(self, message: Handed) -> Order | None:
        if not message.provider_ids:
            return None
        target = f"{self._url}/Messages/{quote(message.provider_ids[0], safe='')}.json"
        return form_order(target, {"Status": "canceled"}, self.login)

    def recalled(self, answer: Answer) -> Recall:
        if answer.ok and answer.at("status") == "canceled":
            return Recall(Recalled.CANCELLED)
        return self.kept(answer, code_of(answer.at("code")))

    def statement(self) -> Order:
        return Order("GET", f"{self._url}/Balance.json", self.login)

    def left(self, answer: Answer) -> Money | None:
        return balance_of(answer.at("balance"), answer.at("currency"))

    def hooks(self) -> Sequence[Hook]:
        # An empty TwiML document: answer nothing to the phone.
        nothing = Said("<Response/>", "text/xml")
        return (Hook("receipts", self._receipt), Hook("inbound", self._inbound, says=nothing))

    @property
    def _url(self) -> str:
        return f"{self.connection.url}/2010-04-01/Accounts/{self.option('account_sid') or self.connection.account}"

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = self._believe(request)
        status, code = text_of(event, "MessageStatus"), code_of(event.get("ErrorCode"))
        state, reason = told_by(_STATES, status), REASONS.get(code)
        return self.receipt(raw_of(request), state, text_of(event, "MessageSid"), status, code, reason=reason)

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = self._believe(request)
        media = numbered_of(event, "MediaUrl")
        return self.inbound(
            raw_of(request), event, event_id="MessageSid", number="From", to="To", text="Body", media=media
        )

    def _believe(self, request: HttpRequest) -> Mapping[str, str]:
        event = fields_of(request)
        url = self.connection.public_url + request.target
        signed = url + "".join(key + event[key] for key in sorted(event) if key not in request.query)
        key = self.connection.webhook_secret or self.connection.secret
        digest = hmac.digest(key.encode(), signed.encode(), hashlib.sha1)
        prove(base64.b64encode(digest).decode(), request.headers.get("x-twilio-signature", ""))
        return event
