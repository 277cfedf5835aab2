"""Which part of a mail is read, and how its octets become text."""

from __future__ import annotations

import base64
import quopri
import time
from textwrap import dedent

import pytest

from bridge.errors import MailRefusal, Reason
from bridge.reading import headers
from bridge.reading.flowed import unflow
from bridge.reading.html import MAX_TAGS, SIGNATURE_CLASSES, SIGNATURE_IDS, SIGNATURE_NAMES
from bridge.reading.mime import LONGEST_TEXT, MOST_LINES, Body, read_body
from bridge.reading.signatures import marks_signature, without
from bridge.types import NO_HABITS, CutRule, Habits

HTML = "<p>Ciao <b>Mario</b></p>"


def read(mail: str | bytes, habits: Habits = NO_HABITS) -> Body:
    raw = dedent(mail).lstrip("\n").encode() if isinstance(mail, str) else mail
    body = _read(raw, habits)
    if b"\r" not in raw:
        assert _read(raw.replace(b"\n", b"\r\n"), habits) == body, "lines end in CRLF or LF, and it is the same mail"
    return body


def _read(raw: bytes, habits: Habits) -> Body:
    fields, _, start = headers.split(raw, 0, len(raw))
    return read_body(raw[start:], fields, habits)


def part(content: str, kind: str, *more: str) -> str:
    return "\n".join(["--b", f"Content-Type: {kind}", *more, "", content, ""])


def multipart(kind: str, *parts: str, boundary: str = "b") -> str:
    return (
        f"Content-Type: multipart/{kind}; boundary={boundary}\n\nPreamble\n{''.join(parts)}--{boundary}--\nEpilogue\n"
    )


def nested(kind: str, *parts: str, boundary: str) -> str:
    inner = multipart(kind, *(each.replace("--b\n", f"--{boundary}\n") for each in parts), boundary=boundary)
    return f"--b\n{inner}\n"


PLAIN = part("Ciao", "text/plain")
EMPTY = part("  ", "text/plain")
MARKUP = part(HTML, "text/html; charset=utf-8")
PICTURE = part("R0lGODlh", "image/gif; name=logo.gif", "Content-Transfer-Encoding: base64")
NOTE = part("log", "text/plain", "Content-Disposition: attachment; filename=a.txt")


@pytest.mark.parametrize(
    ("mail", "text"),
    [
        pytest.param("Subject: x\n\nCiao\n", "Ciao", id="no MIME at all"),
        pytest.param(multipart("alternative", PLAIN, MARKUP), "Ciao", id="plain text first"),
        pytest.param(multipart("alternative", MARKUP, PLAIN), "Ciao", id="plain text last"),
        pytest.param(multipart("alternative", EMPTY, MARKUP), "Ciao Mario", id="empty plain text"),
        pytest.param(multipart("mixed", PLAIN, NOTE, PICTURE), "Ciao", id="attachments"),
        pytest.param(multipart("mixed", PLAIN, part("poi", "text/plain")), "Ciao\n\npoi", id="text in two parts"),
        pytest.param(multipart("mixed", PLAIN, part("<p>Ciao", "text/html")), "Ciao", id="the same said twice"),
        pytest.param(multipart("related", MARKUP, PICTURE), "Ciao Mario", id="related"),
        pytest.param(
            multipart("signed", PLAIN, part("x", "application/pgp-signature")), "Ciao", id="signed in the clear"
        ),
        pytest.param(
            multipart("mixed", nested("alternative", PLAIN, MARKUP, boundary="c"), PICTURE), "Ciao", id="nested"
        ),
        pytest.param(
            multipart("alternative", EMPTY, nested("related", MARKUP, PICTURE, boundary="c")),
            "Ciao Mario",
            id="Outlook",
        ),
        pytest.param("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nCiao\n", "Ciao", id="no last boundary"),
        pytest.param("Content-Type: multipart/mixed\n\nCiao\n", "Ciao", id="no boundary given"),
        pytest.param("Content-Type: multipart/mixed; boundary=b\n\nCiao\n", "", id="boundary never comes"),
        pytest.param("Content-Type: ???\n\nCiao\n", "Ciao", id="type makes no sense"),
        pytest.param("Ciao senza testata\n", "Ciao senza testata", id="no header"),
        pytest.param("Subject: x\nCiao\n", "Ciao", id="no empty line"),
        pytest.param("Content-Type: message/rfc822\n\nSubject: x\n\nCiao\n", "", id="a mail inside a mail"),
    ],
)
def test_the_part_that_is_read(mail: str, text: str) -> None:
    assert read(mail.encode()).text.strip() == text


