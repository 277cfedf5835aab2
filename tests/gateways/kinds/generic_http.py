"""Any HTTP API: an invented one, whose every trait is written down in options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.errors import Reason
from bridge.types import MessageState
from tests.gateways.cases import (
    LONG,
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
    accepted,
    as_json,
    connection,
    form,
    outcome,
    query,
)
from tests.gateways.provider import Play

NAME = "http"

OPTIONS = {
    "path": "/send?account={account}",
    "headers": "Authorization: Basic {basic}\nX-Reference: {reference}\n",
    "body": """{
        "messages": [{"to": "{digits:json}", "from": "{sender}", "text": "{text}", "unicode": "{encoding:json}"}],
        "report": "{callback}?for={reference}", "version": 2
    }""",
    "encodings": "false, true",
    "id": "messages.0.id",
    "accepted": "messages.0.status=0, ok",
    "throttled": "messages.0.status=1",
    "rejected": "messages.0.status=*",
    "code": "messages.0.error.code",
    "reasons": "21=opted_out, 22=unknown_subscriber",
    "check_path": "/balance",
    "receipt_list": "reports",
    "receipt_id": "message.id",
    "receipt_reference": "message.reference",
    "receipt_status": "state",
    "receipt_states": "0=-, 1=delivered, 2=undelivered, enroute=sent",
    "receipt_code": "error",
    "inbound_id": "id,part",
    "inbound_from": "from",
    "inbound_to": "to",
    "inbound_text": "text",
    "inbound_answers": "reply.to",
    "hook_answer": "OK",
}

HEADERS = {"authorization": "Basic dXNlcjpwYXNzd29yZA==", "x-reference": REFERENCE}
TARGET = "/send?account=user"
RECEIPTS, INBOUND = f"/receipts/{TOKEN}", f"/inbound/{TOKEN}"


def body(text: str, unicode: bool = False) -> object:
    return {
        "messages": [{"to": 393331234567, "from": SENDER, "text": text, "unicode": unicode}],
        "report": f"{PUBLIC_URL}/hooks/main{RECEIPTS}?for={REFERENCE}",
        "version": 2,
    }


def said(status: str, more: str = "") -> str:
    return f'{{"messages": [{{"status": {status}, "id": "m1"{more}}}]}}'


def report(state: object, **more: object) -> dict[str, object]:
    return {"message": {"id": "m1", "reference": REFERENCE}, "state": state, **more}


def answer(text: str, make: Callable[..., Call] = form) -> Call:
    return make(INBOUND, id="i1", part="1", from_="393331234567", to=SENDER, text=text)


def linked(reference: object) -> Call:
    answered = {"id": "i1", "part": "1", "from": NUMBER, "to": SENDER, "text": "Sì", "reply": {"to": reference}}
    return as_json(INBOUND, answered)


KIND = Kind(
    connection=connection(account="user", secret="password", options=OPTIONS),
    orders=[
        Order("plain", PLAIN, Request("POST", TARGET, HEADERS, body(PLAIN.text))),
        Order("unicode", UNICODE, Request("POST", TARGET, HEADERS, body(UNICODE.text, True))),
        Order("long", LONG, Request("POST", TARGET, HEADERS, body(LONG.text))),
    ],
    answers=[
        Says("taken", Play(200, said("0")), accepted("m1")),
        Says("taken, in another word", Play(202, said('"ok"')), accepted("m1")),
        Says("too fast, in a 200", Play(200, said("1"), {"Retry-After": "3"}), outcome(THROTTLED, retry_after=3.0)),
        Says("refused, in a 200", Play(200, said("7")), outcome(REJECTED)),
        Says(
            "opted out, in a 200",
            Play(200, said("7", ', "error": {"code": 21}')),
            outcome(REJECTED, Reason.OPTED_OUT),
        ),
        Says(
            "no such number",
            Play(422, said("null", ', "error": {"code": "22"}')),
            outcome(REJECTED, Reason.UNKNOWN_SUBSCRIBER),
        ),
        Says("wrong login", Play(401, ""), outcome(REJECTED)),
        Says("too fast", Play(429, "", {"Retry-After": "2"}), outcome(THROTTLED, retry_after=2.0)),
        Says("broken, with a code", Play(500, said("null", ', "error": {"code": 21}')), outcome(UNKNOWN)),
        Says("an answer that makes no sense", Play(200, "<html>"), outcome(UNKNOWN)),
    ],
    question=Request("GET", "/balance", {"authorization": HEADERS["authorization"]}),
    linked=linked,
    callbacks=[
        Callback("nothing new", as_json(RECEIPTS, {"reports": [report(0)]}), (), says="OK"),
        Callback(
            "two receipts",
            as_json(RECEIPTS, {"reports": [report("enroute"), report(1)]}),
            (
                Told("m1", MessageState.SENT, None, REFERENCE),
                Told("m1", MessageState.DELIVERED, None, REFERENCE),
            ),
            says="OK",
        ),
        Callback(
            "refused by the phone",
            as_json(RECEIPTS, {"reports": report("2", error=21)}),
            (Told("m1", MessageState.UNDELIVERED, Reason.OPTED_OUT, REFERENCE),),
        ),
        Callback("a phone writes", answer("Sì"), (Heard(NUMBER, SENDER, "Sì"),), says="OK"),
        Callback("a phone writes nothing", answer(""), (Heard(NUMBER, SENDER, ""),)),
        Callback("a phone writes at length", answer("ø" * 700), (Heard(NUMBER, SENDER, "ø" * 700),)),
        Callback("in the query", answer("Приём ☎", query), (Heard(NUMBER, SENDER, "Приём ☎"),)),
        Callback(
            "in JSON",
            as_json(INBOUND, {"id": 7, "part": 2, "from": 393331234567, "to": SENDER, "text": "Приём ☎"}),
            (Heard(NUMBER, SENDER, "Приём ☎"),),
        ),
        Callback("what it answers", linked(REFERENCE), (Heard(NUMBER, SENDER, "Sì", answers=REFERENCE),)),
        Callback("what it answers, by their own number", linked(7), (Heard(NUMBER, SENDER, "Sì", answers="7"),)),
        Callback(
            "what it answers, in a form",
            form(
                INBOUND, None, **{"id": "i1", "part": "1", "from": NUMBER, "to": SENDER, "text": "Sì", "reply.to": "m1"}
            ),
            (Heard(NUMBER, SENDER, "Sì", answers="m1"),),
        ),
    ],
    forged=[
        Forged("without the token", as_json("/receipts", {"reports": [report(1)]}), 404),
        Forged("for another path", replace(answer("Sì"), target=f"/receipt/{TOKEN}"), 404),
        Forged("unknown status", as_json(RECEIPTS, {"reports": [report(99)]}), 400),
        Forged("no id", as_json(RECEIPTS, {"reports": [{"state": 1}]}), 400),
        Forged("one of two without a status", as_json(RECEIPTS, {"reports": [report(1), report(None)]}), 400),
        Forged("no list", as_json(RECEIPTS, {"state": 1}), 400),
        Forged("a list of something else", as_json(RECEIPTS, {"reports": ["m1"]}), 400),
        Forged("half an id", form(INBOUND, id="i1", from_=NUMBER, to=SENDER, text="Sì"), 400),
        Forged("no phone", form(INBOUND, id="i1", part="1", to=SENDER, text="Sì"), 400),
        Forged(
            "a text that is none", as_json(INBOUND, {"id": 7, "part": 2, "from": 1234567, "to": 1, "text": []}), 400
        ),
    ],
)
