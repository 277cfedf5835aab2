"""Vonage."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

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
    form,
    money,
    outcome,
    query,
)
from tests.gateways.provider import Play

NAME = "vonage"

LOGIN = {"authorization": "Basic a2V5OnNlY3JldA=="}
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"
FIELDS = {
    "from": SENDER[1:],
    "to": NUMBER[1:],
    "client-ref": REFERENCE,
    "callback": f"{PUBLIC_URL}/hooks/main{RECEIPTS}",
}
MOMENT = datetime(2026, 11, 21, 9, 59, 58, tzinfo=UTC)


def said(*statuses: str) -> Play:
    """The answer that names a status for each SMS that the text was cut into."""
    messages = [
        {"status": status, "message-id": f"0A{place}", "to": NUMBER[1:]} for place, status in enumerate(statuses)
    ]
    return Play(200, json.dumps({"message-count": str(len(messages)), "messages": messages}))


def priced(*prices: str) -> Play:
    parts = ", ".join(f'{{"status": "0", "message-id": "0A0", "message-price": {price}}}' for price in prices)
    return Play(200, f'{{"message-count": "{len(prices)}", "messages": [{parts}]}}')


def left(value: str) -> str:
    return f'{{"value": {value}, "autoReload": false}}'


def signed(event: Mapping[str, str], at: float = 0.0, secret: str = "signature secret") -> dict[str, str]:
    """As Vonage documents it for SHA-256 HMAC; `at` in seconds from now."""
    named = {**event, "timestamp": str(int(NOW.timestamp() + at)), "nonce": "ec11dd3e-1e7f-4db5-9467-82b02cd223b9"}
    text = "".join(f"&{key}={named[key].replace('&', '_').replace('=', '_')}" for key in sorted(named))
    return {**named, "sig": hmac.new(secret.encode(), text.encode(), "sha256").hexdigest().upper()}


def folded(event: dict[str, str]) -> dict[str, str]:
    """Without its text, although the line that was signed is the same."""
    nonce, text = event.pop("nonce"), event.pop("text")
    return {**event, f"nonce={nonce}&text": text.replace("&", "_").replace("=", "_")}


def receipt(status: str, code: str = "0") -> dict[str, str]:
    return {
        "msisdn": NUMBER[1:],
        "to": SENDER[1:],
        "messageId": "0A0",
        "status": status,
        "err-code": code,
        "client-ref": REFERENCE,
        "message-timestamp": "2026-11-21 09:59:58",
    }


def told(status: str, state: MessageState, code: str = "0", reason: Reason | None = None) -> Callback:
    call = as_json(RECEIPTS, signed(receipt(status, code)))
    return Callback(f"{status}, {code}", call, (Told("0A0", state, reason, REFERENCE, MOMENT),))


WRITTEN = {
    "msisdn": NUMBER[1:],
    "to": SENDER[1:],
    "messageId": "0B1",
    "text": "Sì & no = forse ☎",
    "type": "unicode",
    "message-timestamp": "2026-11-21 09:59:58",
}
HEARD = Heard(NUMBER, SENDER, "Sì & no = forse ☎", MOMENT)


def as_form(target: str, fields: Mapping[str, str]) -> Call:
    return Call(target, {"content-type": "application/x-www-form-urlencoded"}, urlencode(fields).encode())


KIND = Kind(
    connection=connection(account="key", secret="secret", webhook_secret="signature secret"),
    orders=[
        Order("plain", PLAIN, Request("POST", "/sms/json", LOGIN, {**FIELDS, "text": PLAIN.text})),
        Order(
            "unicode", UNICODE, Request("POST", "/sms/json", LOGIN, {**FIELDS, "text": UNICODE.text, "type": "unicode"})
        ),
        Order("long", LONG, Request("POST", "/sms/json", LOGIN, {**FIELDS, "text": LONG.text})),
        Order(
            "of use for two hours",
            EXPIRING,
            Request("POST", "/sms/json", LOGIN, {**FIELDS, "text": EXPIRING.text, "ttl": "7200000"}),
        ),
        Order(
            "flash",
            FLASH,
            Request("POST", "/sms/json", LOGIN, {**FIELDS, "text": FLASH.text, "message-class": "0"}),
        ),
    ],
    answers=[
        Says("taken", said("0"), accepted("0A0")),
        Says("taken, and what it costs", priced('"0.03330000"'), accepted("0A0", money("0.03330000"))),
        Says("two pieces cost twice as much", priced('"0.0333"', '"0.0333"'), accepted("0A0", money("0.0666"))),
        Says("one piece does not say what it costs", priced('"0.0333"', "null"), accepted("0A0")),
        Says("taken in two pieces", said("0", "0"), accepted("0A0")),
        Says("too fast", said("1"), outcome(THROTTLED)),
        Says("too many connections", said("10"), outcome(THROTTLED)),
        Says("no pieces of it because of the pace", said("1", "1"), outcome(THROTTLED)),
        Says("one piece taken, one too fast", said("0", "1"), outcome(UNKNOWN)),
        Says("one piece taken, one refused", said("0", "7"), outcome(UNKNOWN)),
        Says("a parameter is missing", said("2"), outcome(REJECTED)),
        Says("a parameter is wrong", said("3"), outcome(REJECTED)),
        Says("wrong login", said("4"), outcome(REJECTED)),
        Says("error inside Vonage", said("5"), outcome(UNKNOWN)),
        Says("prefix not known", said("6"), outcome(REJECTED)),
        Says("number barred", said("7"), outcome(REJECTED, Reason.BARRED)),
        Says("account suspended", said("8"), outcome(REJECTED)),
        Says("no credit", said("9"), outcome(REJECTED)),
        Says("account without HTTP", said("11"), outcome(REJECTED)),
        Says("too long", said("12"), outcome(REJECTED, Reason.TOO_MANY_SEGMENTS)),
        Says("sender not allowed", said("15"), outcome(REJECTED, Reason.SENDER_REFUSED)),
        Says("bad callback address", said("23"), outcome(REJECTED)),
        Says("account is a trial", said("29"), outcome(REJECTED)),
        Says("number given up", said("33"), outcome(REJECTED, Reason.UNKNOWN_SUBSCRIBER)),
        Says("wrong login over HTTP", Play(401, "{}"), outcome(REJECTED)),
        Says("too fast over HTTP", Play(429, "", {"Retry-After": "3"}), outcome(THROTTLED, retry_after=3.0)),
        Says("broken", Play(503, ""), outcome(UNKNOWN)),
        Says("no SMS at all", Play(200, '{"message-count": "0", "messages": []}'), outcome(UNKNOWN)),
        Says("a piece without status", Play(200, '{"messages": [{"status": "0"}, null]}'), outcome(UNKNOWN)),
        Says("a page of a proxy", Play(200, "<html>"), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/account/get-balance", LOGIN),
    statement=Request("GET", "/account/get-balance", LOGIN),
    balances=[Left("in euros", left("10.28"), money("10.28", "EUR"))],
    left=left,
    priced=priced,
    callbacks=[
        told("accepted", MessageState.SENT),
        told("buffered", MessageState.SENT, reason=Reason.ABSENT_SUBSCRIBER),
        told("delivered", MessageState.DELIVERED),
        told("expired", MessageState.EXPIRED, "1"),
        told("undelivered", MessageState.UNDELIVERED, "8"),
        told("failed", MessageState.UNDELIVERED, "2", Reason.ABSENT_SUBSCRIBER),
        told("failed", MessageState.UNDELIVERED, "3", Reason.UNKNOWN_SUBSCRIBER),
        told("failed", MessageState.UNDELIVERED, "4", Reason.BARRED),
        told("rejected", MessageState.FAILED, "6", Reason.FILTERED),
        told("rejected", MessageState.FAILED, "9", Reason.OPTED_OUT),
        Callback("unknown says nothing new", as_json(RECEIPTS, signed(receipt("unknown", "1"))), ()),
        Callback(
            "delivered, as a form",
            as_form(RECEIPTS, signed(receipt("delivered"))),
            (Told("0A0", MessageState.DELIVERED, None, REFERENCE, MOMENT),),
        ),
        Callback(
            "delivered, as a query",
            query(RECEIPTS, **signed(receipt("delivered"))),
            (Told("0A0", MessageState.DELIVERED, None, REFERENCE, MOMENT),),
        ),
        Callback(
            "delivered, called again for hours with the time of the first call",
            as_json(RECEIPTS, signed(receipt("delivered"), at=-80_000)),
            (Told("0A0", MessageState.DELIVERED, None, REFERENCE, MOMENT),),
        ),
        Callback("a phone writes", as_json(INBOUND, signed(WRITTEN)), (HEARD,), says=""),
        Callback("a phone writes, as a form", as_form(INBOUND, signed(WRITTEN)), (HEARD,), says=""),
        Callback("a phone writes, as a query", query(INBOUND, **signed(WRITTEN)), (HEARD,), says=""),
    ],
    forged=[
        Forged("path without its token", as_json("/receipts", signed(receipt("delivered"))), 404),
        Forged("no signature", as_json(RECEIPTS, receipt("delivered"))),
        Forged("signed with another secret", as_json(RECEIPTS, signed(receipt("delivered"), secret="guess"))),
        Forged("another status than was signed", as_json(RECEIPTS, signed(receipt("sent")) | {"status": "delivered"})),
        Forged("a field that was not signed", as_json(RECEIPTS, signed(receipt("delivered")) | {"client-ref2": "x"})),
        Forged("two signed fields folded into the name of one", as_json(INBOUND, folded(signed(WRITTEN)))),
        Forged("two days old", as_json(RECEIPTS, signed(receipt("delivered"), at=-172_800))),
        Forged("not a number for its time", as_json(RECEIPTS, signed(receipt("delivered")) | {"timestamp": "now"})),
        Forged(
            "a receipt called as an answer of a phone",
            as_json(INBOUND, signed(receipt("delivered", "") | {"msisdn": ""})),
            400,
        ),
        Forged("unknown status", as_json(RECEIPTS, signed(receipt("lost"))), 400),
        Forged("no id", as_form(RECEIPTS, signed({"status": "delivered"})), 400),
        Forged("a sender that is no text", form(INBOUND, None, **signed({"messageId": "1", "msisdn": "\n" * 30})), 400),
    ],
)
