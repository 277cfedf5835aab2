"""`bridge preview`: what a mail would send, told before it is sent."""

from __future__ import annotations

import json
import random
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.demo_mailboxes import DOMAIN
from bridge.settings import Settings
from tests.cli.commands import Done, run
from tests.road.demo_process import BRIDGE, DemoProcess, eventually

PHONE = f"+393331234567@{DOMAIN}"


def mail(body: str, *, headers: str = "", sender: str = "clinic@example.test") -> bytes:
    head = f"From: {sender}\nTo: {PHONE}\nSubject: Visit\nMIME-Version: 1.0\n{headers}"
    return f"{head}Content-Type: text/plain; charset=utf-8\n\n{body}\n".encode()


SHORT = mail("Your visit is on Tuesday at 10:30.")
SIGNED = mail("See you on Tuesday.\n\n-- \nThe clinic\nVia Roma 1")


def preview(raw: bytes, *arguments: str, to: str = PHONE) -> Done:
    return run("preview", "-", "--to", to, "--json", *arguments, stdin=raw)


def test_without_a_configuration_the_demo_applies() -> None:
    assert Settings().domain == DOMAIN


def test_one_mail_to_one_phone_says_all_that_the_public_face_promises() -> None:
    done = preview(SHORT)
    assert done.code == 0
    assert done.document == {
        "mailbox": "clinic@example.test",
        "messages": [
            {
                "address": PHONE,
                "number": "+393331234567",
                "text": "Your visit is on Tuesday at 10:30.",
                "encoding": "gsm7",
                "segments": 1,
                "units": 34,
                "units_left": 126,
                "class": "transactional",
                "send_at": None,
                "expires_at": None,
                "sender": "+390200000001",
            }
        ],
        "cuts": [],
        "refused": [],
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param("€" * 80, {"encoding": "gsm7", "segments": 1, "units": 160, "units_left": 0}, id="escapes double"),
        pytest.param("a" * 161, {"encoding": "gsm7", "segments": 2, "units": 161, "units_left": 145}, id="two SMS"),
        pytest.param("Ω ș", {"encoding": "ucs2", "segments": 1, "units": 3, "units_left": 67}, id="beyond GSM"),
        pytest.param("👋", {"encoding": "ucs2", "segments": 1, "units": 2, "units_left": 68}, id="an emoji counts two"),
    ],
)
def test_how_much_room_a_text_takes(body: str, wanted: dict[str, Any]) -> None:
    message = preview(mail(body)).document["messages"][0]
    assert message["text"] == body
    assert {key: message[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("X-SMS-Class: promotional", {"class": "promotional"}),
        ("X-SMS-Send-At: 2099-01-02T09:00:00+01:00", {"send_at": "2099-01-02T09:00:00+01:00"}),
        ("X-SMS-Expires: Fri, 02 Jan 2099 09:00:00 +0100", {"expires_at": "2099-01-02T09:00:00+01:00"}),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_what_the_mail_asks_for_is_shown(header: str, wanted: dict[str, str]) -> None:
    message = preview(mail("Hello", headers=header + "\n")).document["messages"][0]
    for key, value in wanted.items():
        if key == "class":
            assert message[key] == value
        else:
            assert datetime.fromisoformat(message[key]) == datetime.fromisoformat(value)


def test_what_is_left_out_is_shown_with_its_rule() -> None:
    document = preview(SIGNED).document
    assert document["messages"][0]["text"] == "See you on Tuesday."
    assert [cut["rule"] for cut in document["cuts"]] == ["signature"]
    assert "Via Roma 1" in document["cuts"][0]["text"]


def test_an_invitation_without_words_is_told_in_the_language_and_at_the_hour_of_the_mailbox() -> None:
    event = "SUMMARY:Check-up\nLOCATION:Room 3\nDTSTART:20300704T081500Z\nDTEND:20300704T084500Z"
    invitation = f"BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR\n"
    raw = mail(invitation).replace(b"text/plain", b"text/calendar; method=REQUEST")
    wanted = "Invitation: Check-up\n4 July 2030, 10:15-10:45\nRoom 3"
    assert preview(raw).document["messages"][0]["text"] == wanted
    assert "Cancelled" in preview(raw.replace(b"REQUEST", b"CANCEL")).document["messages"][0]["text"]


@pytest.mark.parametrize(
    ("to", "reply"),
    [
        pytest.param(f"12@{DOMAIN}", "553 5.1.3", id="impossible number"),
        pytest.param(f"reception@{DOMAIN}", "550 5.1.1", id="unknown alias"),
        pytest.param(f"+442079460000@{DOMAIN}", "550 5.7.1", id="another country"),
        pytest.param(f"+390236728100@{DOMAIN}", "550 5.7.1", id="landline"),
    ],
)
def test_a_phone_that_cannot_be_texted_does_not_stop_the_others(to: str, reply: str) -> None:
    done = preview(SHORT, "--to", to)
    document = done.document
    assert done.code == 0
    assert [message["address"] for message in document["messages"]] == [PHONE]
    assert [refused["address"] for refused in document["refused"]] == [to]
    assert document["refused"][0]["reply"].startswith(f"{reply} ")
    assert document["refused"][0]["reason"]


def test_a_phone_written_twice_gets_one_text() -> None:
    other = f"3470000123@{DOMAIN}"
    document = preview(SHORT, "--to", f"3331234567@{DOMAIN}", "--to", other).document
    assert [message["address"] for message in document["messages"]] == [PHONE, other]
    assert document["refused"] == []


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        pytest.param(mail(""), "550 5.6.0", id="empty"),
        pytest.param(mail("a" * 10_000), "552 5.3.4", id="too long"),
        pytest.param(mail("Hello", headers="X-SMS-Color: red\n"), "550 5.6.0", id="unknown header"),
        pytest.param(mail("Hello", headers="Auto-Submitted: auto-replied\n"), "550 5.7.1", id="vacation answer"),
    ],
)
def test_a_mail_that_is_refused_as_a_whole_says_so_for_every_recipient(raw: bytes, reply: str) -> None:
    other = f"+393470000123@{DOMAIN}"
    done = preview(raw, "--to", other)
    assert done.code == 1
    assert done.document["messages"] == []
    assert [refused["address"] for refused in done.document["refused"]] == [PHONE, other]
    assert all(refused["reply"].startswith(f"{reply} ") for refused in done.document["refused"])


