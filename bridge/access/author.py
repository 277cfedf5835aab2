"""Who a mail says it is from: the one address in its one From field, read strictly (RFC 5322 sections 3.4 and 3.6.2).

The display name is anybody's to choose, so nothing in it may be taken for the address: quotes, comments and encoded
words are passed over, and what programs read differently is no author at all. An `@`, a comma or an angle bracket
outside quotes in front of the address is such a thing, and so is a group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.access.domains import ascii_domain
from bridge.access.fields import Mail, Malformed

MAX_FROM = 2_000
"""Octets of a From field that are read."""
MAX_LOCAL = 64
"""Octets of a local part (RFC 5321 section 4.5.3.1.1)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_ADDRESS = re.compile(rf'({_DOT_ATOM.pattern}|"(?:[^"\\]|\\.)*")@([A-Za-z0-9.\u0080-\U0010ffff-]+)')
_ANGLED = re.compile(r"([^<>]*)<[ \t]*([^<>]*?)[ \t]*>")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_SPECIALS = frozenset('()<>@,;:\\"[]')


@dataclass(frozen=True, slots=True)
class Author:
    """The address of From."""

    address: str
    """Local part as written, without needless quotes; domain as below."""
    domain: str
    """In ASCII, lower case."""


class SeveralAuthors(Malformed):
    """From names more than one address, or none."""


def author(mail: Mail) -> Author:
    """The author of the mail. Raises `Malformed`; `SeveralAuthors` when From holds a list or a group."""
    found = mail.named(b"from")
    if not found:
        raise Malformed("The mail has no From field.")
    raw = found[0].value
    if len(raw) > MAX_FROM:
        raise Malformed("The From field of the mail is too long.")
    try:
        text = raw.decode("utf-8").replace("\r\n", "")
    except UnicodeDecodeError:
        raise Malformed("The From field of the mail is not written in UTF-8.") from None
    if not text.replace("\t", " ").isprintable():
        raise Malformed("The From field of the mail has control characters.")
    return _mailbox(_without_comments(text).strip(" \t"))


def _mailbox(text: str) -> Author:
    """`name@domain`, or a phrase and the same between angle brackets."""
    bare = _QUOTED.sub("", text)
    if "," in bare or ";" in bare or ":" in bare or bare.count("<") > 1:
        raise SeveralAuthors("The From field of the mail does not hold exactly one address.")
    if "<" in bare:
        # Brackets in quotes belong to the name; they are hidden while the others are looked for.
        hidden = _QUOTED.sub(lambda match: match[0].replace("<", "\0").replace(">", "\0"), text)
        match = _ANGLED.fullmatch(hidden)
        if match is None or _SPECIALS & set(_QUOTED.sub("", match[1])):
            raise Malformed("The From field of the mail is not an address.")
        text = match[2]
    return _address(text)


def _address(text: str) -> Author:
    match = _ADDRESS.fullmatch(text)
    if match is None or len(match[1].encode()) > MAX_LOCAL or "\0" in text:
        raise Malformed("The From field of the mail is not an address.")
    local = match[1]
    if local.startswith('"'):
        plain = _QUOTED_PAIR.sub(r"\1", local[1:-1])
        local = plain if _DOT_ATOM.fullmatch(plain) else local
    try:
        domain = ascii_domain(match[2])
    except ValueError:
        raise Malformed("The domain in the From field of the mail is not a domain name.") from None
    return Author(f"{local}@{domain}", domain)


def _without_comments(text: str) -> str:
    """The text with every comment, nested ones included, made a blank. Raises `Malformed` when one never ends."""
    if "(" not in text:
        return text
    kept: list[str] = []
    depth = 0
    quoted = False
    characters = iter(text)
    for char in characters:
        if char == "\\":
            pair = char + next(characters, "")
            if not depth:
                kept.append(pair)
        elif quoted or (char == '"' and not depth):
            quoted = quoted != (char == '"')
            kept.append(char)
        elif char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
            kept.append("" if depth else " ")
        elif not depth:
            kept.append(char)
    if depth or quoted:
        raise Malformed("The From field of the mail has a comment or a quotation that does not end.")
    return "".join(kept)
