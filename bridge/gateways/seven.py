"""seven.io: a form out, signed JSON back. Whether a text was taken stands in the body, for each phone.

https://docs.seven.io/en/rest-api/endpoints/sms, /webhooks, /signing and /endpoints/status-reports; the codes of errors
and the answer's fields from seven's own clients (https://github.com/seven-io/js-client).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from bridge.errors import Reason
from bridge.gateways.base import Hook, Traits
from bridge.gateways.callback import (
    check_recent,
    json_of_kind,
    object_of,
    prove,
    raw_of,
    text_of,
    told_by,
    unix_moment_of,
    words_of,
)
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of, price_of
from bridge.gateways.orders import Answer, Order, accepted, code_of, form_order, unclear
from bridge.types import HttpRequest, InboundSms, MessageState, Money, OutboundSms, Outcome, OutcomeKind, Receipt

LONGEST_VALIDITY = 48 * 3600
"""Seconds; what seven.io takes when it is told nothing."""

_STATES: Mapping[str, MessageState | None] = {
    **dict.fromkeys(("ACCEPTED", "TRANSMITTED", "BUFFERED"), MessageState.SENT),
    "DELIVERED": MessageState.DELIVERED,
    "NOTDELIVERED": MessageState.UNDELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    **dict.fromkeys(("REJECTED", "FAILED"), MessageState.FAILED),
    "UNKNOWN": None,
}
"""What each status tells; None: nothing new."""

REASONS = {
    "202": Reason.UNKNOWN_SUBSCRIBER,
    "306": Reason.SENDER_REFUSED,
    "401": Reason.TOO_MANY_SEGMENTS,
    "402": Reason.FILTERED,  # the same text to the same phone within three minutes
}
_UNSURE = frozenset({"600", "700"})
"""Something broke on the way to the phone."""


class Seven(HttpGateway):
    """A connection to seven.io; `secret` is an API key, `webhook_secret` the signing key of the account."""

    kind = "seven"
    title = "seven.io"
    base_url = "https://gateway.seven.io/api"
    needs = ("secret", "webhook_secret")
    traits = Traits(receipts=True, inbound=True, balance=True, price=True, flash=True)

    def order(self, sms: OutboundSms) -> Order:
        fields = {"to": sms.number, "from": sms.sender.removeprefix("+"), "text": sms.text}
        fields |= {"foreign_id": sms.reference, "json": "1"}
        if sms.flash:
            fields["flash"] = "1"
        left = self.seconds_left(sms, LONGEST_VALIDITY)
        if left is not None:
            fields["ttl"] = str(left // 60)
        return form_order(f"{self.connection.url}/sms", fields, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            return self.refused(answer)
        if answer.at("messages", 0, "success") is True:
            return accepted(answer.at("messages", 0, "id"), price_of(answer.at("total_price")))
        # An error is a message's own, or that of the whole request, which may also be all that the body says.
        code = code_of(answer.at("messages", 0, "error")) or code_of(answer.at("success")) or code_of(answer.json())
        if not code.isdecimal() or code in ("100", "101"):
            return unclear(answer)
        kind = OutcomeKind.UNKNOWN if code in _UNSURE else OutcomeKind.REJECTED
        return Outcome(kind, reason=REASONS.get(code), diagnostic=f"seven.io {code}")

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/balance", self.login)

    def left(self, answer: Answer) -> Money | None:
        """An object, since we ask for JSON; older clients of seven.io's own were answered a bare number."""
        if isinstance(answer.json(), dict):
            return balance_of(answer.at("amount"), answer.at("currency"))
        return balance_of(answer.text.strip())

    def hooks(self) -> Sequence[Hook]:
        return (Hook("receipts", self._receipt), Hook("inbound", self._inbound))

    @property
    def login(self) -> dict[str, str]:
        return {"X-Api-Key": self.connection.secret}

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = object_of(self._believe(request, "dlr"), "data")
        status, reference = text_of(event, "status"), words_of(event, "foreign_id")
        return self.receipt(
            raw_of(request), told_by(_STATES, status), text_of(event, "msg_id"), status, reference=reference
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = object_of(self._believe(request, "sms_mo"), "data")
        at = unix_moment_of(event, "time")
        return self.inbound(raw_of(request), event, event_id="id", number="sender", to="system", text="text", at=at)

    def _believe(self, request: HttpRequest, kind: str) -> Mapping[str, object]:
        """Signed are time, nonce, method, address and the body's digest, a line each."""
        moment, nonce = request.headers.get("x-timestamp", ""), request.headers.get("x-nonce", "")
        digest = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
        lines = "\n".join((moment, nonce, "POST", self.connection.public_url + request.target, digest))
        key = self.connection.webhook_secret.encode()
        expected = hmac.new(key, lines.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        prove(expected, request.headers.get("x-signature", "").lower())
        check_recent(moment, self.connection.now())
        return json_of_kind(request, "webhook_event", (kind,))
