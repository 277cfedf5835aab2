"""46elks."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.types import MessageState
from tests.gateways.cases import (
    FLASH,
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

NAME = "46elks"

LOGIN = {"authorization": "Basic dXNlcjpwYXNzd29yZA=="}
FIELDS = {
    "from": SENDER,
    "to": NUMBER,
    "dontlog": "message",
    "whendelivered": f"{PUBLIC_URL}/hooks/main/receipts/{TOKEN}",
}
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"


def priced(cost: str) -> Play:
    return Play(200, f'{{"status": "created", "id": "s17a6dafb12d6b1cabc053d57dac2b9d8", "parts": 1, "cost": {cost}}}')


def left(balance: str) -> str:
    return f'{{"displayname": "Clinic", "currency": "SEK", "balance": {balance}}}'


def mms(text: str, *addresses: str) -> Call:
    """As 46elks calls with an MMS: image, image2, image3."""
    named = {f"image{number if number > 1 else ''}": address for number, address in enumerate(addresses, 1)}
    fields = {"id": "s3", "from_": NUMBER, "to": SENDER, "message": text, "created": "2026-11-21T09:00:00"}
    return form(INBOUND, None, direction="incoming", **fields, **named)


KIND = Kind(
    connection=connection(account="user", secret="password"),
    path="/a1",
    orders=[
        Order("plain", PLAIN, Request("POST", "/a1/sms", LOGIN, {**FIELDS, "message": PLAIN.text})),
        Order("unicode", UNICODE, Request("POST", "/a1/sms", LOGIN, {**FIELDS, "message": UNICODE.text})),
        Order("flash", FLASH, Request("POST", "/a1/sms", LOGIN, {**FIELDS, "message": FLASH.text, "flashsms": "yes"})),
    ],
    answers=[
        Says(
            "taken",
            priced("3500"),
            accepted("s17a6dafb12d6b1cabc053d57dac2b9d8", money("0.3500")),
        ),
        Says("wrong login", Play(401, "API access requires Basic HTTP authentication"), outcome(REJECTED)),
        Says("bad number", Play(400, "Invalid to number"), outcome(REJECTED)),
        Says("no credit", Play(403, "Not enough credits"), outcome(REJECTED)),
        Says("too fast", Play(429, "", {"Retry-After": "7"}), outcome(THROTTLED, retry_after=7.0)),
        Says("broken", Play(500, "oops"), outcome(UNKNOWN)),
        Says("taken, but it does not say as what", Play(200, "{}"), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/a1/me", LOGIN),
    statement=Request("GET", "/a1/me", LOGIN),
    balances=[
        Left("in ten thousandths", left("1234500"), money("123.4500", "SEK")),
        Left("nothing", left("0"), money("0.0000", "SEK")),
    ],
    left=left,
    priced=priced,
    callbacks=[
        Callback("sent", form(RECEIPTS, id="s1", status="sent"), (Told("s1", MessageState.SENT),)),
        Callback(
            "delivered",
            form(RECEIPTS, id="s1", status="delivered", delivered="2026-11-21T09:59:58.123000"),
            (Told("s1", MessageState.DELIVERED, occurred_at=datetime(2026, 11, 21, 9, 59, 58, 123000, UTC)),),
        ),
        Callback("failed", form(RECEIPTS, id="s1", status="failed"), (Told("s1", MessageState.UNDELIVERED),)),
        Callback(
            "a phone writes",
            form(
                INBOUND,
                id="s2",
                from_=NUMBER,
                to=SENDER,
                message="Sì ☎",
                direction="incoming",
                created="2026-11-21T09:00:00",
            ),
            (Heard(NUMBER, SENDER, "Sì ☎", datetime(2026, 11, 21, 9, tzinfo=UTC)),),
            says="",
        ),
    ],
    mms=[
        Mms(
            "two pictures",
            lambda url: mms("Ecco", f"{url}/a1/images/1.jpg", f"{url}/a1/images/2.jpg"),
            ("/a1/images/1.jpg", "/a1/images/2.jpg"),
            LOGIN,
            (PICTURE, PICTURE),
            "Ecco",
            files=2,
        ),
    ],
    forged=[
        Forged("path without its token", form("/receipts", id="s1", status="sent"), 404),
        Forged("path with another token", form("/receipts/" + TOKEN[::-1], id="s1", status="sent"), 404),
        Forged("unknown status", form(RECEIPTS, id="s1", status="lost"), 400),
        Forged("no id", form(RECEIPTS, status="sent"), 400),
        Forged("a sender that is no text", form(INBOUND, id="s1", from_="\n" * 30, to=SENDER, message="x"), 400),
    ],
)
