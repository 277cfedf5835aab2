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

from bridge.errors import Reason, SettingsError
from bridge.gateways.base import Doubt, Evidence, Hook, Poll, SenderKind, Traits
from bridge.gateways.callback import fields_of, raw_of, text_of, told_by
from bridge.gateways.connection import Connection, Option
from bridge.gateways.http import HttpGateway
from bridge.gateways.money import balance_of
from bridge.gateways.orders import Answer, Order, accepted, code_of, json_order, unclear
from bridge.gateways.skebby_answers import ANSWER_OPTIONS, Answers
from bridge.gateways.skebby_login import LOGINS, Login
from bridge.types import CREDITS, Encoding, HttpRequest, MessageState, Money, OutboundSms, Outcome, OutcomeKind, Receipt

MISSED_FOR = timedelta(minutes=10)
"""How long an order must be unknown to Skebby before it counts as one that never came in; it may come in late."""

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
        *ANSWER_OPTIONS,
    )
    traits = Traits(
        receipts=True,
        inbound=True,
        lookup=True,
        balance=True,
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
        self._answers = Answers(connection, self.option, self.exchange)

    def order(self, sms: OutboundSms) -> Order:
        self._missing.pop(sms.reference, None)  # what was asked about an earlier try says nothing of this one
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
            return self.refused(answer, code_of(answer.at("result")))
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

    def inquiry(self, message: Doubt) -> Order:
        return Order("GET", f"{self.connection.url}/sms/{quote(message.reference, safe='')}")

    def found(self, message: Doubt, answer: Answer) -> Outcome:
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

    def statement(self) -> Order:
        return Order("GET", f"{self.connection.url}/status?getMoney=true&typeAliases=true")

    def left(self, answer: Answer) -> Money | None:
        """Money, or where an account has none, how many texts of our quality were bought."""
        if answer.at("money") is not None:
            return balance_of(answer.at("money"))
        bought = answer.at("sms")
        kinds = [each for each in bought if isinstance(each, dict)] if isinstance(bought, list) else []
        ours = next((each for each in kinds if each.get("type") == self.option("message_type")), {})
        return balance_of(ours.get("quantity"), CREDITS)

    def hooks(self) -> Sequence[Hook]:
        return (self.unsigned("receipts", self._receipt),)

    def _missed(self, reference: str) -> Outcome:
        now = self.connection.now()
        self._missing = {each: since for each, since in self._missing.items() if now - since < timedelta(days=2)}
        if now - self._missing.setdefault(reference, now) < MISSED_FOR:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic="Skebby does not know the order yet")
        return Outcome(OutcomeKind.REJECTED, diagnostic="Skebby does not know the order")

    def polls(self) -> Sequence[Poll]:
        return (Poll("answers", 30.0, self._answers.read),) if self.option("sim") else ()

    def _receipt(self, request: HttpRequest) -> Sequence[Receipt]:
        event = fields_of(request)
        order_id, status = text_of(event, "order_id"), text_of(event, "status")
        state, reason = told_by(_STATES, status) or (None, None)
        return self.receipt(raw_of(request), state, order_id, status, reference=order_id, reason=reason)


_NO_LOGIN = Answer(401, {}, b"")
