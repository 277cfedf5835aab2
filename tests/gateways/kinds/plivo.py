"""Plivo."""

from __future__ import annotations

import base64
import hmac
from dataclasses import replace

from bridge.errors import Reason
from bridge.types import MessageState
from tests.gateways.cases import (
    EXPIRING,
    LONG,
    NUMBER,
    PICTURE,
    PLAIN,
    PUBLIC_URL,
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
    Mms,
    Order,
    Request,
    Says,
    Told,
    accepted,
    connection,
    form,
    money,
    outcome,
)
from tests.gateways.provider import Play

NAME = "plivo"

LOGIN = {"authorization": "Basic TUExOnRva2Vu"}
TARGET = "/v1/Account/MA1/Message/"
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"
FIELDS = {
    "src": SENDER,
    "dst": NUMBER,
    "type": "sms",
    "log": False,
    "url": f"{PUBLIC_URL}/hooks/main{RECEIPTS}",
    "method": "POST",
}


def signed(call: Call, key: str = "token", nonce: str = "05429567804466091622") -> Call:
    """As Plivo documents it: the address without its query, and the nonce."""
    text = f"{PUBLIC_URL}/hooks/main{call.target.partition('?')[0]}{nonce}"
    signature = base64.b64encode(hmac.new(key.encode(), text.encode(), "sha256").digest()).decode()
    proof = {"x-plivo-signature-v2": signature, "x-plivo-signature-v2-nonce": nonce}
    return replace(call, headers={**call.headers, **proof})


def receipt(status: str, code: str = "") -> Call:
    fields = {"MessageUUID": "83876bdb", "ParentMessageUUID": "83876bdb", "PartInfo": "1 of 1", "Units": "1"}
    return form(RECEIPTS, None, **fields, Status=status, ErrorCode=code, To=NUMBER[1:], From=SENDER[1:])


def told(status: str, state: MessageState, code: str = "", reason: Reason | None = None) -> Callback:
    return Callback(f"{status} {code}", signed(receipt(status, code)), (Told("83876bdb", state, reason),))


def priced(amount: object) -> Call:
    return signed(form(RECEIPTS, None, MessageUUID="83876bdb", Status="sent", Units="2", TotalAmount=str(amount)))


def left(credits: str) -> str:
    return f'{{"account_type": "standard", "billing_mode": "prepaid", "cash_credits": {credits}}}'


def written(text: str) -> Call:
    return form(INBOUND, None, MessageUUID="7a242edc", From=NUMBER[1:], To=SENDER[1:], Text=text, Type="sms", Units="3")


def mms(first: int, *addresses: str, body: str) -> Call:
    """As Plivo calls with an MMS. Its pages number the files from 1, its support from 0."""
    named = {f"Media{number}": address for number, address in enumerate(addresses, first)}
    fields = {"MessageUUID": "7a242edc", "From": NUMBER[1:], "To": SENDER[1:], "Type": "mms", "Body": body}
    return signed(form(INBOUND, None, **fields, **named, MediaCount=str(len(addresses))))