def test_what_is_left_out_is_said() -> None:
    assert read(multipart("mixed", PLAIN).encode()).warnings == ()
    assert read(multipart("mixed", PLAIN, NOTE, PICTURE).encode()).warnings == (
        "2 attachments were left out: an SMS carries text only.",
    )
    assert "more than 1000 parts" in read(multipart("mixed", *[PLAIN] * 1_500).encode()).warnings[0]


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(multipart("encrypted", part("Version: 1", "application/pgp-encrypted")), id="PGP/MIME"),
        pytest.param("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIAG", id="S/MIME"),
        pytest.param("Content-Type: application/x-pkcs7-mime; name=smime.p7m\n\nMIAG", id="S/MIME, old name"),
        pytest.param("Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nMIAG", id="opaque signature"),
        pytest.param("Subject: x\n\n-----BEGIN PGP MESSAGE-----\n\nhQEM\n", id="PGP in the text"),
    ],
)
def test_sealed_words_are_refused(mail: str) -> None:
    with pytest.raises(MailRefusal) as caught:
        read(mail.encode())
    assert caught.value.reason is Reason.ENCRYPTED


def encoded(way: str, content: bytes, charset: str = "utf-8") -> bytes:
    head = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {way}\n\n"
    return head.encode() + content


@pytest.mark.parametrize(
    ("mail", "text"),
    [
        pytest.param(encoded("base64", base64.b64encode("lunedì".encode())), "lunedì", id="base64"),
        pytest.param(encoded("BASE64", b"Q2lh\nbw="), "Ciao", id="base64 cut short"),
        pytest.param(encoded("base64", b"Q2l!hbw==?? Q"), "Ciao", id="base64 with noise"),
        pytest.param(
            encoded("quoted-printable", quopri.encodestring("è così".encode())), "è così", id="quoted-printable"
        ),
        pytest.param(encoded("quoted-printable", b"un =\t\ndue=ZZ ="), "un due=ZZ ", id="quoted-printable, broken"),
        pytest.param(encoded("8bit", "lunedì".encode()), "lunedì", id="8bit"),
        pytest.param(encoded("x-unknown", b"Ciao"), "Ciao", id="unknown way"),
        pytest.param(encoded("8bit", "città".encode("cp1252"), "iso-8859-1"), "città", id="Latin-1"),
        pytest.param(
            encoded("8bit", "costa 5 €".encode("cp1252"), "iso-8859-1"), "costa 5 €", id="Windows called Latin-1"
        ),
        pytest.param(encoded("8bit", "città".encode(), "us-ascii"), "città", id="UTF-8 called ASCII"),
        pytest.param(encoded("8bit", "città".encode("cp1252"), "utf-8"), "città", id="Windows called UTF-8"),
        pytest.param(encoded("8bit", "Встреча".encode("koi8-r"), "koi8-r"), "Встреча", id="Cyrillic"),
        pytest.param(encoded("8bit", "Встреча завтра".encode("cp1251"), ""), "Встреча завтра", id="Cyrillic, not said"),
        pytest.param(encoded("8bit", "明日".encode("iso-2022-jp"), "ISO-2022-JP"), "明日", id="Japanese"),
        pytest.param(encoded("8bit", b"Ciao", "unicode_escape"), "Ciao", id="a codec that is no charset"),
        pytest.param(encoded("8bit", b"Ciao", '"x' + "y" * 500 + '"'), "Ciao", id="a charset nobody knows"),
    ],
)
def test_octets_become_text(mail: bytes, text: str) -> None:
    assert read(mail).text == text


@pytest.mark.parametrize(
    ("text", "delsp", "joined"),
    [
        ("uno \ndue\ntre", False, "uno due\ntre"),
        ("uno \ndue", True, "unodue"),
        ("> uno \n> due \ntre", False, "> uno due \ntre"),
        (" >non citato", False, ">non citato"),
        ("fine \n-- \nClinica", False, "fine \n-- \nClinica"),
    ],
    ids=["paragraph", "DelSp", "quoted levels stay apart", "space-stuffing", "signature"],
)
def test_flowed_text(text: str, delsp: bool, joined: str) -> None:
    assert unflow(text, delsp=delsp) == joined


