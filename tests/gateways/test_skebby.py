"""Skebby beyond what all providers share: its login, the state of an order, and the answers that are fetched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Reason, SettingsError
from bridge.gateways.base import Doubt, Poll, Polled, PollRefused
from bridge.gateways.orders import Answer, Order
from bridge.gateways.registry import build
from bridge.gateways.skebby import Skebby
from bridge.gateways.skebby_answers import PAGE
from bridge.types import InboundSms, OutcomeKind
from tests.gateways.cases import NOW, NUMBER, PLAIN, REFERENCE, SENDER, connection
from tests.gateways.kinds.skebby import OK
from tests.gateways.provider import Fault, Play, Provider, run_provider

SESSION = Play(200, "USER;SESSION1")
AGAIN = Play(200, "USER;SESSION2")
TAKEN = Play(201, OK)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with run_provider() as running:
        yield running


def skebby(provider: Provider, **options: str) -> Skebby:
    gateway = build(
        "skebby",
        replace(connection(account="clinic", secret="p:ss", options=options), url=provider.url, timeout=0.5),
    )
    assert isinstance(gateway, Skebby)
    return gateway


# ------------------------------------------------------------------------------------------------------ login


@pytest.mark.parametrize(
    ("login", "path", "header"), [("session", "/login", "session_key"), ("token", "/token", "access_token")]
)
async def test_a_login_is_kept_for_what_follows(login: str, path: str, header: str, provider: Provider) -> None:
    gateway = skebby(provider, login=login)
    provider.script.extend([SESSION, TAKEN, TAKEN])
    for _ in range(2):
        assert (await gateway.submit(PLAIN)).kind is OutcomeKind.ACCEPTED
    await gateway.close()
    assert [request.target for request in provider.seen] == [path, "/sms", "/sms"]
    assert provider.seen[0].headers["authorization"] == "Basic Y2xpbmljOnA6c3M="
    assert "authorization" not in provider.seen[1].headers
    assert (provider.seen[1].headers["user_key"], provider.seen[1].headers[header]) == ("USER", "SESSION1")


async def test_a_session_that_has_ended_is_renewed_once(provider: Provider) -> None:
    gateway = skebby(provider)
    provider.script.extend([SESSION, Play(401), AGAIN, TAKEN])
    outcome = await gateway.submit(PLAIN)
    await gateway.close()
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert provider.seen[-1].headers["session_key"] == "SESSION2"


async def test_a_session_that_is_refused_again_is_not_asked_for_a_third_time(provider: Provider) -> None:
    gateway = skebby(provider)
    provider.script.extend([SESSION, Play(401), AGAIN, Play(401)])
    outcome = await gateway.submit(PLAIN)
    await gateway.close()
    assert (outcome.kind, len(provider.seen)) == (OutcomeKind.REJECTED, 4)


async def test_many_texts_at_once_share_one_login(provider: Provider) -> None:
    gateway = skebby(provider)
    provider.script.extend([SESSION, *[TAKEN] * 12])  # a connection that is kept holds one back
    outcomes = await asyncio.gather(*(gateway.submit(PLAIN) for _ in range(5)))
    await gateway.close()
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.ACCEPTED] * 5
    assert sum(request.target == "/login" for request in provider.seen) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(Play(404), OutcomeKind.REJECTED, id="wrong password"),
        pytest.param(Play(503), OutcomeKind.UNREACHABLE, id="login is down"),
        pytest.param(Play(429), OutcomeKind.UNREACHABLE, id="login is busy"),
        pytest.param(Play(200, "<html>"), OutcomeKind.UNREACHABLE, id="no keys"),
        pytest.param(Play(200, "USER;KEY\r\nX-Evil: 1"), OutcomeKind.UNREACHABLE, id="keys that are no keys"),
        pytest.param(Fault.SILENCE, OutcomeKind.UNREACHABLE, id="no answer"),
        pytest.param(Fault.HANGS_UP_AFTER_READING, OutcomeKind.UNREACHABLE, id="hangs up"),
    ],
)
async def test_without_a_login_no_text_has_left(answer: Play | Fault, kind: OutcomeKind, provider: Provider) -> None:
    gateway = skebby(provider)
    provider.script.append(answer)
    outcome = await gateway.submit(PLAIN)
    await gateway.close()
    assert outcome.kind is kind
    assert [request.target for request in provider.seen] == ["/login"]


async def test_the_check_says_that_the_password_is_wrong(provider: Provider) -> None:
    gateway = skebby(provider)
    provider.script.append(Play(404))
    assert "login" in await gateway.probe()
    await gateway.close()


async def test_the_cheapest_quality_has_no_sender_and_no_receipts(provider: Provider) -> None:
    gateway = skebby(provider, login="key", message_type="SI")
    provider.script.append(TAKEN)
    await gateway.submit(PLAIN)
    await gateway.close()
    assert "sender" not in json.loads(provider.seen[0].body)
    assert not gateway.traits.receipts


# ------------------------------------------------------------------------------------------------- the state


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        pytest.param(Play(404), OutcomeKind.UNKNOWN, None, id="not there yet"),
        pytest.param(Play(200, '{"recipients": [{"status": "WAITING"}]}'), OutcomeKind.ACCEPTED, None, id="waits"),
        pytest.param(Play(200, '{"recipients": [{"status": "DLVRD"}]}'), OutcomeKind.ACCEPTED, None, id="arrived"),
        pytest.param(Play(200, '{"recipients": [{"status": "TIMEOUT"}]}'), OutcomeKind.ACCEPTED, None, id="too late"),
        pytest.param(
            Play(200, '{"recipients": [{"status": "BLACKLISTED"}]}'), OutcomeKind.REJECTED, Reason.OPTED_OUT, id="stop"
        ),
        pytest.param(Play(200, '{"recipients": []}'), OutcomeKind.UNKNOWN, None, id="nobody"),
        pytest.param(Play(200, '{"recipients": [{"status": []}]}'), OutcomeKind.UNKNOWN, None, id="nonsense"),
        pytest.param(Play(500), OutcomeKind.UNKNOWN, None, id="broken"),
        pytest.param(Play(401), OutcomeKind.UNKNOWN, None, id="no login"),
        pytest.param(Fault.SILENCE, OutcomeKind.UNKNOWN, None, id="no answer"),
    ],
)
async def test_what_became_of_a_text_can_be_asked(
    answer: Play | Fault, kind: OutcomeKind, reason: Reason | None, provider: Provider
) -> None:
    gateway = skebby(provider, login="key")
    provider.script.append(answer)
    outcome = await gateway.lookup(Doubt(REFERENCE, None, NUMBER))
    await gateway.close()
    assert provider.seen[0].target == f"/sms/{REFERENCE}"
    assert (outcome.kind, outcome.reason) == (kind, reason)
    assert outcome.provider_id == (REFERENCE if kind is OutcomeKind.ACCEPTED else None)


@pytest.mark.parametrize(
    ("minutes", "between", "kind"),
    [
        (9, Play(404), OutcomeKind.UNKNOWN),
        (10, Play(404), OutcomeKind.REJECTED),
        (10, Play(500), OutcomeKind.UNKNOWN),
    ],
    ids=["for a while", "for long", "not all the time"],
)
async def test_only_what_does_not_turn_up_for_long_never_came_in(
    minutes: float, between: Play, kind: OutcomeKind, provider: Provider
) -> None:
    clock = [NOW]
    given = connection(account="clinic", secret="p:ss", options={"login": "key"})
    gateway = build("skebby", replace(given, url=provider.url, now=lambda: clock[0]))
    provider.script.extend([Play(404), between, Play(404)])
    outcomes = []
    for moment in (NOW, NOW, NOW + timedelta(minutes=minutes)):
        clock[0] = moment
        outcomes.append((await gateway.lookup(Doubt(REFERENCE, None, NUMBER))).kind)
    await gateway.close()
    assert outcomes == [OutcomeKind.UNKNOWN, OutcomeKind.UNKNOWN, kind]


# ------------------------------------------------------------------------------------------------ the answers


def answer(number: object, text: str = "Sì", phone: object = NUMBER) -> dict[str, Any]:
    return {"id": number, "phoneNumber": phone, "text": text}


def page(*answers: Mapping[str, object]) -> Play:
    return Play(200, json.dumps({"result": "OK", "messages": answers}))


def polling(provider: Provider, *script: Play, **options: str) -> tuple[Skebby, Poll]:
    provider.script.extend(script)
    gateway = skebby(provider, login="key", sim=SENDER, **options)
    (poll,) = gateway.polls()
    return gateway, poll


def test_without_a_number_nothing_is_fetched() -> None:
    gateway = build("skebby", connection(account="clinic", secret="x"))
    assert not gateway.polls()
    assert not gateway.traits.inbound


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"sim": "333 123"}, "write the number with plus and country code"),
        ({"first_answer": "now"}, "write the id of an answer"),
    ],
    ids=["sim", "first_answer"],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        build("skebby", connection(account="clinic", secret="x", options=options))


async def test_what_was_there_before_the_bridge_is_passed_over(provider: Provider) -> None:
    full = page(*(answer(number) for number in range(1, PAGE + 1)))
    gateway, poll = polling(provider, full, page(answer(101)), page(), page(answer(102)))
    cursor, heard, more = "", [], []
    for _ in range(4):
        polled = await poll.read(cursor)
        cursor = polled.cursor
        heard.append([event.event_id for event in polled.events])
        more.append(polled.more)
    await gateway.close()
    path = "/srsmshistory/+390200000001"
    assert [request.target for request in provider.seen] == [
        f"{path}/{last}?limit=100" for last in ("0", "100", "101", "101")
    ]
    assert heard == [[], [], [], ["102"]]
    assert more == [True, False, False, False]
    assert cursor == "102"


async def test_the_first_answer_can_be_named(provider: Provider) -> None:
    gateway, poll = polling(provider, page(answer(8, "Sì ☎")), first_answer="7")
    polled = await poll.read("")
    await gateway.close()
    assert provider.seen[0].target.endswith("/7?limit=100")
    (event,) = polled.events
    assert isinstance(event, InboundSms)
    assert (event.number, event.to, event.text, event.event_id) == (NUMBER, SENDER, "Sì ☎", "8")


@pytest.mark.parametrize(
    ("play", "ids"),
    [
        pytest.param(page(answer(9, "a"), answer(8, "b")), ["8", "9"], id="newest first"),
        pytest.param(page(answer("8"), answer("9")), ["8", "9"], id="ids as texts"),
        pytest.param(page(answer(7), answer(8)), ["8"], id="one that was heard"),
        pytest.param(page(answer(8), answer(8)), ["8"], id="one twice"),
        pytest.param(page(answer(8, "")), ["8"], id="an empty text"),
        pytest.param(page(answer(8, "a" * 700)), ["8"], id="a long text"),
        pytest.param(page(answer(8, phone=393331234567)), ["8"], id="a phone that is a number"),
        pytest.param(page(answer(8, phone="a name that is far too long")), None, id="nobody can be answered"),
        pytest.param(page(answer(8, phone={}), answer(9)), ["9"], id="one of two can be answered"),
        pytest.param(Play(200, json.dumps([answer(8)])), ["8"], id="a bare list"),
        pytest.param(page(), [], id="nothing new"),
        pytest.param(page({"idMessage": 8}), None, id="another key"),
        pytest.param(page(answer(True)), None, id="no id"),
        pytest.param(page(answer(-1)), None, id="a negative id"),
        pytest.param(Play(200, "{}"), None, id="no list"),
        pytest.param(Play(200, "[1]"), None, id="no answers"),
        pytest.param(Play(200, "<html>"), None, id="no JSON"),
        pytest.param(Play(400), None, id="refused"),
        pytest.param(Play(500), None, id="broken"),
    ],
)
async def test_answers_come_in_order_and_what_cannot_be_read_keeps_its_place(
    play: Play, ids: Sequence[str] | None, provider: Provider
) -> None:
    gateway, poll = polling(provider, play)
    if ids is None:
        with pytest.raises(PollRefused) as caught:
            await poll.read("7")
        assert NUMBER[1:] not in str(caught.value)
    else:
        polled = await poll.read("7")
        assert [event.event_id for event in polled.events] == ids
        assert polled.cursor == (ids[-1] if ids else "7")
    await gateway.close()


class Saying(Skebby):
    """A Skebby whose answer is at hand."""

    said = b""

    async def exchange(self, order: Order) -> Answer:
        return Answer(200, {}, self.said)


def at_once(reading: Awaitable[Polled]) -> Polled:
    """The end of what waits for nothing."""
    step = reading.__await__()
    with pytest.raises(StopIteration) as done:
        next(step)
    polled = done.value.value
    assert isinstance(polled, Polled)
    return polled


PLAIN_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
STRANGE = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("id", "phoneNumber", "text"), PLAIN_VALUES | st.lists(PLAIN_VALUES))
)
ANSWERS = st.builds(answer, st.integers(0, 20), st.text(), st.just(NUMBER) | st.text())


@given(st.lists(ANSWERS | STRANGE | PLAIN_VALUES), st.booleans())
def test_no_page_breaks_the_reading_or_leads_it_back(found: list[object], bare: bool) -> None:
    gateway = Saying(connection(account="clinic", secret="x", options={"login": "key", "sim": SENDER}))
    gateway.said = json.dumps(found if bare else {"messages": found}).encode()
    (poll,) = gateway.polls()
    try:
        polled = at_once(poll.read("7"))
    except PollRefused:
        return
    assert int(polled.cursor) >= 7
    ids = [int(event.event_id) for event in polled.events]
    assert ids == sorted(set(ids))
    assert all(7 < each <= int(polled.cursor) for each in ids)
