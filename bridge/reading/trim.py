"""Cuts what nobody wants texted: quoted mails, signatures, lines that mail programs add; after `mime`, before the SMS.

Two rules stand above the others. In doubt a line is kept, since a lost word is worse than a paid one. And what is
cut is handed on, since the preview and the report show it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from bridge.reading.boilerplate import banner, disclaimer, placeholders
from bridge.reading.closings import contacts, devices, end_mark, learned, signature
from bridge.reading.layouts import ANSWER_SUBJECT, FORWARD_SUBJECT, LABEL, SEPARATOR
from bridge.reading.quoted_mails import passed_on, quoted_mail
from bridge.reading.quotes import Found, is_quotation, quotation
from bridge.types import NO_HABITS, Cut, CutRule, Habits

MAX_MARKS = 30
"""Combining marks on one character; more is no language (Unicode UAX #15, Stream-Safe Text Format), and sorting them
takes quadratic time."""

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
_MANY_MARKS = re.compile(f"[\u0300-\U0010ffff]{{{MAX_MARKS + 1},}}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of finding what to leave out; `find` gives the kept and the cut lines, or None when nothing is to cut."""

    name: CutRule
    find: Callable[[list[str]], Found]


def trim(text: str, subject: str = "", habits: Habits = NO_HABITS) -> tuple[str, tuple[Cut, ...]]:
    """The words to text, and what was cut in the order of the rules; pure, in time proportional to the text.

    The `subject` tells an answer from a mail that is passed on, where nothing is written above either. The `habits` of
    the mailbox switch rules off, and say what else ends its mails.
    """
    lines = normalise(text).split("\n")
    kept, cuts = _cut(lines, habits)
    if not any(map(str.strip, kept)):
        kept, cuts = _unwritten(cuts, subject, habits)
    elif CutRule.QUOTE not in habits.kept and is_quotation(kept):
        words, cuts_of_all = _unwritten((*cuts, Cut(CutRule.QUOTE, "\n".join(kept).strip())), subject, habits)
        if words or ANSWER_SUBJECT.match(subject):
            kept, cuts = words, cuts_of_all
    return _tidy("\n".join(kept)), cuts


def _unwritten(cuts: tuple[Cut, ...], subject: str, habits: Habits) -> tuple[list[str], tuple[Cut, ...]]:
    """What is texted of a mail in which nothing is written above what it quotes, and the cuts after all."""
    at = next((at for at, cut in enumerate(cuts) if cut.rule in {CutRule.QUOTED_MAIL, CutRule.QUOTE}), None)
    if at is None or ANSWER_SUBJECT.match(subject):
        return [], cuts
    quoted = cuts[at].text.split("\n")
    announced = SEPARATOR.match(quoted[0].strip())
    found = passed_on(quoted, forwarded=bool(announced or FORWARD_SUBJECT.match(subject)))
    if found is not None:
        if CutRule.QUOTED_MAIL in habits.kept:
            return quoted, (*cuts[:at], *cuts[at + 1 :])
        words, inner = _cut(found[0], habits)
        return words, (*cuts[:at], Cut(CutRule.QUOTED_MAIL, "\n".join(found[1]).strip()), *cuts[at + 1 :], *inner)
    if LABEL.fullmatch(quoted[0].strip()):  # a form of its own, not a mail that somebody quotes
        return quoted, (*cuts[:at], *cuts[at + 1 :])
    return [], cuts


def _cut(lines: list[str], habits: Habits) -> tuple[list[str], tuple[Cut, ...]]:
    """What all rules leave, and what each of them cuts."""
    cuts: list[Cut] = []
    all_rules, ends = _rules(habits)
    rules = list(reversed(all_rules))
    while rules and lines:
        rule = rules.pop()
        found = rule.find(lines)
        if found is not None:
            lines, cut = found
            if rule.name is CutRule.QUOTE:
                rules += reversed(ends)
            cuts.append(Cut(rule.name, "\n".join(cut).strip()))
    return lines, tuple(cuts)


@lru_cache(maxsize=256)
def _rules(habits: Habits) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The rules of a mailbox in their order, and those for what ends a mail, which is looked for again above a
    quotation.
    """
    ends = (
        Rule(CutRule.DISCLAIMER, disclaimer),
        Rule(CutRule.SIGNATURE, signature),
        Rule(CutRule.CONTACT_DETAILS, contacts),
        Rule(CutRule.DEVICE_LINE, devices),
        *([Rule(CutRule.LEARNED_SIGNATURE, learned(habits.signatures))] if habits.signatures else ()),
    )
    rules = (
        Rule(CutRule.PICTURE, placeholders),
        Rule(CutRule.BANNER, banner),
        Rule(CutRule.END_MARK, end_mark(habits.end_marks)),
        Rule(CutRule.QUOTED_MAIL, quoted_mail),
        *ends,
        Rule(CutRule.QUOTE, quotation),
    )
    wanted = tuple(rule for rule in rules if rule.name not in habits.kept)
    return wanted, tuple(rule for rule in wanted if rule in ends)


def normalise(text: str) -> str:
    """The same words in composed characters (NFC) on lines that end in LF, without what no phone can show."""
    text = _LINE_ENDS.sub("\n", text).replace("\t", " ")
    text = _CONTROLS.sub("", text)
    if not text.isascii():
        text = _INVISIBLE.sub("", _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text))
        if _MANY_MARKS.search(text):
            text = _marks_that_are_too_many().sub(r"\1", text)
        text = unicodedata.normalize("NFC", text)
    return text


def _tidy(text: str) -> str:
    return _BLANK_LINES.sub("\n\n\n", "\n".join(map(str.rstrip, text.split("\n")))).strip()


@cache
def _marks_that_are_too_many() -> re.Pattern[str]:
    marks = "".join(char for char in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(char))
    return re.compile(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+")
