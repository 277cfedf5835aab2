"""The table in a digest: one line a text or answer, as a spreadsheet opens it and no spreadsheet computes with it.

Excel takes the separator of its own language, which is the mailbox's in all likelihood, and UTF-8 only behind a byte
order mark. What phones and mails wrote is data: where a spreadsheet would read a formula, or a number out of a phone's
number, an apostrophe stands before it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from zoneinfo import ZoneInfo

from bridge.notices import mime
from bridge.notices.wording import Wording
from bridge.types import Digest, DigestAnswer, DigestText, Language
from bridge.types.digest import ARRIVED, MOST_LINES

MOST_BYTES = 3_000_000
"""As a mail it grows by a third."""

COLUMNS = (
    "time",
    "phone",
    "contact",
    "subject",
    "reference",
    "state",
    "answered",
    "answer",
    "intent",
    "keyword",
    "tag",
)

_LONGEST = 1_000
"""Characters of a cell."""

_SEMICOLON = frozenset({Language.ITALIAN, Language.SPANISH, Language.DUTCH})
"""Languages whose numbers have a decimal comma."""

_FORMULA = re.compile("[=+@\t\r\uff1d\uff0b\uff20\uff0d-]")
"""How a formula may begin; the wide ones count where Excel speaks Japanese."""

_HIDDEN_FORMULA = re.compile(r'([;,]["\s]{0,8})(?=[=@]|[+-][^\s)])')
"""Where one would begin for a spreadsheet that splits lines at the other separator."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The file."""

    data: bytes
    lines: int
    """Texts and answers in it; the newest ones, where not all had room."""


def sheet(digest: Digest, wording: Wording, timezone: str) -> Sheet:
    """The table of a digest, with times in the IANA zone `timezone`; newest first."""
    zone = ZoneInfo(timezone)
    out = io.StringIO()
    separator = ";" if wording.language in _SEMICOLON else ","
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(wording.say(f"digest.column.{name}") for name in COLUMNS)
    data = bytearray(b"\xef\xbb\xbf" + out.getvalue().encode())
    lines = 0
    for row in _rows(digest, wording, zone):
        out.seek(0)
        out.truncate()
        writer.writerow(row)
        line = out.getvalue().encode()
        if lines == MOST_LINES or len(data) + len(line) > MOST_BYTES:
            break
        data += line
        lines += 1
    return Sheet(bytes(data), lines)


def harmless(text: str) -> str:
    """Text as a cell that no spreadsheet takes for a formula, on one line."""
    line = mime.one_line(text, _LONGEST)
    guarded = "'" + line if _FORMULA.match(text) or _FORMULA.match(line) else line
    return _HIDDEN_FORMULA.sub(r"\1'", guarded)


def _rows(digest: Digest, wording: Wording, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    everything: chain[DigestText | DigestAnswer] = chain(digest.texts_listed, digest.answers_listed)
    for each in sorted(everything, key=lambda one: one.at, reverse=True):
        yield (
            f"{each.at.astimezone(zone):%Y-%m-%d %H:%M}",
            _number(each.number),
            harmless(each.contact),
            harmless(each.subject),
            *(_text(each, wording) if isinstance(each, DigestText) else _answer(each, wording)),
        )


def _number(number: str) -> str:
    """A number with its plus sign and its zeros, which a spreadsheet would take away."""
    shown = harmless(number)
    return shown if shown.startswith("'") or not shown else f"'{shown}"


def _text(text: DigestText, wording: Wording) -> tuple[str, ...]:
    answered = str(int(text.answered)) if text.state in ARRIVED else ""
    return harmless(text.reference), wording.say(f"digest.state.{text.state}"), answered, "", "", "", ""


def _answer(answer: DigestAnswer, wording: Wording) -> tuple[str, ...]:
    intent = wording.say(f"digest.intent.{answer.intent}") if answer.intent is not None else ""
    words = (harmless(each) for each in (answer.text, intent, answer.keyword, answer.tag))
    return "", wording.say("digest.answer"), "", *words
