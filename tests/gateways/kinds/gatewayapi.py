"""GatewayAPI."""

from __future__ import annotations

import base64
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
    LONG,
    NUMBER,
    PLAIN,
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

NAME = "gatewayapi"

LOGIN = {"authorization": "Token secret"}
ID = "01JNN696A9E0WS89FPYGT15NBX"
AT = datetime(2026, 11, 21, 9, 49, 12, 5021, UTC)


def request(text: str, **more: Any) -> Request:
    fields = {"sender": SENDER[1:], "recipient": int(NUMBER[1:]), "message": text, "reference": REFERENCE}
    return Request("POST", "/mobile/single", LOGIN, {**fields, **more})


def signed(call: Call, key: str = "hook key") -> Call:
    """As GatewayAPI documents it for receipts: hex HMAC-SHA256 of the body."""
    digest = hmac.new(key.encode(), call.body, hashlib.sha256).hexdigest()
    return replace(call, headers={**call.headers, "signature": f"v1={digest}"})


def event(status: str, code: str | None = None, kind: str = "message.status.sms", **more: Any) -> Call:
    error = {"hex_code": code, "details": "…"} if code else None
    body = {"msg_id": ID, "recipient": int(NUMBER[1:]), "reference": REFERENCE, "status": status, "error": error}
    envelope = {
        "event_id": f"event of {status}",
        "timestamp": "2026-11-19T11:50:12.003029+00:00",
        "event_type": kind,
        "event": {**body, "status_at": "2026-11-21T09:49:12.005021+00:00", **more},
    }
    return as_json("/receipts", envelope)


def receipt(status: str, state: MessageState | None, reason: Reason | None = None, code: str | None = None) -> Callback:
    events = () if state is None else (Told(ID, state, reason, REFERENCE, AT),)
    return Callback(f"{status} {code or ''}".strip(), signed(event(status, code)), events)


def plain64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(value: object, key: str = "hook key", algorithm: str = "HS256") -> str:
    """As GatewayAPI documents it for answers: a JWT of the same JSON."""
    head = plain64(json.dumps({"typ": "JWT", "alg": algorithm}).encode())
    said = f"{head}.{plain64(json.dumps(value).encode())}"
    return f"{said}.{plain64(hmac.new(key.encode(), said.encode(), hashlib.sha256).digest())}"


def written(text: str, **more: Any) -> dict[str, Any]:
    return {
        "id": 1000001,
        "msisdn": int(NUMBER[1:]),
        "receiver": int(SENDER[1:]),
        "message": text,
        "senttime": 1795255200,
        "webhook_label": "bridge",
        **more,
    }


def answered(value: dict[str, Any], jwt: str = "") -> Call:
    return as_json("/inbound", value, {"x-gwapi-signature": jwt or token(value)})


def left(credit: str) -> str:
    return f'{{"credit": {credit}, "currency": "DKK", "id": 1}}'


SENT = datetime.fromtimestamp(1795255200, UTC)

