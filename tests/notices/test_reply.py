"""The phone's answer arrives as an ordinary mail in the thread, from an address that texts the phone when answered."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from bridge import notices
from bridge.notices import bounces
from bridge.parser import parse
from bridge.reading.headers import split
from bridge.reading.options import read_options
from bridge.types import NO_OPTIONS, Intent, Language, Match, Objection
from tests.clinic import CLINIC
from tests.notices import grammar
from tests.notices.samples import (
    DOMAIN,
    KEY,
    REPLY,
    SETTLED,
    a_reply,
    parts,
    read,
    read_below,
    reply,
    subject_of,
    words,
)


def test_an_answer_comes_from_the_phone_and_continues_the_thread() -> None:
    made = notices.reply(a_reply(references=("<first@example.test>",)), DOMAIN, KEY)
    mail = read(made)
    assert mail["From"] == f'"+39 333 123 4567" <+393331234567@{DOMAIN}>'
    assert parseaddr(mail["From"]) == ("+39 333 123 4567", f"+393331234567@{DOMAIN}")
    assert mail["Reply-To"] == mail["From"]
    assert mail["To"] == made.envelope_to == "clinic@example.test"
    assert mail["Subject"] == "Re: Visit"
    assert mail["Message-ID"] == f"<{REPLY}@{DOMAIN}>"
    assert mail["In-Reply-To"] == "<visit@example.test>"
    assert mail["References"].split() == ["<first@example.test>", "<visit@example.test>"]
    assert mail["X-SMS-From"] == "+393331234567"
    assert mail["X-SMS-To"] == "+390200000001"
    assert mail["X-SMS-Received"] == "2026-11-12T08:15:20Z"
    assert mail["X-SMS-Match"] == "number"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Auto-Submitted"] is None
    grammar.check_lines(made.raw)
    grammar.header_fields(made.raw)


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        pytest.param("", "+39 333 123 4567", id="no name"),
        pytest.param("Mario Rossi", "Mario Rossi (+39 333 123 4567)", id="a name"),
        pytest.param("Zoë Müller", "Zoë Müller (+39 333 123 4567)", id="accents"),
        pytest.param("山田 太郎 👍", "山田 太郎 👍 (+39 333 123 4567)", id="another script"),
        pytest.param('O\'Neill, "Bob" <b@x>', "O'Neill, Bob <b@x> (+39 333 123 4567)", id="marks of addresses"),
        pytest.param("back\\slash", "backslash (+39 333 123 4567)", id="an escape"),
        pytest.param("x\r\nBcc: all@example.test", "x Bcc: all@example.test (+39 333 123 4567)", id="a header"),
        pytest.param("a\0b\u2028c\u202ed", "ab cd (+39 333 123 4567)", id="signs that are not seen"),
        pytest.param("=?utf-8?q?Boss?=", "=?utf-8?q?Boss?= (+39 333 123 4567)", id="an encoded word stays as it is"),
        pytest.param("=?utf-8?q?Boss?= è", "=?utf-8?q?Boss?= è (+39 333 123 4567)", id="and in encoded words"),
        pytest.param("\ud800", "\ufffd (+39 333 123 4567)", id="half a character"),
        pytest.param("+39 333 000 0000", "+39 333 000 0000 (+39 333 123 4567)", id="another number"),
        pytest.param("Rossi, Mario; Bianchi", "Rossi, Mario; Bianchi (+39 333 123 4567)", id="marks of lists"),
        pytest.param("משה כהן", "משה כהן\u200e (+39 333 123 4567)", id="right to left: the number keeps its order"),
        pytest.param("محمد", "محمد\u200e (+39 333 123 4567)", id="Arabic"),
        pytest.param("n" * 64, f"{'n' * 64} (+39 333 123 4567)", id="as long as a name may be"),
        pytest.param("n" * 62 + "👩‍👩‍👧", f"{'n' * 62} (+39 333 123 4567)", id="no emoji is torn"),
        pytest.param("n" * 500, f"{'n' * 64} (+39 333 123 4567)", id="a long one"),
        pytest.param("è" * 500, f"{'è' * 64} (+39 333 123 4567)", id="a long one with accents"),
    ],
)
def test_a_phone_is_shown_by_its_name(contact: str, shown: str) -> None:
    made = notices.reply(a_reply(contact=contact), DOMAIN, KEY)
    grammar.check_lines(made.raw)
    grammar.header_fields(made.raw)
    mail = read(made)
    assert (mail["Bcc"], mail["To"]) == (None, "clinic@example.test")
    phrase, address = parseaddr(mail["From"])
    assert address == f"+393331234567@{DOMAIN}"
    assert str(make_header(decode_header(phrase))) == shown
    (sender,) = message_from_bytes(made.raw, policy=policy.default)["From"].addresses
    assert sender.addr_spec == address


@pytest.mark.parametrize(
    "contact",
    [
        "",
        "Mario Rossi",
        "Rossi, Mario",
        "Zoë Müller 👍",
        "Mario (figlio)",
        "משה כהן",
        "n" * 64,
        "è" * 64,
    ],
)
def test_who_answers_gives_the_phone_the_name_it_had(contact: str) -> None:
    """Mail programs write into To what stood in Reply-To; the bridge learns names from there."""
    field = reply(contact=contact)["Reply-To"].replace("\r\n", "\n").replace("\n", "\r\n")
    raw = f"From: clinic@example.test\r\nTo: {field}\r\nSubject: Re: Visit\r\n\r\nOK\r\n".encode()
    assert parse(raw).names == ({f"+393331234567@{DOMAIN}": contact} if contact else {})


def test_a_long_name_is_learned_in_whatever_way_its_letters_are_written() -> None:
    """Libraries that are loaded beside us change how Python writes them (apprise does: quoted-printable)."""
    words = "\r\n ".join(["=?utf-8?q?" + "=C3=A8" * 8 + "?="] * 8)
    raw = f"From: clinic@example.test\r\nTo: {words}\r\n <+393331234567@{DOMAIN}>\r\n\r\nOK\r\n".encode()
    assert parse(raw).names == {f"+393331234567@{DOMAIN}": "è" * 64}


def test_a_bounce_of_an_answer_never_goes_to_the_phone() -> None:
    local_part, _, domain = notices.reply(a_reply(), DOMAIN, KEY).envelope_from.partition("@")
    assert domain == DOMAIN
    assert bounces.read(local_part, [KEY], SETTLED) == REPLY


def test_the_same_answer_made_again_is_the_same_mail() -> None:
    assert notices.reply(a_reply(), DOMAIN, KEY) == notices.reply(a_reply(), DOMAIN, KEY)


@pytest.mark.parametrize("match", [Match.NUMBER, Match.LATEST, Match.PROVIDER])
def test_above_the_small_print_an_obvious_answer_is_the_phone_s_words_and_nothing_else(match: Match) -> None:
    mail = reply(text="Sì, domani alle 9 👍\nGrazie", match=match)
    plain, rich = parts(mail)
    assert read_below(words(plain))[0] == "Sì, domani alle 9 👍\nGrazie"
    assert "Sì, domani alle 9 👍<br>\nGrazie" in words(rich)
    assert [part.get_content_type() for part in (mail, plain, rich)] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        pytest.param(
            {"match": Match.AMBIGUOUS, "candidates": ("clinic@example.test", "desk@example.test")},
            "Several mailboxes write to this phone from the same number: clinic@example.test, desk@example.test.",
            id="ambiguous",
        ),
        pytest.param(
            {
                "match": Match.AMBIGUOUS,
                "candidates": ("clinic@example.test", "desk@example.test"),
                "for_all": True,
            },
            "so all of them have got this message: clinic@example.test, desk@example.test.",
            id="ambiguous and for all",
        ),
        pytest.param({"match": Match.NONE}, "it is not known what this message answers.", id="no match"),
        pytest.param({"text": "STOP", "stopped": True}, "+39 333 123 4567 has asked not to be texted", id="stop"),
        pytest.param({"text": "START", "resumed": True}, "+39 333 123 4567 has lifted its block", id="start"),
    ],
)
def test_what_is_not_obvious_is_said_below_the_words(changes: dict[str, object], remark: str) -> None:
    plain, rich = (words(part) for part in parts(reply(**changes)))
    text, separator, below = read_below(plain)[0].partition("\n\n* * *\n\n")
    assert separator
    assert text == changes.get("text", "Yes, thank you")
    assert remark in below
    assert remark in rich


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        (Language.ENGLISH, "SMS from +39 333 123 4567"),
        (Language.ITALIAN, "SMS da +39 333 123 4567"),
        (Language.SPANISH, "SMS de +39 333 123 4567"),
        (Language.DUTCH, "Sms van +39 333 123 4567"),
    ],
)
def test_a_message_that_answers_nothing_has_a_subject_in_the_mailbox_s_language(
    language: Language, subject: str
) -> None:
    mail = reply(language=language, subject="", in_reply_to="", match=Match.NONE)
    assert mail["Subject"] == subject
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None


@pytest.mark.parametrize(
    ("text", "shown", "markup"),
    [
        pytest.param("<script>alert(1)</script>", "<script>alert(1)</script>", "&lt;script&gt;", id="a script"),
        pytest.param('" onmouseover="x', '" onmouseover="x', "&quot; onmouseover=&quot;x", id="an attribute"),
        pytest.param("a\r\n.\r\nMAIL FROM:<>", "a\n.\nMAIL FROM:<>", "MAIL FROM:&lt;&gt;", id="a dot on a line"),
        pytest.param("a\0b\x1b[31mc\x07", "ab[31mc", "ab[31mc", id="terminal control"),
        pytest.param("a\u2028b\x85c", "a\nb\nc", "a<br>\nb<br>\nc", id="rare line breaks"),
        pytest.param("half \ud83d", "half \ufffd", "half \ufffd", id="half an emoji"),
        pytest.param("=?utf-8?q?x?= =3D", "=?utf-8?q?x?= =3D", "=?utf-8?q?x?= =3D", id="encoded words"),
        pytest.param(f"--=_{REPLY}--", f"--=_{REPLY}--", f"--=_{REPLY}--", id="our own boundary"),
        pytest.param("مرحبا", "مرحبا", ">مرحبا</p>", id="written from right to left"),
        pytest.param(" \n ", "(The phone sent an empty message.)", "(The phone", id="empty"),
    ],
)
def test_whatever_the_phone_wrote_is_shown_and_does_nothing(text: str, shown: str, markup: str) -> None:
    made = notices.reply(a_reply(text=text), DOMAIN, KEY)
    grammar.check_lines(made.raw)
    plain, rich = (words(part) for part in parts(read(made)))
    assert read_below(plain)[0] == shown
    assert markup in rich
    assert "<script" not in rich


def test_a_subject_cannot_add_a_header() -> None:
    made = notices.reply(a_reply(subject="Visit\r\nBcc: everyone@example.test\r\n\r\n<h1>"), DOMAIN, KEY)
    names = [name for name, _ in grammar.header_fields(made.raw)]
    assert "Bcc" not in names
    assert subject_of(read(made)) == "Re: Visit Bcc: everyone@example.test <h1>"


@pytest.mark.parametrize("language", list(Language))
def test_the_fallback_mailbox_is_told_first_for_whom_the_answer_was(language: Language) -> None:
    mail = reply(language=language, meant_for="dr.rossi@example.test", match=Match.AMBIGUOUS, candidates=("a", "b"))
    plain, rich = (words(part) for part in parts(mail))
    first, separator, text = read_below(plain)[0].partition("\n\n* * *\n\n")
    assert "dr.rossi@example.test" in first
    assert separator
    assert text == "Yes, thank you", "whose it is has been decided"
    assert rich.index("dr.rossi@example.test") < rich.index("Yes, thank you")


@pytest.mark.parametrize("intent", list(Intent))
def test_an_intent_is_told_by_a_header_and_the_thread_stays(intent: Intent) -> None:
    made = notices.reply(a_reply(intent=intent), DOMAIN, KEY)
    grammar.check_lines(made.raw)
    mail = read(made)
    assert mail["X-SMS-Intent"] == intent.value
    assert subject_of(mail) == "Re: Visit", "mail programs that thread by subject keep it in its thread"
    assert mail["In-Reply-To"] == "<visit@example.test>"
    assert read_below(words(parts(mail)[0]))[0] == "Yes, thank you", "the words stay what the phone wrote"


@pytest.mark.parametrize(
    ("subject", "intent", "language", "shown"),
    [
        pytest.param("Visit", Intent.CONFIRM, Language.ENGLISH, "[confirmed] Re: Visit", id="confirmed"),
        pytest.param("Visita", Intent.CANCEL, Language.ITALIAN, "[disdetto] Re: Visita", id="cancelled, in Italian"),
        pytest.param("Cita", Intent.MOVE, Language.SPANISH, "[por cambiar] Re: Cita", id="moved, in Spanish"),
        pytest.param("Afspraak", Intent.CONFIRM, Language.DUTCH, "[bevestigd] Re: Afspraak", id="in Dutch"),
        pytest.param("Visit", None, Language.ENGLISH, "Re: Visit", id="nothing to mark"),
        pytest.param("", Intent.CONFIRM, Language.ENGLISH, "[confirmed] SMS from +39 333 123 4567", id="no thread"),
        pytest.param(
            "Re: [confirmed] Re: Visit", Intent.CANCEL, Language.ENGLISH, "[cancelled] Re: Visit", id="another mark"
        ),
        pytest.param("Re: [to be moved] Re: Visit", None, Language.ENGLISH, "Re: Visit", id="a mark that is over"),
        pytest.param("[confirmed] " * 40, None, Language.ENGLISH, "SMS from +39 333 123 4567", id="nothing but marks"),
        pytest.param(
            "[urgent] Visit", Intent.MOVE, Language.ENGLISH, "[to be moved] Re: [urgent] Visit", id="not ours"
        ),
    ],
)
def test_where_it_is_wanted_the_subject_says_what_the_phone_wants(
    subject: str, intent: Intent | None, language: Language, shown: str
) -> None:
    mailbox = replace(CLINIC, language=language, subject_tags=True)
    made = notices.reply(a_reply(mailbox=mailbox, subject=subject, intent=intent), DOMAIN, KEY)
    grammar.check_lines(made.raw)
    assert subject_of(read(made)) == shown


def test_a_tagged_mail_that_is_sent_on_asks_the_bridge_for_nothing() -> None:
    raw = notices.reply(a_reply(intent=Intent.MOVE, tag="hours"), DOMAIN, KEY).raw
    assert b"\r\nX-SMS-Intent: move\r\nX-SMS-Tag: hours\r\n" in raw
    fields, _, _ = split(raw, 0, len(raw))
    assert read_options(fields) == NO_OPTIONS


def test_without_an_intent_there_is_no_such_header() -> None:
    assert reply()["X-SMS-Intent"] is None


ALLOW, BLOCK = f"+393331234567+allow@{DOMAIN}", f"+393331234567+block@{DOMAIN}"


@pytest.mark.parametrize("language", list(Language))
def test_who_wants_no_more_texts_is_told_above_the_words_with_two_addresses_to_decide(language: Language) -> None:
    mail = reply(language=language, text="Please stop texting me", objection=Objection.YOURS)
    plain, rich = (words(part) for part in parts(mail))
    above, separator, text = read_below(plain)[0].partition("\n\n* * *\n\n")
    assert separator
    assert "+39 333 123 4567" in above
    lines = above.split("\n")
    assert lines.index(ALLOW) < lines.index(BLOCK), "each on a line of its own, so that programs make links of them"
    assert text == "Please stop texting me"
    hrefs = re.findall(r'<a href="([^"]*)">', rich[: rich.index(text)])
    links = [urlsplit(html.unescape(each)) for each in hrefs]
    assert [(link.scheme, unquote(link.path)) for link in links] == [("mailto", ALLOW), ("mailto", BLOCK)]
    assert all("+" not in link.path for link in links), "some programs read a plus as a blank"
    assert all(parse_qs(link.query)["subject"][0].strip() for link in links)


@pytest.mark.parametrize("objection", [Objection.THEIRS, Objection.BLOCKED])
@pytest.mark.parametrize("language", list(Language))
def test_who_does_not_decide_gets_no_addresses(language: Language, objection: Objection) -> None:
    for part in parts(reply(language=language, text="Please stop texting me", objection=objection)):
        said = words(part)
        assert "+allow" not in said
        assert "mailto:" not in said
        assert said.index("+39 333 123 4567") < said.index("Please stop texting me")


def test_the_fallback_mailbox_reads_both_before_the_words() -> None:
    plain, _ = (words(part) for part in parts(reply(objection=Objection.THEIRS, meant_for="dr.rossi@example.test")))
    above = plain.split("* * *")[0]
    assert above.index("dr.rossi@example.test") < above.index("asks for no more texts")
