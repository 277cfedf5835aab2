"""Infobip."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bridge.errors import Reason
from bridge.types import MessageState
from tests.gateways.cases import (
    EXPIRING,
    FLASH,
    LONG,
    NUMBER,
    PLAIN,
    PUBLIC_URL,
    REFERENCE,
    REJECTED,
    SENDER,
    THROTTLED,
    TOKEN,
    UNICODE,
    UNKNOWN,
    Call,
    Callback,
    Forged,
    Heard,
    Kind,
    Left,
    Order,
    Request,
    Says,
    Told,
    accepted,
    as_json,
    connection,
    money,
    outcome,
)
from tests.gateways.provider import Play

NAME = "infobip"

LOGIN = {"authorization": "App key"}
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"
DONE = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def request(text: str, **more: Any) -> Request:
    message = {
        "sender": SENDER[1:],
        "destinations": [{"to": NUMBER[1:], "messageId": REFERENCE}],
        "content": {"text": text},
        "webhooks": {
            "delivery": {"url": f"{PUBLIC_URL}/hooks/main/receipts/{TOKEN}"},
            "contentType": "application/json",
        },
        **more,
    }
    return Request("POST", "/sms/3/messages", LOGIN, {"messages": [message]})


def answer(group: int, name: str) -> Play:
    status = {"groupId": group, "groupName": "…", "id": 1, "name": name, "description": f"about {NUMBER}"}
    return Play(200, json.dumps({"bulkId": "b", "messages": [{"messageId": REFERENCE, "status": status}]}))


def report(group: int, name: str, error: str = "NO_ERROR") -> dict[str, Any]:
    """As the provider shows it, with the offset of its time written without a colon."""
    return {
        "bulkId": "b",
        "messageId": REFERENCE,
        "to": NUMBER[1:],
        "sender": SENDER[1:],
        "sentAt": "2026-11-21T10:29:00.000+0100",
        "doneAt": "2026-11-21T10:30:00.000+0100",
        "messageCount": 1,
        "price": {"pricePerMessage": 0.01, "currency": "EUR"},
        "status": {"groupId": group, "groupName": "…", "id": 5, "name": name, "description": "…"},
        "error": {"groupId": 0, "groupName": "OK", "id": 0, "name": error, "description": "…", "permanent": False},
    }


def receipt(
    group: int, name: str, state: MessageState | None, reason: Reason | None = None, error: str = ""
) -> Callback:
    call = as_json(RECEIPTS, {"results": [report(group, name, error or "NO_ERROR")]})
    events = () if state is None else (Told(REFERENCE, state, reason, REFERENCE, DONE, money("0.01", "EUR")),)
    return Callback(f"{name} {error}".strip(), call, events)


def priced(price: object, **more: Any) -> Call:
    told = report(3, "DELIVERED_TO_HANDSET") | {"price": {"pricePerMessage": price, "currency": "EUR"}, **more}
    return as_json(RECEIPTS, {"results": [told]})


def left(balance: str) -> str:
    return f'{{"balance": {balance}, "currency": "EUR"}}'


def linked(data: object) -> Call:
    """Infobip gives back what was sent with the text, or what was set for the number."""
    return as_json(INBOUND, {"results": [{**written("Sì"), "callbackData": data}]})


def written(text: str, number: str = NUMBER[1:]) -> dict[str, Any]:
    return {
        "messageId": "817790313235066447",
        "from": number,
        "to": SENDER[1:],
        "text": text,
        "cleanText": text,
        "keyword": "",
        "receivedAt": "2026-11-21T09:30:00.000+0000",
        "smsCount": 2,
    }


KIND = Kind(
    connection=connection(secret="key"),
    orders=[
        Order("plain", PLAIN, request(PLAIN.text)),
        Order("unicode", UNICODE, request(UNICODE.text)),
        Order("long", LONG, request(LONG.text)),
        Order(
            "of no use in two hours",
            EXPIRING,
            request(EXPIRING.text, options={"validityPeriod": {"amount": 120, "timeUnit": "MINUTES"}}),
        ),
        Order("flash", FLASH, request(FLASH.text, options={"flash": True})),
        Order(
            "flash, and of no use in two hours",
            replace(EXPIRING, flash=True),
            request(EXPIRING.text, options={"flash": True, "validityPeriod": {"amount": 120, "timeUnit": "MINUTES"}}),
        ),
    ],
    answers=[
        Says("taken", answer(1, "PENDING_ACCEPTED"), accepted(REFERENCE)),
        Says("number is no number", answer(5, "REJECTED_DESTINATION"), outcome(REJECTED, Reason.UNKNOWN_SUBSCRIBER)),
        Says("number on a block list", answer(5, "REJECTED_DESTINATION_BLOCKLISTED"), outcome(REJECTED, Reason.BARRED)),
        Says("sender not registered", answer(5, "REJECTED_SOURCE"), outcome(REJECTED, Reason.SENDER_REFUSED)),
        Says("too many texts to one phone", answer(5, "REJECTED_FLOODING_FILTER"), outcome(REJECTED, Reason.FILTERED)),
        Says("no credit", answer(5, "REJECTED_NOT_ENOUGH_CREDITS"), outcome(REJECTED)),
        Says("this reference came in before", answer(5, "REJECTED_DUPLICATE_MESSAGE_ID"), outcome(UNKNOWN)),
        Says("undeliverable at once", answer(2, "UNDELIVERABLE_REJECTED_OPERATOR"), outcome(REJECTED)),
        Says("a group we do not know", answer(9, "NEW"), outcome(UNKNOWN)),
        Says("malformed", Play(400, '{"errorCode": "E400"}'), outcome(REJECTED)),
        Says("wrong key", Play(401, '{"errorCode": "E401"}'), outcome(REJECTED)),
        Says("key without the right", Play(403, '{"errorCode": "E403"}'), outcome(REJECTED)),
        Says("too fast", Play(429, '{"errorCode": "E429"}', {"Retry-After": "3"}), outcome(THROTTLED, retry_after=3.0)),
        Says("broken", Play(500, '{"errorCode": "E500"}'), outcome(UNKNOWN)),
        Says("taken, but it does not say what", Play(200, '{"messages": []}'), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/sms/3/logs?limit=1", LOGIN),
    statement=Request("GET", "/account/1/balance", LOGIN),
    balances=[Left("in euros", left("47.79134"), money("47.79134", "EUR"))],
    left=left,
    priced_call=priced,
    linked=linked,
    believing={"links": "yes"},
    callbacks=[
        Callback(
            "two parts, and the price of one of them or of both",
            priced(0.01, messageCount=2),
            (Told(REFERENCE, MessageState.DELIVERED, None, REFERENCE, DONE),),
        ),
        Callback(
            "a price that is none",
            as_json(RECEIPTS, {"results": [report(3, "DELIVERED_TO_HANDSET") | {"price": "cheap"}]}),
            (Told(REFERENCE, MessageState.DELIVERED, None, REFERENCE, DONE),),
        ),
        receipt(1, "PENDING_ACCEPTED", None),
        receipt(1, "PENDING_ENROUTE", MessageState.SENT),
        receipt(1, "PENDING_WAITING_DELIVERY", MessageState.SENT),
        receipt(3, "DELIVERED_TO_OPERATOR", MessageState.SENT),
        receipt(3, "DELIVERED_TO_HANDSET", MessageState.DELIVERED),
        receipt(
            2,
            "UNDELIVERABLE_NOT_DELIVERED",
            MessageState.UNDELIVERED,
            Reason.ABSENT_SUBSCRIBER,
            "EC_ABSENT_SUBSCRIBER_SM",
        ),
        receipt(
            2,
            "UNDELIVERABLE_REJECTED_OPERATOR",
            MessageState.UNDELIVERED,
            Reason.UNKNOWN_SUBSCRIBER,
            "EC_UNKNOWN_SUBSCRIBER",
        ),
        receipt(2, "UNDELIVERABLE_NOT_SENT", MessageState.FAILED),
        receipt(4, "EXPIRED_EXPIRED", MessageState.EXPIRED, Reason.VALIDITY_EXPIRED),
        receipt(4, "EXPIRED_DLR_UNKNOWN", None),
        receipt(4, "SIGNALS_BLOCKED", MessageState.FAILED, Reason.FILTERED),
        receipt(5, "REJECTED_NETWORK", MessageState.FAILED),
        receipt(5, "REJECTED_DND", MessageState.FAILED, Reason.BARRED),
        receipt(5, "REJECTED_SENDER", MessageState.FAILED, Reason.SENDER_REFUSED),
        receipt(5, "A_NEW_STATUS", MessageState.FAILED),
        Callback(
            "two reports at once",
            as_json(
                RECEIPTS,
                {
                    "results": [
                        report(3, "DELIVERED_TO_HANDSET"),
                        {"messageId": "other", "status": {"groupId": 5, "name": "REJECTED_SOURCE"}},
                    ]
                },
            ),
            (
                Told(REFERENCE, MessageState.DELIVERED, None, REFERENCE, DONE, money("0.01", "EUR")),
                Told("other", MessageState.FAILED, Reason.SENDER_REFUSED, "other"),
            ),
        ),
        Callback("no report at all", as_json(RECEIPTS, {"results": []}), ()),
        Callback(
            "a phone writes",
            as_json(INBOUND, {"results": [written("Sì, va bene")], "messageCount": 1}),
            (Heard(NUMBER, SENDER, "Sì, va bene", DONE),),
            says="",
        ),
        Callback(
            "a phone writes a long answer in Unicode",
            as_json(INBOUND, {"results": [written("Спасибо ☎ " * 20)]}),
            (Heard(NUMBER, SENDER, "Спасибо ☎ " * 20, DONE),),
        ),
        Callback(
            "a phone writes nothing",
            as_json(INBOUND, {"results": [written("")]}),
            (Heard(NUMBER, SENDER, "", DONE),),
        ),
        Callback("what it answers is not believed unasked", linked(REFERENCE), (Heard(NUMBER, SENDER, "Sì", DONE),)),
    ],
    forged=[
        Forged("path without its token", as_json("/receipts", {"results": [report(3, "DELIVERED_TO_HANDSET")]}), 404),
        Forged("token of nobody", as_json(f"/receipts/{TOKEN[::-1]}", {"results": []}), 404),
        Forged("a reply as a receipt", as_json(RECEIPTS, {"results": [written("Sì")]}), 400),
        Forged("unknown group", as_json(RECEIPTS, {"results": [report(7, "NEW")]}), 400),
        Forged("a group that is a list", as_json(RECEIPTS, {"results": [{**report(3, "X"), "status": []}]}), 400),
        Forged("no list", as_json(RECEIPTS, {"results": {}}), 400),
        Forged("no time", as_json(INBOUND, {"results": [{**written("Sì"), "receivedAt": "today"}]}), 400),
        Forged("a sender that is no text", as_json(INBOUND, {"results": [written("x", "\n" * 30)]}), 400),
    ],
)