KIND = Kind(
    connection=connection(secret="secret", webhook_secret="hook key"),
    orders=[
        Order("plain", PLAIN, request(PLAIN.text)),
        Order("unicode", UNICODE, request(UNICODE.text)),
        Order("long", LONG, request(LONG.text)),
        Order("of no use in two hours", EXPIRING, request(EXPIRING.text, expiration="2026-11-21T12:00:00+00:00")),
    ],
    answers=[
        Says("taken", Play(202, json.dumps({"msg_id": ID, "recipient": 4512345678, "reference": "r"})), accepted(ID)),
        Says("malformed", Play(422, '{"detail": [{"loc": ["body", "recipient"]}]}'), outcome(REJECTED)),
        Says("wrong token", Play(401, "{}"), outcome(REJECTED)),
        Says("forbidden", Play(403, "{}"), outcome(REJECTED)),
        Says("too fast", Play(429, "", {"Retry-After": "1"}), outcome(THROTTLED, retry_after=1.0)),
        Says("broken", Play(500, "{}"), outcome(UNKNOWN)),
        Says("taken, but it does not say as what", Play(202, '{"msg_id": ""}'), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/rest/me", LOGIN),
    statement=Request("GET", "/rest/me", LOGIN),
    balances=[
        Left("as a number", left("1234.5"), money("1234.5", "DKK")),
        Left("as a text", left('"0.20"'), money("0.20", "DKK")),
    ],
    left=left,
    callbacks=[
        receipt("UNKNOWN", None),
        receipt("ENROUTE", MessageState.SENT),
        receipt("ACCEPTED", MessageState.SENT),
        receipt("DELIVERED", MessageState.DELIVERED),
        receipt("EXPIRED", MessageState.EXPIRED),
        receipt("EXPIRED", MessageState.EXPIRED, Reason.ABSENT_SUBSCRIBER, "0x1013"),
        receipt("DELETED", MessageState.FAILED),
        receipt("UNDELIVERABLE", MessageState.UNDELIVERED, Reason.UNKNOWN_SUBSCRIBER, "0x1010"),
        receipt("UNDELIVERABLE", MessageState.UNDELIVERED, Reason.BARRED, "0x1011"),
        receipt("REJECTED", MessageState.FAILED, Reason.SENDER_REFUSED, "0x1905"),
        receipt("REJECTED", MessageState.FAILED, Reason.COUNTRY_NOT_ALLOWED, "0x0217"),
        receipt("REJECTED", MessageState.FAILED, None, "0x1042"),
        Callback(
            "read, as RCS",
            signed(event("READ", kind="message.status.rcs")),
            (Told(ID, MessageState.DELIVERED, None, REFERENCE, AT),),
        ),
        Callback(
            "a message of somebody else has no reference",
            signed(event("DELIVERED", reference=None)),
            (Told(ID, MessageState.DELIVERED, None, None, AT),),
        ),
        Callback("a phone writes", answered(written("Sì, va bene")), (Heard(NUMBER, SENDER, "Sì, va bene", SENT),)),
        Callback(
            "a phone writes a long answer in Unicode",
            answered(written("Спасибо ☎ " * 20, encoding="UCS2")),
            (Heard(NUMBER, SENDER, "Спасибо ☎ " * 20, SENT),),
        ),
        Callback(
            "a phone writes to a short code",
            answered(written("Sì", receiver=451204)),
            (Heard(NUMBER, "451204", "Sì", SENT),),
        ),
        Callback(
            "a time with a fraction",
            answered(written("Sì", senttime=1795255200.0)),
            (Heard(NUMBER, SENDER, "Sì", SENT),),
        ),
    ],
    forged=[
        Forged("no signature", event("DELIVERED")),
        Forged("signed with another key", signed(event("DELIVERED"), "guess")),
        Forged("another status than was signed", replace(signed(event("ENROUTE")), body=event("DELIVERED").body)),
        Forged("unknown status", signed(event("LOST")), 400),
        Forged("an answer where receipts go", signed(event("", kind="user-message.text.sms")), 400),
        Forged("no event", signed(as_json("/receipts", {"event_type": "message.status.sms", "event_id": "e"})), 400),
        Forged("an answer without a token", as_json("/inbound", written("Sì"))),
        Forged("a token that is none", answered(written("Sì"), "a.b.c")),
        Forged("a token signed with another key", answered(written("Sì"), token(written("Sì"), "guess"))),
        Forged("a token that says it needs no signature", answered(written("Sì"), "eyJhbGciOiJub25lIn0.e30.")),
        Forged("another text than was signed", answered(written("No"), token(written("Sì")))),
        Forged("a receipt's signature on an answer", replace(signed(event("DELIVERED")), target="/inbound")),
        Forged("no time", answered(written("Sì", senttime="today")), 400),
        Forged("no id", answered(written("Sì", id=None)), 400),
    ],
)
