"""Whatever a mail or an address holds: an order or a refusal, in time proportional to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import MailRefusal, Reason, RecipientRefusal
from bridge.reading.grammars import GRAMMARS, Grammar, LegacyMail, Order, redacted_headers
from bridge.reading.headers import decoded, split
from bridge.types import Addressee, Dialled, GrammarName

WORDS = [
    *("api_id:", "user:", "password:", "to:", "text:", "data:", "unicode:1", "deliv_time:", "csv:", "00e8"),
    *("sms-ab1-1", "account=", "to=", "deferred=", "183019072030", ":", ";", "--end"),
    *("UserKey=", "P=", "R=", "Notify=", "sender=", "##", "$$", "----", "—-"),
    *("key=", "from=", 'delay="', '"', "ttl=", "2026-13-45 25:61", "9999999999", "apiKey=", "&", "phoneNumbers="),
    *(
        "%",
        "%41",
        "%ff",
        "scheduledDeliveryDate=",
        "31/02/0000",
        "time=",
        "minute=",
        ".",
        "1234567",
        "e3f3a759b6677959",
    ),
    *(
        "393331234567",
        "+39 333 123 4567",
        ",",
        " ",
        "\n",
        "\r\n",
        "\n\n",
        "\x00",
        "\u202e",
        "\ufeff",
        "\ud800",
        "א",
        "😀",
    ),
    *("٣", "²", "=", "\u2028", "-1", "99999999999999999999"),
]
HOSTILE = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=40).map("".join)
LOCALS = st.lists(
    st.sampled_from([".", "1234567", "e3f3a759b6677959", "direct", "0", "+39", "$", "-"]) | st.text()
).map("".join)
ALL = pytest.mark.parametrize("grammar", GRAMMARS.values(), ids=GRAMMARS.keys())


def read(grammar: Grammar, mail: LegacyMail) -> Order | MailRefusal:
    try:
        return grammar.mail(mail)
    except MailRefusal as refusal:
        return refusal


def addressee(grammar: Grammar, local: str, subdomain: str) -> Addressee | RecipientRefusal | None:
    try:
        return grammar.address(local, subdomain)
    except RecipientRefusal as refusal:
        return refusal


@ALL
@given(subject=HOSTILE, text=HOSTILE, local=LOCALS)
def test_any_mail_gives_an_order_or_a_refusal(grammar: Grammar, subject: str, text: str, local: str) -> None:
    for subdomain in ["", *sorted(grammar.subdomains)]:
        found = read(grammar, LegacyMail(subject, text, grammar.mode(local, subdomain)))
        if isinstance(found, MailRefusal):
            assert found.reason is Reason.BAD_ORDER
            assert found.sentence
            assert found.reply.isprintable()
        else:
            assert found.text is None or found.text.strip()
            assert "" not in found.passwords
            assert not set("\r\x00") & set((found.text or "") + found.left_out)


@ALL
@given(local=LOCALS)
def test_any_address_is_read_or_refused(grammar: Grammar, local: str) -> None:
    for subdomain in ["", *sorted(grammar.subdomains)]:
        found = addressee(grammar, local, subdomain)
        if isinstance(found, RecipientRefusal):
            assert found.reply.isprintable()
        elif isinstance(found, Dialled):
            assert found.digits in local
            assert found.password is None or found.password in local


IN_A_SUBJECT = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
"""A subject has one line; what breaks it into several would be another field to those who write headers."""


@given(
    before=st.text(IN_A_SUBJECT, max_size=20),
    password=st.text(IN_A_SUBJECT, min_size=1, max_size=12).filter(lambda each: "*" not in each),
    after=st.text(IN_A_SUBJECT, max_size=20),
    charset=st.sampled_from(["utf-8", "iso-8859-1", "us-ascii"]),
)
def test_a_password_that_the_subject_shows_is_not_in_the_header_afterwards(
    before: str, password: str, after: str, charset: str
) -> None:
    value = Header(before + password + after, charset="utf-8" if charset == "us-ascii" else None, errors="replace")
    for raw in (value.encode().encode("ascii", "replace"), (before + password + after).encode(charset, "replace")):
        block = b"Subject: " + raw.replace(b"\n", b"\r\n ") + b"\r\nTo: a@b.test\r\n"
        fields, *_ = split(redacted_headers(block, [password]), 0, len(block) + 1_000)
        assert password not in decoded(fields.raw("subject"))


SIZE = 1_000_000
MEGABYTES: dict[str, Callable[[], str]] = {
    "colons": lambda: ":" * SIZE,
    "hashes": lambda: "#" * SIZE,
    "dollars": lambda: "a$" * (SIZE // 2),
    "line ends": lambda: "a" + "\n" * SIZE + "b",
    "blank lines": lambda: "\n   " * (SIZE // 4),
    "blanks": lambda: "text:a\n" + " " * SIZE,
    "commands": lambda: "user:u\n" + "text:a\n" * (SIZE // 7),
    "passwords": lambda: "password:p\nto:39333\ntext:a\n" * (SIZE // 27),
    "numbers": lambda: "user:u\ntext:a\nto:" + "39333123456," * (SIZE // 12),
    "list of numbers": lambda: "a##\n" + "39333123456\n" * (SIZE // 12),
    "digits": lambda: "a##\n" + "1" * SIZE,
    "separators": lambda: "a##\n+" + "-(" * (SIZE // 2),
    "hyphens": lambda: "a\n" + "-" * SIZE,
    "lines of hyphens": lambda: "----\n" * (SIZE // 5),
    "parameters": lambda: 'key="' * (SIZE // 5),
    "names": lambda: "a=" * (SIZE // 2),
    "ampersands": lambda: "apiKey=1&" * (SIZE // 9),
    "hexadecimal": lambda: "user:u\nto:39333\nunicode:1\ntext:" + "00e8" * (SIZE // 4),
    "right to left": lambda: "\u202eא" * (SIZE // 2),
    "NULs": lambda: "\x00" * SIZE,
    "marks": lambda: "e" + "\u0301" * SIZE,
}


@pytest.mark.parametrize("make", MEGABYTES.values(), ids=MEGABYTES.keys())
def test_a_megabyte_takes_no_second(make: Callable[[], str]) -> None:
    """Of CPU time: what grows faster than the mail takes minutes."""
    text = make()
    for name in GrammarName:
        for mail in (LegacyMail("", text), LegacyMail(text, "Hello"), LegacyMail(text, text)):
            begin = time.process_time()
            read(GRAMMARS[name], mail)
            assert time.process_time() - begin < 1
