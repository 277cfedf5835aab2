"""An SMS in the form of a mail (3GPP TS 23.040 section 3.8): what is one, what it says, what only looks like one."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.mailing import judge
from bridge.meaning.phone_mail import read_mail
from bridge.settings import ReplySettings
from bridge.types import InboundSms
from bridge.types.phone_mail import MOST_ADDRESSES, MOST_MAILS
from tests.clinic import CLINIC
from tests.notices.samples import SETTLED

PHONE = "+393331234567"
BOB = ("bob@example.com",)


@pytest.mark.parametrize(
    ("text", "addresses", "subject", "name", "words"),
    [
        pytest.param("bob@example.com Ciao Bob", BOB, "", "", "Ciao Bob", id="the basic form"),
        pytest.param("  bob@example.com\nCiao\nBob ", BOB, "", "", "Ciao\nBob", id="on lines of its own"),
        pytest.param("Bob@Example.COM Ciao", ("Bob@example.com",), "", "", "Ciao", id="a domain has no capitals"),
        pytest.param("bob*example.com Ciao", BOB, "", "", "Ciao", id="a star for the at"),
        pytest.param(
            "b$s*example.com 5$ * 2", ("b_s@example.com",), "", "", "5$ * 2", id="a dollar for the underscore"
        ),
        pytest.param("bob@example.com(Late)I am", BOB, "Late", "", "I am", id="a subject in brackets"),
        pytest.param("bob@example.com (Late) I am", BOB, "Late", "", "I am", id="with spaces around it"),
        pytest.param("bob@example.com##Late#I am", BOB, "Late", "", "I am", id="a subject between marks"),
        pytest.param("bob@example.com ## Late # I am", BOB, "Late", "", "I am", id="and spaces"),
        pytest.param("bob@example.com(Late)", BOB, "Late", "", "", id="a subject alone"),
        pytest.param("bob@example.com#Anna Rossi#Ciao", BOB, "", "Anna Rossi", "Ciao", id="a name"),
        pytest.param("bob@example.com#Anna##Late#Ciao", BOB, "Late", "Anna", "Ciao", id="a name and a subject"),
        pytest.param("bob@example.com #Anna##Late# Ciao", BOB, "Late", "Anna", "Ciao", id="both, and spaces"),
        pytest.param("a@x.org,b@y.org Ciao", ("a@x.org", "b@y.org"), "", "", "Ciao", id="two addresses"),
        pytest.param("a@x.org , b*y.org  Ciao", ("a@x.org", "b@y.org"), "", "", "Ciao", id="with spaces"),
        pytest.param("a@x.org,A@X.org Ciao", ("A@x.org",), "", "", "Ciao", id="the same twice"),
        pytest.param("Bob Smith <bob@example.com> Ciao", BOB, "", "", "Ciao", id="a name before the address"),
        pytest.param("<bob@example.com>Ciao", None, "", "", "", id="nothing behind the bracket"),
        pytest.param("#A#bob@example.com Ciao", BOB, "", "", "Ciao", id="a control flag"),
        pytest.param("bob@example.com #this and #that", BOB, "", "", "#this and #that", id="words with marks"),
        pytest.param("bob@example.com ##", BOB, "", "", "##", id="marks around nothing"),
        pytest.param("bob@example.com (a(b)", BOB, "", "", "(a(b)", id="brackets that do not close"),
        pytest.param("bob@example.com :-)", BOB, "", "", ":-)", id="a smile"),
        pytest.param("a@x.org b@y.org Ciao", ("a@x.org",), "", "", "b@y.org Ciao", id="a comma must part addresses"),
        pytest.param("anna+x@mail.x.example Ciao", ("anna+x@mail.x.example",), "", "", "Ciao", id="a tag"),
        pytest.param("bob@xn--bcher-kva.example Ciao", ("bob@xn--bcher-kva.example",), "", "", "Ciao", id="punycode"),
        pytest.param("bob@example.com", None, "", "", "", id="an address alone: perhaps an answer to a question"),
        pytest.param("mia mail: bob@example.com", None, "", "", "", id="an address behind words"),
        pytest.param("Ciao bob@example.com a domani", None, "", "", "", id="an address among words"),
        pytest.param("bob@example.com, a domani", None, "", "", "", id="a comma and no address"),
        pytest.param("bob@example.com. Ciao", None, "", "", "", id="the end of a sentence"),
        pytest.param("2*3.50 euro", None, "", "", "", id="a sum"),
        pytest.param("domani*9.30 ok?", None, "", "", "", id="an hour"),
        pytest.param("@bob ciao", None, "", "", "", id="a handle"),
        pytest.param("bob@localhost Ciao", None, "", "", "", id="no domain"),
        pytest.param("bob@[127.0.0.1] Ciao", None, "", "", "", id="an address of a machine"),
        pytest.param("bob@127.0.0.1 Ciao", None, "", "", "", id="without brackets"),
        pytest.param("bob..b@example.com Ciao", None, "", "", "", id="two dots"),
        pytest.param("bob%x@example.com Ciao", None, "", "", "", id="a route by percent"),
        pytest.param("x!bob@example.com Ciao", None, "", "", "", id="a route by exclamation mark"),
        pytest.param('"bob"@example.com Ciao', None, "", "", "", id="quotation marks"),
        pytest.param(f"{'a' * 65}@example.com Ciao", None, "", "", "", id="too long before the at"),
        pytest.param(",".join(f"{n}@x.org" for n in range(6)) + " Ciao", None, "", "", "", id="six addresses"),
        pytest.param("bob@example.com\rBcc: all@example.com", BOB, "", "", "Bcc: all@example.com", id="no header"),
        pytest.param("", None, "", "", "", id="nothing"),
    ],
)
def test_what_an_sms_says_as_a_mail(
    text: str, addresses: tuple[str, ...] | None, subject: str, name: str, words: str
) -> None:
    mail = read_mail(text)
    if addresses is None:
        assert mail is None
    else:
        assert mail is not None
        assert (mail.addresses, mail.subject, mail.name, mail.text) == (addresses, subject, name, words)


_PIECES = st.sampled_from(["bob", "@", "*", "example.com", "x.org", ",", " ", "#", "##", "(", ")", "<", ">", "\n", "."])


@given(st.one_of(st.text(max_size=400), st.lists(_PIECES, max_size=40).map("".join)))
@example("bob@example.com\x00\ud800\u202eCiao")
def test_whatever_a_phone_writes_is_read_to_what_can_be_mailed(text: str) -> None:
    mail = read_mail(text)
    if mail is None:
        return
    assert 1 <= len(mail.addresses) <= MOST_ADDRESSES
    for address in mail.addresses:
        local, _, domain = address.rpartition("@")
        assert re.fullmatch(r"[A-Za-z0-9_.+'=&~-]{1,64}", local)
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z0-9-]+", domain)
    assert mail.text or mail.subject
    assert not re.search(r"[\r\n]", mail.subject + mail.name)
    assert mail.text in text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(each * (100_000 // len(each)), id=each)
        for each in (" ", "a.", "a@x.org,", "<", "Bob <", "a@x.org ( ", "a@x.org #", "#a b", "a@x.", "$*", "a@a-")
    ],
)
def test_a_long_sms_is_read_at_once(text: str) -> None:
    began = time.process_time()
    read_mail(text)
    assert time.process_time() - began < 0.05


def asked(text: str, mailed: int = 0, number: str = PHONE, **settings: tuple[str, ...]) -> object:
    """Who gets it, whom the phone may not mail, and whether it has mailed enough; None for no mail."""
    allowed = {"phones_may_mail": (PHONE,), "phones_may_mail_to": ("bob@example.com", "@clinic.example")} | settings
    sms = InboundSms("sim", "1", number, CLINIC.sender, text, SETTLED)
    found = judge(sms, ReplySettings.model_validate(allowed), "sms.example.test", lambda: mailed)
    return found and (found.mail.addresses, found.refused, found.too_many)


def test_only_the_phones_that_are_named_write_mails_and_only_to_whom_they_may() -> None:
    assert asked("bob@example.com Ciao") == (("bob@example.com",), (), False)
    assert asked("BOB@example.com Ciao") == (("BOB@example.com",), (), False)
    assert asked("anna@Clinic.example Ciao") == (("anna@clinic.example",), (), False)
    assert asked("anna@x.clinic.example Ciao") == ((), ("anna@x.clinic.example",), False)
    assert asked("bob@example.com,eve@example.com Ciao") == (("bob@example.com",), ("eve@example.com",), False)
    assert asked("bob@example.com Ciao", number="+393331234568") is None
    assert asked("bob@example.com Ciao", phones_may_mail=()) is None
    assert asked("bob@example.com Ciao", phones_may_mail_to=()) == ((), ("bob@example.com",), False)
    assert asked("Ciao") is None


def test_nothing_is_mailed_to_phones() -> None:
    theirs = ("@sms.example.test", "+393330000000@sms.example.test")
    for address in ("+393330000000@sms.example.test", "preview@SMS.example.test"):
        assert asked(f"{address} Ciao", phones_may_mail_to=theirs) == ((), (address.lower(),), False)


def test_a_phone_writes_so_many_mails_and_no_more() -> None:
    two = "bob@example.com,anna@clinic.example Ciao"
    assert asked(two, mailed=MOST_MAILS - 2) == (("bob@example.com", "anna@clinic.example"), (), False)
    assert asked(two, mailed=MOST_MAILS - 1) == ((), (), True)
    assert asked("bob@example.com Ciao", mailed=MOST_MAILS) == ((), (), True)
    assert asked("eve@example.com Ciao", mailed=MOST_MAILS) == ((), ("eve@example.com",), False)
