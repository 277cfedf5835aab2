"""The mails that are measured with: small ones for the door, and three sizes for the parser."""

from __future__ import annotations

import random
from base64 import b64encode, encodebytes
from functools import cache

LOGIN = "bench@example.test"
PASSWORD = "bench-password"
DOMAIN = "sms.example.test"
SMALL = 600
"""Octets of the mail that is sent to the door, as of an ordinary program with a short text."""

FIRST_NUMBER = 3_400_000_000
"""Italian mobile numbers begin with 3; the next hundred million from here are possible ones."""

_LINES = (
    "Buongiorno, le ricordiamo la visita di domani alle 10:30 presso lo studio.",
    "Se non puo' venire ci avvisi rispondendo a questo messaggio. Grazie.",
)


def number(index: int) -> str:
    """The phone of the mail `index`, E.164: another one for each mail, spread over prefixes and ranges."""
    return f"+39{FIRST_NUMBER + index * 7919 % 100_000_000}"


def address(index: int) -> str:
    """The mail address of the phone of the mail `index`."""
    return f"{number(index)}@{DOMAIN}"


def small(index: int, send_at: str = "") -> bytes:
    """A mail of about `SMALL` octets with a Message-ID of its own, for the phone `index`; `send_at` is RFC 3339."""
    fields = [
        f"From: Studio <{LOGIN}>",
        f"To: {address(index)}",
        "Subject: Promemoria",
        "Date: Sat, 21 Nov 2026 10:00:00 +0100",
        f"Message-ID: <{index:012d}.bench@client.example.test>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
    ]
    if send_at:
        fields.append(f"X-SMS-Send-At: {send_at}")
    bare = "\r\n".join((*fields, "X-Mailer: ", "", *_LINES, ""))
    fields.append("X-Mailer: " + "x" * max(1, SMALL - len(bare)))
    return "\r\n".join((*fields, "", *_LINES, "")).encode()


def with_attachment(index: int, send_at: str, octets: int) -> bytes:
    """The words of a small mail and a file in base64, `octets` of it all."""
    fields = (
        f"From: Studio <{LOGIN}>\r\nTo: {address(index)}\r\nSubject: Referto\r\n"
        f"Date: Sat, 21 Nov 2026 10:00:00 +0100\r\nMessage-ID: <{index:012d}.file@client.example.test>\r\n"
        f"X-SMS-Send-At: {send_at}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="edge"\r\n\r\n'
        "--edge\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + "\r\n".join(_LINES) + "\r\n"
        '--edge\r\nContent-Type: application/pdf; name="referto.pdf"\r\nContent-Disposition: attachment\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode()
    end = b"\r\n--edge--\r\n"
    return fields + _file(octets)[: octets - len(fields) - len(end)] + end


@cache
def _file(octets: int) -> bytes:
    """At least so many octets of base64."""
    return encodebytes(random.Random(octets).randbytes(octets * 3 // 4)).replace(b"\n", b"\r\n")


def two_parts() -> bytes:
    """A mail of about 3 KB as webmail writes it: the same words as text and as HTML."""
    words = "\r\n".join(_LINES)
    page = "".join(
        f'<p style="margin:0cm;font-size:11pt;font-family:Calibri,sans-serif">{line}</p>\r\n' for line in _LINES
    )
    style = "<style>" + "p.MsoNormal{margin:0cm;font-size:11.0pt}\r\n" * 45 + "</style>"
    html = f"<html><head>{style}</head><body>{page}</body></html>"
    return _alternative(words, html.encode())


def large_page() -> bytes:
    """A mail of about 60 KB that has only a page: styles and nested tables around a few words, in base64."""
    style = "<style>" + "td.c{padding:0;border-collapse:collapse;font:12px Arial}\r\n" * 400 + "</style>"
    row = '<tr><td class="c" style="width:50%"><span>&nbsp;</span></td><td class="c"></td></tr>\r\n'
    table = f"<table>{row * 210}</table>"
    words = "".join(f"<p>{line}</p>" for line in _LINES)
    body = b64encode(f"<html><head>{style}</head><body>{words}{table}</body></html>".encode())
    lines = b"\r\n".join(body[at : at + 76] for at in range(0, len(body), 76))
    return _fields("text/html; charset=utf-8", "base64") + lines + b"\r\n"


def _alternative(words: str, html: bytes) -> bytes:
    parts = (
        b"--edge\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + words.encode(),
        b"\r\n--edge\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html,
        b"\r\n--edge--\r\n",
    )
    return _fields('multipart/alternative; boundary="edge"', "7bit") + b"".join(parts)


def _fields(content_type: str, transfer: str) -> bytes:
    return (
        f"From: Studio <{LOGIN}>\r\nTo: {address(0)}\r\nSubject: Promemoria\r\n"
        "Date: Sat, 21 Nov 2026 10:00:00 +0100\r\nMessage-ID: <large.bench@client.example.test>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n"
    ).encode()
