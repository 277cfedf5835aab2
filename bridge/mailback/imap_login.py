"""How a login with an access token is written (SASL), and the file that the token comes from.

Tokens live for about an hour: another program renews the file, which is read anew for every login. What a server
answers to a token may quote it: of its answer only a short status is kept.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from bridge.settings import ImapAuth

LONGEST_TOKEN = 5500
"""Octets. In base64 it stands in one command line, of which servers take about 8,000 octets (RFC 7162 section 4)."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_STATUS = re.compile(rb'"(?:status|error)"\s*:\s*"([A-Za-z0-9_]{1,32})"')


class NoToken(Exception):
    """The file holds nothing to log in with; the words say why, in the middle of a sentence."""


def read_token(file: Path) -> str:
    """The access token in `file`, alone in it but for white space around (RFC 6750 section 2.1). Raises NoToken."""
    try:
        with file.open("rb") as held:
            octets = held.read(LONGEST_TOKEN + 1000)
    except OSError as error:
        raise NoToken((error.strerror or type(error).__name__).lower()) from None
    token = octets.decode("ascii", "replace").strip()
    if not token:
        raise NoToken("the file is empty")
    if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
        raise NoToken("it holds something else; write the token alone, as text of one line")
    return token


def response(auth: ImapAuth, user: str, token: str, host: str, port: int) -> str:
    """What the client says first, in base64.

    XOAUTH2 is what Google and Microsoft publish for IMAP; OAUTHBEARER is RFC 7628 section 3.1, with the user as
    `saslname` of RFC 5801 section 4.
    """
    if auth is ImapAuth.XOAUTH2:
        words = f"user={user}\x01auth=Bearer {token}\x01\x01"
    else:
        name = user.replace("=", "=3D").replace(",", "=2C")
        words = f"n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"
    return base64.b64encode(words.encode()).decode("ascii")


def farewell(auth: ImapAuth) -> str:
    """What the client says to a server that has refused its token, so that the server says NO.

    Nothing at all for XOAUTH2; for OAUTHBEARER one control-A, in base64 (RFC 7628 section 3.2.3).
    """
    return "" if auth is ImapAuth.XOAUTH2 else "AQ=="


def status(challenge: bytes) -> str:
    """Why the token is refused, out of the server's challenge (RFC 7628 section 3.2.2): `invalid_token`, `401` or the
    like; empty when it does not say so in one word."""
    try:
        words = base64.b64decode(challenge, validate=True)
    except binascii.Error:
        return ""
    found = _STATUS.search(words)
    return found[1].decode("ascii") if found else ""