def test_flowed_text_is_recognised() -> None:
    assert read(b"Content-Type: text/plain; format=Flowed; DelSp=YES\n\nuno \ndue\n").text == "unodue"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b" =?utf-8?q?luned=C3=AC_alle_9?=", "lunedì alle 9"),
        (b" =?utf-8?b?bHVuZWTDrA==?= =?utf-8?q?_mattina?=", "lunedì mattina"),
        (b" Re: =?iso-8859-1?Q?citt=E0?=\n =?iso-8859-1?Q?_vecchia?=", "Re: città vecchia"),
        ("lunedì".encode(), "lunedì"),
        (b" =?utf-8?q?broken", "=?utf-8?q?broken"),
        (b" =?utf-8?q?a=0D=0AX-SMS-Class:_x?=", "a X-SMS-Class: x"),
        (b" a\r\n\tb\x00c", "a bc"),
    ],
    ids=["quoted", "two words", "folded", "raw UTF-8", "unfinished", "hidden line break", "folded raw"],
)
def test_header_values(value: bytes, text: str) -> None:
    assert headers.decoded(value) == text


@pytest.mark.parametrize(
    ("line", "parameters"),
    [
        ('text/plain; Charset="utf-8"; format=flowed', {"charset": "utf-8", "format": "flowed"}),
        ('a/b; name="a;b\\"c"', {"name": 'a;b"c'}),
        ("a/b; name*=utf-8''citt%C3%A0.txt", {"name": "città.txt"}),
        ("a/b; boundary*1=def; boundary*0=abc", {"boundary": "abcdef"}),
        ("a/b; x; =; ; y=1", {"y": "1"}),
    ],
    ids=["plain", "quoted", "RFC 2231 charset", "RFC 2231 sections", "noise"],
)
def test_parameters(line: str, parameters: dict[str, str]) -> None:
    assert headers.value_and_parameters(line)[1] == parameters


SIGNED_PLAIN = """Sì, va bene.

Mario Rossi
Clinica Example
[cid:logo.png]
www.example.it<http://www.example.it/>

Da: Anna"""
SIGNED_HTML = (
    "<div>Sì, va bene.</div><div><br></div><div id='Signature'><p>Mario <b>Rossi</b></p><p>Clinica Example</p>"
    "<img src='cid:logo.png'><p><a href='http://www.example.it/'>www.example.it</a></p></div><hr><div>Da: Anna</div>"
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param(SIGNED_HTML, "Sì, va bene.\n\nDa: Anna", id="Outlook"),
        pytest.param(
            SIGNED_HTML.replace("id='Signature'", 'class="gmail_signature"'), "Sì, va bene.\n\nDa: Anna", id="Gmail"
        ),
        pytest.param(SIGNED_HTML.replace("Clinica", "Studio"), SIGNED_PLAIN, id="other words"),
        pytest.param("<div>Sì, va bene.</div><div id='Signature'>bene.</div>", SIGNED_PLAIN, id="too short to tell"),
        pytest.param("<p>x</p><p id='Signature'>va bene. Mario Rossi</p>", SIGNED_PLAIN, id="within a line"),
    ],
)
def test_what_the_html_marks_as_signature_is_cut_from_the_plain_text(html: str, text: str) -> None:
    mail = multipart(
        "alternative", part(SIGNED_PLAIN, "text/plain; charset=utf-8"), part(html, "text/html; charset=utf-8")
    )
    body = read(mail.encode())
    assert body.text == text
    assert [cut.rule for cut in body.cuts] == ([] if text == SIGNED_PLAIN else ["signature"])
    assert body.warnings == ()


def test_what_the_html_marks_as_signature_can_stay() -> None:
    mail = multipart(
        "alternative", part(SIGNED_PLAIN, "text/plain; charset=utf-8"), part(SIGNED_HTML, "text/html; charset=utf-8")
    )
    body = read(mail.encode(), Habits(frozenset({CutRule.SIGNATURE})))
    assert (body.text, body.cuts) == (SIGNED_PLAIN, ())


