"""What the bridge texts a phone by itself: STOP, START and HELP are answered, once each, and not without end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge import clock
from bridge.answering import PROMPT, WINDOW, Manners, today
from bridge.routing import Route, Routes
from bridge.settings import ConfirmOrders
from bridge.sms.encoding import encode
from bridge.store import usage
from bridge.store.claims import Claim, Claimed, Start
from bridge.store.inbox import Inbox
from bridge.store.store import Store
from bridge.store.transitions import Change
from bridge.types import Encoding, Language, MessageState
from tests.stations.conftest import PHONE, waiting, words
from tests.stations.phone import Phone, keyword, set_mailbox
from tests.store.conftest import GATEWAY, StoreRoom, new_mail

OTHER = "+390200000002"


async def claimed(room: StoreRoom) -> list[Claimed]:
    now = clock.now() + timedelta(seconds=1)
    return await room.store.queue.claim(Claim("me", now, now + timedelta(seconds=90), 10))


async def started(room: StoreRoom, message_id: str) -> int | None:
    now = clock.now() + timedelta(seconds=1)
    return await room.store.queue.start(Start("me", message_id, GATEWAY, now, now + timedelta(seconds=90)))


async def test_stop_is_confirmed_once_and_the_confirmation_leaves_although_the_phone_is_blocked(
    room: StoreRoom,
) -> None:
    phone = Phone(room)
    (confirmation,) = await phone.writes("STOP")
    assert confirmation == "clinic@example.test: you will get no more texts from us. START lifts this."
    assert phone.rung == 1
    (message,) = await phone.messages()
    assert (message.sender, message.number, message.mailbox) == (room.mailbox.sender, PHONE, room.mailbox.login)
    trace = await room.store.ledger.trace(message.id)
    assert trace is not None
    assert "by the bridge itself, in answer to stop" in trace.steps[0].detail
    (mine,) = await claimed(room)
    assert mine.opted_out_since is None
    assert await started(room, message.id) == 1
    (mail,) = await waiting(room)
    assert "refuses messages to this phone" in words(mail)
    assert confirmation in words(mail)
    assert await phone.writes("STOP", "stop!", "unsubscribe") == []


async def test_nothing_else_leaves_for_a_blocked_phone(room: StoreRoom) -> None:
    phone = Phone(room)
    await room.outbox.take(replace(new_mail(room.mailbox), at=clock.now()))
    await phone.writes("STOP")
    by_kind = {each.opted_out_since is None: each.sms.reference for each in await claimed(room)}
    assert len(by_kind) == 2
    assert await started(room, by_kind[False]) is None
    assert await started(room, by_kind[True]) == 1
    assert await phone.writes("HELP", "INFO?") == []


async def test_start_lifts_the_block_and_says_so_and_stop_is_confirmed_again(room: StoreRoom) -> None:
    phone = Phone(room)
    assert await phone.writes("START") == [], "nothing was blocked"
    said = await phone.writes("STOP", "START", "STOP")
    assert [text.partition(": ")[2] for text in said] == [
        "you will get no more texts from us. START lifts this.",
        "you get texts from us again. STOP ends them.",
        "you will get no more texts from us. START lifts this.",
    ]
    assert await phone.writes("START", "STOP", "START") == [], "three a day are enough"


async def test_the_first_confirmation_of_stop_leaves_whatever_left_before(room: StoreRoom) -> None:
    phone = Phone(room)
    assert len(await phone.writes("HELP", "help", "Help.", "help!")) == 3
    (confirmation,) = await phone.writes("STOP")
    assert "no more texts" in confirmation
    assert await phone.writes("START", "STOP") == []


@pytest.mark.parametrize(
    ("language", "word", "expected"),
    [
        (Language.ENGLISH, "STOP", "you will get no more texts"),
        (Language.ENGLISH, "cancel", "you will get no more texts"),
        (Language.ITALIAN, "Stop", "non riceverà più SMS da noi"),
        (Language.ITALIAN, "CANCELLA", "non riceverà più SMS da noi"),
        (Language.SPANISH, "baja", "ya no le enviamos SMS"),
        (Language.SPANISH, "STOP", "ya no le enviamos SMS"),
        (Language.DUTCH, "Afmelden", "u krijgt geen sms meer van ons"),
        (Language.DUTCH, "STOP", "u krijgt geen sms meer van ons"),
        (Language.ITALIAN, "aiuto", "Questi SMS sono di clinic@example.test."),
        (Language.SPANISH, "¿AYUDA?", "Estos SMS los manda clinic@example.test."),
        (Language.DUTCH, "hulp", "Deze sms komt van clinic@example.test."),
        (Language.ENGLISH, "help", "These texts come from clinic@example.test."),
    ],
)
async def test_the_answer_is_in_the_language_of_the_order(
    sqlite_room: StoreRoom, language: Language, word: str, expected: str
) -> None:
    await set_mailbox(sqlite_room, language=language)
    (text,) = await Phone(sqlite_room).writes(word)
    assert expected in text
    assert ("START" in text) is ("AIUTO AYUDA HULP HELP".find(word.strip("¿?").upper()) == -1)
    encoded = encode(text)
    assert (encoded.encoding, len(encoded.segments)) == (Encoding.GSM7, 1)


async def test_the_language_of_the_order_goes_before_that_of_the_mailbox(room: StoreRoom) -> None:
    await room.store.mailboxes.add(replace(room.mailbox, login="it@example.test", language=Language.ITALIAN))
    await room.store.directory.refresh()
    (text,) = await Phone(room).writes("cancella")
    assert text.startswith("clinic@example.test: non riceverà")


async def test_a_block_holds_for_all_numbers_of_a_pool_and_is_confirmed_once(room: StoreRoom) -> None:
    await set_mailbox(room, pool=(OTHER,))
    phone = Phone(room)
    assert len(await phone.writes("STOP", to=OTHER)) == 1
    assert [each.sender for each in await phone.messages()] == [OTHER], "from the number that it wrote to"
    assert await phone.writes("STOP") == []
    (again,) = await phone.writes("START")
    assert "again" in again
    assert await phone.writes("START", to=OTHER) == []


async def test_a_repeated_callback_sends_nothing_again(room: StoreRoom) -> None:
    phone = Phone(room)
    sms = phone.sms("STOP")
    for _ in range(3):
        await phone.intake.hear([sms])
    await phone.intake.hear([sms, sms])
    assert len(await phone.messages()) == 1


async def test_a_machine_gets_three_texts_and_the_mailbox_is_told_once(room: StoreRoom) -> None:
    phone = Phone(room)
    said = await phone.writes(*["Help"] * 12)
    assert len(said) == 3
    mails = await waiting(room)
    assert len(mails) == 12
    assert sum("3 texts within 24 hours" in words(mail) for mail in mails) == 1
    assert sum("by itself: " in words(mail) for mail in mails) == 3
    assert len(await phone.writes("HELP", number="+393331234568")) == 1, "another phone is another matter"


async def test_our_own_words_are_not_answered(room: StoreRoom) -> None:
    await keyword(room, "Orari", reply="Orari: lun-ven 9-18.")
    phone = Phone(room)
    (said,) = await phone.writes("orari?")
    assert await phone.writes(said, said.upper(), "orari lun ven 9 18") == []
    assert await phone.writes("Orari?") == [said]


@pytest.mark.parametrize("room", ["postgresql"], indirect=True)
async def test_two_nodes_that_hear_a_phone_at_the_same_moment_answer_it_once(room: StoreRoom) -> None:
    async with Store(room.store.settings) as other:
        inbox = Inbox(other.committer, other.key, report_wait=60)
        here, there = Phone(room), Phone(replace(room, store=other, inbox=inbox))
        numbers = [f"+3933312345{each:02}" for each in range(20)]
        await asyncio.gather(
            *(here.intake.hear([here.sms("STOP", number=number)]) for number in numbers),
            *(there.intake.hear([here.sms("STOP", number=number)]) for number in reversed(numbers)),
        )
    assert {len(await here.messages(number)) for number in numbers} == {1}


async def test_an_order_of_yesterday_is_carried_out_and_not_answered(room: StoreRoom) -> None:
    phone = Phone(room)
    old = clock.now() - WINDOW - timedelta(minutes=1)
    await phone.intake.hear([phone.sms("STOP", at=old)])
    assert await phone.messages() == []
    await room.store.directory.refresh()
    assert room.store.directory.block("main", room.mailbox.sender, PHONE) is not None


async def test_a_confirmation_of_stop_leaves_within_five_minutes_of_it_or_never(room: StoreRoom) -> None:
    """However late the provider brings the order (47 CFR 64.1200(a)(12)); other answers have more time."""
    phone = Phone(room)
    early, late, help_ = (f"+39333123456{n}" for n in (1, 2, 3))
    asked = clock.now() - timedelta(minutes=3)
    await phone.intake.hear([phone.sms("STOP", number=early, at=asked)])
    (confirmation,) = await claimed(room)
    assert confirmation.sms.expires_at == asked + PROMPT
    await phone.intake.hear([phone.sms("STOP", number=late, at=clock.now() - PROMPT - timedelta(seconds=1))])
    assert await phone.messages(late) == []
    await room.store.directory.refresh()
    assert room.store.directory.block("main", room.mailbox.sender, late) is not None
    await phone.intake.hear([phone.sms("HELP", number=help_, at=clock.now() - PROMPT - timedelta(seconds=1))])
    assert len(await phone.messages(help_)) == 1


@pytest.mark.parametrize("room", ["postgresql"], indirect=True)
@pytest.mark.parametrize("word", ["HELP", "STOP"])
async def test_an_answer_does_not_wait_for_mails_of_its_mailbox(room: StoreRoom, word: str) -> None:
    """Another node takes mails of the same mailbox at that moment: if each waited for the other, one would fail."""
    phone = Phone(room)
    day = (room.mailbox.id, today(room.mailbox, clock.now()))
    async with room.store.engine.connect() as taking:
        await taking.run_sync(lambda connection: usage.locked(connection, [day]))
        await asyncio.wait_for(phone.intake.hear([phone.sms(word)]), 10)
    assert len(await phone.messages()) == 1


@pytest.mark.parametrize(
    ("number", "countries"),
    [("+41791234567", ("IT",)), ("+390212345678", ("IT",)), ("+39899123456", ("IT",)), ("4321", ("IT",)), ("Bank", ())],
)
async def test_who_may_not_be_texted_gets_no_answer(room: StoreRoom, number: str, countries: tuple[str, ...]) -> None:
    await set_mailbox(room, countries=countries)
    assert await Phone(room).writes("STOP", number=number) == []


async def test_what_is_sent_counts_and_only_help_waits_for_room_under_the_daily_cap(room: StoreRoom) -> None:
    capped = await set_mailbox(room, daily_cap=1)
    phone = Phone(room)
    assert len(await phone.writes("HELP")) == 1
    assert await phone.writes("HELP") == []
    assert len(await phone.writes("STOP")) == 1
    day = today(capped, clock.now())
    taken = await room.outbox.take(new_mail(capped, ["+393331234569"], day=day, message_id="<two@x>"))
    assert taken.over_cap


def orders(setting: ConfirmOrders, *answered_by: str) -> Manners:
    return Manners(3, setting, frozenset(answered_by))


@pytest.mark.parametrize(
    ("manners", "word", "answered"),
    [
        (orders(ConfirmOrders.NEVER), "STOP", False),
        (orders(ConfirmOrders.UNLESS_PROVIDER), "STOP", True),
        (orders(ConfirmOrders.UNLESS_PROVIDER, GATEWAY), "STOP", False),
        (orders(ConfirmOrders.UNLESS_PROVIDER, GATEWAY), "CANCELLA", True),
        (orders(ConfirmOrders.ALWAYS, GATEWAY), "STOP", True),
    ],
)
async def test_where_the_provider_answers_orders_the_bridge_does_not(
    room: StoreRoom, manners: Manners, word: str, answered: bool
) -> None:
    await set_mailbox(room, language=Language.ITALIAN)
    assert bool(await Phone(room, manners).writes(word)) is answered
    await room.store.directory.refresh()
    assert room.store.directory.block("main", room.mailbox.sender, PHONE) is not None


async def test_an_answer_goes_the_way_that_its_sms_came(room: StoreRoom) -> None:
    routes = Routes((Route("cheap", priority=1), Route(GATEWAY)), answered=frozenset({"cheap", GATEWAY}))
    phone = Phone(room, routes=routes)
    await phone.writes("HELP")
    (message,) = await phone.messages()
    assert message.gateway == GATEWAY
    assert await Phone(room, routes=Routes(())).writes("HELP") == [], "no route, no answer"


async def test_no_report_comes_for_an_answer_that_does_not_arrive(room: StoreRoom) -> None:
    phone = Phone(room)
    await phone.writes("HELP")
    (message,) = await phone.messages()
    for state in (MessageState.SENDING, MessageState.FAILED):
        await room.store.queue.change(Change(message.id, state, clock.now()))
    assert [each.state for each in await phone.messages()] == [MessageState.FAILED]
    assert await room.reports.due(clock.now() + timedelta(days=366), 10) == []


async def test_a_conversation_is_not_renewed_by_what_nobody_wrote(room: StoreRoom) -> None:
    """Whose answer comes next depends on who wrote last."""
    phone = Phone(room)
    await phone.writes("HELP")
    (message,) = await phone.messages()
    assert message.state is MessageState.QUEUED
    await phone.writes("Thanks")
    mails = [mail.raw for mail in await waiting(room)]
    assert all(b"X-SMS-Match: number" in raw for raw in mails)


@pytest.mark.parametrize("text", ["ORARI", "orari?", "Orarì lunedì", "  «orari»\n", "ORARI per favore 🙏"])
async def test_an_sms_that_begins_with_a_keyword_is_answered(room: StoreRoom, text: str) -> None:
    await keyword(room, "Orari", reply="Lun-Ven 9-18.", tag="hours")
    assert await Phone(room).writes(text) == ["Lun-Ven 9-18."]
    (mail,) = await waiting(room)
    assert b"X-SMS-Tag: hours\r\n" in mail.raw
    assert "by itself: “Lun-Ven 9-18.”" in words(mail)


@pytest.mark.parametrize("text", ["Che orari avete?", "orario", "", "!", "STOP", "l'orari"])
async def test_any_other_is_not(room: StoreRoom, text: str) -> None:
    await keyword(room, "Orari", reply="Lun-Ven 9-18.", tag="hours", forward=("boss@example.test",))
    assert "Lun-Ven 9-18." not in await Phone(room).writes(text)
    (mail,) = await waiting(room)
    assert b"X-SMS-Tag" not in mail.raw


async def test_a_keyword_is_answered_whatever_becomes_of_orders_and_not_to_a_blocked_phone(room: StoreRoom) -> None:
    await keyword(room, "Orari", reply="Lun-Ven 9-18.")
    phone = Phone(room, orders(ConfirmOrders.NEVER))
    assert await phone.writes("orari") == ["Lun-Ven 9-18."]
    assert await phone.writes("STOP", "orari") == []


async def test_what_is_forwarded_goes_to_others_too(room: StoreRoom) -> None:
    await keyword(room, "Ricetta", forward=("pharmacy@example.org", "boss@example.test"))
    assert await Phone(room).writes("Ricetta per Rossi") == []
    mails = await waiting(room)
    assert [mail.envelope_to for mail in mails] == [room.mailbox.login, "pharmacy@example.org", "boss@example.test"]
    assert len({mail.id for mail in mails}) == 3
    assert len({mail.envelope_from for mail in mails}) == 3
    assert all("Ricetta per Rossi" in words(mail) for mail in mails)


async def test_on_a_shared_number_a_keyword_finds_its_mailbox(room: StoreRoom) -> None:
    await room.store.mailboxes.add(replace(room.mailbox, login="radiology@example.test"))
    await room.store.directory.refresh()
    radiology = room.store.directory.by_login("radiology@example.test")
    assert radiology is not None
    await keyword(room, "Referto", radiology, reply="I referti sono pronti dopo 5 giorni.")
    phone = Phone(room)
    assert await phone.writes("Referto?") == ["I referti sono pronti dopo 5 giorni."]
    assert await phone.writes("Buongiorno", number="+393331234568") == []
    by_keyword, unprompted = await waiting(room)
    assert by_keyword.envelope_to == "radiology@example.test"
    assert b"X-SMS-Match: none" in by_keyword.raw
    assert "begins with Referto, a keyword of this mailbox" in words(by_keyword)
    assert "Nobody has written" not in words(by_keyword)
    assert unprompted.envelope_to == room.mailbox.login
    assert "Nobody has written" in words(unprompted)


async def test_whom_a_phone_answers_counts_more_than_a_keyword_of_another(room: StoreRoom) -> None:
    await room.store.mailboxes.add(replace(room.mailbox, login="radiology@example.test"))
    await room.store.directory.refresh()
    radiology = room.store.directory.by_login("radiology@example.test")
    await keyword(room, "Referto", radiology, reply="Dopo 5 giorni.")
    await room.outbox.take(replace(new_mail(room.mailbox), at=clock.now()))
    assert await Phone(room).writes("Referto") == []
    (mail,) = await waiting(room)
    assert (mail.envelope_to, b"X-SMS-Match: latest" in mail.raw) == (room.mailbox.login, True)


async def test_a_keyword_is_replaced_and_forgotten(room: StoreRoom) -> None:
    await keyword(room, "Orari", reply="Lun-Ven 9-18.")
    await keyword(room, "ORARÌ", reply="Sempre.")
    phone = Phone(room)
    assert await phone.writes("orari") == ["Sempre."]
    assert [each.word for each in room.store.directory.keywords(room.mailbox.id).values()] == ["ORARÌ"]
    assert await room.store.keywords.remove(room.mailbox, "orari")
    assert not await room.store.keywords.remove(room.mailbox, "orari")
    await room.store.directory.refresh()
    assert await phone.writes("orari") == []


async def test_two_mailboxes_that_answer_each_other_fall_silent(room: StoreRoom) -> None:
    """Each is a phone to the other: what one texts, the other hears."""
    here, there = "+393330000001", "+393330000002"
    first = await set_mailbox(room, sender=here)
    await room.store.mailboxes.add(replace(first, login="other@example.test", sender=there))
    await room.store.directory.refresh()
    second = room.store.directory.by_login("other@example.test")
    await keyword(room, "Ping", first, reply="Pong, says the clinic.")
    await keyword(room, "Pong", second, reply="Ping, says the other.")
    phone = Phone(room)
    await phone.intake.hear([phone.sms("Ping", to=here, number=there)])
    heard: set[str] = set()
    for _ in range(50):
        texts = [each for number in (here, there) for each in await phone.messages(number) if each.id not in heard]
        if not texts:
            break
        for each in texts:
            heard.add(each.id)
            await phone.intake.hear([phone.sms(await phone.words(each), to=each.number, number=each.sender)])
    assert len(heard) == 6, "three each way"
    mails = [mail for mail in await waiting(room) if "within 24 hours" in words(mail)]
    assert [mail.envelope_to for mail in mails] == [first.login], "one notice, and then nobody texts any more"
