"""Kannel, by its user guide and its source; `tests/gateways/test_kannel.py` asks a real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bridge.errors import Reason
from bridge.types import MessageState, Outcome, OutcomeKind
from tests.gateways.cases import (
    FLASH,
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
    Order,
    Request,
    Says,
    Told,
    connection,
    outcome,
    query,
)
from tests.gateways.provider import Play

NAME = "kannel"

TARGET = "/cgi-bin/sendsms"
LOGIN = {"x-kannel-username": "bridge", "x-kannel-password": "password", "content-type": "text/plain; charset=UTF-8"}
HEADERS = {
    **LOGIN,
    "x-kannel-from": SENDER,
    "x-kannel-to": NUMBER,
    "x-kannel-coding": "0",
    "x-kannel-dlr-mask": "27",
    "x-kannel-dlr-url": f"{PUBLIC_URL}/hooks/main/receipts/{TOKEN}?reference={REFERENCE}&type=%d&answer=%A",
}
UNTIL = {"x-kannel-validity": "90"}
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"
TAKEN = Outcome(OutcomeKind.ACCEPTED)


def smpp(stat: str, err: str) -> str:
    """A receipt in the words of SMPP 3.4, appendix B, as Kannel hands it on."""
    return (
        f"id:0123 sub:001 dlvrd:000 submit date:2611210958 done date:2611210959 stat:{stat} err:{err} text:A domani all"
    )


def receipt(told: str, answer: str = "") -> Call:
    return query(RECEIPTS, reference=REFERENCE, type=told, answer=answer)


def told(state: MessageState, reason: Reason | None = None) -> tuple[Told]:
    return (Told(None, state, reason, REFERENCE),)


def mo(text: str, charset: str = "UTF-8", content: str = "text/plain", **more: str) -> Call:
    fields = {"id": "a7086374-194b-44a9-a8cf-841b8ba70c21", "from": NUMBER, "to": SENDER, "time": "1795255195", **more}
    call = query(INBOUND, **fields)
    return replace(
        call, method="POST", headers={"content-type": f'{content}; charset="{charset}"'}, body=text.encode(charset)
    )


SENT_AT = datetime(2026, 11, 21, 9, 59, 55, tzinfo=UTC)

KIND = Kind(
    connection=connection(account="bridge", secret="password"),
    orders=[
        Order("plain", PLAIN, Request("POST", TARGET, HEADERS, PLAIN.text)),
        Order("unicode", UNICODE, Request("POST", TARGET, {**HEADERS, "x-kannel-coding": "2"}, UNICODE.text)),
        Order("long", LONG, Request("POST", TARGET, HEADERS, LONG.text)),
        Order("flash", FLASH, Request("POST", TARGET, {**HEADERS, "x-kannel-mclass": "0"}, FLASH.text)),
        Order(
            "with an end to it",
            replace(PLAIN, expires_at=NOW + timedelta(minutes=90, seconds=59)),
            Request("POST", TARGET, {**HEADERS, **UNTIL}, PLAIN.text),
        ),
        Order(
            "with its end seconds away",
            replace(PLAIN, expires_at=NOW + timedelta(seconds=5)),
            Request("POST", TARGET, {**HEADERS, "x-kannel-validity": "1"}, PLAIN.text),
        ),
    ],
    answers=[
        Says("taken", Play(202, "0: Accepted for delivery"), TAKEN),
        Says("taken for later, its network is away", Play(202, "3: Queued for later delivery"), TAKEN),
        Says("taken by one that answers at once", Play(202, "Sent."), TAKEN),
        Says("taken in pieces", Play(202, "Sent. Message splits: 2"), TAKEN),
        Says("no route", Play(403, "Not routable. Do not try again."), outcome(REJECTED)),
        Says("wrong login", Play(403, "Authorization failed for sendsms"), outcome(REJECTED)),
        Says(
            "no sender",
            Play(400, "Sender missing and no global set, rejected"),
            outcome(REJECTED, Reason.SENDER_REFUSED),
        ),
        Says(
            "on a blacklist",
            Play(400, "Number(s) has/have been denied by white- and/or black-lists."),
            outcome(REJECTED),
        ),
        Says("no receiver", Play(400, "Missing receiver(s) number(s), rejected"), outcome(REJECTED)),
        Says("another type", Play(415, "Unsupported content-type, rejected"), outcome(REJECTED)),
        Says("its queue is full", Play(503, "Temporal failure, try again later."), outcome(THROTTLED)),
        Says("a proxy in front is down", Play(503, "<html>Service Unavailable</html>"), outcome(UNKNOWN)),
        Says(
            "a proxy in front slows us down", Play(429, "", {"Retry-After": "3"}), outcome(THROTTLED, retry_after=3.0)
        ),
        Says("it broke off", Play(500, "Sending failed."), outcome(UNKNOWN)),
        Says("a page that is not Kannel's", Play(200, "<html>Welcome</html>"), outcome(UNKNOWN)),
    ],
    question=Request("POST", TARGET, LOGIN),
    callbacks=[
        Callback("the network has it", receipt("8", "ACK/"), told(MessageState.SENT)),
        Callback("the network waits for the phone", receipt("4", smpp("ENROUTE", "000")), ()),
        Callback("delivered", receipt("1", smpp("DELIVRD", "000")), told(MessageState.DELIVERED)),
        Callback("delivered, and nothing said", receipt("1"), told(MessageState.DELIVERED)),
        Callback("not delivered", receipt("2", smpp("UNDELIV", "021")), told(MessageState.UNDELIVERED)),
        Callback("expired", receipt("2", smpp("EXPIRED", "027")), told(MessageState.EXPIRED, Reason.VALIDITY_EXPIRED)),
        Callback(
            "the network refuses the number",
            receipt("16", "NACK/0x0000000b/Invalid Destination Address"),
            told(MessageState.FAILED, Reason.UNKNOWN_SUBSCRIBER),
        ),
        Callback(
            "the network refuses the sender",
            receipt("16", "NACK/0x0000000A/Invalid Source Address"),
            told(MessageState.FAILED, Reason.SENDER_REFUSED),
        ),
        Callback("the network refuses it", receipt("16", "NACK/"), told(MessageState.FAILED)),
        Callback("a phone writes", mo("Sì € grazie"), (Heard(NUMBER, SENDER, "Sì € grazie", SENT_AT),), says=""),
        Callback(
            "a phone writes in Unicode",
            mo("Приём ☎ 😀", "UTF-16BE"),
            (Heard(NUMBER, SENDER, "Приём ☎ 😀", SENT_AT),),
            says="",
        ),
        Callback("a phone writes much", mo("a" * 400), (Heard(NUMBER, SENDER, "a" * 400, SENT_AT),)),
        Callback(
            "a short code writes", mo("Saldo 5", **{"from": "4040"}), (Heard("4040", SENDER, "Saldo 5", SENT_AT),)
        ),
    ],
    forged=[
        Forged("path without its token", replace(receipt("1"), target=f"/receipts?reference={REFERENCE}&type=1"), 404),
        Forged("path with another token", query("/receipts/" + TOKEN[::-1], reference=REFERENCE, type="1"), 404),
        Forged(
            "a phone's text at the receipts",
            replace(mo("Sì"), target=mo("Sì").target.replace("inbound", "receipts")),
            400,
        ),
        Forged(
            "a receipt as a phone's text",
            replace(receipt("1"), target=receipt("1").target.replace("receipts", "inbound")),
            400,
        ),
        Forged("unknown type", receipt("3"), 400),
        Forged("no reference", query(RECEIPTS, type="1"), 400),
        Forged("a time that is none", mo("Sì", time="yesterday"), 400),
        Forged("a binary SMS", mo("\x04\x1f", "UTF-8", "application/octet-stream"), 400),
        Forged("a charset out of the blue", mo("Sì", "UTF-7"), 400),
        Forged("a charset in pieces without order", mo("Sì", content="text/plain; charset*=a; charset*0=b"), 400),
        Forged("a sender that is no text", mo("x", **{"from": "\n" * 30}), 400),
    ],
)
