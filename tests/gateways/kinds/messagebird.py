"""MessageBird."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime

from bridge.errors import Reason
from bridge.types import CREDITS, MessageState
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
    connection,
    form,
    money,
    outcome,
    query,
)
from tests.gateways.provider import Play

NAME = "messagebird"

LOGIN = {"authorization": "AccessKey key"}
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"
FIELDS = {
    "originator": SENDER[1:],
    "recipients": [NUMBER[1:]],
    "datacoding": "plain",
    "reference": REFERENCE,
    "reportUrl": f"{PUBLIC_URL}/hooks/main{RECEIPTS}",
}


def part(value: object) -> str:
    return plain(json.dumps(value).encode())


def plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed(call: Call, at: float = 0.0, key: str = "signing key", algorithm: str = "HS256", **claims: object) -> Call:
    """As MessageBird's own libraries check it; `at` in seconds from now."""
    url = f"{PUBLIC_URL}/hooks/main{call.target}"
    since = int(NOW.timestamp() + at)
    says: dict[str, object] = {"iss": "MessageBird", "nbf": since, "exp": since + 60, "jti": "1"}
    says["url_hash"] = hashlib.sha256(url.encode()).hexdigest()
    if call.body:
        says["payload_hash"] = hashlib.sha256(call.body).hexdigest()
    text = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(says | claims)}"
    digest = {"HS256": "sha256", "HS512": "sha512"}.get(algorithm)
    signature = plain(hmac.digest(key.encode(), text.encode(), digest)) if digest else ""
    return replace(call, headers={**call.headers, "messagebird-signature-jwt": f"{text}.{signature}"})


def receipt(status: str, **more: str) -> Call:
    fields = {"id": "e8077d80", "reference": REFERENCE, "recipient": NUMBER[1:], "status": status}
    return query(RECEIPTS, **fields, statusDatetime="2026-11-21T10:59:58+01:00", **more)


def told(status: str, state: MessageState, reason: Reason | None = None, **more: str) -> Callback:
    moment = datetime(2026, 11, 21, 9, 59, 58, tzinfo=UTC)
    return Callback(status, signed(receipt(status, **more)), (Told("e8077d80", state, reason, REFERENCE, moment),))


WRITTEN = form(
    INBOUND,
    id="b6aae1b5",
    recipient=SENDER[1:],
    originator=NUMBER[1:],
    body="Sì ☎",
    createdDatetime="2026-11-21T09:00:00+00:00",
)
LONG_ANSWER = form(INBOUND, id="b6aae1b6", recipient=SENDER[1:], originator=NUMBER[1:], body="a" * 400)
TO_SHORT_CODE = form(
    INBOUND,
    mid="3b53c137",
    shortcode="51515",
    originator=NUMBER[1:],
    message="Sì",
    receive_datetime="20261121090000",
)


def priced(amount: str) -> Play:
    price = f'{{"amount": {amount}, "currency": "EUR"}}'
    return Play(201, f'{{"id": "e8077d80", "recipients": {{"items": [{{"status": "sent", "price": {price}}}]}}}}')


def left(amount: str, payment: str = "prepaid", unit: str = "euros") -> str:
    return f'{{"payment": "{payment}", "type": "{unit}", "amount": {amount}}}'


