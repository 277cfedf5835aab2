"""The mails that are damaged: one of every form that the bridge reads, and the words that steer how it reads them."""

from __future__ import annotations

import struct
from encodings import aliases
from functools import cache
from itertools import chain
from pathlib import Path

from tests.parser.test_any_octets import SEEDS
from tests.reading.test_calendar import OWN_ZONE, calendar
from tests.reading.test_sealed import SIGNED, mail, string, without_lengths
from tests.reading.tnef_maker import (
    BINARY,
    CODE_PAGE,
    HTML,
    PLAIN,
    RTF,
    UNICODE,
    compressed,
    named,
    number,
    tnef,
    variable,
)

CORPORA = Path(__file__).parents[1] / "corpora" / "mails"
SHARED = Path(__file__).parents[3] / "shared" / "corpora" / "replies" / "emails"

RICH = (
    rb"{\rtf1\ansi\ansicpg1251\fromhtml1{\fonttbl{\f0\fcharset204 Arial;}{\f1\fcharset128 x;}}\f0 \'cf\uc2\u8364??"
    rb"{\*\htmltag64 <p>}\htmlrtf\par\htmlrtf0 Ciao \bullet\f1 \'83\'41{\*\htmltag84 &nbsp;}\par}"
)
_TNEF = b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
_UNCOMPRESSED = struct.pack("<II4sI", len(RICH) + 12, len(RICH), b"MELA", 0) + RICH
_PART = b"Content-Type: text/plain; charset=iso-8859-15\r\n\r\nLa visita \xe8 alle 9: 40 \xa4.\r\n"
_OUTLOOK = (
    b"From: =?koi8-r?B?4c7OwQ==?= <clinic@example.test>\r\nTo: Mario <+393331234567@sms.example.test>\r\n"
    b"Subject: RE: x\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nConfermo.\r\n\r\nCordiali saluti\r\nAnna Rossi\r\n"
    b"Tel. 02 1234567\r\n"
    b"www.clinic.example\r\n\r\nQuesto messaggio \xc3\xa8 riservato al destinatario; se ricevuto per errore avvisare "
    b"il mittente e cancellare.\r\n\r\nDa: Mario <mario@example.test>\r\nInviato: 3 marzo 2026 10:15\r\nA: Anna\r\n"
    b"Oggetto: x\r\n\r\n> Quando?\r\n"
)

SPECIAL = (
    *SEEDS,
    _OUTLOOK,
    _TNEF + tnef(variable(BINARY, RTF, compressed(RICH)), number(CODE_PAGE, 1251), named(b"x")),
    _TNEF + tnef(variable(BINARY, RTF, _UNCOMPRESSED), code_page=932),
    _TNEF + tnef(variable(UNICODE, PLAIN, "La visita è alle 9\0".encode("utf-16-le"))),
    _TNEF + tnef(variable(BINARY, HTML, b"<p>Visita<br>alle 9</p>"), body=b"Visita"),
    mail(without_lengths(string(_PART[:40]), string(_PART[40:]))),
    b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + without_lengths(string(_PART)),
    b"Content-Type: text/plain\r\n\r\n" + SIGNED.encode(),
    b"Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n"
    + calendar("DTSTART;TZID=Nostra:20260303T101500", "DURATION:PT1H", "RRULE:FREQ=DAILY", zone=OWN_ZONE).encode(),
    b"X-SMS-Class: transactional\r\nX-SMS-Send-At: Tue, 03 Mar 2026 10:15:00 +0100\r\n"
    b"X-SMS-Expires: 2027-03-03T00:00Z\r\nX-SMS-Max-Segments: 6\r\nX-SMS-Unicode: refuse\r\nX-SMS-Reference: 12\r\n"
    b"X-SMS-Confirm: all\r\n\r\nCiao ##\r\nx\r\n",
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    + "È l’ora… 👩‍⚕️🇮🇹 “ﬁne” \u0323\u0301e\u200b € [x] ^ नमस्ते שלום\r\n".encode() * 9,
)
"""Forms that the corpora lack."""

CHARSETS = sorted({*aliases.aliases, *aliases.aliases.values(), "utf-8", "x-sjis", "unknown-8bit", "ansi", "", "\xe9"})
TYPES = (
    *("text/plain", "text/html", "text/calendar", "text/enriched", "multipart/mixed", "multipart/alternative"),
    *(
        "multipart/related",
        "multipart/signed",
        "multipart/digest",
        "multipart/encrypted",
        "multipart/report",
        "image/png",
    ),
    *("message/rfc822", "application/ms-tnef", "application/pkcs7-mime", "application/octet-stream", "text", "/", ""),
)
ENCODINGS = ("7bit", "8bit", "binary", "base64", "quoted-printable", "x-uuencode", "Base64 ", "")

