"""App passwords as people see them: made when one is added, recognised when somebody logs in with it.

Twenty-four letters and digits in groups of four, as in `k4pt-…`: 120 bits of chance, far beyond guessing, so that no
slow hash has to stand before them (`access.scram`).
"""

from __future__ import annotations

import secrets

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
"""The alphabet of base32 (RFC 4648 section 6) in lower case: neither 0 nor 1, which look like O and l."""
_LENGTH = 24
_GROUP = 4


def generate() -> str:
    """A new one."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def as_generated(password: str) -> str | None:
    """What somebody gave as a password, as it was generated, if it has that form: capitals, and groups that are joined
    or stand apart, are the same. None for what cannot be an app password."""
    letters = password.lower().replace("-", "").replace(" ", "")
    if len(letters) != _LENGTH or not set(letters) <= set(_LETTERS):
        return None
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
