"""A mailbox whose phones write in other languages than its own: their orders count, and are answered in them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from bridge import clock
from bridge.meaning.vocabulary import VOCABULARIES
from bridge.notices.wording import AUTOMATIC
from bridge.sms.encoding import encode
from bridge.types import AutomaticKind, Encoding, InboundSms, Language, Spoken
from tests.stations.conftest import PHONE, intake_of, waiting
from tests.store.conftest import GATEWAY, StoreRoom

_events = itertools.count()


async def bolzano(room: StoreRoom, *spoken: Spoken) -> None:
    """The clinic writes Italian, and its phones these languages too."""
    clinic = replace(room.mailbox, language=Language.ITALIAN, phone_languages=spoken)
    await room.store.mailboxes.save(clinic)
    await room.store.directory.refresh()


async def answers(room: StoreRoom, *said: str) -> list[str]:
    """What the bridge texts back by itself."""
    for text in said:
        event = f"event {next(_events)}"
        await intake_of(room).hear([InboundSms(GATEWAY, event, PHONE, room.mailbox.sender, text, clock.now())])
    found = await room.store.ledger.messages(state=None, number=PHONE, login=None, limit=100)
    traces = [await room.store.ledger.trace(each.id) for each in reversed(found)]
    return [trace.text for trace in traces if trace is not None]


@pytest.mark.parametrize(
    ("spoken", "order", "answer"),
    [
        (Spoken.GERMAN, "Abmelden", "clinic@example.test: Sie erhalten keine SMS mehr von uns."),
        (Spoken.GERMAN, "Hilfe!", "Diese SMS kommen von clinic@example.test."),
        (Spoken.FRENCH, "Arrêt", "clinic@example.test : vous ne recevrez plus nos SMS."),
        (Spoken.FRENCH, "aide", "Ces SMS viennent de clinic@example.test."),
        (Spoken.PORTUGUESE, "SAIR", "clinic@example.test: deixa de receber os nossos SMS."),
        (Spoken.DUTCH, "afmelden", "clinic@example.test: u krijgt geen sms meer van ons."),
        (Spoken.GERMAN, "cancella", "clinic@example.test: non riceverà più SMS da noi."),
        (Spoken.GERMAN, "STOP", "clinic@example.test: non riceverà più SMS da noi."),
    ],
)
async def test_an_order_is_answered_in_its_own_language(
    room: StoreRoom, spoken: Spoken, order: str, answer: str
) -> None:
    await bolzano(room)
    if order not in ("cancella", "STOP"):
        assert await answers(room, order) == [], "nobody said that its phones speak this"
    await bolzano(room, spoken)
    (text,) = await answers(room, order)
    assert text.startswith(answer)


async def test_a_german_phone_comes_back_in_german(room: StoreRoom) -> None:
    await bolzano(room, Spoken.GERMAN)
    said = await answers(room, "abbestellen", "anmelden")
    assert [text.split(".")[1].partition(":")[2] for text in said] == [
        " Sie erhalten keine SMS mehr von uns",
        " Sie erhalten wieder SMS von uns",
    ]


async def test_a_short_yes_counts_in_the_languages_of_the_phones(room: StoreRoom) -> None:
    for spoken, marked in (((), False), ((Spoken.ENGLISH,), True)):
        await bolzano(room, *spoken)
        await answers(room, "Fine, thanks")
        (mail,) = await waiting(room)
        assert (b"X-SMS-Intent: confirm" in mail.raw) is marked


async def test_the_languages_of_all_who_share_a_number_count(room: StoreRoom) -> None:
    other = replace(room.mailbox, login="desk@example.test", phone_languages=(Spoken.GERMAN, Spoken.FRENCH))
    await room.store.mailboxes.add(other)
    await room.store.directory.refresh()
    found = room.store.directory.languages(room.mailbox.sender, room.mailbox)
    assert found == {"en", "de", "fr"}
    assert room.store.directory.by_login("desk@example.test") == replace(
        other,
        id=room.store.directory.owners(other.sender)[1].id,
        organisation_id="main",
    )


def test_there_are_words_for_every_language_that_is_understood() -> None:
    assert {each.value for each in Spoken} == VOCABULARIES.keys()
    assert AUTOMATIC.keys() == {each.value for each in Spoken} - {each.value for each in Language}


@pytest.mark.parametrize("code", AUTOMATIC)
def test_what_is_texted_by_itself_is_one_sms(code: str) -> None:
    assert AUTOMATIC[code].keys() == {AutomaticKind.STOP, AutomaticKind.START, AutomaticKind.HELP}
    for sentence in AUTOMATIC[code].values():
        encoded = encode(sentence.format(who="reception@clinic.example"))
        assert (encoded.encoding, len(encoded.segments)) == (Encoding.GSM7, 1)
    stop, start, help_ = (AUTOMATIC[code][kind] for kind in ("stop", "start", "help"))
    assert "START" in stop
    assert "STOP" in start
    assert "STOP" in help_
