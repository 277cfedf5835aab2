"""The gateway to the simulated phone network: hands a message over by HTTP, hears its receipts and answers.

`POST {url}/messages` with `Authorization: Bearer SECRET`. A GSM-7 segment travels as one septet per octet, a UCS-2
segment as UTF-16BE, both in hexadecimal, so that the phone shows what was really cut and encoded. The network
documents that it did not process what it answers 429, or 503 with `unreachable`; the latter stands for a refused
connection, which a server that must answer cannot show otherwise. Its callbacks carry `X-Simulator-Timestamp` and
`X-Simulator-Signature` (`bridge.gateways.callback.sign`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import httpx

from bridge import clock
from bridge.errors import Reason
from bridge.gateways.base import Gateway, Hook, HookRefused, HttpClients, Traits, outcome_of_error, outcome_of_status
from bridge.gateways.callback import check_signature, json_object, number_of, text_of, time_of
from bridge.sms import gsm7
from bridge.types import Encoding, HttpRequest, InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

_STATES = {status: MessageState(status) for status in ("sent", "delivered", "undelivered", "expired")}
_REASONS: Mapping[object, tuple[Reason | None, str]] = {
    None: (None, ""),
    "absent_subscriber": (Reason.ABSENT_SUBSCRIBER, "UNDELIV absent subscriber"),
    "validity_expired": (Reason.VALIDITY_EXPIRED, "EXPIRED validity period over"),
}


class SimulatorGateway(Gateway):
    """A connection to one simulated phone network; `timeout` in seconds covers each wait for the network."""

    traits = Traits(receipts=True, inbound=True)

    def __init__(
        self, name: str, url: str, secret: str, timeout: float, now: Callable[[], datetime] = clock.now
    ) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._secret = secret
        self._now = now
        self._clients = HttpClients(timeout, {"Authorization": f"Bearer {secret}"})

    async def submit(self, sms: OutboundSms) -> Outcome:
        encode = gsm7.encode if sms.encoding is Encoding.GSM7 else _utf16
        order = {
            "reference": sms.reference,
            "from": sms.sender,
            "to": sms.number,
            "encoding": sms.encoding.value,
            "segments": [encode(segment).hex() for segment in sms.segments],
        }
        try:
            return _outcome(await self._clients.next().post(f"{self._url}/messages", json=order))
        except httpx.HTTPError as error:
            return outcome_of_error(error)

    async def probe(self) -> str:
        try:
            status = (await self._clients.next().get(self._url)).status_code
        except httpx.HTTPError as error:
            return f"The simulated network does not answer ({type(error).__name__}). Start it, or correct its url."
        if status == 401:
            return "The simulated network does not know the secret. Give both sides the same one."
        return "" if status == 200 else f"The simulated network answers HTTP {status}. Correct its url."

    def hooks(self) -> Sequence[Hook]:
        return (Hook("receipts", self._read_receipt), Hook("inbound", self._read_inbound))

    def secrets(self) -> Sequence[str]:
        return (self._secret,)

    async def close(self) -> None:
        await self._clients.close()

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
                text=text_of(event, "text"),
                received_at=time_of(event, "time"),
                raw=request.body.decode(),
            ),
        )

    def _believe(self, request: HttpRequest) -> Mapping[str, object]:
        timestamp = request.headers.get("x-simulator-timestamp", "")
        signature = request.headers.get("x-simulator-signature", "")
        check_signature(self._secret, timestamp, signature, request.body, self._now())
        return json_object(request)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def _outcome(answer: httpx.Response) -> Outcome:
    try:
        body = answer.json()
    except ValueError:
        body = None
    said = body if isinstance(body, dict) else {}
    if answer.status_code == 201 and isinstance(said.get("id"), str):
        return Outcome(OutcomeKind.ACCEPTED, provider_id=said["id"])
    if answer.status_code == 422:
        return Outcome(OutcomeKind.REJECTED, reason=Reason.UNKNOWN_SUBSCRIBER, diagnostic="HTTP 422 unknown subscriber")
    if answer.status_code == 503 and said.get("error") == "unreachable":
        return Outcome(OutcomeKind.UNREACHABLE, diagnostic="HTTP 503 unreachable")
    pause = answer.headers.get("retry-after", "")
    return outcome_of_status(answer.status_code, float(pause) if pause.isdecimal() else None)
