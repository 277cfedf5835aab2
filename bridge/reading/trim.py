"""Cuts what nobody wants texted: quoted mails, signatures, lines that mail programs add; after `mime`, before the SMS.

Two rules stand above the others. In doubt a line is kept, since a lost word is worse than a paid one. And what is
cut is handed on, since the preview and the report show it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from bridge.reading.layouts import ATTRIBUTION, DEVICE, LABEL, RULE, SENDER_LABEL, SEPARATOR
from bridge.types import Cut

MAX_MARKS = 30
"""Combining marks on one character; more is no language (Unicode UAX #15, Stream-Safe Text Format), and sorting them
takes quadratic time."""

_ATTRIBUTION_LINES = 4
_ATTRIBUTION_LENGTH = 400
_BARE_SIGNATURE_LINES = 15
_HEADER_BLOCK_LINES = 10

# Joiners spell words in Arabic and Indic scripts and hold emoji together; elsewhere they are invisible weight.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
    "|(?<![\u0600-\u0dff])\u200c"
    "|(?<![\u0600-\u0dff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f])\u200d"
)
_LINE_ENDS = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANK_LINES = re.compile(r"\n{4,}")
_ADDRESS = re.compile(r"\S@\S")
_TIME = re.compile(r"\d{1,2}[:.]\d{2}\b")
_DAY = re.compile(r"\b\d{4}\b|\d{1,2}[/.-]\d{1,2}[/.-]\d{2}")
_MANY_MARKS = re.compile(f"[\u0300-\U0010ffff]{{{MAX_MARKS + 1},}}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of finding what to leave out; `find` gives the kept and the cut lines, or None when nothing is to cut."""

    name: str
    find: Callable[[list[str]], tuple[list[str], list[str]] | None]


def trim(text: str) -> tuple[str, tuple[Cut, ...]]:
    """The words to text, and what was cut in the order of the rules; pure, in time proportional to the text."""
    lines = normalise(text).split("\n")
    cuts: list[Cut] = []
    for rule in RULES:
        found = rule.find(lines)
        if found is not None:
            lines, cut = found
            cuts.append(Cut(rule.name, "\n".join(cut).strip()))
    return _tidy("\n".join(lines)), tuple(cuts)


def normalise(text: str) -> str:
    """The same words in composed characters (NFC) on lines that end in LF, without what no phone can show."""
    text = _LINE_ENDS.sub("\n", text).replace("\t", " ")
    text = _CONTROLS.sub("", text)
    if not text.isascii():
        text = _INVISIBLE.sub("", _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text))
        text = unicodedata.normalize("NFC", _MANY_MARKS.sub(_fewer_marks, text))
    return text


def _tidy(text: str) -> str:
    return _BLANK_LINES.sub("\n\n\n", "\n".join(map(str.rstrip, text.split("\n")))).strip()


def _fewer_marks(match: re.Match[str]) -> str:
    kept: list[str] = []
    run = 0
    for char in match[0]:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def _header_block(lines: list[str]) -> tuple[list[str], list[str]] | None:
    """A quoted or forwarded mail under a header block or a line that announces it, down to the end."""
    for index, line in enumerate(lines):
        if ":" not in line and "--" not in line and "__" not in line and "**" not in line:
            continue
        bare = line.strip()
        if SEPARATOR.fullmatch(bare) or _starts_header_block(lines, index):
            start = index
            while start and (not lines[start - 1].strip() or RULE.fullmatch(lines[start - 1].strip())):
                start -= 1
            return lines[:start], lines[start:]
    return None


def _starts_header_block(lines: list[str], index: int) -> bool:
    """A sender label and at least two different other ones close below: one or two labels may be a person's own."""
    if not SENDER_LABEL.fullmatch(lines[index].strip()):
        return False
    following = (LABEL.fullmatch(line.strip()) for line in lines[index + 1 : index + _HEADER_BLOCK_LINES])
    return len({match[1] for match in following if match}) >= 2


def _quotation(lines: list[str]) -> tuple[list[str], list[str]] | None:
    """Attributions and the quotations under them. Words between and below quoted lines are the person's own answer."""
    if not any(line.startswith(">") or line.endswith(":") for line in map(str.rstrip, lines)):
        return None
    kept: list[str] = []
    cut: list[str] = []
    index = 0
    while index < len(lines):
        attribution = _attribution_length(lines, index)
        quoted = index + attribution
        while attribution and quoted < len(lines) and not lines[quoted].strip():
            quoted += 1
        unmarked = attribution and (quoted >= len(lines) or not _is_quoted(lines[quoted]))
        if unmarked and (quoted >= len(lines) or _is_beyond_doubt(lines[index : index + attribution])):
            # The program that wrote this did not mark the quotation: there is nothing to tell it from an answer.
            return kept, cut + lines[index:]
        end = _quoted_end(lines, quoted) if quoted < len(lines) and _is_quoted(lines[quoted]) else quoted
        if end - quoted >= (1 if attribution else 2):
            cut += lines[index:end]
            index = end
        else:
            kept.append(lines[index])
            index += 1
    return (kept, cut) if cut else None


def _attribution_length(lines: list[str], index: int) -> int:
    """How many lines the attribution at `index` takes, 0 when there is none; programs wrap it at 76 characters."""
    if not lines[index].strip():
        return 0
    joined = ""
    for length in range(1, _ATTRIBUTION_LINES + 1):
        if index + length > len(lines):
            return 0
        line = lines[index + length - 1].lstrip("> ").rstrip()
        if not line:
            return 0
        joined = f"{joined} {line}".strip()
        if len(joined) > _ATTRIBUTION_LENGTH:
            return 0
        if line.endswith(":"):
            if ATTRIBUTION.fullmatch(joined):
                return length
            # In a language without a row here, the colon over a quotation and an address or time still tell.
            below = index + length
            if length == 1 and below < len(lines) and _is_quoted(lines[below]) and re.search(r"\S@\S|\d[:.]\d\d", line):
                return 1
    return 0


def _is_beyond_doubt(attribution: list[str]) -> bool:
    """Whether it names an address, or both a day and a time; less may be a person's own "On Monday she wrote:"."""
    joined = " ".join(attribution)
    return bool(_ADDRESS.search(joined) or (_TIME.search(joined) and _DAY.search(joined)))


def _is_quoted(line: str) -> bool:
    return line.startswith(">")


def _quoted_end(lines: list[str], start: int) -> int:
    """The end of the run of quoted lines at `start`; blank lines inside it belong to it."""
    end = index = start
    while index < len(lines) and (_is_quoted(lines[index]) or not lines[index].strip()):
        index += 1
        if _is_quoted(lines[index - 1]):
            end = index
    return end


def _signature(lines: list[str]) -> tuple[list[str], list[str]] | None:
    """What follows "-- " (RFC 3676 section 4.3), or "--" when little enough follows to be a signature."""
    for index, line in enumerate(lines):
        if line == "-- " or (line.rstrip() == "--" and len(lines) - index <= _BARE_SIGNATURE_LINES):
            return lines[:index], lines[index:]
    return None


def _device(lines: list[str]) -> tuple[list[str], list[str]] | None:
    """The last line, when a phone's mail program wrote it."""
    last = next((index for index in range(len(lines) - 1, -1, -1) if lines[index].strip()), None)
    if last is None or not DEVICE.fullmatch(lines[last].strip()):
        return None
    return lines[:last], lines[last:]


RULES = (
    Rule("quoted mail", _header_block),
    Rule("quote", _quotation),
    Rule("signature", _signature),
    Rule("device line", _device),
)
"""The rules in their order: quotations first, so that the signature and device line above them come last."""
