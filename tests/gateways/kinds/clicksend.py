"""ClickSend."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bridge.errors import Reason
from bridge.types import MessageState
from tests.gateways.cases import (
    LONG,
    NOW,
    NUMBER,
    PLAIN,
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
    connection,
    form,
    money,
    outcome,
    query,
)
from tests.gateways.provider import Play

NAME = "clicksend"

LOGIN = {"authorization": "Basic Y2xpbmljOkFCQy1ERUY="}
ID = "BF7AD270-0DE2-418B-B606-71D527D9C1AE"
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"
AT = datetime.fromtimestamp(1795255140, UTC)


def request(text: str) -> Request:
    message = {"to": NUMBER, "from": SENDER, "body": text, "custom_string": REFERENCE}
    return Request("POST", "/v3/sms/send", LOGIN, {"messages": [message]})


def answer(status: str, **more: Any) -> Play:
    """As ClickSend documents it: the request went well, the message has a status of its own."""
    message = {"to": NUMBER, "from": SENDER, "message_id": ID, "message_parts": 1, "status": status, **more}
    data = {"total_count": 1, "queued_count": 1, "messages": [message]}
    told = {"http_code": 200, "response_code": "SUCCESS", "response_msg": "Messages queued.", "data": data}
    return Play(200, json.dumps(told))


def priced(price: str) -> Play:
    """As ClickSend's page for sending shows it; the one for prices writes `_currency`."""
    message = f'{{"message_id": "{ID}", "message_parts": 1, "message_price": {price}, "status": "SUCCESS"}}'
    return Play(200, f'{{"data": {{"currency": {{"currency_name_short": "USD"}}, "messages": [{message}]}}}}')


def left(balance: str) -> str:
    return f'{{"data": {{"user_id": 116, "balance": {balance}, "_currency": {{"currency_name_short": "AUD"}}}}}}'


def error(status: int, code: str, headers: dict[str, str] | None = None) -> Play:
    told = {"http_code": status, "response_code": code, "response_msg": "…", "data": None}
    return Play(status, json.dumps(told), headers or {})


def report(code: str, status: str, target: str = RECEIPTS, **more: str) -> Call:
    fields = {"message_id": ID, "status_code": code, "status": status, "status_text": "…", "message_type": "sms"}
    return form(target, None, **{**fields, "timestamp": "1795255140", "custom_string": REFERENCE, **more})


def receipt(name: str, call: Call, state: MessageState, reason: Reason | None = None) -> Callback:
    return Callback(name, call, (Told(ID, state, reason, REFERENCE, AT),))


def written(text: str, target: str = INBOUND, **more: str) -> Call:
    fields = {"message_id": ID, "from_": NUMBER, "to": SENDER, "body": text, "timestamp": "1795255140"}
    return form(target, None, **{**fields, "original_message_id": "", "custom_string": "", **more})


def linked(reference: object) -> Call:
    named = str(reference).encode("utf-8", "replace").decode()
    return written("Sì", custom_string=named, original_message_id=ID)


