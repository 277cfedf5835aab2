"""An HTTP API connected by settings alone: what they can say, what is refused, and the profiles that come along."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import SettingsError
from bridge.gateways import profile
from bridge.gateways.base import Evidence, Gateway
from bridge.gateways.generic import GenericHttp
from bridge.gateways.paths import at, condition, table
from bridge.gateways.registry import build
from bridge.gateways.template import template
from bridge.types import GatewayEvent, HttpRequest, InboundSms, MessageState, OutcomeKind, Receipt
from tests.gateways.cases import NUMBER, PLAIN, PUBLIC_URL, REFERENCE, SENDER, TOKEN, UNICODE, connection
from tests.gateways.provider import Play, Provider, run_provider

LOX24 = {"profile": "lox24"}
FORM = {"content": "form", "body": "to={number}&text={text}", "id": "id"}


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with run_provider() as running:
        yield running


def generic(options: Mapping[str, str], url: str = "https://api.example.test", **login: str) -> GenericHttp:
    login = {"account": "user", "secret": "password", **login}
    gateway = build("http", replace(connection(**login, options=options), url=url))
    assert isinstance(gateway, GenericHttp)
    return gateway


# ----------------------------------------------------------------------------------------------- the request

VALUES = {
    "number": NUMBER,
    "digits": NUMBER[1:],
    "sender": "Café & Co",
    "text": 'a"b\\c&d=e+f%20 {number} <ø>\r\n☎',
    "reference": REFERENCE,
    "account": "user",
    "secret": "p/w?#",
    "encoding": "true",
}


@pytest.mark.parametrize(
    ("path", "content", "body", "target", "sent"),
    [
        pytest.param(
            "/{account}/{secret}/sms?to={number}&key=a%20b",
            "json",
            '{"text": "{text}", "list": ["{sender}", 1, null, true], "n": "{digits:json}", "u": "{encoding:json}"}',
            "/user/p%2Fw%3F%23/sms?to=%2B393331234567&key=a+b",
            {"text": VALUES["text"], "list": ["Café & Co", 1, None, True], "n": 393331234567, "u": True},
            id="JSON",
        ),
        pytest.param(
            "/sms",
            "form",
            "to={number}&text=[{text}]&empty=&flag=1",
            "/sms",
            {"to": NUMBER, "text": f"[{VALUES['text']}]", "empty": "", "flag": "1"},
            id="form",
        ),
        pytest.param("?t={text}&to={digits}", "none", "", None, None, id="query"),
    ],
)
def test_every_field_is_escaped_for_its_place(
    path: str, content: str, body: str, target: str | None, sent: Any
) -> None:
    order = template("POST", "https://api.example.test", path, "X-Key: {secret}", content, body).order(VALUES)
    if content == "json":
        assert json.loads(order.body) == sent
    elif content == "form":
        assert dict(parse_qsl(order.body.decode(), keep_blank_values=True)) == sent
    else:
        assert parse_qs(urlsplit(order.url).query) == {"t": [VALUES["text"]], "to": ["393331234567"]}
    if target is not None:
        assert order.url == f"https://api.example.test{target}"
    assert order.headers["X-Key"] == "p/w?#"


@pytest.mark.parametrize("text", [".", "..", "../..", "/", "a/b", "?x=1", "#x"])
async def test_no_text_leads_to_another_path(text: str, provider: Provider) -> None:
    gateway = generic({"path": "/send/{text}/to/{digits}", "id": "id"}, provider.url)
    provider.script.append(Play(200, '{"id": "1"}'))
    await gateway.submit(replace(PLAIN, text=text))
    await gateway.close()
    target = provider.seen[0].target
    assert target.startswith("/send/")
    assert target.endswith("/to/393331234567")
    assert target.count("/") == 4
    assert unquote(target.split("/")[2]) == text


def test_a_content_type_of_the_operator_s_own_is_kept() -> None:
    made = template("POST", "", "", "content-type: application/vnd.sms+json", "json", '{"t": "{text}"}')
    assert made.order(VALUES).headers == {"content-type": "application/vnd.sms+json"}


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_is_texted_arrives_as_the_text_and_nothing_else(text: str) -> None:
    values = {**VALUES, "text": text}
    made = template("POST", "", "/x/{text}?a=1&t={text}&b=2", "", "json", '{"a": 1, "t": "{text}", "b": 2}').order(
        values
    )
    assert json.loads(made.body) == {"a": 1, "t": text, "b": 2}
    assert parse_qsl(urlsplit(made.url).query, keep_blank_values=True) == [("a", "1"), ("t", text), ("b", "2")]
    assert urlsplit(made.url).path.count("/") == 2
    form = template("POST", "", "", "", "form", "a=1&t={text}&b=2").order(values)
    assert parse_qsl(form.body.decode(), keep_blank_values=True) == [("a", "1"), ("t", text), ("b", "2")]


@pytest.mark.parametrize(
    ("options", "option", "remedy"),
    [
        ({"body": '{"to": {number}, "text": "{text}"}'}, "body", "write JSON, with fields inside its texts"),
        ({"body": '{"to": "{nummer}", "text": "{text}"}'}, "body", "{nummer} cannot stand there; use {account}, "),
        ({"body": '{"text": "{text}"}'}, "body", "say where the text and the phone go"),
        ({"body": '{"to": "{text:json}"}'}, "body", "{text:json} cannot stand there; use {digits}, {encoding}"),
        ({"body": ""}, "body", "say where the text and the phone go"),
        ({"content": "form", "body": "to"}, "body", "write fields as in to={number}&text={text}"),
        ({"path": "/x?{number}"}, "path", "write fields as in to={number}&text={text}"),
        ({"check_path": "/x/{nummer}"}, "check_path", "{nummer} cannot stand there; use {account}, "),
        (
            {"body": '{"to": "{number}", "text": "{text}", "dlr": "{callback}"}'},
            "receipt_status",
            "the request names {callback}; say where",
        ),
        ({"headers": "Authorization"}, "headers", "write one header a line"),
        ({"headers": "X-Text: {text}"}, "headers", "{text} cannot stand there; use {account}, "),
        ({"id": ""}, "id", "say where the id stands in the answer"),
        ({"accepted": "status"}, "accepted", "write where and what, as in status=0,ok"),
        ({"rejected": "status=1,"}, "rejected", "write where and what, as in status=0,ok"),
        ({"pattern": "("}, "pattern", "write a regular expression"),
        ({"reasons": "21=nonsense"}, "reasons", "write as in 21=opted_out"),
        ({"encodings": "unicode"}, "encodings", "write two words"),
        (
            {"body": '{"to": "{number}", "text": "{text}", "u": "{encoding:json}"}'},
            "encodings",
            "write two words, as in gsm,unicode or false,true",
        ),
        (
            {"receipt_status": "status", "receipt_states": "1=delivered"},
            "receipt_id",
            "say where the id of the message",
        ),
        ({"receipt_status": "s", "receipt_id": "i", "receipt_states": "1=arrived"}, "receipt_states", "write a status"),
        ({"inbound_text": "text"}, "inbound_id", "an answer of a phone cannot be read without it"),
        ({"method": "DELETE"}, "method", "write one of: POST, GET, PUT"),
        ({"profile": "pigeon"}, "profile", "write one of: , idtexpress, lox24, rdcom"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_remedy(options: dict[str, str], option: str, remedy: str) -> None:
    written = {"body": '{"to": "{number}", "text": "{text}"}', "id": "id", **options}
    with pytest.raises(SettingsError) as caught:
        generic(written)
    assert caught.value.key == f"gateways.main.options.{option}"
    assert caught.value.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("key", "value"), [("account", ""), ("secret", ""), ("secret", "Schlüssel")], ids=["user", "password", "letters"]
)
def test_a_login_that_the_request_needs_must_be_there(key: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        generic({"headers": "X-Key: {account}:{secret}", **FORM}, **{key: value})
    assert caught.value.key == f"gateways.main.{key}"
    assert "Schlüssel" not in str(caught.value)


async def test_a_check_without_a_path_tries_whether_anybody_is_there(provider: Provider) -> None:
    gateway = generic(FORM, provider.url)
    provider.script.append(Play(404))
    assert await gateway.probe() == ""
    await gateway.close()
    gateway = generic(FORM, "http://127.0.0.1:9")
    assert "cannot be reached" in await gateway.probe()
    await gateway.close()


@pytest.mark.parametrize(
    ("body", "kind", "provider_id"),
    [
        ("OK: 1234\n", OutcomeKind.ACCEPTED, "1234"),
        ("ERR: 105", OutcomeKind.REJECTED, None),
        ("ERR: busy", OutcomeKind.THROTTLED, None),
        ("<html>OK</html>", OutcomeKind.UNKNOWN, None),
        ("", OutcomeKind.UNKNOWN, None),
    ],
)
async def test_an_answer_that_is_no_json(
    body: str, kind: OutcomeKind, provider_id: str | None, provider: Provider
) -> None:
    options = {
        **FORM,
        "pattern": r"^(?P<word>OK|ERR): (?P<id>\w+)$",
        "accepted": "word=OK",
        "throttled": "id=busy",
        "rejected": "word=ERR",
    }
    gateway = generic(options, provider.url)
    provider.script.append(Play(200, body.strip()))
    outcome = await gateway.submit(PLAIN)
    await gateway.close()
    assert (outcome.kind, outcome.provider_id) == (kind, provider_id)


# ---------------------------------------------------------------------------------------- paths and conditions


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": [{"b": 1}]}, "a.0.b", 1),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a": [1]}, "a.1", None),
        ({"a": [1]}, "a.-1", None),
        ({"a": [1]}, "a.99999999999999999999", None),
        ({"a": "text"}, "a.0", None),
        ({"0": "key"}, "0", "key"),
        (None, "a", None),
        ([[["x"]]], "0.0.0", "x"),
    ],
)
def test_where_something_stands(value: object, path: str, found: object) -> None:
    assert at(value, path) == found


@pytest.mark.parametrize(
    ("written", "value", "holds"),
    [
        ("status=0, ok", {"status": 0}, True),
        ("status=0, ok", {"status": "ok"}, True),
        ("status=0, ok", {"status": 1}, False),
        ("status=true", {"status": True}, True),
        ("status=1", {"status": True}, False),
        ("status=*", {"status": "anything"}, True),
        ("status=*", {"status": None}, False),
        ("status=*", {"status": {}}, False),
        ("status=*", {}, False),
    ],
)
def test_a_condition_holds(written: str, value: object, holds: bool) -> None:
    wanted = condition(written)
    assert wanted is not None
    assert wanted.holds(value) is holds


def test_a_table_is_read_and_half_a_row_refused() -> None:
    assert table(" a=b, c = d ,") == {"a": "b", "c": "d"}
    assert condition(" ") is None
    for written in ("a", "a=", "=b"):
        with pytest.raises(ValueError, match="table"):
            table(written)


# -------------------------------------------------------------------------------------------------- profiles


def heard(gateway: Gateway, hook: str, request: HttpRequest) -> Sequence[GatewayEvent]:
    (found,) = (each for each in gateway.hooks() if each.name == hook)
    assert found.token == TOKEN
    return found.read(request)


async def test_lox24_sends_as_its_pages_say(provider: Provider) -> None:
    gateway = generic(LOX24, provider.url, account="1234567", secret="e3f3")
    provider.script.append(Play(201, '{"uuid": "d6c12ac4-cc7d-11ec-b6da-525400bbb7dc", "status_code": 0}'))
    outcome = await gateway.submit(UNICODE)
    await gateway.close()
    assert (outcome.kind, outcome.provider_id) == (OutcomeKind.ACCEPTED, "d6c12ac4-cc7d-11ec-b6da-525400bbb7dc")
    (request,) = provider.seen
    assert (request.method, request.target) == ("POST", "/sms")
    assert request.headers["x-lox24-auth-token"] == "1234567:e3f3"
    assert json.loads(request.body) == {
        "service_code": "direct",
        "sender_id": SENDER,
        "phone": NUMBER,
        "text": UNICODE.text,
        "is_unicode": True,
        "is_text_deleted": True,
        "callback_data": REFERENCE,
    }
    assert gateway.traits.evidence is Evidence.DOCUMENTED


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (0, None),
        (1, MessageState.DELIVERED),
        (2, MessageState.SENT),
        (4, MessageState.SENT),
        (8, MessageState.EXPIRED),
        (16, MessageState.UNDELIVERED),
    ],
)
def test_lox24_tells_what_became_of_a_text(code: int, state: MessageState | None) -> None:
    event = {"name": "sms.delivery", "data": {"id": "d6c1", "dlr_code": code, "callback_data": REFERENCE}}
    request = HttpRequest({}, {"content-type": "application/json"}, json.dumps(event).encode())
    found = heard(generic(LOX24), "receipts", request)
    if state is None:
        assert found == []
        return
    (receipt,) = found
    assert isinstance(receipt, Receipt)
    assert (receipt.state, receipt.reference, receipt.provider_id) == (state, REFERENCE, "d6c1")


def test_lox24_passes_on_what_a_phone_writes() -> None:
    fields = {"id": "77", "sender_id": NUMBER[1:], "phone": SENDER, "text": "Sì", "time": "1795255200"}
    (event,) = heard(generic(LOX24), "inbound", HttpRequest(fields))
    assert isinstance(event, InboundSms)
    assert (event.event_id, event.number, event.to, event.text) == ("77", NUMBER, SENDER, "Sì")
    assert event.answers == ""


def test_lox24_says_what_is_answered_where_its_economy_sms_let_it_know() -> None:
    fields = {"sender_id": NUMBER[1:], "text": "Sì", "time": "1795255200", "uuid": "d6c12ac4"}
    gateway = generic({**LOX24, "inbound_id": "uuid,time", "inbound_to": SENDER})
    (event,) = heard(gateway, "inbound", HttpRequest(fields))
    assert isinstance(event, InboundSms)
    assert (event.event_id, event.to, event.answers) == ("d6c12ac4:1795255200", SENDER, "d6c12ac4")


def test_what_is_written_goes_before_the_profile() -> None:
    gateway = generic({**LOX24, "path": "/other", "encodings": "0,1", "inbound_text": ""})
    assert gateway.order(PLAIN).url == "https://api.example.test/other"
    assert json.loads(gateway.order(PLAIN).body)["is_unicode"] == 0
    assert [hook.name for hook in gateway.hooks()] == ["receipts"]


def test_a_profile_knows_its_address() -> None:
    gateway = build("http", connection(account="a", secret="b", options=LOX24))
    assert isinstance(gateway, GenericHttp)
    assert gateway.connection.url == "https://api.lox24.eu"


def test_idt_express_wants_to_be_told_how_to_send() -> None:
    with pytest.raises(SettingsError, match=r"options\.id"):
        generic({"profile": "idtexpress"})
    sending = {"path": "/sms", "body": '{"to": "{digits}", "body": "{text}"}', "id": "id"}
    gateway = generic({"profile": "idtexpress", **sending})
    assert gateway.order(PLAIN).headers["x-api-secret"] == "password"
    assert gateway.traits.evidence is Evidence.UNVERIFIED


def test_rdcom_s_older_host_is_a_matter_of_options() -> None:
    options = {"path": "/v1/sms/send", "headers": "Authorization: Basic {basic}", "accepted": "status=*", "id": ""}
    given_ = replace(
        connection(account="user", secret="password", options=options), url="https://sms.example.test:2500"
    )
    gateway = build("rdcom", given_)
    assert isinstance(gateway, GenericHttp)
    order = gateway.order(PLAIN)
    assert (order.url, order.headers["Authorization"]) == (
        "https://sms.example.test:2500/v1/sms/send",
        "Basic dXNlcjpwYXNzd29yZA==",
    )


@pytest.mark.parametrize("name", profile.names())
def test_every_profile_says_where_it_comes_from_and_knows_its_options(name: str) -> None:
    found = profile.profile(name)
    assert found.title
    assert found.page.startswith("https://")
    assert found.url.startswith("https://")
    assert set(found.options) <= {option.name for option in GenericHttp.options}


def test_the_address_for_receipts_is_given_with_every_text() -> None:
    options = {**FORM, "body": FORM["body"] + "&dlr={callback}", "receipt_status": "s", "receipt_id": "id"}
    gateway = generic({**options, "receipt_states": "1=delivered"})
    assert dict(parse_qsl(gateway.order(PLAIN).body.decode()))["dlr"] == f"{PUBLIC_URL}/hooks/main/receipts/{TOKEN}"