KIND = Kind(
    connection=connection(secret="key", webhook_secret="signing key"),
    orders=[
        Order("plain", PLAIN, Request("POST", "/messages", LOGIN, {**FIELDS, "body": PLAIN.text})),
        Order(
            "unicode",
            UNICODE,
            Request("POST", "/messages", LOGIN, {**FIELDS, "datacoding": "unicode", "body": UNICODE.text}),
        ),
        Order("long", LONG, Request("POST", "/messages", LOGIN, {**FIELDS, "body": LONG.text})),
        Order(
            "of use for two hours",
            EXPIRING,
            Request("POST", "/messages", LOGIN, {**FIELDS, "body": EXPIRING.text, "validity": 7200}),
        ),
        Order("flash", FLASH, Request("POST", "/messages", LOGIN, {**FIELDS, "body": FLASH.text, "type": "flash"})),
    ],
    answers=[
        Says("taken, and what it costs", priced("0.075"), accepted("e8077d80", money("0.075", "EUR"))),
        Says("taken, and the price comes later", priced("null"), accepted("e8077d80")),
        Says(
            "taken",
            Play(201, '{"id": "e8077d80", "recipients": {"totalCount": 1, "items": [{"status": "sent"}]}}'),
            accepted("e8077d80"),
        ),
        Says(
            "taken, and failed at once",
            Play(201, '{"id": "e8077d80", "recipients": {"items": [{"status": "delivery_failed"}]}}'),
            outcome(REJECTED),
        ),
        Says("wrong key", Play(401, '{"errors": [{"code": 2, "parameter": "access_key"}]}'), outcome(REJECTED)),
        Says("parameter missing", Play(422, '{"errors": [{"code": 9, "parameter": "body"}]}'), outcome(REJECTED)),
        Says("bad number", Play(422, '{"errors": [{"code": 10, "parameter": "recipients"}]}'), outcome(REJECTED)),
        Says("no credit", Play(402, '{"errors": [{"code": 25}]}'), outcome(REJECTED)),
        Says("no such method", Play(405, ""), outcome(REJECTED)),
        Says(
            "too fast",
            Play(429, '{"errors": [{"code": 2}]}', {"Retry-After": "1"}),
            outcome(THROTTLED, retry_after=1.0),
        ),
        Says("too slow", Play(408, '{"errors": [{"code": 99}]}'), outcome(UNKNOWN)),
        Says("broken", Play(500, '{"errors": [{"code": 99}]}'), outcome(UNKNOWN)),
        Says("taken, but it does not say as what", Play(201, "{}"), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/balance", LOGIN),
    statement=Request("GET", "/balance", LOGIN),
    balances=[
        Left("in euros", left("9.2"), money("9.2", "EUR")),
        Left("in texts", left("103", unit="credits"), money("103", CREDITS)),
        Left("in another currency", left("9.2", unit="yen"), money("9.2")),
        Left("billed later: there is nothing that could run out", left("0", "postpaid"), None),
    ],
    left=left,
    priced=priced,
    callbacks=[
        Callback("scheduled says nothing new", signed(receipt("scheduled")), ()),
        told("sent", MessageState.SENT),
        told("buffered", MessageState.SENT),
        told("delivered", MessageState.DELIVERED),
        told("expired", MessageState.EXPIRED),
        told("delivery_failed", MessageState.UNDELIVERED, statusErrorCode="5"),
        Callback(
            "opted out",
            signed(receipt("delivery_failed", statusErrorCode="103")),
            (
                Told(
                    "e8077d80",
                    MessageState.UNDELIVERED,
                    Reason.OPTED_OUT,
                    REFERENCE,
                    datetime(2026, 11, 21, 9, 59, 58, tzinfo=UTC),
                ),
            ),
        ),
        Callback(
            "delivered, with a time that nobody can read and a longer signature",
            signed(query(RECEIPTS, id="1", status="delivered", statusDatetime="yesterday"), algorithm="HS512"),
            (Told("1", MessageState.DELIVERED),),
        ),
        Callback(
            "a phone writes",
            signed(WRITTEN),
            (Heard(NUMBER, SENDER, "Sì ☎", datetime(2026, 11, 21, 9, tzinfo=UTC)),),
            says="OK",
        ),
        Callback("a phone writes at length", signed(LONG_ANSWER), (Heard(NUMBER, SENDER, "a" * 400),)),
        Callback("a phone writes to a short code", signed(TO_SHORT_CODE), (Heard(NUMBER, "51515", "Sì"),)),
    ],
    forged=[
        Forged("path without its token", signed(query("/receipts", id="1", status="sent")), 404),
        Forged("no signature", receipt("delivered")),
        Forged("signed with another key", signed(receipt("delivered"), key="guess")),
        Forged("signed by nobody", signed(receipt("delivered"), algorithm="none")),
        Forged("signed by somebody else", signed(receipt("delivered"), iss="Somebody")),
        Forged("another status than was signed", replace(signed(receipt("sent")), target=receipt("delivered").target)),
        Forged("another text than was signed", replace(signed(WRITTEN), body=LONG_ANSWER.body)),
        Forged("signed without its text", signed(WRITTEN, payload_hash=None)),
        Forged("signed for another path", replace(signed(WRITTEN), target=RECEIPTS)),
        Forged("an hour old", signed(receipt("delivered"), at=-3600)),
        Forged("without a time", signed(receipt("delivered"), nbf=None)),
        Forged("no token at all", replace(receipt("delivered"), headers={"messagebird-signature-jwt": "!.!.!"})),
        Forged("unknown status", signed(receipt("lost")), 400),
        Forged("no id", signed(query(RECEIPTS, status="sent")), 400),
    ],
)
