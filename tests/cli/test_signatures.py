"""`bridge mailbox signatures` and `forget`: what was learned from mails, shown to people, and texted again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cli.commands import Done, run
from tests.road.demo_process import DemoProcess, eventually

PHONE = "+393330006020"
SIGNATURE = "Ambulatorio Verdi\nTel. 02 1234567"
Command = Callable[..., Done]


def mailbox(demo: DemoProcess) -> Command:
    def command(*arguments: str, stdin: bytes = b"") -> Done:
        return run("mailbox", *arguments, stdin=stdin, environ={"BRIDGE_DATA_DIR": str(demo.data_dir)})

    return command


def new_desk(demo: DemoProcess, login: str) -> Callable[..., None]:
    """A mailbox of its own, and what sends a mail from it."""
    add = ("add", login, "--sender", "+390200000043", "--password-file", "-")
    assert mailbox(demo)(*add, stdin=b"desk\n").code == 0

    def may_log_in() -> bool:
        try:
            demo.smtp(login, "desk").close()
        except OSError:
            return False
        return True

    eventually(may_log_in, patience=10)

    def send(words: str) -> None:
        demo.send(PHONE, f"{words}\n\n{SIGNATURE}", login=login, password="desk")

    return send


def texts(demo: DemoProcess) -> list[str]:
    return [sms["text"] for sms in demo.phone(PHONE)]


def test_nothing_is_known_of_a_new_mailbox(demo: DemoProcess) -> None:
    login = "unsigned@clinic.example"
    new_desk(demo, login)
    command = mailbox(demo)
    assert command("signatures", login).out == (
        "Nothing at the end of its mails looks like a signature that is not known by itself.\n"
    )
    assert command("signatures", login, "--json").document == []
    assert command("forget", login, "all").out == "There was nothing to forget.\n"
    assert command("forget", login, "1").sentence == (
        f"{login} has no signature 1. See `bridge mailbox signatures {login}`."
    )
    assert command("forget", login, "first").sentence == (
        f"first is neither a number of `bridge mailbox signatures {login}` nor all."
    )
    for verb in (["signatures"], ["forget"]):
        done = command(*verb, "nobody@clinic.example", *(["1"] if verb == ["forget"] else []))
        assert (done.code, done.sentence) == (
            1,
            "There is no mailbox nobody@clinic.example. See `bridge mailbox list`.",
        )


def test_what_ends_many_mails_is_learned_shown_and_forgotten(demo: DemoProcess) -> None:
    login = "signing@clinic.example"
    send, command = new_desk(demo, login), mailbox(demo)

    def shown() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = command("signatures", login, "--json").document
        return found

    send("The first.")
    assert shown() == [{"number": 1, "text": SIGNATURE, "seen": 1, "learned": False, "forgotten": False}]
    assert command("signatures", login).out == (
        "1  not learned yet, seen at the end of 1 mail\n  | Ambulatorio Verdi\n  | Tel. 02 1234567\n"
    )
    for words in ("The second.", "The third.", "The fourth.", "The fifth."):
        send(words)
    assert [(each["seen"], each["learned"]) for each in shown()] == [(5, True)]
    assert command("show", login, "--json").document["learned_signatures"] == 1

    def cut() -> bool:
        send("It is cut.")
        return eventually(lambda: [text for text in texts(demo) if text.startswith("It is cut.")])[-1] == "It is cut."

    eventually(cut, patience=10)

    assert command("forget", login, "1").out == (
        "Forgotten, and texted from now on:\n  | Ambulatorio Verdi\n  | Tel. 02 1234567\n"
    )
    assert [(each["learned"], each["forgotten"]) for each in shown()] == [(True, True)]
    assert command("show", login, "--json").document["learned_signatures"] == 0
    assert command("forget", login, "all").out == "There was nothing to forget.\n"

    def kept() -> bool:
        send("It is kept.")
        return f"It is kept.\n\n{SIGNATURE}" in eventually(
            lambda: [text for text in texts(demo) if text.startswith("It is kept.")]
        )

    eventually(kept, patience=10)
