"""SMSGate, by its documentation and the sources of its server and its app."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bridge.errors import Reason
from bridge.gateways.base import Recalled
from bridge.types import MessageState, Outcome, OutcomeKind
from tests.gateways.cases import (
    LONG,
    NOW,
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

NAME = "smsgate"

LOGIN = {"authorization": "Basic dXNlcjpwYXNzd29yZA=="}
TARGET = "/3rdparty/v1/messages"
BODY = {"id": REFERENCE, "phoneNumbers": [NUMBER], "withDeliveryReport": True, "simNumber": 1}
SECOND_SIM = "+390200000002"
KEY = "signing-key"


def body(text: str) -> dict[str, object]:
    return {**BODY, "textMessage": {"text": text}}


def signed(call: Call, key: str = KEY, at: datetime = NOW) -> Call:
    """As SMSGate documents it: the body, then the timestamp."""
    timestamp = str(int(at.timestamp()))
    signature = hmac.new(key.encode(), call.body + timestamp.encode(), hashlib.sha256).hexdigest()
    return replace(call, headers={**call.headers, "x-signature": signature, "x-timestamp": timestamp})


def event(name: str, **payload: object) -> Call:
    value = {"deviceId": "yVULogr4Y1ksRfnos1Dsw", "event": name, "id": "Ey6ECgOkVVFjz3CL48B8C", "webhookId": "LreFUt"}
    return as_json("/events", {**value, "payload": payload})


def told(name: str, when: str, **payload: object) -> Call:
    fields = {"messageId": REFERENCE, "sender": SENDER, "recipient": NUMBER, "phoneNumber": NUMBER, "simNumber": 1}
    return signed(event(name, **fields, **{when: "2026-11-21T10:59:55.000+01:00"}, **payload))


def failed(reason: str) -> Call:
    return told("sms:failed", "failedAt", reason=reason)


def receipt(state: MessageState, reason: Reason | None = None) -> tuple[Told]:
    return (Told(REFERENCE, state, reason, REFERENCE, AT),)


def mo(text: str, **payload: object) -> Call:
    fields = {"messageId": "abc123", "message": text, "sender": NUMBER, "recipient": SENDER, "phoneNumber": NUMBER}
    return event("sms:received", **{**fields, "simNumber": 1, "receivedAt": "2026-11-21T10:59:55.000+01:00", **payload})


def answer(state: str, status: int = 202) -> Play:
    recipients = [{"phoneNumber": NUMBER, "state": state}]
    value = {"id": REFERENCE, "state": state, "isHashed": False, "isEncrypted": False, "recipients": recipients}
    return Play(status, json.dumps({**value, "states": {}}))


def error(status: int, words: str) -> Play:
    return Play(status, json.dumps({"message": words}))


AT = datetime(2026, 11, 21, 9, 59, 55, tzinfo=UTC)
DELIVERY = "Delivery result from SC +393359609600: "

KIND = Kind(
    connection=connection(
        account="user",
        secret="password",
        webhook_secret=KEY,
        options={"number": SENDER, "number_2": SECOND_SIM},
    ),
    path="/3rdparty/v1",
    orders=[
        Order("plain", PLAIN, Request("POST", TARGET, LOGIN, body(PLAIN.text))),
        Order("unicode", UNICODE, Request("POST", TARGET, LOGIN, body(UNICODE.text))),
        Order("long", LONG, Request("POST", TARGET, LOGIN, body(LONG.text))),
        Order(
            "by the second SIM",
            replace(PLAIN, sender=SECOND_SIM),
            Request("POST", TARGET, LOGIN, {**body(PLAIN.text), "simNumber": 2}),
        ),
        Order(
            "with an end to it",
            replace(PLAIN, expires_at=NOW + timedelta(minutes=90)),
            Request("POST", TARGET, LOGIN, {**body(PLAIN.text), "validUntil": "2026-11-21T11:30:00.000Z"}),
        ),
    ],
    answers=[
        Says("taken", answer("Pending"), accepted(REFERENCE)),
        Says("taken, and failed at once", answer("Failed"), outcome(REJECTED)),
        Says("taken, in a state of the future", answer("Dreaming"), outcome(UNKNOWN)),
        Says("a state that is none", Play(202, '{"id": "1", "state": []}'), outcome(UNKNOWN)),
        Says("it has it already", error(409, "message already exists"), Outcome(OutcomeKind.ACCEPTED)),
        Says("a bad request", error(400, "failed to validate: invalid phone number"), outcome(REJECTED)),
        Says("no phone registered", error(400, "no devices registered"), outcome(REJECTED)),
        Says("wrong login", error(401, "Unauthorized"), outcome(REJECTED)),
        Says("the token may not send", error(403, "Forbidden"), outcome(REJECTED)),
        Says("too much waits for the phone", error(503, "queue limits exceeded: too many"), outcome(THROTTLED)),
        Says("a proxy is down", Play(503, "<html>"), outcome(UNKNOWN)),
        Says("too fast", Play(429, "", {"Retry-After": "9"}), outcome(THROTTLED, retry_after=9.0)),
        Says("broken", error(500, "failed to handle request"), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/3rdparty/v1/webhooks", LOGIN),
    recall=[Request("DELETE", f"{TARGET}/{REFERENCE}", LOGIN)],
    recalls=[
        Takes("the phone has not fetched it", (answer("Cancelled", 200),), Recalled.CANCELLED),
        Takes("the phone is asked", (answer("Cancelling", 200),), Recalled.ASKED),
        Takes("it left a moment ago", (answer("Sent", 200),), Recalled.UNKNOWN),
        Takes("it is not pending any more", (error(400, "message is not pending"),), Recalled.REFUSED),
        Takes("no such message", (error(404, "message not found"),), Recalled.REFUSED),
        Takes("broken", (error(500, "failed to cancel message"),), Recalled.UNKNOWN),
    ],
    callbacks=[
        Callback("sent", told("sms:sent", "sentAt", partsCount=1), receipt(MessageState.SENT)),
        Callback("delivered", told("sms:delivered", "deliveredAt"), receipt(MessageState.DELIVERED)),
        Callback("nothing sent", failed("Send result: RESULT_ERROR_NO_SERVICE (…)"), receipt(MessageState.FAILED)),
        Callback("too much sent", failed("RESULT_ERROR_LIMIT_EXCEEDED"), receipt(MessageState.FAILED)),
        Callback("no SIM card", failed("Can't send message: No SIMs found"), receipt(MessageState.FAILED)),
        Callback("too late to send", failed("TTL expired"), receipt(MessageState.EXPIRED, Reason.VALIDITY_EXPIRED)),
        Callback(
            "the network gave up",
            failed(f"{DELIVERY}70"),
            receipt(MessageState.EXPIRED, Reason.VALIDITY_EXPIRED),
        ),
        Callback(
            "no such phone", failed(f"{DELIVERY}67"), receipt(MessageState.UNDELIVERED, Reason.UNKNOWN_SUBSCRIBER)
        ),
        Callback(
            "the phone does not answer",
            failed(f"{DELIVERY}98"),
            receipt(MessageState.UNDELIVERED, Reason.ABSENT_SUBSCRIBER),
        ),
        Callback("not delivered", failed(f"{DELIVERY}64"), receipt(MessageState.UNDELIVERED)),
        Callback("not delivered, and nothing more", failed("Delivery result: 1"), receipt(MessageState.UNDELIVERED)),
        Callback(
            "cancelled in the app",
            told("sms:cancelled", "cancelledAt"),
            receipt(MessageState.CANCELLED, Reason.CANCELLED),
        ),
        Callback("a ping says nothing", signed(event("system:ping", health={"status": "pass"})), ()),
        Callback("its start says nothing", signed(event("app:started")), ()),
        Callback("a phone writes", signed(mo("Sì, grazie")), (Heard(NUMBER, SENDER, "Sì, grazie", AT),)),
        Callback("a phone writes in Unicode", signed(mo("Приём ☎ 😀")), (Heard(NUMBER, SENDER, "Приём ☎ 😀", AT),)),
        Callback("a phone writes much", signed(mo("a" * 400)), (Heard(NUMBER, SENDER, "a" * 400, AT),)),
        Callback("a phone writes nothing", signed(mo("")), (Heard(NUMBER, SENDER, "", AT),)),
        Callback(
            "Android knows an old number of the SIM card",
            signed(mo("Si", recipient="+393339999999")),
            (Heard(NUMBER, SENDER, "Si", AT),),
        ),
        Callback(
            "Android tells no number",
            signed(mo("Si", recipient=None, simNumber=None)),
            (Heard(NUMBER, SENDER, "Si", AT),),
        ),
        Callback(
            "to the second SIM card",
            signed(mo("Si", recipient=None, simNumber=2)),
            (Heard(NUMBER, SECOND_SIM, "Si", AT),),
        ),
        Callback(
            "to the second SIM card, told by its number alone",
            signed(mo("Si", recipient="0200000002", simNumber=None)),
            (Heard(NUMBER, SECOND_SIM, "Si", AT),),
        ),
        Callback(
            "by an app of before 2026, from a number without its country",
            signed(mo("Si", sender=None, recipient=None, phoneNumber="333 123 4567")),
            (Heard(NUMBER, SENDER, "Si", AT),),
        ),
        Callback("a short code writes", signed(mo("Saldo", sender="4040")), (Heard("4040", SENDER, "Saldo", AT),)),
        Callback("a name writes", signed(mo("Saldo", sender="Poste")), (Heard("Poste", SENDER, "Saldo", AT),)),
    ],
    forged=[
        Forged("no signature", mo("Si")),
        Forged("signed with another key", signed(mo("Si"), "guess")),
        Forged("another body than was signed", replace(signed(mo("Si")), body=mo("No").body)),
        Forged("an old one again", signed(mo("Si"), at=NOW - timedelta(minutes=6))),
        Forged(
            "another time than was signed",
            replace(
                signed(mo("Si"), at=NOW - timedelta(minutes=6)),
                headers={
                    **signed(mo("Si"), at=NOW - timedelta(minutes=6)).headers,
                    "x-timestamp": str(int(NOW.timestamp())),
                },
            ),
        ),
        Forged("an event that nobody asked for", signed(event("mms:received", messageId="1")), 400),
        Forged("no payload", signed(as_json("/events", {"event": "sms:received", "id": "1"})), 400),
        Forged("no id", signed(event("sms:delivered", deliveredAt="2026-11-21T10:59:55.000+01:00")), 400),
        Forged("a time that is none", signed(mo("Si", receivedAt="yesterday")), 400),
        Forged("a sender that is no text", signed(mo("Si", sender=["+39"])), 400),
    ],
)
