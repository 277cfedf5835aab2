"""How a phone stands in a header of our mails: shown as people write its number, and texted when it is answered."""

from __future__ import annotations

import re

from bridge.notices import mime
from bridge.sms.numbers import international

_QUOTES = re.compile(r'["\\]')
_NOT_DIALABLE = re.compile(r"[^+0-9A-Za-z]")


def phone_address(number: str, domain: str) -> str:
    """The address of the phone with its display name; of a number from outside, only what can be dialled is kept."""
    local_part = _NOT_DIALABLE.sub("", number) or "unknown"
    return f'"{_QUOTES.sub("", mime.one_line(international(number)))}" <{local_part}@{domain}>'
