"""Systems that were made for another service: they change their mail server, and the words reach the phones as before.

Each row is a mail as such a system writes it, handed to a real bridge; in all of them the password that the service
wanted is nowhere afterwards: not in the database, nor in the log, nor in a mail that comes back.
"""

from __future__ import annotations

import smtplib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest

from tests.operation.served import Served
from tests.road.demo_process import DOMAIN, PATIENCE, eventually
from tests.servers.web import web

SECRET = "Zw4nzigEier"
ANNA, BRUNO = "+393331234567", "+393477654321"


@dataclass(frozen=True)
class Old:
    """A mail of such a system."""

    grammar: str
    to: str
    subject: str
    body: str
    phones: tuple[str, ...]
    text: str


WORDS = "La aspettiamo domani alle 9"
OLD = [
    Old(
        "clickatell",
        "sms",
        "any",
        f"api_id:1\nuser:clinic\npassword:{SECRET}\nto:393331234567\nto:393477654321\ntext:{WORDS}\n",
        (ANNA, BRUNO),
        WORDS,
    ),
    Old("textanywhere", f"393331234567.{SECRET}", "Clinic", f"{WORDS}$$\nDr Bianchi", (ANNA,), f"Clinic\n{WORDS}"),
    Old("seven", "sms", f"key={SECRET} to=393331234567,393477654321", f"##{WORDS}##", (ANNA, BRUNO), WORDS),
]
"""All forms are in tests/reading/grammars; these show the road, with a password in the body, address and subject."""


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A bridge with a mailbox for each form."""
    folder = tmp_path_factory.mktemp("moving")
    served = Served(folder, folder / "data", others=[login_of(old.grammar) for old in OLD])
    (folder / "old").write_text(SECRET)
    try:
        served.start()
        for old in OLD:
            form = ("--grammar", old.grammar, "--order-password-file", str(folder / "old"))
            served.command("mailbox", "set", login_of(old.grammar), *form)
        yield served
    finally:
        served.stop()


def login_of(grammar: str) -> str:
    return f"{grammar}@example.test"


def mail_of(old: Old) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = login_of(old.grammar), f"{old.to}@{DOMAIN}", old.subject
    mail["Message-ID"] = f"<{old.grammar}@example.test>"
    mail.set_content(old.body)
    return mail


def hand_in(bridge: Served, mail: EmailMessage) -> str:
    """What the mail is answered: `taken`, or the reply that refuses it."""
    try:
        with bridge.smtp(mail["From"]) as client:
            client.send_message(mail)
    except smtplib.SMTPDataError as error:
        return str(error)
    except smtplib.SMTPRecipientsRefused as error:
        return str(error.recipients)
    return "taken"


def texts_of(bridge: Served, phone: str) -> list[str]:
    got = web.get(f"{bridge.phones}/phones/{phone}", timeout=PATIENCE).json()["messages"]
    return [message["text"] for message in got]


@pytest.mark.parametrize("old", OLD, ids=lambda old: old.grammar)
def test_the_words_reach_the_phones_as_before(bridge: Served, old: Old) -> None:
    web.delete(bridge.phones, timeout=PATIENCE)
    # The running bridge takes no such mail before it has noticed the mailbox's form, and none of them twice.
    eventually(lambda: hand_in(bridge, mail_of(old)) == "taken")
    for phone in old.phones:
        assert eventually(partial(texts_of, bridge, phone)) == [old.text]
    assert sum(bridge.texts().values()) == len(old.phones)


def test_a_wrong_password_is_refused_and_not_repeated(bridge: Served) -> None:
    wrong = mail_of(Old("seven", "sms", "key=GuessGuess to=393331234567", "##x##", (), ""))
    answer = eventually(lambda: told if "The password" in (told := hand_in(bridge, wrong)) else "")
    assert "5.7.1" in answer
    assert "Guess" not in answer


def test_the_password_is_nowhere_afterwards(bridge: Served) -> None:
    """A report (903 is switched off) and an answer come back under the mail, whose subject showed the password."""
    mail = mail_of(Old("seven", "sms", f"key={SECRET} to=393331234567,393401234903", f"##{WORDS}!##", (), ""))
    mail.replace_header("Message-ID", "<both@example.test>")
    eventually(lambda: hand_in(bridge, mail) == "taken")
    eventually(lambda: f"{WORDS}!" in texts_of(bridge, ANNA))
    bridge.texts_back(ANNA, "Va bene")
    address = f"{bridge.phones}/mail/{login_of('seven')}"
    came = eventually(lambda: len(found := web.get(address, timeout=PATIENCE).json()) >= 2 and found)
    for entry in came:
        raw = web.get(f"{address}/{entry['id']}", timeout=PATIENCE).content
        assert SECRET.encode() not in raw
        assert b"***" in raw
    assert SECRET not in (bridge.folder / "log").read_text()
    assert SECRET.encode() not in _everything_kept(bridge.data_dir / "bridge.db")


def _everything_kept(file: Path) -> bytes:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return "\n".join(database.iterdump()).encode("utf-8", "surrogateescape")
