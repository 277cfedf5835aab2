"""An SMS in the form of a mail: `bob@example.com text` (3GPP TS 23.040 section 3.8). Pure.

    address[,address...] text
    address(subject)text      address##subject#text
    address#name#text         address#name##subject#text

A space may stand wherever two of these meet. Before the first address a control flag of the gateway's own may stand,
such as `#A#` (section 3.8.2.3): we have none and pass over it. An address may stand in angle brackets behind a name.
`*` is written for `@`, and `$` for `_`, by phones that cannot type them (section 3.8.4). A mail that a phone divides by
itself with `+` at the seams (section 3.8.3) is not put together: phones divide SMS with a header since long.

What is not written just so is no mail, and says what it says to the mailbox of its number.
"""

from __future__ import annotations

import re

from bridge.types.phone_mail import MOST_ADDRESSES, PhoneMail

_ATOM = "[a-z0-9_$+'=&~-]{1,64}"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TOP = "(?:xn--[a-z0-9-]{1,59}|[a-z]{2,63})"
_BARE = rf"{_ATOM}(?:\.{_ATOM}){{0,15}}[@*](?:{_LABEL}\.){{1,8}}{_TOP}(?![a-z0-9.-])"
"""Far less than RFC 5322 allows: what people have, and nothing that a mail server could take for a route."""
_ADDRESS = rf"(?:[^\n<>#(),@*]{{0,64}}<\s*+{_BARE}\s*+>|{_BARE})"
_BEGINNING = re.compile(
    rf"\s*+(?:#[a-z0-9]#\s*+)?({_ADDRESS}(?:\s*+,\s*+{_ADDRESS}){{0,{MOST_ADDRESSES - 1}}})(?=[\s(#]|$)",
    re.IGNORECASE | re.ASCII,
)
_ONE = re.compile(_BARE, re.IGNORECASE | re.ASCII)
_LONGEST_LOCAL = 64
"""RFC 5321 section 4.5.3.1.1."""

_SUBJECT = r"(?P<subject>[^#]{1,200})"
_NAME = r"(?P<name>[^\s#](?:[^\n#]{0,62}[^\s#])?)"
"""No space inside its marks, so that `#this and #that` are words of the text."""
_PARTS = (
    re.compile(rf"##{_SUBJECT}#"),
    re.compile(rf"#{_NAME}##{_SUBJECT}#"),
    re.compile(rf"#{_NAME}#(?!#)"),
    re.compile(r"\((?P<subject>[^()]{1,200})\)"),
)


def read_mail(text: str) -> PhoneMail | None:
    """The mail that an SMS is; None for one that is none, or that says nothing to anybody."""
    beginning = _BEGINNING.match(text)
    if beginning is None:
        return None
    addresses = {address.lower(): address for address in map(_plain, _ONE.findall(beginning[1]))}
    if any(len(address.rpartition("@")[0]) > _LONGEST_LOCAL for address in addresses):
        return None
    rest = text[beginning.end() :].lstrip()
    parts = next(filter(None, (form.match(rest) for form in _PARTS)), None)
    said = parts.groupdict() if parts is not None else {}
    mail = PhoneMail(
        addresses=tuple(addresses.values()),
        subject=" ".join(said.get("subject", "").split()),
        name=" ".join(said.get("name", "").split()),
        text=rest[parts.end() if parts is not None else 0 :].strip(),
    )
    return mail if mail.text or mail.subject else None


def _plain(written: str) -> str:
    """An address as mail servers write it."""
    local, _, domain = written.replace("*", "@").rpartition("@")
    return f"{local.replace('$', '_')}@{domain.lower()}"
