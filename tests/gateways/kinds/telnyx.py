"""Telnyx."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bridge.errors import Reason
from bridge.types import MessageState
from tests.gateways.cases import (
    LONG,
    NOW,
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
    Told,
    accepted,
    as_json,
    connection,
    money,
    outcome,
)
from tests.gateways.provider import Play

NAME = "telnyx"

OWN_KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32)) for seed in (1, 2))
LOGIN = {"authorization": "Bearer KEY1"}
FIELDS = {
    "from": SENDER,
    "to": NUMBER,
    "type": "SMS",
    "messaging_profile_id": "83d2343b",
    "webhook_url": f"{PUBLIC_URL}/hooks/main/events",
    "use_profile_webhooks": False,
}
MOMENT = datetime(2026, 11, 21, 9, 59, 58, 148000, tzinfo=UTC)


def signed(call: Call, at: float = 0.0, key: Ed25519PrivateKey = OWN_KEY) -> Call:
    """As Telnyx documents it: over the time, a bar and the body; `at` in seconds from now."""
    time = str(int(NOW.timestamp() + at))
    signature = base64.b64encode(key.sign(time.encode() + b"|" + call.body)).decode()
    return replace(call, headers={**call.headers, "telnyx-timestamp": time, "telnyx-signature-ed25519": signature})


def event(kind: str, **payload: Any) -> Call:
    data = {"record_type": "event", "id": "4ee8c3a6", "event_type": kind, "payload": payload}
    return as_json("/events", {"data": data, "meta": {"attempt": 1}})


def receipt(kind: str, status: str, *codes: str) -> Call:
    return event(
        kind,
        id="ac012cbf",
        direction="outbound",
        to=[{"phone_number": NUMBER, "status": status}],
        errors=[{"code": code, "title": "why"} for code in codes],
        completed_at="2026-11-21T09:59:58.148+00:00",
    )


def told(status: str, state: MessageState, *codes: str, reason: Reason | None = None) -> Callback:
    call = signed(receipt("message.finalized", status, *codes))
    return Callback(" ".join((status, *codes)), call, (Told("ac012cbf", state, reason, None, MOMENT),))


def priced(amount: object) -> Call:
    cost = {"amount": amount, "currency": "USD"}
    phones = [{"phone_number": NUMBER, "status": "delivered"}]
    return signed(event("message.finalized", id="ac012cbf", to=phones, errors=[], cost=cost))


def left(credit: str) -> str:
    return f'{{"data": {{"balance": "300.00", "available_credit": {credit}, "currency": "USD"}}}}'


def refused(status: int, code: str) -> Play:
    return Play(status, f'{{"errors": [{{"code": "{code}", "title": "why", "detail": "to {NUMBER}"}}]}}')


def written(text: str) -> Call:
    return event(
        "message.received",
        id="84cca175",
        direction="inbound",
        **{"from": {"phone_number": NUMBER, "carrier": "", "line_type": ""}},
        to=[{"phone_number": SENDER, "status": "webhook_delivered"}],
        text=text,
        received_at="2026-11-21T09:59:58.148+00:00",
        errors=[],
    )


def mms(*addresses: str, **more: Any) -> Call:
    files = [{"url": address, "content_type": "image/jpeg", "size": 13, "hash_sha256": None} for address in addresses]
    phones = {"from": {"phone_number": NUMBER}, "to": [{"phone_number": SENDER, "status": "webhook_delivered"}]}
    return signed(event("message.received", id="84cca176", type="MMS", media=files, **phones, **more))


KIND = Kind(
    connection=connection(
        secret="KEY1",
        options={
            "public_key": base64.b64encode(OWN_KEY.public_key().public_bytes_raw()).decode(),
            "messaging_profile_id": "83d2343b",
        },
    ),
    path="/v2",
    orders=[
        Order("plain", PLAIN, Request("POST", "/v2/messages", LOGIN, {**FIELDS, "text": PLAIN.text})),
        Order("unicode", UNICODE, Request("POST", "/v2/messages", LOGIN, {**FIELDS, "text": UNICODE.text})),
        Order("long", LONG, Request("POST", "/v2/messages", LOGIN, {**FIELDS, "text": LONG.text})),
    ],
    answers=[
        Says(
            "taken",
            Play(200, '{"data": {"id": "ac012cbf", "to": [{"status": "queued"}], "errors": []}}'),
            accepted("ac012cbf"),
        ),
        Says("opted out", refused(403, "40300"), outcome(REJECTED, Reason.OPTED_OUT)),
        Says("no mobile phone", refused(422, "40001"), outcome(REJECTED, Reason.LANDLINE)),
        Says("no such number", refused(422, "40310"), outcome(REJECTED, Reason.UNKNOWN_SUBSCRIBER)),
        Says("sender not allowed", refused(422, "40305"), outcome(REJECTED, Reason.SENDER_REFUSED)),
        Says("name not set up", refused(422, "40306"), outcome(REJECTED, Reason.SENDER_REFUSED)),
        Says("country not opened", refused(403, "40309"), outcome(REJECTED, Reason.COUNTRY_NOT_ALLOWED)),
        Says("too long", refused(422, "40302"), outcome(REJECTED, Reason.TOO_MANY_SEGMENTS)),
        Says("profile switched off", refused(403, "40312"), outcome(REJECTED)),
        Says("wrong key", refused(401, "10009"), outcome(REJECTED)),
        Says("no such page", Play(404, ""), outcome(REJECTED)),
        Says("queue full", refused(422, "40318"), outcome(THROTTLED)),
        Says(
            "too fast",
            replace(refused(429, "10011"), headers={"Retry-After": "2"}),
            outcome(THROTTLED, retry_after=2.0),
        ),
        Says("too fast, without a word", Play(429, ""), outcome(THROTTLED)),
        Says("too slow", refused(408, "10008"), outcome(UNKNOWN)),
        Says("queue full, while all is broken", refused(503, "40318"), outcome(UNKNOWN)),
        Says("broken", refused(500, "10007"), outcome(UNKNOWN)),
        Says("taken, but it does not say as what", Play(200, '{"data": {}}'), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/v2/balance", LOGIN),
    statement=Request("GET", "/v2/balance", LOGIN),
    balances=[Left("with what may be overdrawn", left('"400.00"'), money("400.00", "USD"))],
    left=left,
    priced_call=priced,
    callbacks=[
        Callback(
            "delivered, and what it costs",
            priced("0.0051"),
            (Told("ac012cbf", MessageState.DELIVERED, price=money("0.0051", "USD")),),
        ),
        Callback("queued says nothing new", signed(receipt("message.sent", "queued")), ()),
        Callback(
            "sent",
            signed(receipt("message.sent", "sent")),
            (Told("ac012cbf", MessageState.SENT, occurred_at=MOMENT),),
        ),
        Callback("unconfirmed says nothing new", signed(receipt("message.finalized", "delivery_unconfirmed")), ()),
        told("delivered", MessageState.DELIVERED),
        told("delivery_failed", MessageState.UNDELIVERED, "40001", reason=Reason.LANDLINE),
        told("delivery_failed", MessageState.UNDELIVERED, "40003", reason=Reason.FILTERED),
        told("delivery_failed", MessageState.UNDELIVERED, "40012", reason=Reason.UNKNOWN_SUBSCRIBER),
        told("delivery_failed", MessageState.UNDELIVERED, "40008"),
        told("delivery_failed", MessageState.UNDELIVERED),
        told("sending_failed", MessageState.FAILED, "40013", reason=Reason.SENDER_REFUSED),
        told("cancelled", MessageState.FAILED),
        told("expired", MessageState.EXPIRED, "40014", reason=Reason.VALIDITY_EXPIRED),
        Callback("news of something else", signed(event("10dlc.brand.update")), ()),
        Callback("a phone writes", signed(written("Sì")), (Heard(NUMBER, SENDER, "Sì", MOMENT),)),
        Callback("a phone writes in Unicode", signed(written("Приём ☎")), (Heard(NUMBER, SENDER, "Приём ☎", MOMENT),)),
        Callback("a phone writes at length", signed(written("a" * 400)), (Heard(NUMBER, SENDER, "a" * 400, MOMENT),)),
    ],
    mms=[
        Mms(
            "a picture and words",
            lambda url: mms(f"{url}/abc123", text="Ecco", subject=None),
            ("/abc123",),
            {},
            (PICTURE,),
            "Ecco",
            files=1,
        ),
        Mms(
            "a picture with a subject",
            lambda url: mms(f"{url}/1", text="", subject="Foto"),
            ("/1",),
            {},
            (PICTURE,),
            "Foto",
            files=1,
        ),
        Mms("a file without an address", lambda url: mms("", text="Ecco"), (), {}, (), "Ecco", missing=1),
    ],
    forged=[
        Forged("no signature", receipt("message.finalized", "delivered")),
        Forged("signed by another key", signed(written("Sì"), key=OTHER_KEY)),
        Forged("another text than was signed", replace(signed(written("Sì")), body=written("No").body)),
        Forged(
            "another time than was signed",
            replace(signed(written("Sì")), headers={**signed(written("Sì")).headers, "telnyx-timestamp": "1795255201"}),
        ),
        Forged("an hour old", signed(written("Sì"), at=-3600)),
        Forged("from tomorrow", signed(written("Sì"), at=86_400)),
        Forged(
            "a signature that is no base64",
            replace(written("Sì"), headers={"telnyx-timestamp": "1", "telnyx-signature-ed25519": "!"}),
        ),
        Forged("unknown status", signed(receipt("message.finalized", "lost")), 400),
        Forged("no event", signed(as_json("/events", {})), 400),
        Forged("no phone", signed(event("message.finalized", id="1", to=[])), 400),
        Forged(
            "errors that are none", signed(event("message.finalized", id="1", to=[{"status": "sent"}], errors="x")), 400
        ),
    ],
)
