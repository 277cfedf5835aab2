"""Our own collection of mails: every mail program in every language is read as its author meant.

`tests/corpora/README.md` says what the collection holds.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from pathlib import Path

import pytest

from bridge.errors import MailRefusal
from bridge.parser import parse

CORPORA = Path(__file__).parents[1] / "corpora"
MAILS = sorted((CORPORA / "mails").rglob("*.eml"))
KEPT: dict[str, dict[str, str]] = tomllib.loads((CORPORA / "kept.toml").read_text(encoding="utf-8"))
PROGRAMS = {"gmail", "outlook", "outlook-web", "apple-mail", "thunderbird", "yahoo", "k9"}


def texted(mail: bytes) -> list[str]:
    """The words that are texted; none when the mail is refused."""
    try:
        return parse(mail.replace(b"\n", b"\r\n")).text.split()
    except MailRefusal:
        return []


def html_alone(mail: bytes) -> bytes:
    """The mail without its plain text, as programs send it that write none."""
    whole = message_from_bytes(mail, policy=policy.default)
    assert isinstance(whole, EmailMessage)
    html = whole.get_body(("html",))
    assert html is not None
    alone = EmailMessage()
    alone["Subject"] = whole["Subject"]
    alone.set_content(html.get_content(), subtype="html", charset="utf-8", cte="base64")
    return alone.as_bytes()


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", MAILS, ids=name)
def test_a_mail_is_read_as_its_author_meant(path: Path) -> None:
    meant = path.with_suffix(".txt").read_text(encoding="utf-8").split()
    mail = path.read_bytes()
    for found in (texted(mail), texted(html_alone(mail))):
        assert not Counter(meant) - Counter(found), "words are lost"
        assert found == meant


def test_every_language_and_mail_program_is_in_the_collection() -> None:
    languages = tomllib.loads((CORPORA / "languages.toml").read_text(encoding="utf-8"))
    assert set(languages) == {"en", "it", "es", "nl", "fr", "de", "pt"} == set(KEPT)
    assert {path.parent.name for path in MAILS} >= PROGRAMS
    for program in PROGRAMS:
        for language in languages:
            kinds = {path.stem for path in MAILS if path.parent.name == program}
            assert {f"{language}-reply", f"{language}-forward", f"{language}-new-signature"} <= kinds


@pytest.mark.parametrize(
    ("language", "case"),
    [pytest.param(code, case, id=f"{code}: {case}") for code, cases in KEPT.items() for case in cases],
)
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_words_that_look_like_what_is_cut_are_texted(language: str, case: str, kind: str) -> None:
    """In plain text and in HTML, where every line is a block of its own."""
    words = KEPT[language][case]
    mail = EmailMessage()
    mail["Subject"] = "Northside"
    if kind == "html":
        lines = (f"<div>{escape(line) or '<br>'}</div>" for line in words.splitlines())
        mail.set_content("".join(lines), subtype="html", charset="utf-8", cte="base64")
    else:
        mail.set_content(words, charset="utf-8", cte="8bit")
    assert texted(mail.as_bytes()) == words.split()
