"""What ends a mailbox's mails again and again: it is told, then left out, and texted again when it is forgotten."""

from __future__ import annotations

from collections.abc import Callable

from tests.road.demo_process import DESK, DESK_PASSWORD, DOMAIN, DemoProcess, eventually

BLOCK = "Studio Rossi\nVia Roma 1, Milano\nTel. 02 1234567"


def texted(demo: DemoProcess, number: str, words: str) -> tuple[str, str]:
    """Mail these words with the block below them; the Message-ID of the mail, and what the phone got."""
    mail = demo.send(number, f"{words}\n\n{BLOCK}\n", login=DESK, password=DESK_PASSWORD)
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
    demo: DemoProcess, phone: Callable[..., str]
) -> None:
    number, mails = phone(), []
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        words = f"Your visit is on {day}."
        mail, text = texted(demo, number, words)
        assert text == f"{words}\n\n{BLOCK}"
        mails.append(mail)
    (told,) = eventually(lambda: demo.answers_to(mails[-1], DESK))
    assert [demo.answers_to(mail, DESK) for mail in mails[:-1]] == [[], [], [], []]
    assert (told["From"], told["To"]) == (f"SMS signature <postmaster@{DOMAIN}>", DESK)
    assert (told["Subject"], told["References"]) == ("Re: Appointment", mails[-1])
    assert (told["Auto-Submitted"], told["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    letter = told.get_content().replace("\r\n", "\n")
    assert "\n\n  Studio Rossi\n  Via Roma 1, Milano\n  Tel. 02 1234567\n\n" in letter

    texted_in_the_end(demo, number, "Without it", lambda said: said)

    command = next(line.split()[1:] for line in letter.split("\n") if "mailbox forget" in line)
    assert command == ["mailbox", "forget", DESK, "NUMBER"]
    done = demo.command(*command[:-1], "1")
    assert (done.returncode, done.stderr) == (0, "")
    texted_in_the_end(demo, number, "With it again", lambda said: f"{said}\n\n{BLOCK}")
    texts = [sms["text"] for sms in demo.phone(number)]
    assert len(texts) == len(set(texts))
    letters = [demo.mail(entry["id"], DESK) for entry in demo.mails(DESK)]
    (same,) = (each for each in letters if each["From"] == told["From"])
    assert same["Message-ID"] == told["Message-ID"], "it is told once"
