"""Kannel: the text out in the body of a POST, receipts and phones' texts back over addresses that we write for it.

https://www.kannel.org/download/kannel-userguide-snapshot/userguide.html, chapters "Using SMS over HTTP" and "SMS
services", and gw/smsbox.c of 1.4.5, with which it is also tested. A form is not taken by `/cgi-bin/sendsms`; in a query
the password and the patient's words would stand in every access log, so everything but the text goes in `X-Kannel-…`
headers. Kannel tells no id: our reference goes out in the address of the receipt and comes back with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bridge.errors import Reason
from bridge.gateways.base import SILENT, Hook, HookRefused, SenderKind, Traits
from bridge.gateways.callback import raw_of, text_of, told_by, words_of
from bridge.gateways.http import HttpGateway
from bridge.gateways.orders import Answer, Order, accepted, code_of, unclear
from bridge.reading.headers import value_and_parameters
from bridge.types import Encoding, HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

_STATES = {
    "1": MessageState.DELIVERED,
    "2": MessageState.UNDELIVERED,
    "4": None,  # the network holds it: nothing new
    "8": MessageState.SENT,
    "16": MessageState.FAILED,
}
_WANTED = str(1 + 2 + 8 + 16)
_TAKEN = ("0:", "3:", "Sent.")
"""Handed to a connection, queued for one, and what `immediate-sendsms-reply` says to both."""
_FULL = "Temporal failure, try again later."
_STAT = re.compile(r"\bstat:(\w{1,10})(?:.*?\berr:(\w{1,6}))?", re.DOTALL)
_NACK = re.compile(r"NACK/(0x[0-9a-fA-F]{8})")
_REASONS = {
    "EXPIRED": Reason.VALIDITY_EXPIRED,
    "0x0000000a": Reason.SENDER_REFUSED,
    "0x0000000b": Reason.UNKNOWN_SUBSCRIBER,
}
"""What the network's own words tell: `stat` of an SMPP 3.4 receipt (appendix B) and command status (section 5.1.3)."""


class Kannel(HttpGateway):
    """A connection to the smsbox of a Kannel; `account` and `secret` are those of a group `sendsms-user`."""

    kind = "kannel"
    title = "Kannel"
    traits = Traits(receipts=True, inbound=True, flash=True, senders=frozenset(SenderKind))

    def order(self, sms: OutboundSms) -> Order:
        headers = {
            "X-Kannel-From": sms.sender,
            "X-Kannel-To": sms.number,
            "X-Kannel-Coding": "2" if sms.encoding is Encoding.UCS2 else "0",
            "X-Kannel-DLR-Mask": _WANTED,
            "X-Kannel-DLR-URL": f"{self.hook_url(self.hooks()[0])}?reference={sms.reference}&type=%d&answer=%A",
        }
        if sms.flash:
            headers["X-Kannel-MClass"] = "0"
        if sms.expires_at is not None:
            minutes = (sms.expires_at - self.connection.now()).total_seconds() // 60
            headers["X-Kannel-Validity"] = str(max(1, int(minutes)))
        return self._post(headers, sms.text)

    async def submit(self, sms: OutboundSms) -> Outcome:
        outcome = await super().submit(sms)
        if outcome.kind is OutcomeKind.THROTTLED and len(sms.segments) > 1:
            # Kannel queues segment by segment and answers for the first: another one may have found room.
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=outcome.diagnostic)
        return outcome

    def outcome(self, answer: Answer) -> Outcome:
        if answer.ok:
            return accepted(None) if answer.text.startswith(_TAKEN) else unclear(answer)
        if answer.status == 503 and answer.text.strip() == _FULL:
            return Outcome(OutcomeKind.THROTTLED, diagnostic="Kannel: its queue is full")
        if answer.status == 400 and answer.text.startswith("Sender missing"):
            return Outcome(OutcomeKind.REJECTED, reason=Reason.SENDER_REFUSED, diagnostic="HTTP 400")
        return self.refused(answer)

    def question(self) -> Order:
        # Without a receiver nothing is sent; that it is missing is said only to who has logged in.
        return self._post({}, "")

    def welcomes(self, answer: Answer) -> bool:
        return answer.ok or (answer.status == 400 and answer.text.startswith("Missing receiver"))

    def hooks(self) -> Sequence[Hook]:
        # What answers a text of a phone is texted to it.
        return (self.unsigned("receipts", self._receipt), self.unsigned("inbound", self._inbound, says=SILENT))

    def _post(self, headers: Mapping[str, str], text: str) -> Order:
        login = {"X-Kannel-Username": self.connection.account, "X-Kannel-Password": self.connection.secret}
        content = {"Content-Type": "text/plain; charset=UTF-8"}
        url = f"{self.connection.url}/cgi-bin/sendsms"
        return Order("POST", url, {**content, **login, **headers}, text.encode("utf-8", "replace"))

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        reference, told = text_of(request.query, "reference"), text_of(request.query, "type")
        state, code, error = told_by(_STATES, told), "", ""
        answer = request.query.get("answer", "")
        if found := _STAT.search(answer):
            code, error = found[1].upper(), found[2] or ""
        elif found := _NACK.match(answer):
            code = found[1].lower()
        if state is MessageState.UNDELIVERED and code == "EXPIRED":
            state = MessageState.EXPIRED
        return self.receipt(
            raw_of(request),
            state,
            None,
            told,
            f"{code_of(code)} {code_of(error)}".strip(),
            reference=reference,
            reason=_REASONS.get(code),
            event_id=f"{reference}:{told}",
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = request.query
        time = text_of(event, "time")
        if not time.isdecimal() or len(time) > 11:
            raise HookRefused(400, "The callback has no time in seconds under 'time'.")
        raw, sms = request.target.partition("?")[2], {**event, "text": _text(request)}
        at = datetime.fromtimestamp(int(time), UTC)
        return self.inbound(raw, sms, event_id="id", number="from", to="to", text="text", at=at)


def _text(request: HttpRequest) -> str:
    """The body in the charset that its Content-Type names: UTF-8 for a GSM text, UTF-16BE for Unicode."""
    content_type, parameters = value_and_parameters(request.headers.get("content-type", ""))
    charset = parameters.get("charset", "").lower()
    if content_type != "text/plain" or charset not in ("utf-8", "utf-16be"):
        raise HookRefused(400, "The phone's SMS is not a text in UTF-8 or UTF-16BE.")
    return words_of({"body": request.body.decode(charset, "replace")}, "body")