KIND = Kind(
    connection=connection(account="clinic", secret="ABC-DEF"),
    path="/v3",
    orders=[
        Order("plain", PLAIN, request(PLAIN.text)),
        Order("unicode", UNICODE, request(UNICODE.text)),
        Order("long", LONG, request(LONG.text)),
    ],
    answers=[
        Says("taken", answer("SUCCESS"), accepted(ID)),
        Says("taken, and what it costs", priced('"0.0770"'), accepted(ID, money("0.0770", "USD"))),
        Says("no phone", answer("INVALID_RECIPIENT"), outcome(REJECTED, Reason.UNKNOWN_SUBSCRIBER)),
        Says("country not enabled", answer("COUNTRY_NOT_ENABLED"), outcome(REJECTED, Reason.COUNTRY_NOT_ALLOWED)),
        Says("sender refused", answer("INVALID_SENDER_ID"), outcome(REJECTED, Reason.SENDER_REFUSED)),
        Says("no credit", answer("INSUFFICIENT_CREDIT"), outcome(REJECTED)),
        Says("the same text a moment ago", answer("THROTTLED"), outcome(THROTTLED)),
        Says("failed, nobody knows where", answer("FAILED"), outcome(UNKNOWN)),
        Says("no message in the answer", Play(200, '{"data":{"messages":[]}}'), outcome(UNKNOWN)),
        Says("wrong key", error(401, "UNAUTHORIZED"), outcome(REJECTED)),
        Says("bad request", error(400, "BAD_REQUEST"), outcome(REJECTED)),
        Says("too fast", error(429, "TOO_MANY_REQUESTS", {"Retry-After": "2"}), outcome(THROTTLED, retry_after=2.0)),
        Says("broken", error(500, "INTERNAL_SERVER_ERROR"), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/v3/account", LOGIN),
    statement=Request("GET", "/v3/account", LOGIN),
    balances=[
        Left("in dollars", left('"4.998000"'), money("4.998000", "AUD")),
        Left("without a currency", '{"data": {"balance": "4.998000", "_currency": null}}', money("4.998000")),
    ],
    left=left,
    priced=priced,
    linked=linked,
    believing={"links": "yes"},
    callbacks=[
        receipt("on its way", report("200", "Sent"), MessageState.SENT),
        receipt("delivered", report("201", "Delivered"), MessageState.DELIVERED),
        Callback("waiting", report("200", "Queued"), ()),
        Callback("waiting for a person", report("200", "WaitApproval"), ()),
        Callback("will be tried again", report("300", "Failed", error_code="16"), ()),
        receipt("not delivered", report("301", "Failed"), MessageState.UNDELIVERED),
        receipt("cancelled", report("301", "Cancelled", error_code="5"), MessageState.FAILED),
        receipt(
            "cancelled for its words",
            report(
                "", "CancelledAfterReview", error_text="The message was canceled by ClickSend staff as its content…"
            ),
            MessageState.FAILED,
            Reason.FILTERED,
        ),
        *(
            receipt(words, report("301", "Failed", error_code="8", error_text=words), MessageState.UNDELIVERED, reason)
            for words, reason in {
                "Unknown subscriber. Number is inactive or invalid": Reason.UNKNOWN_SUBSCRIBER,
                "Absent Subscriber. Phone is out of range or switched off.": Reason.ABSENT_SUBSCRIBER,
                "Anti-spam rejection by recipient network": Reason.FILTERED,
                "Network routing error": None,
            }.items()
        ),
        Callback(
            "no receipt of the network", report("301", "Failed", error_text="Message delivery receipt expired"), ()
        ),
        Callback(
            "in the query of a GET, without reference and time",
            query(RECEIPTS, message_id=ID, status_code="201", status="Delivered"),
            (Told(ID, MessageState.DELIVERED),),
        ),
        Callback("a phone writes", written("Sì, va bene"), (Heard(NUMBER, SENDER, "Sì, va bene", AT),)),
        Callback(
            "a phone writes a long answer in Unicode",
            written("Спасибо ☎ " * 20),
            (Heard(NUMBER, SENDER, "Спасибо ☎ " * 20, AT),),
        ),
        Callback("what it answers is not believed unasked", linked(REFERENCE), (Heard(NUMBER, SENDER, "Sì", AT),)),
        Callback("nothing but a time that is none", written("", timestamp="now"), (Heard(NUMBER, SENDER, "", NOW),)),
    ],
    forged=[
        Forged("no token", report("201", "Delivered", "/receipts"), 404),
        Forged("guessed token", report("201", "Delivered", "/receipts/guess"), 404),
        Forged("unknown status", report("999", "Lost"), 400),
        Forged("no id", form(RECEIPTS, status_code="201"), 400),
        Forged("an answer where receipts go", written("Sì", RECEIPTS), 400),
        Forged("a receipt where answers go", report("201", "Delivered", INBOUND), 400),
    ],
)
