"""Damages a mail: octets, lines, fields, lengths, nesting, repetition; a number decides where and how.

What is made of a number is the same wherever the seeds are, so that a mail that fails can be made again:
`python -m tests.fuzz 12345`.
"""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Callable
from random import Random

from tests.fuzz.seeds import CHARSETS, ENCODINGS, TOKENS, TYPES, seeds

LARGEST = 400_000
"""Octets of a mail; those of 25 MB are in `tests/parser`, a case for each form."""
MOST_REPEATED = 200_000
"""Octets that a repetition comes to."""

_FIELD = re.compile(rb"(?mi)^(content-[a-z-]+|subject|from|to|date|references|x-[a-z-]+|[a-z-]+):")


def mail(number: int) -> bytes:
    """The mail of `number`."""
    chance = Random(number)
    raw = chance.choice(seeds())
    for _ in range(chance.choice((1, 1, 2, 3, 4, 6, 10))):
        raw = chance.choice(MUTATIONS)(chance, raw)[:LARGEST]
    return raw


def _place(chance: Random, raw: bytes) -> int:
    return chance.randrange(len(raw) + 1)


def _stretch(chance: Random, raw: bytes) -> tuple[int, int]:
    """Two places, mostly near each other."""
    start = _place(chance, raw)
    return start, min(len(raw), start + int(chance.expovariate(1 / chance.choice((3, 40, 400)))) + 1)


def _line(chance: Random, raw: bytes) -> tuple[int, int]:
    """Where a whole line begins and ends."""
    at = _place(chance, raw)
    start = raw.rfind(b"\n", 0, at) + 1
    end = raw.find(b"\n", at)
    return start, len(raw) if end < 0 else end + 1


def flip(chance: Random, raw: bytes) -> bytes:
    """Bits turned over."""
    damaged = bytearray(raw)
    for _ in range(min(len(damaged), chance.choice((1, 2, 8, 60)))):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def delete(chance: Random, raw: bytes) -> bytes:
    """A stretch or a line is missing."""
    start, end = chance.choice((_stretch, _line))(chance, raw)
    return raw[:start] + raw[end:]


def cut_off(chance: Random, raw: bytes) -> bytes:
    """The connection broke, or the beginning was lost."""
    at = _place(chance, raw)
    return chance.choice((raw[:at], raw[:at], raw[at:]))


def move(chance: Random, raw: bytes) -> bytes:
    """A stretch or a line stands elsewhere."""
    start, end = chance.choice((_stretch, _line))(chance, raw)
    rest = raw[:start] + raw[end:]
    at = _place(chance, rest)
    return rest[:at] + raw[start:end] + rest[at:]


def splice(chance: Random, raw: bytes) -> bytes:
    """A piece of another mail stands in this one, or this one goes on as another."""
    other = chance.choice(seeds())
    if chance.random() < 0.5:
        return raw[: _place(chance, raw)] + other[_place(chance, other) :]
    start, end = chance.choice((_stretch, _line))(chance, other)
    at = _line(chance, raw)[0]
    return raw[:at] + other[start:end] + raw[at:]


def insert(chance: Random, raw: bytes) -> bytes:
    """Words that steer the reader."""
    for _ in range(chance.choice((1, 1, 3, 10))):
        at = chance.choice((_place(chance, raw), *_line(chance, raw)))
        raw = raw[:at] + b"".join(chance.choices(TOKENS, k=chance.choice((1, 1, 2, 4)))) + raw[at:]
    return raw


