"""Skebby: JSON out under our own order id, a state to look up, receipts by an unsigned callback, answers by polling.

https://developers.skebby.it, read through clients of others and through the pages of its white-label sibling
(https://github.com/smsend/REST-API: same paths, same statuses). That a receipt has the fields `order_id` and `status`
is documented at another sibling only (Aruba SMS). How a polled answer looks is documented nowhere: its names are
options. Times come without a zone, so none is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

import httpx
import structlog

from bridge.errors import Reason, SettingsError
from bridge.gateways.base import Doubt, Evidence, Hook, HookRefused, Poll, Polled, PollRefused, SenderKind, Traits
from bridge.gateways.callback import fields_of, phone_of, text_of, words_of
from bridge.gateways.connection import Connection, Option
from bridge.gateways.http import Answer, HttpGateway, Order, accepted, code_of, json_order, unclear
from bridge.gateways.skebby_login import LOGINS, Login
from bridge.types import (
    Encoding,
    HttpRequest,
    InboundSms,
    MessageState,
    OutboundSms,
    Outcome,
    OutcomeKind,
    Receipt,
)

PAGE = 100
"""Answers that one look brings at the most."""

MISSED_FOR = timedelta(minutes=10)
"""How long an order must be unknown to Skebby before it counts as one that never came in; it may come in late."""

log = structlog.get_logger("bridge.gateways.skebby")

_NUMBER_REFUSED = (MessageState.FAILED, Reason.UNKNOWN_SUBSCRIBER)
_TOO_MANY = (MessageState.FAILED, Reason.PROVIDER_REFUSED)
_STATES: Mapping[str, tuple[MessageState, Reason | None] | None] = {
    "WAITING": None,
    "SCHEDULED": None,
    "SENT": (MessageState.SENT, None),
    "WAIT4DLVR": (MessageState.SENT, None),
    "DLVRD": (MessageState.DELIVERED, None),
    "TIMEOUT": (MessageState.EXPIRED, Reason.VALIDITY_EXPIRED),
    "ERROR": (MessageState.FAILED, None),
    "KO": (MessageState.FAILED, Reason.PROVIDER_REFUSED),
    "TOOM4NUM": _TOO_MANY,
    "TOOM4USER": _TOO_MANY,
    "UNKNRCPT": _NUMBER_REFUSED,
    "UNKNPFX": _NUMBER_REFUSED,
    "INVALIDDST": _NUMBER_REFUSED,
    "INVALIDCONTENTS": (MessageState.FAILED, Reason.FILTERED),
    "BLACKLISTED": (MessageState.FAILED, Reason.OPTED_OUT),
    "DEMO": (MessageState.FAILED, Reason.PROVIDER_REFUSED),
}
"""What each status tells; None: nothing new. An account that is a demo sends nothing."""


class Skebby(HttpGateway):
    """A connection to Skebby; `account` and `secret` are the login, or user key and token with `login = "key"`."""

    kind = "skebby"
    title = "Skebby"
    base_url = "https://api.skebby.it/API/v1.0/REST"
    options = (
        Option(
            "message_type",
            "quality of the texts; only GP has receipts, and SI takes one part and no sender",
            "GP",
            ("GP", "TI", "SI", "EE", "AD"),
        ),
        Option(
            "login",
            "what a login brings: a session, a token; key: account and secret are key and token",
            "session",
            (*LOGINS, "key"),
        ),
        Option("sim", "your number at Skebby that phones answer to, with its plus; empty: answers are not fetched", ""),
        Option("first_answer", "id of the answer after which to begin; empty: with what comes from now on", ""),
        Option("answer_list", "key of the list of answers, where the list is not all there is", "messages"),
        Option("answer_id", "key of an answer's id", "id"),
        Option("answer_from", "key of the phone that answers", "phoneNumber"),
        Option("answer_text", "key of what it writes", "text"),
    )

    traits = Traits(
        receipts=True,
        inbound=True,
        lookup=True,
        senders=frozenset({SenderKind.NUMBER, SenderKind.NAME}),
        evidence=Evidence.UNVERIFIED,
    )

    def __init__(self, connection: Connection) -> None:
        """Raises SettingsError for an option that cannot be meant."""
        super().__init__(connection)
        for name, meant, remedy in (
            ("sim", r"(\+[1-9][0-9]{6,14})?", "write the number with plus and country code"),
            ("first_answer", r"[0-9]{0,18}", "write the id of an answer, which is a number"),
        ):
            if not re.fullmatch(meant, self.option(name)):
                raise SettingsError(f"gateways.{self.name}.options.{name}", f'"{self.option(name)}"', remedy)
        self.traits = replace(
            self.traits, receipts=self.option("message_type") == "GP", inbound=bool(self.option("sim"))
        )
        self._missing: dict[str, datetime] = {}
        """Orders that Skebby did not know, and since when."""
        self._login = Login(connection, self.option("login"), super().exchange)

    def order(self, sms: OutboundSms) -> Order:
        value: dict[str, object] = {
            "message_type": self.option("message_type"),
            "message": sms.text,
            "recipient": [sms.number],
            "order_id": sms.reference,
            "encoding": "gsm" if sms.encoding is Encoding.GSM7 else "ucs2",
        }
        if self.option("message_type") != "SI":
            value["sender"] = sms.sender
        return json_order(f"{self.connection.url}/sms", value, {})

    def outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            refusal, code = self.refused(answer), code_of(answer.at("result"))
            return replace(refusal, diagnostic=f"{refusal.diagnostic} {code}".strip())
        result, order_id, sent = answer.at("result"), answer.at("order_id"), answer.at("total_sent")
        if result == "OK" and sent == 0:
            return Outcome(OutcomeKind.REJECTED, diagnostic="Skebby took the order and sent nothing")
        if result == "OK" and order_id:
            return accepted(order_id)
        if isinstance(result, str) and result != "OK":
            return Outcome(OutcomeKind.REJECTED, diagnostic=f"Skebby {code_of(result)}".strip())
        return unclear(answer)

    def question(self) -> Order:
        return Order("GET", f"{self.connection.url}/status")

    async def exchange(self, order: Order) -> Answer:
        """Make one request with the keys of a login. A session that has ended is renewed once: what is answered 401
        was not looked at. A login that is refused is the answer to whatever was asked."""
        keys = await self._login.keys()
        answer = await super().exchange(replace(order, headers={**order.headers, **keys})) if keys else _NO_LOGIN
        if answer.status == 401 and keys and self._login.renews:
            keys = await self._login.keys(instead_of=keys)
            answer = await super().exchange(replace(order, headers={**order.headers, **keys})) if keys else _NO_LOGIN
        return answer

    async def lookup(self, message: Doubt) -> Outcome:
        try:
            answer = await self.exchange(Order("GET", f"{self.connection.url}/sms/{quote(message.reference, safe='')}"))
        except httpx.HTTPError as error:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=type(error).__name__)
        if answer.status == 404:
            return self._missed(message.reference)
        self._missing.pop(message.reference, None)
        status = answer.at("recipients", 0, "status")
        if not answer.ok or not isinstance(status, str) or status not in _STATES:
            return unclear(answer)
        state, reason = _STATES[status] or (MessageState.SENT, None)
        if state is MessageState.FAILED:
            return Outcome(OutcomeKind.REJECTED, reason=reason, diagnostic=f"Skebby {status}")
        return accepted(message.reference)

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipt),)

    def _missed(self, reference: str) -> Outcome:
        now = self.connection.now()
        self._missing = {each: since for each, since in self._missing.items() if now - since < timedelta(days=2)}
        if now - self._missing.setdefault(reference, now) < MISSED_FOR:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic="Skebby does not know the order yet")
        return Outcome(OutcomeKind.REJECTED, diagnostic="Skebby does not know the order")

    def polls(self) -> Sequence[Poll]:
        return (Poll("answers", 30.0, self._read_answers),) if self.option("sim") else ()

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = fields_of(request)
        order_id, status = text_of(event, "order_id"), text_of(event, "status")
        if status not in _STATES:
            raise HookRefused(400, "The receipt has a status that this gateway does not know.")
        told = _STATES[status]
        if told is None:
            return ()
        return (
            Receipt(
                gateway=self.name,
                provider_id=order_id,
                reference=order_id,
                state=told[0],
                event_id=f"{order_id}:{status}",
                reason=told[1],
                diagnostic=f"Skebby {status}",
                raw=request.body.decode() or request.target.partition("?")[2],
            ),
        )

    async def _read_answers(self, cursor: str) -> Polled:
        """Answers after the one whose id is the cursor.

        What phones had written before the bridge looked for the first time is passed over, page by page: the cursor
        says `skip` until its end is reached.
        """
        first = self.option("first_answer")
        skip, _, last = (cursor or (f" {first}" if first else "skip 0")).rpartition(" ")
        url = f"{self.connection.url}/srsmshistory/{quote(self.option('sim'), safe='+')}/{last}?limit={PAGE}"
        answer = await self.exchange(Order("GET", url))
        value = answer.json()
        found = value.get(self.option("answer_list")) if isinstance(value, dict) else value
        if answer.status != 200 or not isinstance(found, list):
            raise PollRefused(
                f"Skebby answers HTTP {answer.status} where a list of answers is. See option answer_list."
            )
        ids = [_id_of(each, self.option("answer_id")) for each in found]
        newest, full = max([int(last), *ids]), len(found) >= PAGE and max(ids) > int(last)
        if skip:
            return Polled((), f"skip {newest}" if full else str(newest), more=full)
        new = {number: each for number, each in sorted(zip(ids, found, strict=True), key=_first) if number > int(last)}
        readable = [event for event in (self._answer(each, number) for number, each in new.items()) if event]
        if new and not readable:
            raise PollRefused("No answer has a phone and a text where Skebby was said to put them. See answer_from.")
        return Polled(readable, str(newest), more=full)

    def _answer(self, value: Mapping[str, object], number: int) -> InboundSms | None:
        """None for what has no phone that could be answered; that alone must not stop those behind it."""
        try:
            phone, text = phone_of(value, self.option("answer_from")), words_of(value, self.option("answer_text"))
        except HookRefused as refused:
            log.warning("skebby.unreadable_answer", gateway=self.name, answer=number, why=str(refused))
            return None
        return InboundSms(
            gateway=self.name,
            event_id=str(number),
            number=phone,
            to=self.option("sim"),
            text=text,
            received_at=self.connection.now(),
        )


_NO_LOGIN = Answer(401, {}, b"")


def _first(pair: tuple[int, object]) -> int:
    return pair[0]


def _id_of(value: object, key: str) -> int:
    number = value.get(key) if isinstance(value, dict) else None
    if isinstance(number, str) and number.isascii() and number.isdecimal():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 63:
        raise PollRefused("An answer has no id where Skebby was said to put it. See option answer_id.")
    return number
