"""Sinch: JSON out with our reference, which its batches can be searched for; JSON back, signed if the plan says so.

https://developers.sinch.com/docs/sms/api-reference, the Java, Python and .NET libraries of Sinch for the fields, the
codes of receipts and the signature: HMAC-SHA256 of `body.nonce.timestamp`, in Base64. Sinch signs the callbacks of a
service plan only after this was set up there, so their addresses hold an unguessable part as well. The files of an MMS
(`mo_media`) are put into a store that is agreed with Sinch: the operator says where.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from urllib.parse import quote, urlencode

import httpx

from bridge.errors import Reason
from bridge.gateways.base import Doubt, Handed, Hook, Recall, Recalled, Traits
from bridge.gateways.callback import (
    addresses_of,
    check_recent,
    json_of_kind,
    object_of,
    prove,
    raw_of,
    text_of,
    time_of,
    told_by,
    words_of,
)
from bridge.gateways.connection import media_hosts
from bridge.gateways.http import HttpGateway
from bridge.gateways.orders import Answer, Order, accepted, code_of, json_order, taken
from bridge.types import HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

LONGEST_VALIDITY = 3 * 24 * 3600
"""Seconds; Sinch takes no more."""

_STATES: Mapping[str, MessageState | None] = {
    "queued": None,
    "dispatched": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    **dict.fromkeys(("failed", "deleted"), MessageState.UNDELIVERED),
    "expired": MessageState.EXPIRED,
    **dict.fromkeys(("aborted", "rejected"), MessageState.FAILED),
    "cancelled": MessageState.CANCELLED,
    "unknown": None,
}
"""What each status tells, in lower case; None: nothing new."""

_RECALLED = {"cancelled": Recalled.CANCELLED, "queued": Recalled.ASKED}
"""What the report on a cancelled batch tells; with any other status the text has left, or has ended in another way."""

REASONS = {
    "406": Reason.VALIDITY_EXPIRED,
    "410": Reason.SENDER_REFUSED,
    "411": Reason.TOO_MANY_SEGMENTS,
    "412": Reason.COUNTRY_NOT_ALLOWED,
}


class Sinch(HttpGateway):
    """A connection to Sinch; `account` is the service plan, `secret` its API token, `url` that of its region."""

    kind = "sinch"
    title = "Sinch"
    base_url = "https://eu.sms.api.sinch.com"
    options = (media_hosts(""),)
    traits = Traits(receipts=True, inbound=True, mms=True, links=True, lookup=True, cancel=True, flash=True)

    def order(self, sms: OutboundSms) -> Order:
        value: dict[str, object] = {
            "from": sms.sender,
            "to": [sms.number],
            "body": sms.text,
            "type": "mt_text",
            "delivery_report": "per_recipient",
            "callback_url": self.hook_url(self.hooks()[0]),
            "client_reference": sms.reference,
        }
        if sms.flash:
            value["flash_message"] = True
        left = self.seconds_left(sms, LONGEST_VALIDITY)
        if left is not None:
            moment = self.connection.now() + timedelta(seconds=left)
            value["expire_at"] = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return json_order(self._batches, value, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        return taken(answer, "id") if answer.ok else self.refused(answer, code_of(answer.at("code")))

    def question(self) -> Order:
        return self._list(page_size="1")

    def inquiry(self, message: Doubt) -> Order:
        return self._list(client_reference=message.reference, page_size="1")

    def found(self, message: Doubt, answer: Answer) -> Outcome:
        """That no batch has it proves nothing: it may only not be listed yet."""
        if answer.ok and answer.at("batches", 0, "client_reference") == message.reference:
            return accepted(answer.at("batches", 0, "id"))
        return Outcome(OutcomeKind.UNKNOWN, diagnostic=f"HTTP {answer.status} without this batch")

    async def cancel(self, message: Handed) -> Recall:
        """A batch can be cancelled at any time, and is told to be: only its report says what became of its text."""
        if not message.provider_ids:
            return await super().cancel(message)
        batch = f"{self._batches}/{quote(message.provider_ids[0], safe='')}"
        report = f"{batch}/delivery_report/{quote(message.number, safe='')}"
        try:
            answer = await self.exchange(Order("DELETE", batch, self.login))
            if not answer.ok:
                return self.kept(answer, code_of(answer.at("code")))
            answer = await self.exchange(Order("GET", report, self.login))
        except httpx.HTTPError as error:
            return Recall(Recalled.UNKNOWN, type(error).__name__)
        status = code_of(answer.at("status"))
        kind = _RECALLED.get(status.lower(), Recalled.REFUSED) if answer.ok and status else Recalled.ASKED
        return Recall(kind, f"Sinch {status}".strip())

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound))

    @property
    def login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.connection.secret}"}

    @property
    def _batches(self) -> str:
        return f"{self.connection.url}/xms/v1/{quote(self.connection.account, safe='')}/batches"

    def _list(self, **query: str) -> Order:
        return Order("GET", f"{self._batches}?{urlencode(query)}", self.login)

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = self._believe(request, ("recipient_delivery_report_sms",))
        batch, status, code = text_of(event, "batch_id"), text_of(event, "status"), code_of(event.get("code"))
        state, reason, at = told_by(_STATES, status.lower()), REASONS.get(code), time_of(event, "at")
        reference, event_id = words_of(event, "client_reference"), f"{batch}:{status.lower()}"
        return self.receipt(
            raw_of(request), state, batch, status, code, reference=reference, reason=reason, at=at, event_id=event_id
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = self._believe(request, ("mo_text", "mo_media"))
        media: Sequence[str] = ()
        if event["type"] == "mo_media":
            body = object_of(event, "body")
            words = "\n".join(filter(None, (words_of(body, "subject"), words_of(body, "message"))))
            event, media = {**event, "body": words}, addresses_of(body.get("media"), "url")
        at = time_of(event, "received_at")
        raw, reference = raw_of(request), "client_reference"  # of the text it answers, if Sinch has set that up
        return self.inbound(
            raw, event, event_id="id", number="from", to="to", text="body", at=at, answers=reference, media=media
        )

    def _believe(self, request: HttpRequest, kinds: Collection[str]) -> Mapping[str, object]:
        if self.connection.webhook_secret:
            head = "x-sinch-webhook-signature"
            nonce, moment = request.headers.get(f"{head}-nonce", ""), request.headers.get(f"{head}-timestamp", "")
            signed = request.body + f".{nonce}.{moment}".encode("utf-8", "replace")
            digest = hmac.digest(self.connection.webhook_secret.encode(), signed, "sha256")
            prove(base64.b64encode(digest).decode(), request.headers.get(head, ""))
            check_recent(moment, self.connection.now())
        return json_of_kind(request, "type", kinds)
