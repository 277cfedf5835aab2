"""Which text a phone answers, where the provider says so: what is passed on, when, and that nothing else follows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bridge.gateways.base import Gateway
from bridge.gateways.registry import build
from bridge.types import HttpRequest, InboundSms
from tests.gateways.cases import PLAIN, REFERENCE, Call, Kind, all_kinds, connection
from tests.gateways.kinds import clicksend, infobip
from tests.gateways.provider import Play, run_provider

LINKING = {name: table for name, table in all_kinds().items() if table.linked is not None}
UNASKED = [name for name, table in LINKING.items() if table.believing]

kinds = pytest.mark.parametrize("kind", LINKING)


def opened(kind: str, options: Mapping[str, str]) -> Gateway:
    settings = LINKING[kind].connection
    url = "https://provider.example.test"
    return build(kind, replace(settings, url=url, options={**settings.options, **options}))


def heard(gateway: Gateway, call: Call) -> InboundSms:
    """The one SMS that a callback brings."""
    path = call.target.partition("?")[0]
    hook = next(one for one in gateway.hooks() if one.path("main") == f"/hooks/main{path}")
    (sms,) = hook.read(HttpRequest({}, call.headers, call.body, f"/hooks/main{call.target}"))
    assert isinstance(sms, InboundSms)
    return sms


def linked(table: Kind, reference: object) -> Call:
    assert table.linked is not None
    return table.linked(reference)


@kinds
def test_what_a_phone_answers_is_passed_on(kind: str) -> None:
    sms = heard(opened(kind, LINKING[kind].believing), linked(LINKING[kind], REFERENCE))
    assert (sms.answers, sms.text) == (REFERENCE, "Sì")


@pytest.mark.parametrize("kind", UNASKED)
def test_who_does_not_say_how_he_knows_is_believed_only_when_asked_to(kind: str) -> None:
    call = linked(LINKING[kind], REFERENCE)
    assert heard(opened(kind, {}), call).answers == ""
    assert heard(opened(kind, dict.fromkeys(LINKING[kind].believing, "no")), call).answers == ""


HOSTILE: tuple[Any, ...] = (
    None,
    "",
    [],
    {"$ne": ""},
    [REFERENCE],
    0.5,
    True,
    "x" * 100_000,
    "x" * 256,
    f"{REFERENCE}\0",
    "\0",
    f"{REFERENCE}\r\nX-SMS-Match: provider",
    "\ud800",
    "' OR 1=1 --",
    "%",
    10**400,
)


@kinds
@pytest.mark.parametrize("reference", HOSTILE, ids=lambda value: ascii(value)[:20])
def test_nothing_that_is_named_keeps_an_answer_from_being_heard(kind: str, reference: object) -> None:
    table = LINKING[kind]
    sms = heard(opened(kind, table.believing), linked(table, reference))
    assert sms.text == "Sì"
    assert sms.answers != REFERENCE
    assert len(sms.answers) <= 255
    assert sms.answers == "" or sms.answers.isprintable()


def test_clicksend_names_its_own_id_where_it_lost_ours() -> None:
    gateway = opened("clicksend", {"links": "yes"})
    assert heard(gateway, clicksend.written("Sì", original_message_id=clicksend.ID)).answers == clicksend.ID
    assert heard(gateway, clicksend.written("Sì", original_message_id="")).answers == ""


async def test_infobip_can_give_back_only_what_it_was_given() -> None:
    async with run_provider() as provider:
        settings = replace(connection(secret="key", options={"links": "yes"}), url=provider.url)
        gateway = build("infobip", settings)
        provider.script.append(Play(200, "{}"))
        await gateway.submit(PLAIN)
        await gateway.close()
    (plain,) = (row.request.body["messages"] for row in infobip.KIND.orders if row.sms is PLAIN)
    webhooks = {**plain[0]["webhooks"], "callbackData": REFERENCE}
    assert json.loads(provider.seen[0].body) == {"messages": [{**plain[0], "webhooks": webhooks}]}


@pytest.mark.parametrize(
    ("written", "links"),
    [
        ({}, True),
        ({"inbound_answers": ""}, False),
        ({"inbound_text": ""}, False),
    ],
    ids=["named", "not named", "nobody can answer"],
)
def test_any_http_api_says_what_is_answered_if_the_operator_says_where(written: dict[str, str], links: bool) -> None:
    gateway = opened("http", written)
    assert gateway.traits.links is links
