"""Every gateway keeps the same contract, over real HTTP: exact requests, honest outcomes, callbacks that are proved.

What one provider says stands in its table in `tests/gateways/kinds`; what holds for all of them stands here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from bridge.gateways.base import Gateway, Recalled
from bridge.gateways.registry import KINDS, build
from bridge.types import GatewayEvent, InboundSms, Money, OutcomeKind, Receipt
from bridge.web.app import build_web
from bridge.web.refusals import Refusals
from bridge.web.server import WebServer
from tests.gateways.cases import (
    HANDED,
    NUMBER,
    PLAIN,
    SENDER,
    Call,
    Callback,
    Forged,
    Heard,
    Left,
    Mms,
    Order,
    Request,
    Says,
    Takes,
    Told,
    all_kinds,
)
from tests.gateways.provider import Fault, Play, Provider, Seen, run_provider
from tests.servers.ports import free_port
from tests.servers.web import NOBODY
from tests.web.parts import all_is_well

TABLES = all_kinds()

everybody = pytest.mark.parametrize("kind", TABLES)


def rows(part: str) -> pytest.MarkDecorator:
    """One test for each row of a part of every table."""
    found = [(name, row) for name, kind in TABLES.items() for row in getattr(kind, part)]
    return pytest.mark.parametrize(
        ("kind", "row"), [pytest.param(*pair, id=f"{pair[0]}-{pair[1].name}") for pair in found]
    )


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with run_provider() as running:
        yield running


def opened(name: str, url: str, timeout: float = 5.0) -> Gateway:
    table = TABLES[name]
    return build(name, replace(table.connection, url=url + table.path, timeout=timeout))


def patience(answer: Play | Fault) -> float:
    """Seconds to wait for an answer: no longer than it takes to see that none comes."""
    return 0.3 if answer is Fault.SILENCE else 5.0


def test_every_kind_has_its_table() -> None:
    # The simulated network is tested with the real one; those that speak no HTTP of ours have tests of their own.
    assert set(TABLES) | {"simulator", "smpp", "gammu", "apprise"} == set(KINDS)


@rows("orders")
async def test_the_request_is_exactly_the_documented_one(kind: str, row: Order, provider: Provider) -> None:
    await play_through(kind, provider, row.sms)
    request = provider.seen[-1]
    assert (request.method, request.target) == (row.request.method, row.request.target)
    assert {name: request.headers.get(name) for name in row.request.headers} == dict(row.request.headers)
    assert _content(request) == row.request.body


@rows("answers")
async def test_what_the_provider_answers_means_what_it_documents(kind: str, row: Says, provider: Provider) -> None:
    outcome = await play_through(kind, provider, PLAIN, row.play)
    assert replace(outcome, diagnostic="") == row.outcome
    if outcome.kind is not OutcomeKind.ACCEPTED:
        assert outcome.diagnostic, "the operator wants to know what it said"
    assert PLAIN.number[1:] not in outcome.diagnostic


async def play_through(name: str, provider: Provider, sms: Any, play: Play | None = None) -> Any:
    """Hand one SMS to a provider that says `play` to it."""
    table = TABLES[name]
    gateway = opened(name, provider.url)
    provider.script.append(play or table.answers[0].play)
    try:
        return await gateway.submit(sms)
    finally:
        await gateway.close()


@everybody
@pytest.mark.parametrize("fault", Fault)
async def test_once_the_connection_stood_nobody_can_say(kind: str, fault: Fault, provider: Provider) -> None:
    gateway = opened(kind, provider.url, timeout=patience(fault))
    provider.script.append(fault)
    outcome = await gateway.submit(PLAIN)
    await gateway.close()
    assert (outcome.kind, outcome.provider_id) == (OutcomeKind.UNKNOWN, None)


@everybody
async def test_a_refused_connection_is_tried_again(kind: str) -> None:
    gateway = opened(kind, f"http://127.0.0.1:{free_port()}")
    outcome = await gateway.submit(PLAIN)
    await gateway.close()
    assert outcome.kind is OutcomeKind.UNREACHABLE


@everybody
@pytest.mark.parametrize(
    "body", ["", "null", "[]", "{}", '{"id": []}', "\ud83d".encode("utf-8", "replace").decode(), "[" * 5000]
)
async def test_no_nonsense_is_taken_for_yes_or_breaks_us(kind: str, body: str, provider: Provider) -> None:
    outcome = await play_through(kind, provider, PLAIN, Play(200, body))
    assert outcome.kind in (OutcomeKind.UNKNOWN, OutcomeKind.REJECTED)


@everybody
async def test_no_redirect_is_followed(kind: str, provider: Provider) -> None:
    outcome = await play_through(kind, provider, PLAIN, Play(307, "", {"Location": f"{provider.url}/elsewhere"}))
    assert (outcome.kind, len(provider.seen)) == (OutcomeKind.UNKNOWN, 1)


@everybody
async def test_the_check_says_what_is_wrong(kind: str, provider: Provider) -> None:
    gateway = opened(kind, provider.url)
    said = []
    for status in (200, 401, 500):
        provider.script.append(Play(status, "{}"))
        said.append(await gateway.probe())
    await gateway.close()
    assert said[0] == ""
    assert "login" in said[1]
    assert "HTTP 500" in said[2]
    wanted = TABLES[kind].question
    assert wanted is not None
    assert (provider.seen[0].method, provider.seen[0].target) == (wanted.method, wanted.target)
    assert {name: provider.seen[0].headers.get(name) for name in wanted.headers} == dict(wanted.headers)


# -------------------------------------------------------------------------------------- taking a text back


def kinds_that(part: str) -> pytest.MarkDecorator:
    """Every kind whose table says something of this."""
    return pytest.mark.parametrize("kind", [name for name, table in TABLES.items() if getattr(table, part)])


@everybody
def test_what_a_kind_promises_stands_in_its_table(kind: str) -> None:
    traits, table = KINDS[kind].traits, TABLES[kind]
    assert traits.cancel is bool(table.recalls) is bool(table.recall)
    assert traits.balance is bool(table.balances) is (table.left is not None) is (table.statement is not None)
    assert traits.price is (table.priced is not None or table.priced_call is not None)
    assert traits.mms is bool(table.mms)
    assert traits.flash is any(row.sms.flash for row in table.orders)
    assert not traits.shifts or traits.own_segments
    assert traits.links is (table.linked is not None)


@rows("recalls")
async def test_a_text_counts_as_taken_back_only_by_the_providers_own_word(
    kind: str, row: Takes, provider: Provider
) -> None:
    gateway = opened(kind, provider.url)
    provider.script.extend(row.plays)
    recall = await gateway.cancel(HANDED)
    await gateway.close()
    assert recall.kind is row.kind
    assert HANDED.number[1:] not in recall.diagnostic
    wanted = TABLES[kind].recall[: len(row.plays)]
    assert len(provider.seen) == len(wanted)
    for seen, request in zip(provider.seen, wanted, strict=True):
        assert_is(seen, request)


def assert_is(seen: Seen, request: Request) -> None:
    """A request is the documented one, to the letter."""
    assert (seen.method, seen.target) == (request.method, request.target)
    assert {name: seen.headers.get(name) for name in request.headers} == dict(request.headers)
    assert _content(seen) == request.body


@kinds_that("recalls")
@pytest.mark.parametrize("fault", Fault)
async def test_silence_takes_no_text_back(kind: str, fault: Fault, provider: Provider) -> None:
    gateway = opened(kind, provider.url, timeout=patience(fault))
    provider.script.append(fault)
    recall = await gateway.cancel(HANDED)
    await gateway.close()
    assert recall.kind is Recalled.UNKNOWN


@kinds_that("recalls")
@pytest.mark.parametrize("status", [200, 204, 307, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"status": []}', "[" * 5000])
async def test_no_nonsense_takes_a_text_back(kind: str, status: int, body: str, provider: Provider) -> None:
    gateway = opened(kind, provider.url)
    provider.script.extend([Play(status, body)] * len(TABLES[kind].recall))
    recall = await gateway.cancel(HANDED)
    await gateway.close()
    assert recall.kind in (Recalled.ASKED, Recalled.UNKNOWN)


@everybody
async def test_a_provider_that_needs_an_id_is_not_asked_without(kind: str, provider: Provider) -> None:
    """SMSGate knows our own reference; those that cannot cancel are not asked at all."""
    gateway = opened(kind, provider.url)
    provider.script.append(Play(200, "{}"))
    recall = await gateway.cancel(replace(HANDED, provider_ids=()))
    await gateway.close()
    assert (recall.kind, len(provider.seen)) == ((Recalled.UNKNOWN, 1) if kind == "smsgate" else (Recalled.REFUSED, 0))


# ------------------------------------------------------------------------------------------------- the account


HOSTILE = ["null", "true", "[]", "{}", '""', '"NaN"', "NaN", "Infinity", "1e999", '"1e3"', '"1,23"', '" 1"', '"\u0661"']
HOSTILE += ['"0x10"', '"--1"', '"1.2.3"', "1" * 4000, '"' + "9" * 13 + '"', "1e-300"]


@rows("balances")
async def test_what_is_left_is_said_exactly(kind: str, row: Left, provider: Provider) -> None:
    gateway = opened(kind, provider.url)
    provider.script.append(Play(200, row.body))
    left = await gateway.balance()
    await gateway.close()
    assert left == row.money
    assert row.money is None or (left is not None and left.digits == row.money.digits), "12.30 is not 12.3"
    request = TABLES[kind].statement
    assert request is not None
    assert_is(provider.seen[0], request)


@kinds_that("left")
@pytest.mark.parametrize("amount", HOSTILE)
async def test_what_is_no_amount_is_no_balance(kind: str, amount: str, provider: Provider) -> None:
    assert await _left(kind, amount, provider) is None


@kinds_that("left")
async def test_an_account_can_be_overdrawn(kind: str, provider: Provider) -> None:
    left = await _left(kind, "-12", provider)
    assert left is not None
    assert left.amount < 0


async def _left(kind: str, amount: str, provider: Provider) -> Money | None:
    body, gateway = TABLES[kind].left, opened(kind, provider.url)
    assert body is not None
    provider.script.append(Play(200, body(amount)))
    try:
        return await gateway.balance()
    finally:
        await gateway.close()


@everybody
@pytest.mark.parametrize("answer", [Play(401, ""), Play(500, "{}"), Play(200, "<html>"), *Fault])
async def test_without_an_answer_nobody_knows_what_is_left(kind: str, answer: Play | Fault, provider: Provider) -> None:
    gateway = opened(kind, provider.url, timeout=patience(answer))
    provider.script.append(answer)
    assert await gateway.balance() is None
    await gateway.close()


@kinds_that("priced")
@pytest.mark.parametrize("amount", [*HOSTILE, "-12"])
async def test_whatever_a_text_is_said_to_cost_it_is_taken(kind: str, amount: str, provider: Provider) -> None:
    answer = TABLES[kind].priced
    assert answer is not None
    fair, odd = [await play_through(kind, provider, PLAIN, answer(each)) for each in ("12", amount)]
    assert fair.price is not None
    assert odd == replace(fair, price=None)


@kinds_that("priced_call")
@pytest.mark.parametrize("amount", [None, True, [], {}, "", "NaN", "1e3", "1,23", "-12", "9" * 13, float("inf")])
async def test_whatever_a_receipt_says_it_costs_it_is_heard(kind: str, amount: object, listener: Listener) -> None:
    call = TABLES[kind].priced_call
    assert call is not None
    for each in ("12", amount):
        answer = await listener.take(call(each))
        assert answer.status_code == 200
    fair, odd = listener.heard
    assert isinstance(fair, Receipt)
    assert fair.price is not None
    assert isinstance(odd, Receipt)
    assert replace(odd, raw="") == replace(fair, price=None, raw="")


# ------------------------------------------------------------------------------------------------ callbacks


class Listener:
    """The web listener of a bridge with one gateway, and what it heard."""

    def __init__(self, web: WebServer, http: httpx.AsyncClient, heard: list[GatewayEvent]) -> None:
        self.web, self.http, self.heard = web, http, heard

    async def take(self, call: Call) -> httpx.Response:
        return await self.http.request(
            call.method, f"/hooks/main{call.target}", headers=dict(call.headers), content=call.body
        )


@pytest.fixture(scope="module")
async def listeners() -> AsyncIterator[Callable[[str], Awaitable[Listener]]]:
    """One listener for each kind, started when its first test asks for it: to start one takes longer than a test."""
    running: dict[str, Listener] = {}
    async with AsyncExitStack() as stack:

        async def running_for(kind: str) -> Listener:
            if kind not in running:
                running[kind] = await _start_listener(kind, stack)
            return running[kind]

        yield running_for


async def _start_listener(kind: str, stack: AsyncExitStack, url: str = "http://127.0.0.1:9") -> Listener:
    heard: list[GatewayEvent] = []

    async def keep(events: Sequence[GatewayEvent]) -> None:
        heard.extend(events)

    gateway = opened(kind, url)
    stack.push_async_callback(gateway.close)
    app = build_web({"main": gateway}, keep, all_is_well, refusals=Refusals(at_once=10_000))
    web = WebServer(app, "127.0.0.1", 0)
    await web.start()
    stack.push_async_callback(web.stop)
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}", trust_env=False, verify=NOBODY)
    return Listener(web, await stack.enter_async_context(client), heard)


@pytest.fixture
async def listener(kind: str, listeners: Callable[[str], Awaitable[Listener]]) -> Listener:
    """The kind's listener, which has heard nothing yet."""
    found = await listeners(kind)
    found.heard.clear()
    return found


