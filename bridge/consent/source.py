"""Where an access token comes from, for whoever logs in at a mail server with one."""

from __future__ import annotations

import re
from typing import Protocol

LONGEST_TOKEN = 5500
"""Octets. In base64 it stands in one command line, of which servers take about 8,000 octets (RFC 7162 section 4)."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class NoToken(Exception):
    """There is no token to log in with; the words say why and what to do, in the middle of a sentence."""


class TokenSource(Protocol):
    """Gives out access tokens for one account."""

    origin: str
    """Where its tokens come from, behind 'the access token'."""
    remedy: str
    """What to do when a server does not accept one, in the middle of a sentence."""

    async def token(self) -> str:
        """One that is good now, as far as is known here. Raises NoToken."""

    def refused(self, token: str) -> None:
        """A server has not accepted it."""


def is_token(text: str) -> bool:
    """Whether it is one access token (RFC 6750 section 2.1) that can be shown to mail servers."""
    return len(text) <= LONGEST_TOKEN and bool(_TOKEN.fullmatch(text))
