"""The simulator's calls, as scripts and acceptance tests use them: paths, keys, statuses, sentences."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bridge.types import Encoding, OutboundSms
from tests.simulator.world import SECRET, SENDER, World, sms

PHONE = "+393470000123"
PHONES = "/simulator/api/phones"
ORDER = {"reference": "r1", "from": SENDER, "to": PHONE, "encoding": "gsm7", "segments": ["41"]}
BEARER = {"Authorization": f"Bearer {SECRET}"}

MAIL = (
    b"From: =?utf-8?b?4oKs?= <+393470000123@sms.example.test>\r\nTo: Clinic <clinic@example.test>\r\n"
    b"Subject: Re: =?utf-8?q?l'et=C3=A0?=\r\nMessage-ID: <reply-1@sms.example.test>\r\n"
    b"In-Reply-To: <first@example.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nS\xc3\xac\r\n"
)


async def test_a_phone_never_texted_is_an_empty_phone(world: World) -> None:
    answer = await world.http.get(f"{PHONES}/{PHONE}")
    assert answer.status_code == 200
    assert answer.json()["number"] == PHONE
    assert answer.json()["messages"] == []


async def test_a_phone_lists_its_texts_oldest_first_with_every_key(world: World) -> None:
    await world.gateway.submit(sms(PHONE, "uno"))
    await world.gateway.submit(sms(PHONE, "due"))
    messages = (await world.http.get(f"{PHONES}/%2B393470000123")).json()["messages"]
    assert [message["text"] for message in messages] == ["uno", "due"]
    assert set(messages[0]) == {"id", "from", "to", "text", "encoding", "segments", "received_at"}
    assert (messages[0]["from"], messages[0]["to"]) == (SENDER, PHONE)
    assert (messages[0]["encoding"], messages[0]["segments"]) == ("gsm7", 1)


@pytest.mark.parametrize(
    ("encoding", "segments"),
    [
        (Encoding.GSM7, ("Costa 20 € [circa] {più o meno} ~",)),
        (Encoding.GSM7, ("a" * 153, "b" * 153, "c")),
        (Encoding.UCS2, ("Ciao 👋🏽 дорогая",)),
        (Encoding.UCS2, ("щ" * 67, "щ")),
    ],
    ids=["escapes", "three gsm7 segments", "emoji", "two ucs2 segments"],
)
async def test_the_text_is_rebuilt_from_the_segments_that_travelled(
    world: World, encoding: Encoding, segments: tuple[str, ...]
) -> None:
    await world.gateway.submit(OutboundSms("r", PHONE, SENDER, "".join(segments), encoding, segments))
    [message] = (await world.http.get(f"{PHONES}/{PHONE}")).json()["messages"]
    assert message["text"] == "".join(segments)
    assert (message["encoding"], message["segments"]) == (encoding.value, len(segments))


async def test_phones_are_listed_with_the_number_of_their_texts(world: World) -> None:
    await world.gateway.submit(sms(PHONE))
    await world.gateway.submit(sms(PHONE))
    await world.gateway.submit(sms("+393470000903"))
    assert (await world.http.get(PHONES)).json() == [
        {"number": PHONE, "messages": 2},
        {"number": "+393470000903", "messages": 0},
    ]


async def test_a_phone_answers_the_number_that_texted_it_last(world: World) -> None:
    await world.gateway.submit(sms(PHONE))
    answer = await world.http.post(f"{PHONES}/{PHONE}/replies", json={"text": "SÌ 👍"})
    assert answer.status_code == 201
    await world.bridge.wait_for(2)
    [heard] = world.bridge.inbound
    assert (heard.number, heard.to, heard.text, heard.event_id) == (PHONE, SENDER, "SÌ 👍", answer.json()["id"])


async def test_a_phone_can_say_which_text_it_answers(world: World) -> None:
    await world.gateway.submit(sms(PHONE, "uno"))
    await world.gateway.submit(sms(PHONE, "due"))
    first = (await world.http.get(f"{PHONES}/{PHONE}")).json()["messages"][0]["id"]
    for body in ({"text": "a"}, {"text": "b", "answers": first}, {"text": "c", "answers": None}):
        assert (await world.http.post(f"{PHONES}/{PHONE}/replies", json=body)).status_code == 201
    await world.bridge.wait_for(5)
    assert [(heard.text, heard.answers) for heard in world.bridge.inbound] == [("a", ""), ("b", first), ("c", "")]


@pytest.mark.parametrize("answers", ["", "nothing", 7, [], {}, True])
async def test_a_phone_answers_only_texts_that_it_has(world: World, answers: object) -> None:
    await world.gateway.submit(sms("+393470000124"))
    await world.gateway.submit(sms("+393470000903"))
    of_another = (await world.http.get(f"{PHONES}/+393470000124")).json()["messages"][0]["id"]
    missed = (await world.http.get(f"{PHONES}/+393470000903")).json()["missed"][0]["id"]
    for phone, named in ((PHONE, answers), (PHONE, of_another), ("+393470000903", missed)):
        answer = await world.http.post(f"{PHONES}/{phone}/replies", json={"text": "SI", "to": SENDER, "answers": named})
        assert answer.status_code == 400
        assert "'answers'" in answer.json()["error"]
    assert world.bridge.inbound == []


async def test_the_same_answer_twice_is_two_events(world: World) -> None:
    for _ in range(2):
        await world.http.post(f"{PHONES}/{PHONE}/replies", json={"text": "SI", "to": SENDER})
    await world.bridge.wait_for(2)
    first, second = world.bridge.inbound
    assert (first.text, second.text) == ("SI", "SI")
    assert first.event_id != second.event_id


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [
        (PHONE, {"text": "SI"}, 409),
        (PHONE, {"text": ""}, 400),
        (PHONE, {"text": " \n"}, 400),
        (PHONE, {"text": 7}, 400),
        (PHONE, {"text": "x" * 1601, "to": SENDER}, 400),
        (PHONE, {"text": "SI", "to": "0039 02"}, 400),
        (PHONE, ["SI"], 400),
        ("393470000123", {"text": "SI", "to": SENDER}, 400),
        ("%2B0", {"text": "SI", "to": SENDER}, 400),
    ],
    ids=["never texted", "empty", "blank", "no text", "too long", "bad to", "no object", "no plus", "no number"],
)
async def test_an_answer_that_cannot_be_sent_says_why(world: World, number: str, body: object, status: int) -> None:
    answer = await world.http.post(f"{PHONES}/{number}/replies", json=body)
    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")
    assert world.bridge.inbound == []


async def test_mail_is_listed_for_each_recipient_with_every_key(world: World) -> None:
    await world.mail(["clinic@example.test", "Front-Desk@example.test"], MAIL)
    for address in ("clinic@example.test", "front-desk@example.test"):
        [mail] = (await world.http.get(f"/simulator/api/mail/{address}")).json()
        assert mail.pop("id")
        assert mail.pop("received_at")
        assert mail == {
            "folder": "INBOX",
            "from": "+393470000123@sms.example.test",
            "to": "clinic@example.test",
            "subject": "Re: l'età",
            "message_id": "<reply-1@sms.example.test>",
            "in_reply_to": "<first@example.test>",
        }


async def test_an_address_without_mail_has_an_empty_list(world: World) -> None:
    answer = await world.http.get("/simulator/api/mail/nobody@example.test")
    assert (answer.status_code, answer.json()) == (200, [])


async def test_the_raw_mail_is_what_was_handed_over(world: World) -> None:
    await world.mail(["clinic@example.test"], MAIL)
    [mail] = (await world.http.get("/simulator/api/mail/clinic@example.test")).json()
    answer = await world.http.get(f"/simulator/api/mail/clinic@example.test/{mail['id']}")
    assert answer.headers["content-type"] == "message/rfc822"
    assert answer.content == MAIL
    assert (await world.http.get(f"/simulator/api/mail/other@example.test/{mail['id']}")).status_code == 404


async def test_delete_empties_phones_and_mail(world: World) -> None:
    await world.gateway.submit(sms(PHONE))
    await world.mail(["clinic@example.test"], MAIL)
    assert (await world.http.delete("/simulator/api")).status_code == 204
    assert (await world.http.get(PHONES)).json() == []
    assert (await world.http.get("/simulator/api/mail/clinic@example.test")).json() == []


@pytest.mark.parametrize(
    "change",
    [
        {"reference": ""},
        {"from": "+39 02"},
        {"to": "3470000123"},
        {"encoding": "latin1"},
        {"segments": []},
        {"segments": ["zz"]},
        {"segments": ["41" * 161]},
        {"segments": ["41" * 154, "41"]},
        {"segments": ["80"]},
        {"encoding": "ucs2", "segments": ["0041" * 71]},
    ],
    ids=lambda change: next(f"{key} {str(value)[:12]}" for key, value in reversed(change.items())),
)
async def test_the_provider_refuses_an_order_that_no_network_would_take(
    world: World, change: dict[str, object]
) -> None:
    answer = await world.http.post("/simulator/provider/messages", json=ORDER | change, headers=BEARER)
    assert answer.status_code == 400
    assert await world.texts(PHONE) == []


async def test_the_provider_takes_orders_from_its_customer_only(world: World) -> None:
    answer = await world.http.post(
        "/simulator/provider/messages", json=ORDER, headers={"Authorization": "Bearer another"}
    )
    assert answer.status_code == 401
    assert await world.texts(PHONE) == []


async def test_another_web_site_cannot_make_a_browser_call(world: World) -> None:
    answer = await world.http.delete("/simulator/api", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_the_gateway_finds_the_network_in_order(world: World) -> None:
    assert await world.gateway.probe() == ""


async def test_sending_a_mail_without_a_bridge_says_what_to_do(world: World) -> None:
    answer = await world.http.post("/simulator/api/mail/clinic@example.test", json={"to": ["a@b.test"], "text": "x"})
    assert answer.status_code == 409
    assert "mail program" in answer.json()["error"]


async def test_events_tell_what_changed_and_end_when_the_simulator_hangs_up(world: World) -> None:
    async with world.http.stream("GET", "/simulator/api/events") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        await world.gateway.submit(sms(PHONE))
        await world.mail(["clinic@example.test"], MAIL)
        told = [line async for line in _data(lines, 2)]
        assert told == [
            f'data: {{"kind": "phone", "name": "{PHONE}"}}',
            'data: {"kind": "mailbox", "name": "clinic@example.test"}',
        ]
        await world.simulator.hang_up()
        assert [line async for line in lines if line] == []


async def _data(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    while count:
        line = await anext(lines)
        if line.startswith("data:"):
            count -= 1
            yield line


async def test_the_view_of_a_mail_is_what_a_mail_program_shows(world: World) -> None:
    await world.mail(["clinic@example.test"], MAIL)
    [mail] = (await world.http.get("/simulator/api/mail/clinic@example.test")).json()
    shown = (await world.http.get(f"/simulator/api/mail/clinic@example.test/{mail['id']}/view")).json()
    assert (shown["sender_name"], shown["text"], shown["sent"]) == ("€", "Sì", False)