@rows("callbacks")
async def test_what_the_provider_calls_is_heard(kind: str, row: Callback, listener: Listener) -> None:
    answer = await listener.take(row.call)
    assert answer.status_code == 200, answer.text
    assert len(listener.heard) == len(row.events)
    assert tuple(map(_essence, listener.heard, row.events)) == row.events
    if row.says is not None:
        assert answer.text == row.says


@rows("callbacks")
async def test_the_same_callback_twice_is_the_same_event(kind: str, row: Callback, listener: Listener) -> None:
    await listener.take(row.call)
    await listener.take(row.call)
    half = len(listener.heard) // 2
    first, second = ([event.event_id for event in part] for part in (listener.heard[:half], listener.heard[half:]))
    assert first == second
    assert len(set(first)) == len(first)


@rows("forged")
async def test_what_is_forged_is_not_heard(kind: str, row: Forged, listener: Listener) -> None:
    answer = await listener.take(row.call)
    assert (answer.status_code, listener.heard) == (row.status, [])


@everybody
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[" * 60_000, b"a=1&" * 10_000, b"x" * 70_000])
async def test_no_hostile_callback_breaks_us(kind: str, body: bytes, listener: Listener) -> None:
    for row in TABLES[kind].callbacks:
        answer = await listener.take(replace(row.call, body=body, target=row.call.target.partition("?")[0]))
        assert answer.status_code in (400, 403, 413)
    assert listener.heard == []


@rows("mms")
async def test_what_comes_with_a_text_is_fetched_as_documented(kind: str, row: Mms, provider: Provider) -> None:
    async with AsyncExitStack() as stack:
        listener = await _start_listener(kind, stack, provider.url)
        provider.script.extend(row.plays)
        answer = await listener.take(row.call(provider.url))
    [sms] = listener.heard
    assert answer.status_code == 200
    assert isinstance(sms, InboundSms)
    assert (sms.number, sms.to, sms.text) == (NUMBER, SENDER, row.text)
    assert (len(sms.enclosed.files), sms.enclosed.missing, sms.enclosed.left_out) == (row.files, row.missing, ())
    assert sorted(seen.target for seen in provider.seen) == sorted(row.asked)
    for seen in provider.seen:
        assert (seen.method, seen.body) == ("GET", b"")
        assert {name: seen.headers.get(name) for name in row.login} == dict(row.login)


def _content(request: Seen) -> Any:
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return json.loads(request.body)
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))
    return request.body.decode() or None


def _essence(event: GatewayEvent, wanted: Told | Heard) -> Told | Heard:
    """An event as the tables write it; what a table leaves open is not compared."""
    assert event.gateway == "main"
    if isinstance(event, InboundSms):
        return Heard(event.number, event.to, event.text, event.received_at, event.answers)
    assert isinstance(event, Receipt)
    return Told(event.provider_id, event.state, event.reason, event.reference, event.occurred_at, event.price)


def test_secrets_are_named_so_that_no_log_holds_them() -> None:
    for name, table in TABLES.items():
        gateway: Gateway = opened(name, "https://provider.example.test")
        hidden = {table.connection.secret, table.connection.webhook_secret, table.connection.hook_token} - {""}
        assert hidden <= set(gateway.secrets()), name
        assert not any(secret in repr(gateway) + repr(table.connection) for secret in hidden), name