KIND = Kind(
    connection=connection(account="MA1", secret="token"),
    orders=[
        Order("plain", PLAIN, Request("POST", TARGET, LOGIN, {**FIELDS, "text": PLAIN.text})),
        Order("unicode", UNICODE, Request("POST", TARGET, LOGIN, {**FIELDS, "text": UNICODE.text})),
        Order("long", LONG, Request("POST", TARGET, LOGIN, {**FIELDS, "text": LONG.text})),
        Order(
            "of use for two hours",
            EXPIRING,
            Request("POST", TARGET, LOGIN, {**FIELDS, "text": EXPIRING.text, "message_expiry": 7200}),
        ),
    ],
    answers=[
        Says(
            "taken",
            Play(202, '{"message": "message(s) queued", "message_uuid": ["83876bdb"], "api_id": "97ceeb52"}'),
            accepted("83876bdb"),
        ),
        Says("bad number", Play(400, '{"api_id": "97ceeb52", "error": "dst is invalid"}'), outcome(REJECTED)),
        Says("wrong login", Play(401, ""), outcome(REJECTED)),
        Says("no such account", Play(404, '{"error": "not found"}'), outcome(REJECTED)),
        Says("method not allowed", Play(405, ""), outcome(REJECTED)),
        Says("too fast", Play(429, "", {"Retry-After": "5"}), outcome(THROTTLED, retry_after=5.0)),
        Says("broken", Play(500, ""), outcome(UNKNOWN)),
        Says("taken, but it does not say as what", Play(202, '{"message_uuid": []}'), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/v1/Account/MA1/", LOGIN),
    statement=Request("GET", "/v1/Account/MA1/", LOGIN),
    balances=[Left("in dollars", left('"1.80900"'), money("1.80900", "USD"))],
    left=left,
    priced_call=priced,
    callbacks=[
        Callback("queued says nothing new", signed(receipt("queued")), ()),
        told("sent", MessageState.SENT),
        Callback(
            "sent, and what it costs",
            priced("0.01180"),
            (Told("83876bdb", MessageState.SENT, price=money("0.01180", "USD")),),
        ),
        told("delivered", MessageState.DELIVERED),
        told("undelivered", MessageState.UNDELIVERED, "80", Reason.ABSENT_SUBSCRIBER),
        told("undelivered", MessageState.UNDELIVERED, "70", Reason.UNKNOWN_SUBSCRIBER),
        told("undelivered", MessageState.UNDELIVERED, "30", Reason.FILTERED),
        told("undelivered", MessageState.UNDELIVERED, "20"),
        told("failed", MessageState.FAILED, "200", Reason.OPTED_OUT),
        told("failed", MessageState.FAILED, "40", Reason.SENDER_REFUSED),
        told("failed", MessageState.FAILED, "50", Reason.UNKNOWN_SUBSCRIBER),
        told("failed", MessageState.FAILED, "450", Reason.COUNTRY_NOT_ALLOWED),
        told("failed", MessageState.FAILED, "900"),
        told("rejected", MessageState.FAILED, "100", Reason.BARRED),
        Callback(
            "delivered, at an address with a query",
            signed(replace(receipt("delivered"), target=f"{RECEIPTS}?from=plivo")),
            (Told("83876bdb", MessageState.DELIVERED),),
        ),
        Callback("a phone writes", signed(written("Sì")), (Heard(NUMBER, SENDER, "Sì"),), says="<Response/>"),
        Callback("a phone writes in Unicode", signed(written("Приём ☎")), (Heard(NUMBER, SENDER, "Приём ☎"),)),
        Callback("a phone writes at length", signed(written("a" * 400)), (Heard(NUMBER, SENDER, "a" * 400),)),
    ],
    mms=[
        Mms("from 1", lambda url: mms(1, f"{url}/m/1", body="Ecco"), ("/m/1",), LOGIN, (PICTURE,), "Ecco", files=1),
        Mms(
            "from 0",
            lambda url: mms(0, f"{url}/m/0", f"{url}/m/1", body=""),
            ("/m/0", "/m/1"),
            LOGIN,
            (PICTURE, PICTURE),
            "",
            files=2,
        ),
    ],
    forged=[
        Forged("path without its token", signed(replace(receipt("delivered"), target="/receipts")), 404),
        Forged("no signature", receipt("delivered")),
        Forged("signed with another token", signed(receipt("delivered"), "guess")),
        Forged(
            "signed for another nonce",
            replace(
                signed(receipt("delivered")),
                headers={**signed(receipt("delivered")).headers, "x-plivo-signature-v2-nonce": "1"},
            ),
        ),
        Forged("signed for another path", replace(signed(written("Sì")), target=RECEIPTS)),
        Forged("unknown status", signed(receipt("lost")), 400),
        Forged("no id", signed(form(RECEIPTS, None, Status="sent")), 400),
    ],
)
