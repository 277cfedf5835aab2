"""Jasmin: a form out, forms back; each callback must be answered `ACK/Jasmin`, or it comes again.

https://docs.jasminsms.com/en/latest/apis/http/index.html, and github.com/jookies/jasmin: jasmin/protocols/http (what is
answered), jasmin/routing/throwers.py (what is called). Jasmin takes UTF-8 for the GSM alphabet only; anything else goes
as hexadecimal octets. Nothing is signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from bridge.errors import Reason
from bridge.gateways.base import Hook, HookRefused, Said, SenderKind, Traits
from bridge.gateways.callback import raw_of, text_of, told_by, words_of
from bridge.gateways.connection import Option
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of
from bridge.gateways.orders import Answer, Order, accepted, code_of, form_order, unclear
from bridge.sms import gsm7
from bridge.types import (
    CREDITS,
    Encoding,
    HttpRequest,
    InboundSms,
    MessageState,
    Money,
    OutboundSms,
    Outcome,
    OutcomeKind,
    Receipt,
)

_SUCCESS = re.compile(r'Success "([^"]{1,255})"')
_NOT_NOW = (
    "User throughput exceeded",
    "Failover route has no bound connectors",
    "InterceptorPB not set !",
    "InterceptorPB not connected !",
)
"""Said before the message is handed on (endpoints/send.py)."""
_STATES: Mapping[str, MessageState | None] = {
    "ESME_ROK": MessageState.SENT,
    **dict.fromkeys(("ACCEPTD", "ENROUTE", "UNKNOWN")),
    "DELIVRD": MessageState.DELIVERED,
    "UNDELIV": MessageState.UNDELIVERED,
    "DELETED": MessageState.UNDELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "REJECTD": MessageState.FAILED,
}
"""The network's answer to the submission, and `stat` of its receipt (SMPP 3.4, appendix B); None: nothing new."""
_REASONS = {
    "EXPIRED": Reason.VALIDITY_EXPIRED,
    "ESME_RINVDSTADR": Reason.UNKNOWN_SUBSCRIBER,
    "ESME_RINVSRCADR": Reason.SENDER_REFUSED,
}
_CHARSETS = {"1": "ascii", "3": "latin-1", "8": "utf-16-be"}
"""By data coding (SMPP 3.4 section 5.2.19)."""


class Jasmin(HttpGateway):
    """A connection to the HTTP API of a Jasmin; `account` and `secret` are a Jasmin user's."""

    kind = "jasmin"
    title = "Jasmin"
    options = (
        Option("alphabet", "what data coding 0 means to the network", "gsm", ("gsm", "latin-1")),
        Option(
            "plus",
            "whether numbers go out with their +; Jasmin hands them to the network as they are",
            "no",
            ("no", "yes"),
        ),
    )
    traits = Traits(receipts=True, inbound=True, balance=True, senders=frozenset(SenderKind))

    def order(self, sms: OutboundSms) -> Order:
        receipts = f"{self.hook_url(self.hooks()[0])}?{urlencode({'reference': sms.reference})}"
        plus = "" if self.option("plus") == "yes" else "+"
        fields = {"to": sms.number.removeprefix(plus), "from": sms.sender.removeprefix(plus), **self._login}
        # Level 3: what the network says at once, and what becomes of it.
        fields |= {"dlr": "yes", "dlr-url": receipts, "dlr-level": "3", "dlr-method": "POST"}
        if sms.encoding is Encoding.UCS2:
            fields |= {"coding": "8", "hex-content": sms.text.encode("utf-16-be", "replace").hex()}
        else:
            fields |= {"coding": "0", "content": sms.text}
        if sms.expires_at is not None:
            minutes = (sms.expires_at - self.connection.now()).total_seconds() // 60
            fields["validity-period"] = str(max(1, int(minutes)))
        return form_order(f"{self.connection.url}/send", fields, {})

    def outcome(self, answer: Answer) -> Outcome:
        if answer.ok:
            found = _SUCCESS.fullmatch(answer.text.strip())
            return accepted(found[1]) if found else unclear(answer)
        if answer.text.strip().removeprefix('Error "').removesuffix('"') in _NOT_NOW:
            return Outcome(OutcomeKind.THROTTLED, diagnostic=f"HTTP {answer.status}")
        return self.refused(answer)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/balance?{urlencode(self._login)}")

    def left(self, answer: Answer) -> Money | None:
        return balance_of(answer.at("balance"), CREDITS)  # "ND": the user has no limit

    def hooks(self) -> Sequence[Hook]:
        kept = Said("ACK/Jasmin", "text/plain")
        return (self.unsigned("receipts", self._receipt, kept), self.unsigned("inbound", self._inbound, kept))

    @property
    def _login(self) -> dict[str, str]:
        return {"username": self.connection.account, "password": self.connection.secret}

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = _fields(request)
        provider_id, status, error = text_of(event, "id"), text_of(event, "message_status"), code_of(event.get("err"))
        refused = status.startswith("ESME_R") and status not in _STATES
        state = MessageState.FAILED if refused else told_by(_STATES, status)
        return self.receipt(
            raw_of(request),
            state,
            provider_id,
            code_of(status),
            error,
            reference=event.get("reference"),
            reason=_REASONS.get(status),
            event_id=f"{provider_id}:{status}",
        )

    def _inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = _fields(request)
        sms = {**event, "text": self._text(event)}
        return self.inbound(raw_of(request), sms, event_id="id", number="from", to="to", text="text")

    def _text(self, event: Mapping[str, str]) -> str:
        """The SMS from its octets: `content` holds the same ones, but in no charset that a form could have."""
        coding = event.get("coding") or "0"
        if not re.fullmatch(r"([0-9a-fA-F]{2})*", event.get("binary", "-")) or coding not in ("0", *_CHARSETS):
            raise HookRefused(400, "The phone's SMS is not a text in an alphabet that this gateway knows.")
        octets = bytes.fromhex(event["binary"])
        if coding == "0" and self.option("alphabet") == "gsm":
            return gsm7.decode(octets)
        return words_of({"binary": octets.decode(_CHARSETS.get(coding, "latin-1"), "replace")}, "binary")


def _fields(request: HttpRequest) -> dict[str, str]:
    """Query and form, as far as they are UTF-8: `content` need not be."""
    try:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=200))
    except ValueError:
        raise HookRefused(400, "The callback is not a form.") from None
    return {**request.query, **form}
