"""Skebby, with the keys of a login at hand; how it logs in and polls stands in `tests/gateways/test_skebby.py`."""

from __future__ import annotations

from bridge.errors import Reason
from bridge.types import CREDITS, MessageState
from tests.gateways.cases import (
    LONG,
    NUMBER,
    PLAIN,
    REFERENCE,
    REJECTED,
    SENDER,
    THROTTLED,
    TOKEN,
    UNICODE,
    UNKNOWN,
    Callback,
    Forged,
    Kind,
    Left,
    Order,
    Request,
    Says,
    Told,
    accepted,
    as_json,
    connection,
    form,
    money,
    outcome,
    query,
)
from tests.gateways.provider import Play

NAME = "skebby"

BASE = "/API/v1.0/REST"
KEYS = {"user_key": "USER", "access_token": "TOKEN"}
RECEIPTS = f"/receipts/{TOKEN}"
OK = f'{{"result": "OK", "order_id": "{REFERENCE}", "total_sent": 1}}'

FIELDS = {
    "message_type": "GP",
    "recipient": [NUMBER],
    "sender": SENDER,
    "order_id": REFERENCE,
    "encoding": "gsm",
}


def receipt(status: str, *events: tuple[MessageState, Reason | None]) -> Callback:
    """A status, and what it tells."""
    call = form(RECEIPTS, order_id=REFERENCE, status=status, recipient=NUMBER, delivery_date="20261121110000")
    return Callback(status, call, tuple(Told(REFERENCE, state, reason, REFERENCE) for state, reason in events))


def left(money: str) -> str:
    return f'{{"money": {money}, "sms": [], "email": null}}'


KIND = Kind(
    connection=connection(account="USER", secret="TOKEN", options={"login": "key"}),
    path=BASE,
    orders=[
        Order("plain", PLAIN, Request("POST", f"{BASE}/sms", KEYS, {**FIELDS, "message": PLAIN.text})),
        Order(
            "unicode",
            UNICODE,
            Request("POST", f"{BASE}/sms", KEYS, {**FIELDS, "message": UNICODE.text, "encoding": "ucs2"}),
        ),
        Order("long", LONG, Request("POST", f"{BASE}/sms", KEYS, {**FIELDS, "message": LONG.text})),
    ],
    answers=[
        Says("taken", Play(201, OK), accepted(REFERENCE)),
        Says("taken, and nothing sent", Play(201, OK.replace("1}", "0}")), outcome(REJECTED)),
        Says("refused in a 201", Play(201, '{"result": "INSUFFICIENT_CREDIT"}'), outcome(REJECTED)),
        Says("taken, but it does not say as what", Play(201, '{"result": "OK"}'), outcome(UNKNOWN)),
        Says("invalid", Play(400, '{"result": "INVALID_RECIPIENT"}'), outcome(REJECTED)),
        Says("keys are wrong", Play(401, ""), outcome(REJECTED)),
        Says("no such user", Play(404, ""), outcome(REJECTED)),
        Says("too fast", Play(429, "", {"Retry-After": "5"}), outcome(THROTTLED, retry_after=5.0)),
        Says("broken", Play(500, ""), outcome(UNKNOWN)),
    ],
    question=Request("GET", f"{BASE}/status", KEYS),
    statement=Request("GET", f"{BASE}/status?getMoney=true&typeAliases=true", KEYS),
    balances=[
        Left("money", left("9.95"), money("9.95")),
        Left(
            "texts of our quality",
            '{"money": null, "sms": [{"type": "SI", "quantity": 4}, {"type": "GP", "quantity": 120}]}',
            money("120", CREDITS),
        ),
        Left("texts of another quality", '{"money": null, "sms": [{"type": "SI", "quantity": 4}, 7]}', None),
    ],
    left=left,
    callbacks=[
        receipt("WAITING"),
        receipt("SCHEDULED"),
        receipt("SENT", (MessageState.SENT, None)),
        receipt("WAIT4DLVR", (MessageState.SENT, None)),
        receipt("DLVRD", (MessageState.DELIVERED, None)),
        receipt("TIMEOUT", (MessageState.EXPIRED, Reason.VALIDITY_EXPIRED)),
        receipt("ERROR", (MessageState.FAILED, None)),
        receipt("KO", (MessageState.FAILED, Reason.PROVIDER_REFUSED)),
        receipt("TOOM4NUM", (MessageState.FAILED, Reason.PROVIDER_REFUSED)),
        receipt("TOOM4USER", (MessageState.FAILED, Reason.PROVIDER_REFUSED)),
        receipt("UNKNRCPT", (MessageState.FAILED, Reason.UNKNOWN_SUBSCRIBER)),
        receipt("UNKNPFX", (MessageState.FAILED, Reason.UNKNOWN_SUBSCRIBER)),
        receipt("INVALIDDST", (MessageState.FAILED, Reason.UNKNOWN_SUBSCRIBER)),
        receipt("INVALIDCONTENTS", (MessageState.FAILED, Reason.FILTERED)),
        receipt("BLACKLISTED", (MessageState.FAILED, Reason.OPTED_OUT)),
        receipt("DEMO", (MessageState.FAILED, Reason.PROVIDER_REFUSED)),
        Callback(
            "in the query",
            query(RECEIPTS, order_id=REFERENCE, status="DLVRD", recipient=NUMBER),
            (Told(REFERENCE, MessageState.DELIVERED, None, REFERENCE),),
        ),
    ],
    forged=[
        Forged("without the token", form("/receipts", order_id=REFERENCE, status="DLVRD"), 404),
        Forged("with a guessed token", form(f"/receipts/{'x' * 32}", order_id=REFERENCE, status="DLVRD"), 404),
        Forged("for another path", form(f"/answers/{TOKEN}", order_id=REFERENCE, status="DLVRD"), 404),
        Forged("unknown status", form(RECEIPTS, order_id=REFERENCE, status="LOST"), 400),
        Forged("no order", form(RECEIPTS, status="DLVRD"), 400),
        Forged("JSON", as_json(RECEIPTS, {"order_id": REFERENCE, "status": "DLVRD"}), 400),
    ],
)
