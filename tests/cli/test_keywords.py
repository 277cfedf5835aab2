"""`bridge keywords`: words that an SMS may begin with, and what is done then."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import Done, run
from tests.cli.conftest import configured, copied

LOGIN = "reception@clinic.example"
Keywords = Callable[..., Done]


@pytest.fixture(scope="module")
def with_mailboxes(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with two mailboxes and no keyword."""
    config = copied(tables, configured(tmp_path_factory.mktemp("keywords")))
    for login in (LOGIN, "radiology@clinic.example"):
        add = ("mailbox", "add", login, "--sender", "+390200000042", "--network", "10.0.0.0/8", "--max-segments", "2")
        assert run(*add, "--config", config).code == 0
    return config


@pytest.fixture
def keywords(config: Path, with_mailboxes: Path) -> Keywords:
    copied(with_mailboxes, config)

    def command(*arguments: object) -> Done:
        return run("keywords", *arguments, "--config", config)

    return command


def test_a_keyword_is_added_replaced_listed_and_removed(keywords: Keywords) -> None:
    assert "There are no keywords" in keywords("list").out
    added = keywords("add", LOGIN, "Orari", "--reply", "Lun-Ven 9-18.", "--forward", "a@x.example", "--tag", "hours")
    assert (added.code, added.err) == (0, "")
    assert added.out == (
        f"An SMS to {LOGIN} that begins with Orari "
        'is answered "Lun-Ven 9-18.", goes to a@x.example too, is tagged hours.\n'
    )
    assert keywords("add", LOGIN, "ORARÌ", "--reply", "Sempre.").code == 0
    assert keywords("add", "radiology@clinic.example", "Orari", "--tag", "xray").code == 0
    document = keywords("list", "--json").document
    mine = {"mailbox": LOGIN, "word": "ORARÌ", "reply": "Sempre.", "forward": [], "tag": "", "webhook": ""}
    theirs = mine | {"mailbox": "radiology@clinic.example", "word": "Orari", "reply": "", "tag": "xray"}
    assert document == [mine, theirs]
    assert keywords("list", LOGIN, "--json").document == [mine]
    assert keywords("list", LOGIN).out == f'{LOGIN}  ORARÌ  is answered "Sempre."\n'
    removed = keywords("remove", LOGIN, "orari")
    assert (removed.code, removed.out) == (0, f"orari is no keyword of {LOGIN} any more.\n")
    again = keywords("remove", LOGIN, "orari")
    assert (again.code, "has no keyword orari" in again.sentence) == (1, True)


def test_a_webhook_is_added_and_its_secret_shown_to_whoever_asks_for_it(keywords: Keywords) -> None:
    """Neither the secret nor what may be one in the address is on the screen of somebody who only adds or lists."""
    url = "https://pharmacy.example:8443/in?token=theirs"
    added = keywords("add", LOGIN, "Ricetta", "--webhook", url)
    assert added.out == (
        f"An SMS to {LOGIN} that begins with Ricetta is posted to pharmacy.example:8443.\n"
        f"`bridge keywords secret {LOGIN} Ricetta` shows the secret that its receiver needs.\n"
    )
    assert keywords("list").out == f"{LOGIN}  Ricetta  is posted to pharmacy.example:8443\n"
    (document,) = keywords("list", "--json").document
    assert document["webhook"] == url
    shown = keywords("secret", LOGIN, "ricetta")
    assert (shown.code, shown.err) == (0, "")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=\n", shown.out)
    keywords("add", LOGIN, "Ricetta", "--webhook", "https://pharmacy.example:8443/other")
    assert keywords("secret", LOGIN, "Ricetta").out == shown.out
    keywords("add", LOGIN, "Ricetta", "--webhook", "https://other.example/")
    assert keywords("secret", LOGIN, "Ricetta").out != shown.out
    keywords("add", LOGIN, "Ricetta", "--tag", "x")
    gone = keywords("secret", LOGIN, "Ricetta")
    assert (gone.code, "has no keyword Ricetta with a webhook" in gone.sentence) == (1, True)


def test_a_long_answer_says_what_it_costs(keywords: Keywords) -> None:
    assert "The text back is 2 SMS long.\n" in keywords("add", LOGIN, "Orari", "--reply", "x" * 200).out


@pytest.mark.parametrize("word", ["STOP", "start", "Help?", "INFO", "cancella", "BAJA", "Abmelden", "arrêt", "sair"])
def test_what_stops_texts_or_asks_for_help_is_no_keyword(keywords: Keywords, word: str) -> None:
    done = keywords("add", LOGIN, word, "--tag", "x")
    assert (done.code, "stops or starts texts, or asks for help" in done.sentence) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("two words", "--tag", "x"), "is not one word of letters and digits"),
        (("!?", "--tag", "x"), "is not one word"),
        (("", "--tag", "x"), "is not one word"),
        (("l'orario", "--tag", "x"), "is not one word"),
        (("x" * 31, "--tag", "x"), "longer than 30 characters"),
        (("Orari",), "Say what is done"),
        (("Orari", "--reply", "  "), "Say what is done"),
        (("Orari", "--tag", "two words"), "--tag two words is not"),
        (("Orari", "--forward", "nobody"), "is not a mail address"),
        (("Orari", "--forward", "a@x.example, b@x.example"), "is not a mail address"),
        (("Orari", "--forward", "+393331234567@sms.example.test"), "is a phone"),
        (("Orari", "--reply", "x" * 400), "takes 3 SMS"),
        (("Orari", "--webhook", "http://x.example/"), "can be read on the way. Write one such as"),
        (("Orari", "--webhook", "https://me:secret@x.example/"), "shows a login. Leave it out"),
        (
            ("Orari", *(word for each in range(6) for word in ("--forward", f"{each}@x.example"))),
            "at most 5 addresses",
        ),
    ],
)
def test_what_cannot_be_done_is_said(keywords: Keywords, arguments: tuple[str, ...], complaint: str) -> None:
    done = keywords("add", LOGIN, *arguments)
    assert (done.code, complaint in done.sentence) == (2, True), done.err
    assert keywords("list", "--json").document == []


def test_a_mailbox_that_is_not_there_has_no_keywords(keywords: Keywords) -> None:
    for arguments in (("add", "nobody@x", "Orari", "--tag", "x"), ("list", "nobody@x"), ("remove", "nobody@x", "a")):
        assert keywords(*arguments).code == 1


def test_a_mailbox_with_keywords_can_be_removed(keywords: Keywords, config: Path) -> None:
    assert keywords("add", LOGIN, "Orari", "--tag", "x").code == 0
    assert run("mailbox", "remove", LOGIN, "--config", config).code == 0
    assert keywords("list", "--json").document == []
