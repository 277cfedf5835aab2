"""`bridge mailbox`: the users of the bridge, added and changed while it runs."""

from __future__ import annotations

import base64
import smtplib
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.commands import Done, run
from tests.cli.conftest import configured, copied
from tests.road.demo_process import BRIDGE, DOMAIN, DemoProcess, eventually

LOGIN = "reception@clinic.example"
SENDER = "+390200000042"
Mailbox = Callable[..., Done]


def mailboxes_of(config: Path) -> Mailbox:
    """`bridge mailbox` on an installation that does not run; the password is on standard input."""

    def command(*arguments: str, password: bytes = b"a password\n") -> Done:
        return run("mailbox", *arguments, "--config", config, stdin=password)

    return command


@pytest.fixture(scope="module")
def with_one(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with one mailbox."""
    config = copied(tables, configured(tmp_path_factory.mktemp("one")))
    done = mailboxes_of(config)("add", LOGIN, "--sender", SENDER, "--password-file", "-")
    assert (done.code, done.out) == (0, f"{LOGIN} may log in now and text from {SENDER}.\n")
    return config


@pytest.fixture
def mailbox(config: Path, tables: Path) -> Mailbox:
    return mailboxes_of(copied(tables, config))


@pytest.fixture
def added(config: Path, with_one: Path) -> Mailbox:
    return mailboxes_of(copied(with_one, config))


def test_a_new_mailbox_has_the_documented_defaults(added: Mailbox) -> None:
    assert added("show", LOGIN, "--json").document == {
        "login": LOGIN,
        "sender": SENDER,
        "pool": [],
        "addresses": [],
        "networks": [],
        "region": "IT",
        "countries": ["IT"],
        "language": "en",
        "phone_languages": [],
        "timezone": "Europe/Rome",
        "confirm": "failures",
        "unicode": "transliterate",
        "max_segments": 6,
        "daily_cap": None,
        "paused": False,
        "subject": "ignored",
        "subject_tags": False,
        "kept_cuts": [],
        "end_marks": [],
        "learned_signatures": 0,
        "grammar": None,
        "order_password": False,
        "digest_to": [],
        "digest_at": "18:00",
        "digest_days": 10,
        "unprompted": None,
        "hours": None,
        "closed": None,
        "can_log_in": True,
    }


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["--sender", "+31 6 1234 5678"], {"sender": "+31612345678"}),
        (["--region", "nl"], {"region": "NL"}),
        (["--country", "it", "--country", "ch"], {"countries": ["IT", "CH"]}),
        (["--language", "it"], {"language": "it"}),
        (["--timezone", "Europe/Amsterdam"], {"timezone": "Europe/Amsterdam"}),
        (["--address", "@Clinic.example", "--address", "dr@other.example"],
         {"addresses": ["@clinic.example", "dr@other.example"]}),
        (["--network", "10.0.5.0/24", "--network", "fd00::/8"], {"networks": ["10.0.5.0/24", "fd00::/8"]}),
        (["--confirm", "all"], {"confirm": "all"}),
        (["--unicode", "allow"], {"unicode": "allow"}),
        (["--max-segments", "2"], {"max_segments": 2}),
        (["--daily-cap", "200"], {"daily_cap": 200}),
        (["--subject", "before"], {"subject": "before"}),
        (["--subject-tags"], {"subject_tags": True}),
        (["--phones-speak", "DE", "--phones-speak", "fr"], {"phone_languages": ["de", "fr"]}),
        (["--keep-cut", "contact-details", "--keep-cut", "Learned signature"],
         {"kept_cuts": ["contact-details", "learned-signature"]}),
        (["--end-mark", "==end==", "--end-mark", " FINE ", "--end-mark", "***"],
         {"end_marks": ["==end==", "FINE", "***"]}),
        (["--grammar", "SMS-Partner"], {"grammar": "sms-partner"}),
        (["--order-password-file", "-"], {"order_password": True}),
        (["--digest-to", "Desk@clinic.example, boss@clinic.example,desk@clinic.example"],
         {"digest_to": ["desk@clinic.example", "boss@clinic.example"]}),
        (["--digest-at", "7:30"], {"digest_at": "07:30"}),
        (["--digest-days", "3"], {"digest_days": 3}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)  # fmt: skip
def test_set_changes_what_is_named_and_nothing_else(
    added: Mailbox, options: list[str], changed: dict[str, object]
) -> None:
    before = added("show", LOGIN, "--json").document
    assert added("set", LOGIN, *options).out == f"{LOGIN} is changed.\n"
    assert added("show", LOGIN, "--json").document == before | changed


def test_a_list_can_be_emptied_and_a_cap_lifted(added: Mailbox) -> None:
    lists = ("--network", "10.0.0.0/8", "--address", "@a.example", "--phones-speak", "de")
    assert added("set", LOGIN, *lists, "--daily-cap", "5", "--subject-tags").code == 0
    lists = ("--network", "none", "--address", "none", "--phones-speak", "none")
    assert added("set", LOGIN, *lists, "--daily-cap", "0", "--no-subject-tags").code == 0
    document = added("show", LOGIN, "--json").document
    assert (document["networks"], document["addresses"], document["phone_languages"]) == ([], [], [])
    assert (document["daily_cap"], document["subject_tags"]) == (None, False)


@pytest.mark.parametrize("nobody", ["", "none", " "])
def test_a_digest_is_switched_on_and_off_and_its_hour_stays(added: Mailbox, nobody: str) -> None:
    assert added("set", LOGIN, "--digest-to", "desk@clinic.example", "--digest-at", "07:30").code == 0
    assert "digest_to          desk@clinic.example\n" in added("show", LOGIN).out
    (listed,) = added("list", "--json").document
    assert (listed["digest_to"], listed["digest_at"]) == (["desk@clinic.example"], "07:30")
    assert added("set", LOGIN, "--digest-to", nobody).code == 0
    document = added("show", LOGIN, "--json").document
    assert (document["digest_to"], document["digest_at"]) == ([], "07:30")


def test_habits_are_given_at_once_and_taken_back(mailbox: Mailbox) -> None:
    habits = ("--subject", "text", "--keep-cut", "quote", "--end-mark", "==", "--grammar", "clickatell")
    done = mailbox("add", LOGIN, "--sender", SENDER, "--network", "10.0.0.0/8", *habits, "--order-password-file", "-")
    assert (done.code, done.err) == (0, "")
    new = mailbox("show", LOGIN, "--json").document
    assert mailbox("set", LOGIN, "--sender", SENDER).code == 0
    assert mailbox("show", LOGIN, "--json").document == new
    assert new["order_password"]
    nothing = ("--subject", "ignored", "--keep-cut", "none", "--end-mark", "none", "--grammar", "none")
    assert mailbox("set", LOGIN, *nothing, "--order-password-file", "none").code == 0
    bare = mailbox("show", LOGIN, "--json").document
    assert bare == new | {"subject": "ignored", "kept_cuts": [], "end_marks": [], "grammar": None,
                          "order_password": False}  # fmt: skip


def test_the_order_password_is_kept_as_its_hash(added: Mailbox, config: Path) -> None:
    added("set", LOGIN, "--order-password-file", "-", password=b"secret of orders\n")
    shown = added("show", LOGIN).out + added("show", LOGIN, "--json").out
    assert "secret of orders" not in shown
    assert "order_password     yes\n" in shown
    kept = b"".join(file.read_bytes() for file in (config.parent / "data").iterdir() if file.is_file())
    assert b"secret of orders" not in kept


def test_a_machine_that_cannot_log_in_has_a_network_and_no_password(mailbox: Mailbox) -> None:
    done = mailbox("add", "scanner@clinic.example", "--sender", SENDER, "--network", "10.0.5.7/32", password=b"")
    assert done.code == 0
    assert done.out == f"scanner@clinic.example may text from {SENDER} now, from its networks and without login.\n"
    assert mailbox("show", "scanner@clinic.example", "--json").document["can_log_in"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["add", "reception", "--sender", SENDER], 2,
         "reception is not a mail address. A login is one, such as clinic@example.com."),
        (["add", "a b@clinic.example", "--sender", SENDER], 2,
         "a b@clinic.example is not a mail address. A login is one, such as clinic@example.com."),
        (["add", "desk@clinic.example"], 2,
         "Name the number that its texts come from with --sender, such as --sender +390200000001."),
        (["add", "desk@clinic.example", "--sender", SENDER], 2,
         "Nobody is there to ask for the password. Name a file with --password-file FILE."),
        (["add", LOGIN.upper(), "--sender", SENDER, "--password-file", "-"], 1,
         f"There is a mailbox {LOGIN} already. Change it with `bridge mailbox set`."),
        (["set", LOGIN], 2, "Name what is to change, such as --daily-cap 200. See `bridge mailbox set --help`."),
        (["set", LOGIN, "--sender", "0212345"], 2,
         "--sender 0212345 is not a number with its country code, such as +390200000001."),
        (["set", LOGIN, "--pool", "0212345"], 2,
         "--pool 0212345 is not a number with its country code, such as +390200000001."),
        (["set", LOGIN, "--region", "Italy"], 2, "Italy is not a country code of two letters, such as IT."),
        (["set", LOGIN, "--country", "XX"], 2, "XX is not a country code of two letters, such as IT."),
        (["set", LOGIN, "--timezone", "Rome"], 2, "--timezone Rome is not known. Write it as Europe/Rome."),
        (["set", LOGIN, "--address", "clinic"], 2, "--address clinic is neither name@domain nor @domain."),
        (["set", LOGIN, "--network", "10.0.5.1/24"], 2,
         "--network 10.0.5.1/24 is not a network. Write it as 10.0.5.0/24 or 10.0.5.7/32."),
        (["set", LOGIN, "--phones-speak", "rm"], 2,
         "--phones-speak rm is not known. There are en, it, es, nl, fr, de, pt."),
        (["set", LOGIN, "--subject-tags", "--subject", "before"], 2,
         "--subject-tags needs --subject ignored: else phones would be texted the marks."),
        (["set", LOGIN, "--keep-cut", "footer"], 2,
         "--keep-cut footer is no rule. There are quoted-mail, quote, signature, learned-signature, contact-details, "
         "disclaimer, banner, device-line, picture, end-mark."),
        (["set", LOGIN, "--end-mark", " "], 2,
         "An --end-mark that is blank would end every text. Give one such as ==end==."),
        (["set", LOGIN, "--end-mark", "x"], 2,
         "--end-mark x would end a text at any line that ends with it, such as one with an hour or a number. Give one "
         "such as ==end==."),
        (["set", LOGIN, "--end-mark", "30"], 2,
         "--end-mark 30 would end a text at any line that ends with it, such as one with an hour or a number. Give one "
         "such as ==end==."),
        (["set", LOGIN, "--end-mark", "..."], 2,
         "--end-mark ... would end a text at its first sentence. Give one that no sentence ends with, such as "
         "==end==."),
        (["set", LOGIN, "--end-mark", "=" * 41], 2,
         "--end-mark ====================... has more than 40 characters. Give a shorter one."),
        (["set", LOGIN, "--grammar", "telex"], 2,
         "--grammar telex is not known. There are clickatell, ovh, aspsms, textlocal, textanywhere, seven, "
         "sms-partner, lox24, and none."),
        (["set", LOGIN, "--digest-to", "desk"], 2,
         "--digest-to desk is not a mail address. Write addresses with commas between them, such as "
         "desk@example.com,manager@example.com."),
        (["set", LOGIN, "--digest-to", "a@b.example,<x@y.example>"], 2,
         "--digest-to <x@y.example> is not a mail address. Write addresses with commas between them, such as "
         "desk@example.com,manager@example.com."),
        (["set", LOGIN, "--digest-to", ",".join(f"{name}@b.example" for name in "abcdef")], 2,
         "--digest-to takes at most 5 addresses. Name a mailing list instead."),
        (["set", LOGIN, "--digest-at", "24:00"], 2,
         "--digest-at 24:00 is not an hour of the day. Write it as 18:00."),
        (["set", LOGIN, "--digest-at", "18"], 2, "--digest-at 18 is not an hour of the day. Write it as 18:00."),
        (["set", LOGIN, "--order-password-file", "nowhere"], 2,
         "The password cannot be read from nowhere: No such file or directory."),
        (["set", LOGIN, "--password-file", "nowhere"], 2,
         "The password cannot be read from nowhere: No such file or directory."),
        (["show", "nobody@clinic.example"], 1, "There is no mailbox nobody@clinic.example. See `bridge mailbox list`."),
        (["set", "nobody@clinic.example", "--daily-cap", "1"], 1,
         "There is no mailbox nobody@clinic.example. See `bridge mailbox list`."),
        (["pause", "nobody@clinic.example"], 1,
         "There is no mailbox nobody@clinic.example. See `bridge mailbox list`."),
        (["remove", "nobody@clinic.example"], 1,
         "There is no mailbox nobody@clinic.example. See `bridge mailbox list`."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_every_complaint_is_a_sentence_that_says_what_to_do(
    added: Mailbox, arguments: list[str], code: int, sentence: str
) -> None:
    done = added(*arguments)
    assert (done.code, done.sentence) == (code, sentence)
    assert [box["login"] for box in added("list", "--json").document] == [LOGIN]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\n", "The password is empty. Give one."),
        (b"\xff\xfe\n", "The password in - is not UTF-8 text. Save it as UTF-8."),
    ],
    ids=["empty", "not text"],
)
def test_a_password_that_cannot_be_one(added: Mailbox, content: bytes, sentence: str) -> None:
    done = added("set", LOGIN, "--password-file", "-", password=content)
    assert (done.code, done.sentence) == (2, sentence)


def test_the_password_is_shown_nowhere(added: Mailbox) -> None:
    shown = added("show", LOGIN).out + added("list").out + added("show", LOGIN, "--json").out
    assert "a password" not in shown
    assert "argon2" not in shown


def test_a_pool_of_numbers_holds_each_number_once_and_never_the_first(added: Mailbox) -> None:
    def numbers() -> tuple[str, list[str]]:
        shown = added("show", LOGIN, "--json").document
        return shown["sender"], shown["pool"]

    second, third = SENDER[:-1] + "8", SENDER[:-1] + "9"
    assert numbers() == (SENDER, [])
    added("set", LOGIN, "--pool", second, "--pool", SENDER, "--pool", third, "--pool", second)
    assert numbers() == (SENDER, [second, third])
    added("set", LOGIN, "--sender", third)
    assert numbers() == (third, [second])
    added("set", LOGIN, "--pool", "none")
    assert numbers() == (third, [])


def test_list_and_show_for_people(mailbox: Mailbox) -> None:
    assert mailbox("list").out == "There is no mailbox yet. Add one with `bridge mailbox add`.\n"
    assert mailbox("list", "--json").document == []
    mailbox("add", LOGIN, "--sender", SENDER, "--password-file", "-", "--country", "IT", "--country", "CH")
    assert mailbox("list").out == f"{LOGIN}  {SENDER}  active\n"
    assert "countries          IT, CH\n" in mailbox("show", LOGIN).out
    mailbox("pause", LOGIN)
    assert mailbox("list").out == f"{LOGIN}  {SENDER}  paused\n"


# ------------------------------------------------------------------------------------ beside a running bridge


class Desk:
    """A mailbox of its own on the running demo."""

    def __init__(self, demo: DemoProcess, login: str) -> None:
        self.demo, self.login = demo, login
        self.command("add", "--sender", SENDER, "--password-file", "-", password="first")

    def command(self, verb: str, *options: str, password: str = "") -> None:
        done = run(
            "mailbox", verb, self.login, *options,
            stdin=f"{password}\n".encode(), environ={"BRIDGE_DATA_DIR": str(self.demo.data_dir)},
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")

    def logs_in(self, password: str) -> bool:
        with smtplib.SMTP("127.0.0.1", self.demo.smtp_port, timeout=30) as client:
            client.ehlo()
            token = base64.b64encode(f"\0{self.login}\0{password}".encode()).decode()
            code, _ = client.docmd("AUTH", f"PLAIN {token}")
        assert code in (235, 535)
        return code == 235

    def rcpt(self, number: str, password: str = "first") -> str:
        """The reply to RCPT, without a mail after it."""
        with self.demo.smtp(self.login, password) as client:
            assert client.mail(self.login)[0] == 250
            code, text = client.rcpt(f"{number}@{DOMAIN}")
        return f"{code} {text.decode()}"


def test_a_mailbox_can_be_used_as_soon_as_it_is_added(demo: DemoProcess) -> None:
    desk = Desk(demo, "new@clinic.example")
    eventually(lambda: desk.logs_in("first"), patience=10)
    demo.send("+393330000501", "Welcome", login=desk.login, password="first")
    assert eventually(lambda: demo.phone("+393330000501"))[0]["from"] == SENDER


def test_a_paused_mailbox_is_told_to_try_later_until_it_is_resumed(demo: DemoProcess) -> None:
    desk = Desk(demo, "holiday@clinic.example")
    eventually(lambda: desk.logs_in("first"), patience=10)
    desk.command("pause")
    eventually(lambda: desk.rcpt("+393330000502").startswith("450 4.2.1 This mailbox is paused."), patience=10)
    demo.send("+393330000502", "Only that mailbox is paused.")
    desk.command("resume")
    eventually(lambda: desk.rcpt("+393330000502").startswith("250 "), patience=10)


def test_a_new_password_works_and_the_old_one_does_not(demo: DemoProcess) -> None:
    desk = Desk(demo, "password@clinic.example")
    eventually(lambda: desk.logs_in("first"), patience=10)
    desk.command("set", "--password-file", "-", password="second")
    eventually(lambda: desk.logs_in("second"), patience=10)
    assert not desk.logs_in("first")


def test_a_removed_mailbox_cannot_log_in(demo: DemoProcess) -> None:
    desk = Desk(demo, "leaving@clinic.example")
    eventually(lambda: desk.logs_in("first"), patience=10)
    desk.command("remove")
    eventually(lambda: not desk.logs_in("first"), patience=10)


def test_a_mailbox_that_sent_stays_for_the_record(demo: DemoProcess) -> None:
    desk = Desk(demo, "record@clinic.example")
    eventually(lambda: desk.logs_in("first"), patience=10)
    demo.send("+393330000503", "For the record", login=desk.login, password="first")
    done = run("mailbox", "remove", desk.login, environ={"BRIDGE_DATA_DIR": str(demo.data_dir)})
    assert done.code == 1
    assert done.sentence == (
        f"{desk.login} has sent messages, and their record stays. Use `bridge mailbox pause {desk.login}`."
    )


def where_it_is_noon() -> str:
    """A time zone whose day does not end in the midst of a test."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"  # to the west is plus in these names


def test_a_daily_cap_is_honoured_and_can_be_raised(demo: DemoProcess) -> None:
    desk = Desk(demo, "capped@clinic.example")
    desk.command("set", "--daily-cap", "2", "--timezone", where_it_is_noon())
    eventually(lambda: desk.logs_in("first"), patience=10)
    for text in ("One", "Two"):
        demo.send("+393330000504", text, login=desk.login, password="first")
    full = "452 4.2.2 This mailbox has reached its limit of 2 messages a day."
    eventually(lambda: desk.rcpt("+393330000504").startswith(full), patience=10)
    desk.command("set", "--daily-cap", "3")
    eventually(lambda: desk.rcpt("+393330000504").startswith("250 "), patience=10)


def test_a_password_may_come_through_a_pipe(config: Path) -> None:
    """As a process of its own: `pass show clinic | bridge mailbox add …`."""
    command = [*BRIDGE, "mailbox", "add", LOGIN, "--sender", SENDER, "--password-file", "-", "-c", str(config)]
    done = subprocess.run(command, input="a password\n", capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