def test_a_signature_is_cut_above_the_same_one_in_a_quoted_mail() -> None:
    quoted = (
        "________________________________\nDa: Mario <m@x.test>\nInviato: 3/3/2026 10:15\nA: Anna\nOggetto: x\n\nSì?\n"
    )
    words = "Mario Rossi\nClinica Example\n"
    found = without(f"Sì.\n\n{words}\n{quoted}\n{words}", words)
    assert found is not None
    assert found[0] == f"Sì.\n\n{quoted}\n{words}"


def test_html_in_base64_is_looked_through_for_a_signature() -> None:
    encoded = base64.encodebytes(SIGNED_HTML.encode()).decode()
    html = part(encoded, "text/html; charset=utf-8", "Content-Transfer-Encoding: base64")
    mail = multipart("alternative", part(SIGNED_PLAIN, "text/plain; charset=utf-8"), html)
    assert read(mail.encode()).text == "Sì, va bene.\n\nDa: Anna"
    assert read(mail.replace("base64\n\n", "base64\n \n").encode()).text == "Sì, va bene.\n\nDa: Anna"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("<br>" * (MAX_TAGS + 1), id="too many tags"),
        pytest.param("parola " * (LONGEST_TEXT // 6), id="too many words"),
    ],
)
def test_html_that_is_too_large_to_be_looked_through_does_not_keep_the_plain_text_back(more: str) -> None:
    html = part(SIGNED_HTML + more, "text/html; charset=utf-8")
    whole = nested("alternative", part(SIGNED_PLAIN, "text/plain; charset=utf-8"), html, boundary="c")
    assert read(multipart("mixed", whole, part("Fine", "text/plain")).encode()).text == f"{SIGNED_PLAIN}\n\nFine"


@pytest.mark.parametrize("piece", ["<http:", "[cid:", "<http:/", "x\n", "Da: a@b\nA: b\n"], ids=repr)
def test_hostile_texts_are_looked_through_in_time(piece: str) -> None:
    before = time.process_time()
    most = min(LONGEST_TEXT // len(piece), MOST_LINES // max(piece.count("\n"), 1))
    without(piece * most, "Mario Rossi, Clinica")
    assert time.process_time() - before < 1


@pytest.mark.parametrize("blanks", [b" ", b"\t "])
def test_blanks_that_a_relaxed_signature_leaves_open_do_not_draw_words_into_the_header_of_a_part(blanks: bytes) -> None:
    mail = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n%s\nNote: on Monday\n--b--\n"
    assert read(mail % blanks) == read(mail % b"")
    assert read(mail % b"").text == "Note: on Monday"


@pytest.mark.parametrize("name", sorted({*SIGNATURE_IDS, *SIGNATURE_CLASSES, *SIGNATURE_NAMES}))
def test_every_mark_of_a_signature_is_seen_at_a_glance(name: str) -> None:
    html = f'<p>x</p><div class="{name}">y</div>'.encode()
    assert marks_signature(html)
    assert not marks_signature(html[:20])


def certified(original: str, *, transport: str = "posta-certificata") -> str:
    """A mail as a provider of Italian certified mail carries it (RFC 6109)."""
    letter = part('Il messaggio "Visita" è stato inviato da "a@pec.test".', "text/plain; charset=utf-8")
    carried = part(original, 'message/rfc822; name="postacert.eml"')
    data = part("<postacert/>", 'application/xml; name="daticert.xml"')
    return f"X-Trasporto: {transport}\n" + multipart("mixed", letter, carried, data)


@pytest.mark.parametrize("transport", ["posta-certificata", "errore"])
def test_of_certified_mail_the_mail_is_read_that_it_carries(transport: str) -> None:
    parts = (part("Domani alle 9.", "text/plain"), part("<p>x</p>", "text/html"))
    inner = multipart("alternative", *(each.replace("--b\n", "--i\n") for each in parts), boundary="i")
    body = read(certified(inner, transport=transport))
    assert (body.text, body.warnings) == ("Domani alle 9.", ())


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(certified("Subject: x\n\n"), id="the mail is empty"),
        pytest.param(certified("Subject: x\n\nAltro", transport="no"), id="the header does not say so"),
    ],
)
def test_what_is_no_certified_mail_is_read_as_it_is(mail: str) -> None:
    assert read(mail).text.startswith("Il messaggio")
