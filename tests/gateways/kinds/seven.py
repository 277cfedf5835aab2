"""seven.io."""

from __future__ import annotations

import hashlib
import hmac
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
    NOW,
    NUMBER,
    PLAIN,
    PUBLIC_URL,
    REFERENCE,
    REJECTED,
    SENDER,
    THROTTLED,
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

NAME = "seven"

LOGIN = {"x-api-key": "api-key"}
FIELDS = {"to": NUMBER, "from": SENDER[1:], "foreign_id": REFERENCE, "json": "1"}
ID = "77149843739"


def request(text: str, **more: str) -> Request:
    return Request("POST", "/api/sms", LOGIN, {**FIELDS, "text": text, **more})


def answer(whole: str, **message: Any) -> Play:
    told = {"id": ID, "sender": SENDER, "recipient": NUMBER[1:], "text": "…", "success": True, "error": None}
    return Play(200, json.dumps({"success": whole, "total_price": 0.075, "messages": [{**told, **message}]}))


def priced(price: str) -> Play:
    return Play(200, f'{{"success": "100", "total_price": {price}, "messages": [{{"id": "{ID}", "success": true}}]}}')


def failed(code: str) -> Play:
    return answer("101", id=None, success=False, error=code, error_text="…")


def signed(call: Call, key: str = "signing key", moment: str = str(int(NOW.timestamp())), verb: str = "POST") -> Call:
    """As seven.io documents it: time, nonce, method, address, MD5 of the body."""
    url = f"{PUBLIC_URL}/hooks/main{call.target}"
    lines = "\n".join((moment, "n" * 32, verb, url, hashlib.md5(call.body).hexdigest()))
    signature = hmac.new(key.encode(), lines.encode(), hashlib.sha256).hexdigest()
    proof = {"x-signature": signature, "x-timestamp": moment, "x-nonce": "n" * 32}
    return replace(call, headers={**call.headers, **proof})


def report(status: str, target: str = "/receipts", **more: Any) -> Call:
    data = {"msg_id": ID, "status": status, "timestamp": "2026-11-21 10:59:00.000000", **more}
    envelope = {"data": data, "webhook_event": "dlr", "webhook_timestamp": "2026-11-21T10:59:00+01:00"}
    return as_json(target, envelope)


def receipt(status: str, state: MessageState | None) -> Callback:
    return Callback(status, signed(report(status)), () if state is None else (Told(ID, state),))


def written(text: str, target: str = "/inbound", **more: Any) -> Call:
    data = {"id": "681590", "sender": NUMBER[1:], "system": SENDER[1:], "text": text, "time": "1795255140"}
    envelope = {"webhook_event": "sms_mo", "webhook_timestamp": "2026-11-21 10:59:00"}
    return as_json(target, {"data": {**data, "message_type": "SMS", **more}, **envelope})


AT = datetime.fromtimestamp(1795255140, UTC)

KIND = Kind(
    connection=connection(secret="api-key", webhook_secret="signing key"),
    path="/api",
    orders=[
        Order("plain", PLAIN, request(PLAIN.text)),
        Order("unicode", UNICODE, request(UNICODE.text)),
        Order("long", LONG, request(LONG.text)),
        Order("of no use in two hours", EXPIRING, request(EXPIRING.text, ttl="120")),
        Order("flash", FLASH, request(FLASH.text, flash="1")),
    ],
    answers=[
        Says("taken", answer("100"), accepted(ID, money("0.075"))),
        Says("refused for this phone", failed("202"), outcome(REJECTED, Reason.UNKNOWN_SUBSCRIBER)),
        Says("sender refused", failed("306"), outcome(REJECTED, Reason.SENDER_REFUSED)),
        Says("the same text a moment ago", failed("402"), outcome(REJECTED, Reason.FILTERED)),
        Says("too much for this phone today", failed("403"), outcome(REJECTED)),
        Says("no credit", failed("500"), outcome(REJECTED)),
        Says("broke on the way", failed("600"), outcome(UNKNOWN)),
        Says("broke nobody knows where", failed("700"), outcome(UNKNOWN)),
        Says("failed without a code", answer("101", success=False), outcome(UNKNOWN)),
        Says("the whole request is refused", Play(200, '{"success": "305"}'), outcome(REJECTED)),
        Says("too long", Play(200, '{"success": "401"}'), outcome(REJECTED, Reason.TOO_MANY_SEGMENTS)),
        Says("wrong key, in a body that is only a code", Play(200, "900"), outcome(REJECTED)),
        Says("wrong address, in a body that is only a text", Play(200, '"903"'), outcome(REJECTED)),
        Says("wrong key", Play(401, "900"), outcome(REJECTED)),
        Says("too fast", Play(429, "", {"Retry-After": "2"}), outcome(THROTTLED, retry_after=2.0)),
        Says("broken", Play(500, ""), outcome(UNKNOWN)),
        Says("taken, it seems", Play(200, '{"success": "100", "messages": []}'), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/api/balance", LOGIN),
    statement=Request("GET", "/api/balance", LOGIN),
    balances=[
        Left("in JSON, which is what we accept", '{"amount": 593.994, "currency": "EUR"}', money("593.994", "EUR")),
        Left("a bare number", "290.67\n", money("290.67")),
    ],
    left=str,
    priced=priced,
    callbacks=[
        receipt("ACCEPTED", MessageState.SENT),
        receipt("TRANSMITTED", MessageState.SENT),
        receipt("BUFFERED", MessageState.SENT),
        receipt("DELIVERED", MessageState.DELIVERED),
        receipt("NOTDELIVERED", MessageState.UNDELIVERED),
        receipt("EXPIRED", MessageState.EXPIRED),
        receipt("REJECTED", MessageState.FAILED),
        receipt("FAILED", MessageState.FAILED),
        receipt("UNKNOWN", None),
        Callback(
            "with our reference",
            signed(report("DELIVERED", foreign_id=REFERENCE)),
            (Told(ID, MessageState.DELIVERED, None, REFERENCE),),
        ),
        Callback("a phone writes", signed(written("Sì, va bene")), (Heard(NUMBER, SENDER, "Sì, va bene", AT),)),
        Callback(
            "a phone writes a long answer in Unicode",
            signed(written("Спасибо ☎ " * 20, time=1795255140)),
            (Heard(NUMBER, SENDER, "Спасибо ☎ " * 20, AT),),
        ),
        Callback("without a time", signed(written("Sì", time=None)), (Heard(NUMBER, SENDER, "Sì", NOW),)),
    ],
    forged=[
        Forged("no signature", report("DELIVERED")),
        Forged("signed with another key", signed(report("DELIVERED"), "guess")),
        Forged("another status than was signed", replace(signed(report("FAILED")), body=report("DELIVERED").body)),
        Forged("signed for another path", replace(signed(report("DELIVERED")), target="/inbound")),
        Forged("signed for another method", signed(report("DELIVERED"), verb="GET")),
        Forged("an old one, played again", signed(report("DELIVERED"), moment=str(int(NOW.timestamp()) - 301))),
        Forged("a time that is none", signed(report("DELIVERED"), moment="now")),
        Forged("a receipt where answers go", signed(report("DELIVERED", "/inbound")), 400),
        Forged("an answer where receipts go", signed(written("Sì", "/receipts")), 400),
        Forged("unknown status", signed(report("LOST")), 400),
        Forged("no data", signed(as_json("/receipts", {"webhook_event": "dlr"})), 400),
    ],
)
