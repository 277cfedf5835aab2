"""Twilio."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from urllib.parse import parse_qsl

from bridge.errors import Reason
from bridge.gateways.base import Recalled
from bridge.types import MessageState
from tests.gateways.cases import (
    NUMBER,
    PICTURE,
    PLAIN,
    PUBLIC_URL,
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
    Mms,
    Order,
    Request,
    Says,
    Takes,
    Told,
    accepted,
    connection,
    form,
    money,
    outcome,
)
from tests.gateways.provider import Play

NAME = "twilio"

LOGIN = {"authorization": "Basic QUMxOnRva2Vu"}
TARGET = "/2010-04-01/Accounts/AC1/Messages.json"
FIELDS = {"To": NUMBER, "From": SENDER, "StatusCallback": f"{PUBLIC_URL}/hooks/main/receipts"}


def signed(call: Call, key: str = "token") -> Call:
    """As Twilio documents it: URL, then names and values in the order of the names."""
    fields = sorted(parse_qsl(call.body.decode(), keep_blank_values=True))
    data = f"{PUBLIC_URL}/hooks/main{call.target}" + "".join(name + value for name, value in fields)
    signature = base64.b64encode(hmac.new(key.encode(), data.encode(), hashlib.sha1).digest()).decode()
    return replace(call, headers={**call.headers, "x-twilio-signature": signature})


def receipt(status: str, **more: str) -> Call:
    return form("/receipts", None, MessageSid="SM1", MessageStatus=status, To=NUMBER, **more)


FILE = "/2010-04-01/Accounts/AC1/Messages/MM3/Media/ME"
INBOUND = form("/inbound", MessageSid="SM2", From=NUMBER, To=SENDER, Body="Sì ☎", NumMedia="0", AccountSid="AC1")


def mms(*addresses: str, body: str = "") -> Call:
    """As Twilio calls with an MMS: each file under a number."""
    named = {f"MediaUrl{number}": address for number, address in enumerate(addresses)}
    types = {f"MediaContentType{number}": "image/jpeg" for number in range(len(addresses))}
    fields = {"MessageSid": "MM3", "From": NUMBER, "To": SENDER, "Body": body, "NumMedia": str(len(addresses))}
    return signed(form("/inbound", None, **fields, **named, **types))


def left(balance: str) -> str:
    return f'{{"account_sid": "AC1", "balance": {balance}, "currency": "USD"}}'


KIND = Kind(
    connection=connection(account="AC1", secret="token"),
    orders=[
        Order("plain", PLAIN, Request("POST", TARGET, LOGIN, {**FIELDS, "Body": PLAIN.text})),
        Order("unicode", UNICODE, Request("POST", TARGET, LOGIN, {**FIELDS, "Body": UNICODE.text})),
    ],
    answers=[
        Says("taken", Play(201, '{"sid": "SM1", "status": "queued"}'), accepted("SM1")),
        Says("opted out", Play(400, '{"code": 21610, "status": 400}'), outcome(REJECTED, Reason.OPTED_OUT)),
        Says("not a mobile", Play(400, '{"code": 21614}'), outcome(REJECTED, Reason.LANDLINE)),
        Says("no such number", Play(400, '{"code": 21211}'), outcome(REJECTED, Reason.UNKNOWN_SUBSCRIBER)),
        Says("country not opened", Play(400, '{"code": 21408}'), outcome(REJECTED, Reason.COUNTRY_NOT_ALLOWED)),
        Says("a code we do not know", Play(400, '{"code": 21999}'), outcome(REJECTED)),
        Says("wrong login", Play(401, '{"code": 20003}'), outcome(REJECTED)),
        Says("too fast", Play(429, '{"code": 20429}'), outcome(THROTTLED)),
        Says("too fast, and says how long", Play(429, "", {"Retry-After": "2"}), outcome(THROTTLED, retry_after=2.0)),
        Says("queue of the sender is full", Play(400, '{"code": 63018}'), outcome(THROTTLED)),
        Says("broken", Play(503, '{"code": 20503}'), outcome(UNKNOWN)),
        Says("taken, but it does not say as what", Play(201, "<html>"), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/2010-04-01/Accounts/AC1.json", LOGIN),
    statement=Request("GET", "/2010-04-01/Accounts/AC1/Balance.json", LOGIN),
    balances=[Left("in dollars", left('"12.340"'), money("12.340", "USD"))],
    left=left,
    recall=[Request("POST", "/2010-04-01/Accounts/AC1/Messages/a%2Fb%201.json", LOGIN, {"Status": "canceled"})],
    recalls=[
        Takes("it waited in the queue", (Play(200, '{"sid": "SM1", "status": "canceled"}'),), Recalled.CANCELLED),
        Takes("it is on its way", (Play(200, '{"sid": "SM1", "status": "sending"}'),), Recalled.UNKNOWN),
        Takes("it is too late", (Play(400, '{"code": 30409}'),), Recalled.REFUSED),
        Takes("no such message", (Play(404, '{"code": 20404}'),), Recalled.REFUSED),
        Takes("broken", (Play(503, '{"code": 20503}'),), Recalled.UNKNOWN),
    ],
    callbacks=[
        Callback("queued says nothing new", signed(receipt("queued")), ()),
        Callback("sent", signed(receipt("sent")), (Told("SM1", MessageState.SENT),)),
        Callback("cancelled", signed(receipt("canceled")), (Told("SM1", MessageState.CANCELLED),)),
        Callback("delivered", signed(receipt("delivered")), (Told("SM1", MessageState.DELIVERED),)),
        Callback(
            "phone is off",
            signed(receipt("undelivered", ErrorCode="30003")),
            (Told("SM1", MessageState.UNDELIVERED, Reason.ABSENT_SUBSCRIBER),),
        ),
        Callback(
            "filtered",
            signed(receipt("failed", ErrorCode="30007")),
            (Told("SM1", MessageState.FAILED, Reason.FILTERED),),
        ),
        Callback("a phone writes", signed(INBOUND), (Heard(NUMBER, SENDER, "Sì ☎"),), says="<Response/>"),
    ],
    mms=[
        Mms(
            "two pictures and words",
            lambda url: mms(f"{url}{FILE}1", f"{url}{FILE}2", body="Ecco ☎"),
            (f"{FILE}1", f"{FILE}2"),
            LOGIN,
            (PICTURE, PICTURE),
            "Ecco ☎",
            files=2,
        ),
        Mms("a picture alone", lambda url: mms(f"{url}{FILE}1"), (f"{FILE}1",), LOGIN, (PICTURE,), "", files=1),
        Mms(
            "a picture that is not there yet",
            lambda url: mms(f"{url}{FILE}1", body="Ecco"),
            (f"{FILE}1", f"{FILE}1"),
            LOGIN,
            (Play(404), PICTURE),
            "Ecco",
            files=1,
        ),
        Mms(
            "a picture at an address that is not Twilio's",
            lambda url: mms("http://169.254.169.254/1", body="Ecco"),
            (),
            LOGIN,
            (),
            "Ecco",
            missing=1,
        ),
    ],
    forged=[
        Forged("no signature", receipt("delivered")),
        Forged("signed with another key", signed(receipt("delivered"), "guess")),
        Forged("another status than was signed", replace(signed(receipt("sent")), body=receipt("delivered").body)),
        Forged("signed for another path", replace(signed(INBOUND), target="/receipts")),
        Forged("unknown status", signed(receipt("lost")), 400),
        Forged("no id", signed(form("/receipts", MessageStatus="sent")), 400),
    ],
)
