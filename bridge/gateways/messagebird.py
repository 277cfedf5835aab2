"""MessageBird (Bird's SMS API at rest.messagebird.com): JSON out, queries and forms back.

https://developers.messagebird.com/api/sms-messaging and the makers' own libraries (github.com/messagebird). A receipt
is a GET, and only a text with a reference has one. Callbacks carry a JSON Web Token (RFC 7519) in
`MessageBird-Signature-JWT` with hashes of the URL and of the body. What an inbound SMS looks like is known from others.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from bridge.errors import Reason
from bridge.gateways.base import Evidence, Hook, HookRefused, Said, Traits
from bridge.gateways.callback import check_recent, fields_of, moment_of, phone_of, prove, raw_of, text_of, words_of
from bridge.gateways.http import Answer, HttpGateway, Order, accepted, code_of, json_order, unclear
from bridge.types import Encoding, HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

_STATES: Mapping[str, MessageState | None] = {
    "scheduled": None,
    "sent": MessageState.SENT,
    "buffered": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "expired": MessageState.EXPIRED,
    "delivery_failed": MessageState.UNDELIVERED,
}
_OPTED_OUT = "103"
_LONGEST = 172_800
"""Seconds that a text may be tried, by us; MessageBird names no limit."""
_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


class MessageBird(HttpGateway):
    """A connection to MessageBird; `secret` is the access key, `webhook_secret` the signing key."""

    kind = "messagebird"
    title = "MessageBird"
    base_url = "https://rest.messagebird.com"
    needs = ("secret",)
    traits = Traits(receipts=True, inbound=True, evidence=Evidence.SECOND_HAND)

    def order(self, sms: OutboundSms) -> Order:
        fields: dict[str, object] = {
            "originator": sms.sender.removeprefix("+"),
            "recipients": [sms.number.removeprefix("+")],
            "body": sms.text,
            "datacoding": "unicode" if sms.encoding is Encoding.UCS2 else "plain",
            "reference": sms.reference,
            "reportUrl": self.hook_url(self.hooks()[0]),
        }
        seconds = self.seconds_left(sms, _LONGEST)
        if seconds is not None:
            fields["validity"] = seconds
        return json_order(f"{self.connection.url}/messages", fields, self._login)

    def outcome(self, answer: Answer) -> Outcome:
        code = code_of(answer.at("errors", 0, "code"))
        if answer.ok and answer.at("recipients", "items", 0, "status") == "delivery_failed":
            return Outcome(OutcomeKind.REJECTED, diagnostic="MessageBird delivery_failed")
        if answer.ok:
            return accepted(answer.at("id")) if answer.at("id") else unclear(answer)
        if code and 400 <= answer.status < 500 and answer.status not in (408, 429):
            return Outcome(OutcomeKind.REJECTED, diagnostic=f"MessageBird {code}")
        return self.refused(answer)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/balance", self._login)

    def hooks(self) -> Sequence[Hook]:
        confirmed = Said("OK", "text/plain")
        return (
            self.unsigned("receipts", self._receipt, confirmed),
            self.unsigned("inbound", self._inbound, confirmed),
        )

    @property
    def _login(self) -> dict[str, str]:
        return {"Authorization": f"AccessKey {self.connection.secret}"}

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = self._believe(request)
        provider_id, status = text_of(event, "id"), text_of(event, "status")
        if status not in _STATES:
            raise HookRefused(400, "The receipt has a status that this gateway does not know.")
        state, code = _STATES[status], code_of(event.get("statusErrorCode"))
        if state is None:
            return ()
        return (
            Receipt(
                gateway=self.name,
                provider_id=provider_id,
                reference=words_of(event, "reference") or None,
                state=state,
                event_id=f"{provider_id}:{status}",
                reason=Reason.OPTED_OUT if code == _OPTED_OUT else None,
                diagnostic=f"MessageBird {status} {code}".strip(),
                occurred_at=moment_of(event, "statusDatetime"),
                raw=raw_of(request),
            ),
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = self._believe(request)
        short = "shortcode" in event
        return (
            InboundSms(
                gateway=self.name,
                event_id=text_of(event, "mid" if short else "id"),
                number=phone_of(event, "originator"),
                to=phone_of(event, "shortcode" if short else "recipient"),
                text=words_of(event, "message" if short else "body"),
                received_at=moment_of(event, "createdDatetime") or self.connection.now(),
                raw=raw_of(request),
            ),
        )

    def _believe(self, request: HttpRequest) -> Mapping[str, str]:
        key = self.connection.webhook_secret
        if key:
            claims = _claims(request.headers.get("messagebird-signature-jwt", ""), key)
            url = self.connection.public_url + request.target
            prove(hashlib.sha256(url.encode()).hexdigest(), str(claims.get("url_hash")))
            if request.body or "payload_hash" in claims:
                prove(hashlib.sha256(request.body).hexdigest(), str(claims.get("payload_hash")))
            if claims.get("iss") != "MessageBird" or not isinstance(claims.get("nbf"), int):
                raise HookRefused(403, "The signature does not say that it is MessageBird's, or from when it is.")
            # Our five minutes take the place of `exp`, which leaves one.
            check_recent(float(str(claims["nbf"])), self.connection.now())
        return fields_of(request)


def _claims(token: str, key: str) -> Mapping[str, object]:
    """What a signed token (RFC 7515 section 7.1) says, once its signature is proved; only HMAC with SHA-2 counts."""
    head, _, rest = token.partition(".")
    said, _, signature = rest.partition(".")
    digest = _DIGESTS.get(str(_decoded(head).get("alg")), "")
    given = hmac.digest(key.encode(), f"{head}.{said}".encode(), digest) if digest else b""
    prove(base64.urlsafe_b64encode(given).decode().rstrip("="), signature)
    return _decoded(said)


def _decoded(part: str) -> Mapping[str, object]:
    """A part of a token; empty when it holds no JSON object."""
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