def repeat(chance: Random, raw: bytes) -> bytes:
    """The same again and again, which tells time that grows faster than the mail."""
    start, end = chance.choice((_stretch, _line))(chance, raw)
    words = b"".join(chance.choices(TOKENS, k=chance.choice((1, 2, 3))))
    block = chance.choice((raw[start:end], words, words, words + b"\r\n")) or b"x"
    times = min(MOST_REPEATED // len(block), 10 ** chance.choice((1, 1, 1, 2, 2, 3, 4, 5)))
    return raw[:start] + block * times + raw[start:]


def field(chance: Random, raw: bytes) -> bytes:
    """A field says something else."""
    value = chance.choice((_type, _type, _charset, _charset, _encoding, _disposition, _words))(chance)
    fields = list(_FIELD.finditer(raw))
    if not fields or chance.random() < 0.4:
        return value + b"\r\n" + raw
    start = chance.choice(fields).start()
    end = raw.find(b"\n", start)
    return raw[:start] + value + b"\r\n" + raw[len(raw) if end < 0 else end + 1 :]


def _type(chance: Random) -> bytes:
    boundary = chance.choice(("b", "c", "-", "--", "b b", "b" * 80, "", "é", "b\r\n"))
    return f"Content-Type: {chance.choice(TYPES)}; boundary={boundary!r}".replace("'", '"').encode()


def _charset(chance: Random) -> bytes:
    return f"Content-Type: {chance.choice(TYPES[:3])}; charset={chance.choice(CHARSETS)}".encode()


def _encoding(chance: Random) -> bytes:
    return f"Content-Transfer-Encoding: {chance.choice(ENCODINGS)}".encode()


def _disposition(chance: Random) -> bytes:
    name = chance.choice(("winmail.dat", "smime.p7m", "a.pdf", "", "é.ics"))
    return f'Content-Disposition: {chance.choice(("attachment", "inline", ""))}; filename="{name}"'.encode()


def _words(chance: Random) -> bytes:
    name = chance.choice((b"Subject", b"From", b"To", b"Cc", b"References", b"Message-ID", b"Date", b"X-SMS-Sender"))
    charset = chance.choice(CHARSETS).encode()
    word = b"=?%s?%s?%s?=" % (charset, chance.choice((b"q", b"B", b"x")), chance.randbytes(9).hex("=").upper().encode())
    return name + b": " + b" ".join(chance.choices((word, *TOKENS), k=chance.choice((1, 4, 60)))).replace(b"\n", b"\n ")


def length(chance: Random, raw: bytes) -> bytes:
    """A number in binary data is another one, far too large for instance."""
    size = chance.choice((1, 2, 4))
    at = _place(chance, raw)
    number = chance.choice((bytes(size), b"\xff" * size, b"\x7f" + b"\xff" * (size - 1), b"\x80" * size))
    return raw[:at] + number + raw[at + size :]


def nest(chance: Random, raw: bytes) -> bytes:
    """The mail in parts of parts, with boundaries that differ, are the same, or begin alike; some never end."""
    kind = chance.choice((b"mixed", b"mixed", b"alternative", b"alternative", b"related", b"signed", b"digest"))
    form = chance.choice((b"n%d", b"x", b"n%dx"))
    ends = chance.random() < 0.5
    said = chance.choice((b"", b"Ciao\r\n", b"Ciao a...\r\n", b"<p>\r\n"))
    for level in range(chance.choice((1, 1, 2, 5, 30, 70))):
        boundary = form % level if b"%" in form else form
        first = b"--%s\r\n\r\n%s" % (boundary, said) if said else b""
        raw = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n%s--%s\r\n%s' % (kind, boundary, first, boundary, raw)
        raw += b"\r\n--%s--\r\n" % boundary if ends else b""
    return raw


def encode(chance: Random, raw: bytes) -> bytes:
    """The body in another transfer encoding, whether or not a field says so."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    way = chance.choice((base64.encodebytes, quopri.encodestring))
    said = b"\r\nContent-Transfer-Encoding: " + (b"base64" if way is base64.encodebytes else b"quoted-printable")
    return head + (said if chance.random() < 0.8 else b"") + (gap or b"\r\n\r\n") + way(body[:100_000])


def line_ends(chance: Random, raw: bytes) -> bytes:
    """Lines that end otherwise, or none."""
    return raw.replace(*chance.choice(((b"\r\n", b"\n"), (b"\r\n", b"\r"), (b"\n", b"\r\n"), (b"\r\n", b" "))))


def shuffle(chance: Random, raw: bytes) -> bytes:
    """The lines in another order."""
    lines = raw.splitlines(keepends=True)
    start = chance.randrange(len(lines) + 1)
    some = lines[start : start + chance.choice((2, 10, 1_000))]
    chance.shuffle(some)
    lines[start : start + len(some)] = some
    return b"".join(lines)


MUTATIONS: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(flip, delete, cut_off, move, splice, splice, insert, insert, insert, repeat),
    *(field, field, length, nest, encode, line_ends, shuffle),
)
