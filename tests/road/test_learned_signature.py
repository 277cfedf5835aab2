"""What ends a mailbox's mails again and again: it is told, then left out, and texted again when it is forgotten."""

from __future__ import annotations

from collections.abc import Callable

from tests.road.demo_process import DOMAIN, LOGIN, DemoProcess, eventually

BLOCK = "Studio Rossi\nVia Roma 1, Milano\nTel. 02 1234567"


def texted(demo: DemoProcess, number: str, words: str) -> tuple[str, str]:
    """Mail these words with the block below them; the Message-ID of the mail, and what the phone got."""
    mail = demo.send(number, f"{words}\n\n{BLOCK}\n")
    sms = eventually(lambda: next((each for each in demo.phone(number) if words in each["text"]), None))
    return mail, str(sms["text"])


def texted_in_the_end(demo: DemoProcess, number: str, words: str, expected: Callable[[str], str]) -> None:
    """A running bridge notices within a second what a command or another transaction changed: mails until then."""
    tries = iter(range(10_000))

    def look() -> bool:
        said = f"{words} {next(tries)}."
        return texted(demo, number, said)[1] == expected(said)

    eventually(look)


def test_the_fifth_mail_brings_word_of_it_and_the_next_text_lacks_the_lines(
    own_demo: DemoProcess, phone: Callable[..., str]
) -> None:
    demo, number = own_demo, phone()
    mails = []
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        words = f"Your visit is on {day}."
        mail, text = texted(demo, number, words)
        assert text == f"{words}\n\n{BLOCK}"
        mails.append(mail)
    (told,) = eventually(lambda: demo.answers_to(mails[-1]))
    assert [demo.answers_to(mail) for mail in mails[:-1]] == [[], [], [], []]
    assert (told["From"], told["To"]) == (f"SMS signature <postmaster@{DOMAIN}>", LOGIN)
    assert (told["Subject"], told["References"]) == ("Re: Appointment", mails[-1])
    assert (told["Auto-Submitted"], told["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    letter = told.get_content().replace("\r\n", "\n")
    assert "\n\n  Studio Rossi\n  Via Roma 1, Milano\n  Tel. 02 1234567\n\n" in letter

    texted_in_the_end(demo, number, "Without it", lambda said: said)

    command = next(line.split()[1:] for line in letter.split("\n") if "mailbox forget" in line)
    assert command == ["mailbox", "forget", LOGIN, "NUMBER"]
    done = demo.command(*command[:-1], "1")
    assert (done.returncode, done.stderr) == (0, "")
    texted_in_the_end(demo, number, "With it again", lambda said: f"{said}\n\n{BLOCK}")
    texts = [sms["text"] for sms in demo.phone(number)]
    assert len(texts) == len(set(texts))
    (same,) = demo.answers_to(mails[-1])
    assert same["Message-ID"] == told["Message-ID"]
    assert len(demo.mails()) == 1, "it is told once"
