"""Jasmin, by its documentation and its source."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from bridge.errors import Reason
from bridge.sms import gsm7
from bridge.types import CREDITS, MessageState
from tests.gateways.cases import (
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

NAME = "jasmin"

ID = "07033084-5cfd-4812-90a4-e4d24ffb6e3d"
FIELDS = {
    "to": NUMBER[1:],
    "from": SENDER[1:],
    "username": "bridge",
    "password": "password",
    "dlr": "yes",
    "dlr-url": f"{PUBLIC_URL}/hooks/main/receipts/{TOKEN}?reference={REFERENCE}",
    "dlr-level": "3",
    "dlr-method": "POST",
    "coding": "0",
}
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"


def receipt(status: str, **more: str) -> Call:
    """The address that the message named, with what the documentation lists for both levels."""
    return form(f"{RECEIPTS}?reference={REFERENCE}", None, id=ID, message_status=status, connector="demo", **more)


def second(status: str, err: str = "000") -> Call:
    """A receipt of level 2."""
    counts = {"sub": "001", "dlvrd": "001", "subdate": "2611210958", "donedate": "2611210959"}
    return receipt(status, level="2", id_smsc="2567", err=err, text="A domani alle 9", **counts)


def told(state: MessageState, reason: Reason | None = None) -> tuple[Told]:
    return (Told(ID, state, reason, REFERENCE),)


def mo(octets: bytes, coding: str | None = None, **more: str) -> Call:
    fields: dict[str, str | bytes] = {
        "id": "16fd2706-8baf-433b-82eb-8c7fada847da",
        "from": NUMBER,
        "to": SENDER,
        "origin-connector": "demo",
        "priority": "1",
        "content": octets,
        "binary": octets.hex(),
    }
    fields |= {"coding": coding} if coding is not None else {}
    return Call(INBOUND, {"content-type": "application/x-www-form-urlencoded"}, urlencode({**fields, **more}).encode())


def left(balance: str) -> str:
    return f'{{"balance": {balance}, "sms_count": "ND"}}'


def error(status: int, words: str) -> Play:
    return Play(status, f'Error "{words}"')


KIND = Kind(
    connection=connection(account="bridge", secret="password"),
    orders=[
        Order("plain", PLAIN, Request("POST", "/send", {}, {**FIELDS, "content": PLAIN.text})),
        Order(
            "unicode",
            UNICODE,
            Request(
                "POST",
                "/send",
                {},
                {**FIELDS, "coding": "8", "hex-content": "041f044004380451043c002000310030003a003000300020260e"},
            ),
        ),
        Order(
            "from a name",
            replace(PLAIN, sender="Clinica"),
            Request("POST", "/send", {}, {**FIELDS, "from": "Clinica", "content": PLAIN.text}),
        ),
        Order("long", LONG, Request("POST", "/send", {}, {**FIELDS, "content": LONG.text})),
        Order(
            "with an end to it",
            replace(PLAIN, expires_at=NOW + timedelta(minutes=90, seconds=59)),
            Request("POST", "/send", {}, {**FIELDS, "content": PLAIN.text, "validity-period": "90"}),
        ),
    ],
    answers=[
        Says("taken", Play(200, f'Success "{ID}"'), accepted(ID)),
        Says("an argument misses", error(400, "Mandatory argument [to] is not found."), outcome(REJECTED)),
        Says("a bad value", error(400, "Argument [to] has an invalid value: [abc]."), outcome(REJECTED)),
        Says("a value the user may not give", error(400, "Value filter failed for user [bridge]"), outcome(REJECTED)),
        Says("wrong login", error(403, "Authentication failure for username:bridge"), outcome(REJECTED)),
        Says("not allowed", error(403, "Authorization failed for username [bridge]"), outcome(REJECTED)),
        Says(
            "no credit", error(403, "Cannot charge submit_sm, check RouterPB log file for details"), outcome(REJECTED)
        ),
        Says("too fast", error(403, "User throughput exceeded"), outcome(THROTTLED)),
        Says("no route", error(412, "No route found"), outcome(REJECTED)),
        Says("no network is bound", error(412, "Failover route has no bound connectors"), outcome(THROTTLED)),
        Says("its interceptor is away", error(503, "InterceptorPB not connected !"), outcome(THROTTLED)),
        Says("its interceptor is not there", error(503, "InterceptorPB not set !"), outcome(THROTTLED)),
        Says(
            "it could not hand it on",
            error(500, "Cannot send submit_sm, check SMPPClientManagerPB log file for details"),
            outcome(UNKNOWN),
        ),
        Says("a proxy slows us down", Play(429, "", {"Retry-After": "3"}), outcome(THROTTLED, retry_after=3.0)),
        Says("a proxy is down", Play(503, "<html>"), outcome(UNKNOWN)),
        Says("an error in a 200", Play(200, 'Error "No route found"'), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/balance?username=bridge&password=password"),
    statement=Request("GET", "/balance?username=bridge&password=password"),
    balances=[
        Left("a quota", left("100.0"), money("100.0", CREDITS)),
        Left("a quota as a text", left('"100.0"'), money("100.0", CREDITS)),
        Left("no limit", left('"ND"'), None),
    ],
    left=left,
    callbacks=[
        Callback("the network has it", receipt("ESME_ROK", level="1"), told(MessageState.SENT), says="ACK/Jasmin"),
        Callback(
            "the network refuses the number",
            receipt("ESME_RINVDSTADR", level="1"),
            told(MessageState.FAILED, Reason.UNKNOWN_SUBSCRIBER),
        ),
        Callback(
            "the network refuses the sender",
            receipt("ESME_RINVSRCADR", level="1"),
            told(MessageState.FAILED, Reason.SENDER_REFUSED),
        ),
        Callback("the network refuses it", receipt("ESME_RSUBMITFAIL", level="1"), told(MessageState.FAILED)),
        Callback("delivered", second("DELIVRD"), told(MessageState.DELIVERED)),
        Callback("not delivered", second("UNDELIV", "021"), told(MessageState.UNDELIVERED)),
        Callback("deleted by the network", second("DELETED"), told(MessageState.UNDELIVERED)),
        Callback("expired", second("EXPIRED"), told(MessageState.EXPIRED, Reason.VALIDITY_EXPIRED)),
        Callback("rejected", second("REJECTD"), told(MessageState.FAILED)),
        Callback("on its way says nothing new", second("ENROUTE"), (), says="ACK/Jasmin"),
        Callback("accepted says nothing new", second("ACCEPTD"), ()),
        Callback("unknown says nothing new", second("UNKNOWN"), ()),
        Callback(
            "a phone writes", mo(gsm7.encode("Sì € @ casa"), "0"), (Heard(NUMBER, SENDER, "Sì € @ casa"),), "ACK/Jasmin"
        ),
        Callback("a phone writes, no coding given", mo(gsm7.encode("Sì")), (Heard(NUMBER, SENDER, "Sì"),)),
        Callback(
            "a phone writes in Unicode",
            mo("Приём ☎ 😀".encode("utf-16-be"), "8"),
            (Heard(NUMBER, SENDER, "Приём ☎ 😀"),),
        ),
        Callback("a phone writes in Latin-1", mo("Sì".encode("latin-1"), "3"), (Heard(NUMBER, SENDER, "Sì"),)),
        Callback("a phone writes much", mo(b"a" * 400, "1"), (Heard(NUMBER, SENDER, "a" * 400),)),
        Callback("a phone writes a NUL", mo(b"\0S\0i\0\0", "8"), (Heard(NUMBER, SENDER, "Si\ufffd"),)),
        Callback("a phone writes nothing", mo(b"", "0"), (Heard(NUMBER, SENDER, ""),)),
        Callback("a number without its plus", mo(b"Si", "0", **{"from": NUMBER[1:]}), (Heard(NUMBER, SENDER, "Si"),)),
    ],
    forged=[
        Forged("path without its token", replace(second("DELIVRD"), target="/receipts"), 404),
        Forged("path with another token", replace(second("DELIVRD"), target="/receipts/" + TOKEN[::-1]), 404),
        Forged("a receipt as a phone's text", replace(second("DELIVRD"), target=INBOUND), 400),
        Forged("a phone's text as a receipt", replace(mo(b"Si", "0"), target=RECEIPTS), 400),
        Forged("unknown status", second("LOST"), 400),
        Forged("no id", form(RECEIPTS, message_status="DELIVRD"), 400),
        Forged("octets that are none", mo(b"Si", "0", binary="S"), 400),
        Forged("no octets", query(INBOUND, id="1", from_=NUMBER, to=SENDER, content="Si"), 400),
        Forged("a binary SMS", mo(b"\x04\x1f", "4"), 400),
        Forged("a sender that is no text", mo(b"Si", "0", **{"from": "\n" * 30}), 400),
    ],
)
