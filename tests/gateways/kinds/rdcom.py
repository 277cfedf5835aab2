"""RDCOM, as far as it is known."""

from __future__ import annotations

from tests.gateways.cases import (
    LONG,
    NUMBER,
    PLAIN,
    REJECTED,
    SENDER,
    THROTTLED,
    UNICODE,
    UNKNOWN,
    Kind,
    Order,
    Request,
    Says,
    accepted,
    connection,
    outcome,
)
from tests.gateways.provider import Play

NAME = "rdcom"

LOGIN = {"authorization": "Bearer token"}
TARGET = "/api/v2/CODE/sms/messages/transactional/"


def body(text: str) -> object:
    return {"default": {"from": SENDER, "text": text}, "specific": [{"to": NUMBER}]}


KIND = Kind(
    connection=connection(account="CODE", secret="token"),
    orders=[
        Order("plain", PLAIN, Request("POST", TARGET, LOGIN, body(PLAIN.text))),
        Order("unicode", UNICODE, Request("POST", TARGET, LOGIN, body(UNICODE.text))),
        Order("long", LONG, Request("POST", TARGET, LOGIN, body(LONG.text))),
    ],
    answers=[
        Says("taken", Play(201, '{"uuid": "8d2f"}'), accepted("8d2f")),
        Says("taken, but it does not say as what", Play(201, "{}"), outcome(UNKNOWN)),
        Says("invalid", Play(400, '{"specific": ["to"]}'), outcome(REJECTED)),
        Says("wrong token", Play(401, ""), outcome(REJECTED)),
        Says("too fast", Play(429, "", {"Retry-After": "9"}), outcome(THROTTLED, retry_after=9.0)),
        Says("broken", Play(502, ""), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/api/v2/tokens", LOGIN),
)
