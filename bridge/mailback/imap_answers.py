"""What an IMAP server answers, as far as it matters here; pure. Of its words only codes, flags and UIDs are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CODE = re.compile(rb"\[([A-Za-z0-9-]+)")
_BUSY = re.compile(rb"Request is throttled|User is authenticated but not connected", re.IGNORECASE)
"""What Microsoft 365 says without a code, with NO or BAD, to whatever it is asked; both pass."""
_PERMANENT = re.compile(rb"\[PERMANENTFLAGS \(([^)]*)\)", re.IGNORECASE)
_FETCHED = re.compile(rb"\d+ FETCH \(", re.IGNORECASE)
_UID = re.compile(rb"[( ]UID (\d+)", re.IGNORECASE)
_FLAGS = re.compile(rb"[( ]FLAGS \(([^)]*)\)", re.IGNORECASE)
_NUMBER = re.compile(rb"\d+")
_TORN = re.compile(r"\\(?![a-z*])")
"""aioimaplib takes each `* ` out of a line, so that `\\* \\Seen` arrives as `\\\\Seen`."""

ANY = "\\*"
"""Among the flags that stay: keywords of any name do (RFC 3501 section 7.1)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended (RFC 3501 section 7.1) and with which response code (RFC 5530), without the words."""

    result: str
    code: str

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked."""
        return self.result == "OK"

    @staticmethod
    def read(result: str, lines: Sequence[bytes]) -> Answer:
        """The result of a command and the code in the last of its lines."""
        words = bytes(lines[-1]) if lines else b""
        code = _CODE.match(words)
        if code is None and result != "OK" and _BUSY.match(words):
            return Answer(result, "UNAVAILABLE")
        return Answer(result, code[1].decode("ascii").upper() if code else "")


def uids(lines: Sequence[bytes]) -> list[str]:
    """The UIDs that UID SEARCH found. The last line is how the command ended."""
    return [word.decode("ascii") for line in lines[:-1] for word in bytes(line).split() if _NUMBER.fullmatch(word)]


def permanent_flags(lines: Sequence[bytes]) -> frozenset[str] | None:
    """The flags that stay, in lower case, as SELECT answers; None when it does not say, and then all do."""
    for line in lines:
        found = _PERMANENT.search(bytes(line))
        if found is not None:
            words = found[1].decode("ascii", "replace").lower()
            return frozenset(_TORN.sub(r"\\* ", words).split())
    return None


def flags_of(lines: Sequence[bytes], uid: str) -> frozenset[str] | None:
    """The flags of one mail, in lower case, as STORE answers; None when it does not say."""
    for line in lines[:-1]:
        if _FETCHED.match(bytes(line)):
            whose, flags = _UID.search(bytes(line)), _FLAGS.search(bytes(line))
            if whose is not None and flags is not None and whose[1].decode("ascii") == uid:
                return frozenset(flags[1].decode("ascii", "replace").lower().split())
    return None
