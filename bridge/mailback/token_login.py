"""How a login with an access token is written (SASL), at IMAP servers and at the mail server that takes our own mails.

What a server answers to a token may quote it: of its answer only a short status is kept.
"""

from __future__ import annotations

import base64
import binascii
import re

from bridge.settings import MailAuth

_STATUS = re.compile(rb'"(?:status|error)"\s*:\s*"([A-Za-z0-9_]{1,32})"')


def response(auth: MailAuth, user: str, token: str, host: str, port: int) -> str:
    """What the client says first, in base64.

    XOAUTH2 is what Google and Microsoft publish; OAUTHBEARER is RFC 7628 section 3.1, with the user as
    `saslname` of RFC 5801 section 4.
    """
    if auth is MailAuth.XOAUTH2:
        words = f"user={user}\x01auth=Bearer {token}\x01\x01"
    else:
        name = user.replace("=", "=3D").replace(",", "=2C")
        words = f"n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"
    return base64.b64encode(words.encode()).decode("ascii")


def farewell(auth: MailAuth) -> str:
    """What the client says to a server that has refused its token, so that the server says NO.

    Nothing at all for XOAUTH2; for OAUTHBEARER one control-A, in base64 (RFC 7628 section 3.2.3).
    """
    return "" if auth is MailAuth.XOAUTH2 else "AQ=="


def status(challenge: bytes) -> str:
    """Why the token is refused, out of the server's challenge (RFC 7628 section 3.2.2): `invalid_token`, `401` or the
    like; empty when it does not say so in one word."""
    try:
        words = base64.b64decode(challenge, validate=True)
    except binascii.Error:
        return ""
    found = _STATUS.search(words)
    return found[1].decode("ascii") if found else ""
