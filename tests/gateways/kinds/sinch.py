"""Sinch, with a service plan whose callbacks are signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bridge.errors import Reason
from bridge.gateways.base import Recalled
from bridge.types import MessageState
from tests.gateways.cases import (
    EXPIRING,
    FLASH,
    LONG,
    NOW,
    NUMBER,
    PICTURE,
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
    Mms,
    Order,
    Request,
    Says,
    Takes,
    Told,
    accepted,
    as_json,
    connection,
    outcome,
)
from tests.gateways.provider import Play

NAME = "sinch"

LOGIN = {"authorization": "Bearer api-token"}
TARGET = "/xms/v1/plan/batches"
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"
BATCH = "01W4FFL35P4NC4K35SMSBATCH9"
AT = datetime(2026, 11, 21, 8, 17, 19, 210000, UTC)


def request(text: str, **more: Any) -> Request:
    fields = {
        "from": SENDER,
        "to": [NUMBER],
        "body": text,
        "type": "mt_text",
        "delivery_report": "per_recipient",
        "callback_url": f"{PUBLIC_URL}/hooks/main{RECEIPTS}",
        "client_reference": REFERENCE,
    }
    return Request("POST", TARGET, LOGIN, {**fields, **more})


def signed(call: Call, key: str = "hook key", moment: str = str(int(NOW.timestamp()))) -> Call:
    """As Sinch documents it: body, nonce and time."""
    digest = hmac.new(key.encode(), call.body + f".nonce.{moment}".encode(), hashlib.sha256).digest()
    proof = {
        "x-sinch-webhook-signature": base64.b64encode(digest).decode(),
        "x-sinch-webhook-signature-nonce": "nonce",
        "x-sinch-webhook-signature-timestamp": moment,
        "x-sinch-webhook-signature-algorithm": "HmacSHA256",
    }
    return replace(call, headers={**call.headers, **proof})


def report(status: str, code: int, target: str = RECEIPTS, **more: Any) -> Call:
    fields = {
        "type": "recipient_delivery_report_sms",
        "batch_id": BATCH,
        "recipient": NUMBER[1:],
        "code": code,
        "status": status,
        "at": "2026-11-21T08:17:19.210Z",
        "client_reference": REFERENCE,
    }
    return as_json(target, {**fields, **more})


def receipt(status: str, code: int, state: MessageState | None, reason: Reason | None = None) -> Callback:
    events = () if state is None else (Told(BATCH, state, reason, REFERENCE, AT),)
    return Callback(f"{status} {code}", signed(report(status, code)), events)


def written(text: str, target: str = INBOUND, **more: Any) -> Call:
    fields = {"type": "mo_text", "id": "01XXXXX21XXXXX119Z8P1XXXXX", "from": NUMBER[1:], "to": SENDER[1:]}
    return as_json(target, {**fields, "body": text, "received_at": "2026-11-21T08:17:19.210Z", **more})


def mms(media: object, **body: Any) -> Call:
    fields = {"type": "mo_media", "id": "01XXXXX21XXXXX119Z8P1YYYYY", "from": NUMBER[1:], "to": SENDER[1:]}
    content = {"body": {"media": media, **body}, "received_at": "2026-11-21T08:17:19.210Z"}
    return signed(as_json(INBOUND, {**fields, **content}))


def stored(url: str) -> dict[str, object]:
    return {"url": url, "content_type": "image/jpeg", "status": "Uploaded", "code": 0}


def linked(reference: object) -> Call:
    return signed(written("Sì", client_reference=reference))


def took(status: str) -> tuple[Play, Play]:
    """The batch is cancelled in any case; the report says what that did."""
    return Play(200, f'{{"id": "{BATCH}", "canceled": true}}'), Play(
        200, f'{{"batch_id": "{BATCH}", "status": "{status}"}}'
    )


KIND = Kind(
    connection=connection(account="plan", secret="api-token", webhook_secret="hook key"),
    orders=[
        Order("plain", PLAIN, request(PLAIN.text)),
        Order("unicode", UNICODE, request(UNICODE.text)),
        Order("long", LONG, request(LONG.text)),
        Order("of no use in two hours", EXPIRING, request(EXPIRING.text, expire_at="2026-11-21T12:00:00.000Z")),
        Order("flash", FLASH, request(FLASH.text, flash_message=True)),
    ],
    answers=[
        Says("taken", Play(201, f'{{"id": "{BATCH}", "type": "mt_text", "canceled": false}}'), accepted(BATCH)),
        Says("malformed", Play(400, '{"code": "syntax_constraint_violation", "text": "…"}'), outcome(REJECTED)),
        Says("wrong token", Play(401, ""), outcome(REJECTED)),
        Says("not allowed", Play(403, '{"code": "unauthorized", "text": "…"}'), outcome(REJECTED)),
        Says("no such plan", Play(404, ""), outcome(REJECTED)),
        Says("too fast", Play(429, "", {"Retry-After": "4"}), outcome(THROTTLED, retry_after=4.0)),
        Says("broken", Play(500, '{"code": "unknown_error"}'), outcome(UNKNOWN)),
        Says("unavailable", Play(503, ""), outcome(UNKNOWN)),
        Says("taken, but it does not say as what", Play(201, '{"type": "mt_text"}'), outcome(UNKNOWN)),
    ],
    question=Request("GET", f"{TARGET}?page_size=1", LOGIN),
    recall=[
        Request("DELETE", f"{TARGET}/a%2Fb%201", LOGIN),
        Request("GET", f"{TARGET}/a%2Fb%201/delivery_report/%2B393331234567", LOGIN),
    ],
    recalls=[
        Takes("cancelled before it reached the network", took("Cancelled"), Recalled.CANCELLED),
        Takes("still in the queue", took("Queued"), Recalled.ASKED),
        Takes("handed to the network", took("Dispatched"), Recalled.REFUSED),
        Takes("delivered", took("Delivered"), Recalled.REFUSED),
        Takes("no receipt came", took("Unknown"), Recalled.REFUSED),
        Takes("no report yet", (took("")[0], Play(404, "{}")), Recalled.ASKED),
        Takes("no such batch", (Play(404, '{"code": "not_found"}'),), Recalled.REFUSED),
    ],
    linked=linked,
    callbacks=[
        receipt("Queued", 400, None),
        receipt("Dispatched", 401, MessageState.SENT),
        receipt("Delivered", 0, MessageState.DELIVERED),
        receipt("DELIVERED", 0, MessageState.DELIVERED),
        receipt("Failed", 404, MessageState.UNDELIVERED),
        receipt("Deleted", 11, MessageState.UNDELIVERED),
        receipt("Expired", 406, MessageState.EXPIRED, Reason.VALIDITY_EXPIRED),
        receipt("Rejected", 402, MessageState.FAILED),
        receipt("Aborted", 412, MessageState.FAILED, Reason.COUNTRY_NOT_ALLOWED),
        receipt("Aborted", 411, MessageState.FAILED, Reason.TOO_MANY_SEGMENTS),
        receipt("Aborted", 410, MessageState.FAILED, Reason.SENDER_REFUSED),
        receipt("Cancelled", 407, MessageState.CANCELLED),
        receipt("Unknown", 403, None),
        Callback(
            "without a reference",
            signed(report("Delivered", 0, client_reference=None)),
            (Told(BATCH, MessageState.DELIVERED, None, None, AT),),
        ),
        Callback(
            "a phone writes", signed(written("Sì, va bene")), (Heard(NUMBER, SENDER, "Sì, va bene", AT),), says=""
        ),
        Callback(
            "a phone writes a long answer in Unicode",
            signed(written("Спасибо ☎ " * 20)),
            (Heard(NUMBER, SENDER, "Спасибо ☎ " * 20, AT),),
        ),
        Callback(
            "a phone writes, and Sinch says what it answers",
            linked(REFERENCE),
            (Heard(NUMBER, SENDER, "Sì", AT, REFERENCE),),
        ),
        Callback("a phone writes, and it answers nothing", linked(None), (Heard(NUMBER, SENDER, "Sì", AT),)),
    ],
    mms=[
        Mms(
            "a picture, a subject and words",
            lambda url: mms([stored(f"{url}/store/1")], subject="Foto", message="Ecco"),
            ("/store/1",),
            {},
            (PICTURE,),
            "Foto\nEcco",
            files=1,
        ),
        Mms(
            "a file that Sinch could not store",
            lambda url: mms([{"content_type": "image/jpeg", "status": "Failed", "code": 1}], message="Ecco"),
            (),
            {},
            (),
            "Ecco",
            missing=1,
        ),
        Mms("files that are no list", lambda url: mms("none", message="Ecco"), (), {}, (), "Ecco"),
    ],
    forged=[
        Forged("no signature", report("Delivered", 0)),
        Forged("signed with another key", signed(report("Delivered", 0), "guess")),
        Forged("another status than was signed", replace(signed(report("Queued", 400)), body=report("Failed", 1).body)),
        Forged("an old one, played again", signed(report("Delivered", 0), moment=str(int(NOW.timestamp()) - 301))),
        Forged("a time that is none", signed(report("Delivered", 0), moment="now")),
        Forged("path without its token", signed(report("Delivered", 0, "/receipts")), 404),
        Forged("a receipt where answers go", signed(report("Delivered", 0, INBOUND)), 400),
        Forged("an answer where receipts go", signed(written("Sì", RECEIPTS)), 400),
        Forged("an answer that is no text", signed(written("AA==", type="mo_binary")), 400),
        Forged("unknown status", signed(report("Lost", 0)), 400),
        Forged("no batch", signed(report("Delivered", 0, batch_id="")), 400),
    ],
)