@pytest.mark.parametrize(
    ("arguments", "mailbox"),
    [
        pytest.param([], "clinic@example.test", id="a stranger's mail can be tried"),
        pytest.param(["--from", "front-desk@example.test"], "front-desk@example.test", id="the other mailbox"),
        pytest.param(["--from", "doctor@example.test"], "clinic@example.test", id="an address of its domain"),
    ],
)
def test_who_sends_decides_the_mailbox(arguments: list[str], mailbox: str) -> None:
    assert preview(mail("Hello", sender="me@elsewhere.example"), *arguments).document["mailbox"] == mailbox


def test_a_sender_who_may_not_send_is_refused_as_at_the_front_door() -> None:
    done = preview(SHORT, "--from", "me@elsewhere.example")
    assert done.code == 1
    assert done.document["mailbox"] is None
    assert [refused["reply"][:9] for refused in done.document["refused"]] == ["550 5.7.1"]


def test_several_files_give_one_document_a_line(tmp_path: Path) -> None:
    paths = [tmp_path / "short.eml", tmp_path / "empty.eml", tmp_path / "signed.eml"]
    for path, raw in zip(paths, (SHORT, mail(""), SIGNED), strict=True):
        path.write_bytes(raw)
    done = run("preview", *paths, "--to", PHONE, "--json")
    assert done.code == 0
    documents = [json.loads(line) for line in done.out.splitlines()]
    assert [len(document["messages"]) for document in documents] == [1, 0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_junk_is_answered_in_json_too(seed: int) -> None:
    junk = random.Random(seed).randbytes(5000)
    done = preview(junk)
    assert done.code in (0, 1)
    assert set(done.document) == {"mailbox", "messages", "cuts", "refused", "warnings"}


def test_a_file_that_is_not_there() -> None:
    done = run("preview", "nowhere.eml", "--to", PHONE, "--json")
    assert done.code == 2
    assert done.sentence.startswith("nowhere.eml cannot be read: No such file or directory.")


def test_for_people_it_shows_the_phone_the_text_and_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(SIGNED)
    done = run("preview", tmp_path / "mail.eml", "--to", PHONE, "--to", f"12@{DOMAIN}")
    assert done.code == 0
    assert "+39 333 123 4567  from +390200000001\n1 SMS, gsm7, 19 units used, 141 left" in done.out
    assert "  | See you on Tuesday.\n" in done.out
    assert "left out (signature):\n" in done.out
    assert f"refused  12@{DOMAIN}: 553 5.1.3 " in done.out


def test_with_a_configuration_its_mailboxes_apply(config: Path, tmp_path: Path) -> None:
    """The mailbox that may send from the mail's From; its region, its limits, and whether it is paused."""
    (tmp_path / "pass").write_text("a password\n")
    for login, sender, more in (("amsterdam@clinic.example", "+31612345678", ["--region", "NL"]),
                                ("milano@clinic.example", "+390200000002", ["--max-segments", "1"])):  # fmt: skip
        added = run(
            "mailbox", "add", login, "--sender", sender, "--password-file", tmp_path / "pass", *more, "-c", config
        )
        assert added.code == 0, added.err
    dutch = mail("Tot morgen.", sender="Balie <amsterdam@clinic.example>")
    document = preview(dutch, "-c", str(config), to="0612345678@sms.example.test").document
    assert document["messages"][0]["number"] == "+31612345678"
    assert document["messages"][0]["sender"] == "+31612345678"
    long = mail("a" * 161, sender="milano@clinic.example")
    assert preview(long, "-c", str(config)).document["refused"][0]["reply"].startswith("552 5.3.4 ")
    assert preview(SHORT, "-c", str(config)).document["refused"][0]["reply"].startswith("550 5.7.1 ")
    assert preview(SHORT, "-c", str(config), "--from", "milano@clinic.example").code == 0
    assert run("mailbox", "pause", "milano@clinic.example", "-c", config).code == 0
    paused = preview(SHORT, "-c", str(config), "--from", "milano@clinic.example")
    assert paused.code == 1
    assert paused.document["refused"][0]["reply"].startswith("450 4.2.1 ")


def test_every_number_that_a_text_may_come_from_is_named(config: Path, tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("a password\n")
    numbers = ("--sender", "+390200000001", "--pool", "+390200000002")
    added = run(
        "mailbox", "add", "desk@clinic.example", *numbers, "--password-file", tmp_path / "pass", "-c", config
    )  # fmt: skip
    assert added.code == 0, added.err
    (tmp_path / "mail.eml").write_bytes(mail("Tomorrow at nine.", sender="desk@clinic.example"))
    done = run("preview", tmp_path / "mail.eml", "--to", PHONE, "-c", config)
    assert "+39 333 123 4567  from +390200000001 or +390200000002\n" in done.out


def test_a_phone_that_asked_for_no_more_texts(demo: DemoProcess) -> None:
    number = "+393330000701"
    demo.send(number, "Hello")
    eventually(lambda: demo.phone(number))
    demo.texts_back(number, "STOP")

    def look() -> str:
        done = preview(SHORT, "-c", str(demo.data_dir / "bridge.toml"), to=f"{number}@{DOMAIN}")
        refused = done.document["refused"]
        return refused[0]["reply"] if refused else ""

    assert eventually(look).startswith("550 5.7.1 This phone asked for no more texts from +390200000001 on ")


def test_nothing_but_json_is_written_by_the_process_itself() -> None:
    done = subprocess.run(
        [*BRIDGE, "preview", "-", "--to", PHONE, "--json"], input=SHORT, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert json.loads(done.stdout)["messages"][0]["number"] == "+393331234567"
