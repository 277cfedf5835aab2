"""Bandwidth."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bridge.errors import Reason
from bridge.types import MessageState
from tests.gateways.cases import (
    EXPIRING,
    LAYOUT,
    LONG,
    NUMBER,
    PICTURE,
    PLAIN,
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
    Told,
    accepted,
    as_json,
    connection,
    outcome,
)
from tests.gateways.provider import Play

NAME = "bandwidth"

LOGIN = {"authorization": "Basic dXNlcjpwYXNzd29yZA=="}
TARGET = "/api/v2/users/5500/messages"
EVENTS = f"/events/{TOKEN}"
FIELDS = {"applicationId": "93de2206", "to": [NUMBER], "from": SENDER, "tag": REFERENCE}
MOMENT = datetime(2026, 11, 21, 9, 59, 58, tzinfo=UTC)


def event(kind: str, to: str, code: int | None = None, **message: Any) -> dict[str, Any]:
    """One event as Bandwidth writes it."""
    written = {"type": kind, "time": "2026-11-21T09:59:58Z", "description": "ok", "to": to}
    content = {"id": "14762070", "time": "2026-11-21T09:59:58Z", "to": [to], "text": "", **message}
    return {**written, **({"errorCode": code} if code is not None else {}), "message": content}


def receipt(kind: str, code: int | None = None, identity: str = "14762070") -> dict[str, Any]:
    content: dict[str, Any] = {"id": identity, "from": SENDER, "tag": REFERENCE, "direction": "out"}
    return event(f"message-{kind}", NUMBER, code, **content)


def told(kind: str, state: MessageState, code: int | None = None, reason: Reason | None = None) -> Callback:
    name = kind if code is None else f"{kind} {code}"
    return Callback(name, events(receipt(kind, code)), (Told("14762070", state, reason, REFERENCE, MOMENT),))


def events(*heard: dict[str, Any]) -> Call:
    return as_json(EVENTS, list(heard))


def written(text: str, identity: str = "14762071") -> dict[str, Any]:
    content: dict[str, Any] = {"id": identity, "from": NUMBER, "text": text, "owner": SENDER, "direction": "in"}
    return event("message-received", SENDER, **content)


def refused(status: int, kind: str) -> Play:
    return Play(status, json.dumps({"type": kind, "description": f"to {NUMBER}"}))


def mms(text: str, *addresses: object) -> Call:
    content: dict[str, Any] = {"id": "14762072", "from": NUMBER, "text": text, "owner": SENDER, "direction": "in"}
    return events(event("message-received", SENDER, **content, media=list(addresses)))


MEDIA = "/api/v2/users/5500/media/14762072"

KIND = Kind(
    connection=connection(
        account="user", secret="password", options={"account_id": "5500", "application_id": "93de2206"}
    ),
    path="/api/v2",
    orders=[
        Order("plain", PLAIN, Request("POST", TARGET, LOGIN, {**FIELDS, "text": PLAIN.text})),
        Order("unicode", UNICODE, Request("POST", TARGET, LOGIN, {**FIELDS, "text": UNICODE.text})),
        Order("long", LONG, Request("POST", TARGET, LOGIN, {**FIELDS, "text": LONG.text})),
        Order(
            "of use for two hours",
            EXPIRING,
            Request("POST", TARGET, LOGIN, {**FIELDS, "text": EXPIRING.text, "expiration": "2026-11-21T12:00:00Z"}),
        ),
    ],
    answers=[
        Says("taken", Play(202, '{"id": "14762070", "owner": "", "segmentCount": 1}'), accepted("14762070")),
        Says("bad number", refused(400, "request-validation"), outcome(REJECTED)),
        Says("wrong login", refused(401, "unauthorized"), outcome(REJECTED)),
        Says("no right to text", refused(403, "forbidden"), outcome(REJECTED)),
        Says("no such account", Play(404, '{"status": 404, "error": "Not Found"}'), outcome(REJECTED)),
        Says("not JSON", refused(415, "unsupported-content-type"), outcome(REJECTED)),
        Says("queue full", refused(429, "max-message-queue-size-exceeded"), outcome(THROTTLED)),
        Says("too fast", Play(429, "", {"Retry-After": "9"}), outcome(THROTTLED, retry_after=9.0)),
        Says("too slow", refused(408, "timeout"), outcome(UNKNOWN)),
        Says("broken, says Bandwidth: not sent", refused(500, "internal-server-error"), outcome(THROTTLED)),
        Says("broken, says a machine before it", Play(502, "<html>"), outcome(UNKNOWN)),
        Says("taken, but it does not say as what", Play(202, "{}"), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/api/v2/users/5500/media", LOGIN),
    callbacks=[
        told("sending", MessageState.SENT),
        told("delivered", MessageState.DELIVERED),
        told("failed", MessageState.FAILED, 4432, Reason.COUNTRY_NOT_ALLOWED),
        told("failed", MessageState.FAILED, 4470, Reason.FILTERED),
        told("failed", MessageState.FAILED, 4406, Reason.UNKNOWN_SUBSCRIBER),
        told("failed", MessageState.FAILED, 4403, Reason.SENDER_REFUSED),
        told("failed", MessageState.FAILED, 4482, Reason.BARRED),
        told("failed", MessageState.EXPIRED, 4360, Reason.VALIDITY_EXPIRED),
        told("failed", MessageState.UNDELIVERED, 4702, Reason.ABSENT_SUBSCRIBER),
        told("failed", MessageState.UNDELIVERED, 4720, Reason.UNKNOWN_SUBSCRIBER),
        told("failed", MessageState.UNDELIVERED, 4770, Reason.FILTERED),
        told("failed", MessageState.UNDELIVERED, 4775, Reason.OPTED_OUT),
        told("failed", MessageState.UNDELIVERED, 5600),
        told("failed", MessageState.UNDELIVERED, 9999),
        Callback("a receipt that did not come in time says nothing", events(receipt("failed", 9902)), ()),
        Callback("a phone writes", events(written("Sì")), (Heard(NUMBER, SENDER, "Sì", MOMENT),)),
        Callback("a phone writes in Unicode", events(written("Приём ☎")), (Heard(NUMBER, SENDER, "Приём ☎", MOMENT),)),
        Callback("a phone writes at length", events(written("a" * 400)), (Heard(NUMBER, SENDER, "a" * 400, MOMENT),)),
        Callback(
            "two events at once",
            events(receipt("delivered", identity="1"), receipt("delivered", identity="2")),
            tuple(Told(identity, MessageState.DELIVERED, None, REFERENCE, MOMENT) for identity in "12"),
        ),
    ],
    mms=[
        Mms(
            "a picture, words and a layout",
            lambda url: mms("Ecco", f"{url}{MEDIA}/0/0.smil", f"{url}{MEDIA}/1/IMG_1.jpg"),
            (f"{MEDIA}/0/0.smil", f"{MEDIA}/1/IMG_1.jpg"),
            LOGIN,
            (LAYOUT, PICTURE),
            "Ecco",
            files=1,
        ),
        Mms("a list of anything", lambda url: mms("Ecco", None, 7, {}), (), LOGIN, (), "Ecco", missing=3),
    ],
    forged=[
        Forged("path without its token", as_json("/events", [receipt("delivered")]), 404),
        Forged("path with another token", as_json(f"/events/{TOKEN[::-1]}", [receipt("delivered")]), 404),
        Forged("unknown type", events(receipt("lost")), 400),
        Forged("no list", as_json(EVENTS, receipt("delivered")), 400),
        Forged("no message", events({"type": "message-delivered"}), 400),
        Forged("a sender that is no text", events(event("message-received", SENDER, None, **{"from": "\n" * 30})), 400),
    ],
)
