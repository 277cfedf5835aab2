"""Reads the telephone number out of a recipient's mail address; the first thing that happens to a RCPT.

Grammar: RFC 5321 section 4.1.2 (Mailbox), without source routes and comments. This step knows numbers only; what
follows a second "+" and names without digits are for later and refused here.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bridge.errors import Reason, RecipientRefusal
from bridge.sms.numbers import malformed

MAX_ADDRESS = 320
"""64 for the local part, "@", and 255 for the domain (RFC 5321 section 4.5.3.1)."""

_ADDRESS = re.compile(
    r"""(?: (?P<atoms> [^\s"(),:;<>@\[\\\]]+ )
          | "(?P<quoted> (?: [^"\\\r\n] | \\. )* )" ) @ (?P<domain> [^\s@<>()]+ )""",
    re.VERBOSE,
)
_QUOTED_PAIR = re.compile(r"\\(.)")
_NUMBER = re.compile(r"\+?[0-9 ._()-]*[0-9][0-9 ._()-]*")
_NUMBER_WITH_OPTIONS = re.compile(r"\+?[0-9 ._()-]*[0-9][0-9 ._()-]*\+.*", re.DOTALL)


def read_address(address: str, domains: Collection[str]) -> str:
    """The dialable token of `address`, as written: digits, separators, perhaps a leading plus.

    `domains` are those the bridge serves, in lower case. Raises `RecipientRefusal`: malformed number for a broken
    address or number (553 5.1.3), unknown alias for a foreign domain or a name (550 5.1.1).
    """
    local, domain = _split(address)
    if domain.lower() not in domains:
        served = ", ".join(sorted(domains))
        raise RecipientRefusal(
            Reason.UNKNOWN_ALIAS,
            f'"{_shown(domain)}" is not a domain of this bridge: it serves {served}.',
        )
    if _NUMBER.fullmatch(local):
        return local
    if _NUMBER_WITH_OPTIONS.fullmatch(local):
        raise malformed(local, 'has options after a second "+", which are not understood')
    if local.startswith("+"):
        raise malformed(local, "is not a telephone number")
    raise RecipientRefusal(
        Reason.UNKNOWN_ALIAS,
        f'"{_shown(local)}" is not a telephone number and no name is known here: '
        "write the number with its country code, like +393331234567.",
    )


def _split(address: str) -> tuple[str, str]:
    if len(address) > MAX_ADDRESS:
        raise malformed(address, "is longer than a mail address can be")
    match = _ADDRESS.fullmatch(address)
    if match is None:
        if "@" not in address:
            raise malformed(address, "has no @ and domain")
        raise malformed(address, "is not a mail address of the form number@domain")
    atoms, quoted, domain = match["atoms"], match["quoted"], match["domain"]
    if atoms is None:
        return _QUOTED_PAIR.sub(r"\1", quoted), domain
    # RFC 5321 section 4.1.2: a Dot-string neither starts nor ends with a dot, nor has two in a row.
    if "" in atoms.split("."):
        raise malformed(address, "has a dot that no mail address can have there")
    return atoms, domain


def _shown(text: str) -> str:
    return "".join(char for char in text[:64] if char.isprintable())