TOKENS = tuple(
    chain(
        (b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b"\xff", b"\xe9", b"\xed\xa0\x80", b"\x1b$B", b"+2AA-", b"~{"),
        (b" ", b"  ", b"\t", b"\r\n ", b"\xc2\xa0", b"\xe2\x80\x8b", b"\xe2\x80\xae", b"\xcc\x81", b"\xef\xbb\xbf"),
        ("👩‍⚕️".encode(), "🇮🇹".encode(), "’".encode(), "…".encode()),
        ("漢".encode(), "क्ष".encode(), "ﬁ".encode(), "\ufb2c".encode()),
        (b"--b", b"--b--", b"--c", b"--", b"-- \r\n"),
        (b"boundary=b", b"boundary=", b"charset=", b"format=flowed", b"; "),
        (b"=?", b"?=", b"=?utf-8?q?", b"=?utf-8?b?w6g=?=", b"=?x?q?=CF=F0=E8?="),
        (b"=3D", b"=\r\n", b"=E0", b"==", b"name*0*="),
        (b'"', b"\\", b"(", b")", b"<", b">", b"@", b",", b";", b":", b"%", b"<a@b>", b'"a" <a@b>, ', b"*", b"'"),
        (b"<p>", b"</p>", b"<div>", b"<br>", b"<b>", b"</b>", b"<table>", b"<td>", b"<pre>", b"<svg>", b"<!--", b"-->"),
        (b"<blockquote type=cite>", b"</blockquote>", b"<div class=gmail_quote>"),
        (b"<div id=Signature>", b"<li>", b"&amp;"),
        (b"<p style='font-size:0'>", b"<div style='display:none'>", b"<script>"),
        (b"<title>", b"&#0;", b"&#x1F468;", b"<a "),
        (b"> ", b">> ", b"| ", b">"),
        (b"\r\n> ", b"-----Original Message-----", b"-----Messaggio originale-----", b"_____"),
        (b"On Tue, 3 Mar 2026 at 10:15, M <m@b> wrote:", b"Il 03/03/2026 10:15, M ha scritto:"),
        (b" wrote:", b"On ", b"10:15"),
        (b"From: a@b\r\n", b"Da: a\r\n", b"Sent: 3\r\n"),
        (b"To: b\r\n", b"Subject: c\r\n", b"Oggetto: c\r\n", b"2026-03-03"),
        (b"Cordiali saluti\r\n", b"Best regards\r\n", b"Mario\r\n", b"Tel. 02 1234567\r\n", b"Sent from my iPhone\r\n"),
        (b"This mail is confidential. ", b"in error ", b"delete it "),
        (b"the sender ", b"print ", b"virus ", b"[EXTERNAL] "),
        (b"$$", b"##", b"###", b"--end", b"{end sms}"),
        (b"[cid:x]", b"[image: x]", b"http://a.example/", b"...", b"HTML browser mail view"),
        (b"-----BEGIN PGP SIGNED MESSAGE-----\r\n", b"-----BEGIN PGP SIGNATURE-----\r\n"),
        (b"-----BEGIN PGP MESSAGE-----\r\n", b"- "),
        (b"BEGIN:VCALENDAR\r\n", b"BEGIN:VEVENT\r\n"),
        (b"END:VEVENT\r\n", b"DTSTART:20260303T091500Z\r\n", b"DTEND:99991231\r\n"),
        (b"RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n", b"TZID:x\r\n"),
        (b"TZOFFSETTO:-2359\r\n", b"SUMMARY:x\r\n", b"DURATION:P9999W\r\n"),
        (b"{\\rtf1", b"{\\*\\", b"\\htmltag ", b"\\htmlrtf", b"\\u-1", b"\\uc9"),
        (b"\\'e9", b"\\f1", b"\\par", b"{", b"}", b"LZFu", b"MELA"),
        (b"\x78\x9f\x3e\x22", b"\x30\x80", b"\x24\x80"),
        (b"\x04\x82\x03\xe8", b"\x04\x84\xff\xff\xff\xff", b"\0\0", b"\x09\x10\x01\x00"),
        (b"X-SMS-Class: x\r\n", b"X-SMS-Send-At: ", b"Auto-Submitted: x\r\n"),
        (b"0" * 20, b"9" * 20, b"-1", b"T24:60:60+99:99"),
    )
)  # fmt: skip
"""What readers look for."""


@cache
def seeds() -> tuple[bytes, ...]:
    """All mails to start from, in an order that does not change while the corpora do not."""
    files = chain(sorted(CORPORA.rglob("*.eml")), sorted(SHARED.glob("*.txt")))
    return (*SPECIAL, *(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for path in files))
