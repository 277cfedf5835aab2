"""The gateway to the simulated phone network: hands a message over by HTTP, hears its receipts and answers.

`POST {url}/messages` with `Authorization: Bearer SECRET`. A GSM-7 segment travels as one septet per octet, a UCS-2
segment as UTF-16BE, both in hexadecimal, so that the phone shows what was really cut and encoded; `shift` names the
national tables that the septets were written with, and `flash` asks for class 0. The network
documents that it did not process what it answers 429, or 503 with `unreachable`; the latter stands for a refused
connection, which a server that must answer cannot show otherwise. Its callbacks carry `X-Simulator-Timestamp` and
`X-Simulator-Signature` (`bridge.gateways.callback.sign`). A phone's SMS names files under `media`, by ids; they are
fetched from `{url}/media/{id}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from bridge.errors import Reason
from bridge.gateways.base import Handed, Hook, HookRefused, Recall, Recalled, Traits
from bridge.gateways.callback import addresses_of, check_signature, json_object, number_of, text_of, time_of, words_of
from bridge.gateways.http import HttpGateway
from bridge.gateways.orders import Answer, Order, accepted, code_of, json_order, unclear
from bridge.gateways.paths import word
from bridge.sms.national import alphabet_of
from bridge.types import (
    Encoding,
    HttpRequest,
    InboundSms,
    MessageState,
    National,
    OutboundSms,
    Outcome,
    OutcomeKind,
    Receipt,
)

_STATES = {status: MessageState(status) for status in ("sent", "delivered", "undelivered", "expired")}
_REASONS: Mapping[object, tuple[Reason | None, str]] = {
    None: (None, ""),
    "absent_subscriber": (Reason.ABSENT_SUBSCRIBER, "UNDELIV absent subscriber"),
    "validity_expired": (Reason.VALIDITY_EXPIRED, "EXPIRED validity period over"),
}


class SimulatorGateway(HttpGateway):
    """A connection to one simulated phone network."""

    kind = "simulator"
    title = "The simulated network"
    needs = ("secret",)
    traits = Traits(
        receipts=True,
        inbound=True,
        mms=True,
        links=True,
        cancel=True,
        own_segments=True,
        shifts=frozenset(National),
        flash=True,
    )

    def order(self, sms: OutboundSms) -> Order:
        encode = alphabet_of(sms.shift).encode if sms.encoding is Encoding.GSM7 else _utf16
        order: dict[str, object] = {
            "reference": sms.reference,
            "from": sms.sender,
            "to": sms.number,
            "encoding": sms.encoding.value,
            "segments": [encode(segment).hex() for segment in sms.segments],
        }
        if sms.shift is not None:
            order["shift"] = str(sms.shift)
        if sms.flash:
            order["flash"] = True
        return json_order(f"{self.connection.url}/messages", order, self.login)

    def outcome(self, answer: Answer) -> Outcome:
        if answer.status == 201 and isinstance(answer.at("id"), str):
            return accepted(answer.at("id"))
        if answer.status == 422:
            diagnostic = "HTTP 422 unknown subscriber"
            return Outcome(OutcomeKind.REJECTED, reason=Reason.UNKNOWN_SUBSCRIBER, diagnostic=diagnostic)
        if answer.status == 503 and answer.at("error") == "unreachable":
            return Outcome(OutcomeKind.UNREACHABLE, diagnostic="HTTP 503 unreachable")
        return unclear(answer) if answer.ok else self.refused(answer)

    def question(self) -> Order:
        return Order("GET", self.connection.url, self.login)

    def recall(self, message: Handed) -> Order | None:
        if not message.provider_ids:
            return None
        return Order("DELETE", f"{self.connection.url}/messages/{quote(message.provider_ids[0], safe='')}", self.login)

    def recalled(self, answer: Answer) -> Recall:
        if answer.ok and answer.at("status") == "cancelled":
            return Recall(Recalled.CANCELLED)
        return self.kept(answer, code_of(answer.at("error")))

    def hooks(self) -> Sequence[Hook]:
        return (Hook("receipts", self._read_receipt), Hook("inbound", self._read_inbound))

    @property
    def login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.connection.secret}"}

    def _read_receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = self._believe(request)
        state = _STATES.get(text_of(event, "status"))
        error = event.get("error")
        if state is None or not isinstance(error, str | None) or error not in _REASONS:
            raise HookRefused(400, "The receipt has a status or an error that this gateway does not know.")
        reason, diagnostic = _REASONS[error]
        return (
            Receipt(
                gateway=self.name,
                provider_id=text_of(event, "id"),
                reference=text_of(event, "reference"),
                state=state,
                event_id=text_of(event, "event_id"),
                reason=reason,
                diagnostic=diagnostic,
                occurred_at=time_of(event, "time"),
                raw=request.body.decode(),
            ),
        )

    def _read_inbound(self, request: HttpRequest) -> Sequence[InboundSms]:
        event = self._believe(request)
        return (
            InboundSms(
                gateway=self.name,
                event_id=text_of(event, "event_id"),
                number=number_of(event, "from"),
                to=number_of(event, "to"),
                text=words_of(event, "text"),
                received_at=time_of(event, "time"),
                raw=request.body.decode(),
                answers=word(event.get("answers")),
                media=tuple(
                    f"{self.connection.url}/media/{quote(each, safe='')}" for each in addresses_of(event.get("media"))
                ),
            ),
        )

    def _believe(self, request: HttpRequest) -> Mapping[str, object]:
        timestamp = request.headers.get("x-simulator-timestamp", "")
        signature = request.headers.get("x-simulator-signature", "")
        check_signature(self.connection.secret, timestamp, signature, request.body, self.connection.now())
        return json_object(request)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")
