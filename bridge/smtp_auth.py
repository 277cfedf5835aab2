"""What a client says in AUTH, decoded: SASL PLAIN (RFC 4616) and LOGIN, on the way from the wire to the handler."""

from __future__ import annotations

import binascii

from bridge.smtp_syntax import BadCommand

MECHANISMS = ("PLAIN", "LOGIN")

_NOT_BASE64 = "501 5.5.2 The answer to AUTH is not base64. Try again."
_NOT_PLAIN = "501 5.5.2 AUTH PLAIN is the base64 of an optional name, NUL, the login, NUL and the password, in UTF-8."
_NOT_TEXT = "501 5.5.2 Login and password are UTF-8 without control characters."
_CANCELLED = "501 5.7.0 The login was given up, as asked."


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


def read_text(octets: bytes) -> str:
    """A login or a password. Raises `BadCommand`."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise BadCommand(_NOT_TEXT) from None
    if "\0" in text:
        raise BadCommand(_NOT_TEXT)
    return text
