"""A mailbox whose phones write in other languages than its own: their orders count, and are answered in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.meaning.vocabulary import VOCABULARIES
from bridge.notices.wording import AUTOMATIC
from bridge.sms.encoding import encode
from bridge.types import AutomaticKind, Encoding, Language, Spoken
from tests.stations.conftest import waiting
from tests.stations.phone import Phone, set_mailbox
from tests.store.conftest import StoreRoom


async def bolzano(room: StoreRoom, *spoken: Spoken) -> None:
    """The clinic writes Italian, and its phones these languages too."""
    await set_mailbox(room, language=Language.ITALIAN, phone_languages=spoken)


@pytest.mark.parametrize(
    ("spoken", "order", "answer"),
    [
        (Spoken.GERMAN, "Abmelden", "clinic@example.test: Sie erhalten keine SMS mehr von uns."),
        (Spoken.GERMAN, "Hilfe!", "Diese SMS kommen von clinic@example.test."),
        (Spoken.FRENCH, "Arrêt", "clinic@example.test : vous ne recevrez plus nos SMS."),
        (Spoken.FRENCH, "aide", "Ces SMS viennent de clinic@example.test."),
        (Spoken.PORTUGUESE, "SAIR", "clinic@example.test: deixa de receber os nossos SMS."),
        (Spoken.DUTCH, "afmelden", "clinic@example.test: u krijgt geen sms meer van ons."),
    ],
)
async def test_an_order_is_answered_in_its_own_language(
    sqlite_room: StoreRoom, spoken: Spoken, order: str, answer: str
) -> None:
    phone = Phone(sqlite_room)
    await bolzano(sqlite_room)
    assert await phone.writes(order) == [], "nobody said that its phones speak this"
    await bolzano(sqlite_room, spoken)
    (text,) = await phone.writes(order)
    assert text.startswith(answer)


@pytest.mark.parametrize("order", ["cancella", "STOP"])
async def test_what_is_no_word_of_theirs_is_answered_in_that_of_the_clinic(sqlite_room: StoreRoom, order: str) -> None:
    await bolzano(sqlite_room, Spoken.GERMAN)
    (text,) = await Phone(sqlite_room).writes(order)
    assert text.startswith("clinic@example.test: non riceverà più SMS da noi.")


async def test_a_german_phone_comes_back_in_german(room: StoreRoom) -> None:
    await bolzano(room, Spoken.GERMAN)
    said = await Phone(room).writes("abbestellen", "anmelden")
    assert [text.split(".")[1].partition(":")[2] for text in said] == [
        " Sie erhalten keine SMS mehr von uns",
        " Sie erhalten wieder SMS von uns",
    ]


async def test_a_short_yes_counts_in_the_languages_of_the_phones(room: StoreRoom) -> None:
    phone = Phone(room)
    for spoken, marked in (((), False), ((Spoken.ENGLISH,), True)):
        await bolzano(room, *spoken)
        await phone.writes("Fine, thanks")
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
