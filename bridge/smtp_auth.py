"""What a client says in AUTH, decoded: PLAIN, LOGIN, OAUTHBEARER and XOAUTH2, on the way from the wire to the login."""

from __future__ import annotations

import binascii
import re

from bridge.smtp_syntax import BadCommand

_NOT_BASE64 = "501 5.5.2 The answer to AUTH is not base64. Try again."
_NOT_PLAIN = "501 5.5.2 AUTH PLAIN is the base64 of an optional name, NUL, the login, NUL and the password, in UTF-8."
_NOT_TEXT = "501 5.5.2 Login and password are UTF-8 without control characters."
_NOT_BEARER = "501 5.5.2 AUTH OAUTHBEARER is n,a=LOGIN, and auth=Bearer TOKEN, as RFC 7628 says."
_NOT_XOAUTH2 = "501 5.5.2 AUTH XOAUTH2 is user=LOGIN and auth=Bearer TOKEN, with 0x01 behind each and at the end."
_CANCELLED = "501 5.7.0 The login was given up, as asked."


_BEARER = re.compile(r"[ny],(?:a=([^,\x00\x01]+))?,\x01(?:[A-Za-z]+=[^\x00\x01]*\x01)*\x01\Z")
_XOAUTH2 = re.compile(r"user=([^\x00\x01]+)\x01auth=([^\x00\x01]*)\x01\x01\Z")
_TOKEN = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*)\Z", re.IGNORECASE)
"""RFC 6750 section 2.1."""


def decode_response(line: bytes) -> bytes:
    """One answer of the client, without its line end (RFC 4954 section 4). Raises `BadCommand`; `*` gives up."""
    if line == b"*":
        raise BadCommand(_CANCELLED)
    try:
        return binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error:
        raise BadCommand(_NOT_BASE64) from None


def read_plain(response: bytes) -> tuple[str, str]:
    """Login and password of a PLAIN response (RFC 4616 section 2). Raises `BadCommand`.

    A client may name whom it acts for. Acting for another is not offered, so the name must be the login's own.
    """
    parts = response.split(b"\0")
    if len(parts) != 3 or not parts[1] or parts[0] not in (b"", parts[1]):
        raise BadCommand(_NOT_PLAIN)
    return read_text(parts[1]), read_text(parts[2])


def read_oauthbearer(response: bytes) -> tuple[str, str]:
    """The login that is named, or the empty one, and the token of an OAUTHBEARER response (RFC 7628 section 3.1); an
    empty token for a client that has none and asks where to get one (section 4.3). Raises `BadCommand`."""
    text = read_text(response)
    found = _BEARER.match(text)
    if found is None:
        raise BadCommand(_NOT_BEARER)
    pairs = dict(pair.partition("=")[::2] for pair in text.split("\x01")[1:-2])
    login = (found[1] or "").replace("=2C", ",").replace("=3D", "=")
    return login, _token(pairs.get("auth", ""))


def read_xoauth2(response: bytes) -> tuple[str, str]:
    """Login and token of an XOAUTH2 response, as Google and Microsoft describe it. Raises `BadCommand`."""
    found = _XOAUTH2.match(read_text(response))
    if found is None:
        raise BadCommand(_NOT_XOAUTH2)
    return found[1], _token(found[2])


def _token(authorization: str) -> str:
    found = _TOKEN.match(authorization)
    return found[1] if found is not None else ""


def read_text(octets: bytes) -> str:
    """A login or a password. Raises `BadCommand`."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise BadCommand(_NOT_TEXT) from None
    if "\0" in text:
        raise BadCommand(_NOT_TEXT)
    return text
