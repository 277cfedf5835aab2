"""How the mails of one mailbox are read: what is cut from them, what ends them, what becomes of the subject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CutRule(StrEnum):
    """The rules that leave out a piece of a mail, as the preview and docs/what-is-texted.md name them."""

    QUOTED_MAIL = "quoted mail"
    QUOTE = "quote"
    SIGNATURE = "signature"
    LEARNED_SIGNATURE = "learned signature"
    CONTACT_DETAILS = "contact details"
    DISCLAIMER = "disclaimer"
    BANNER = "banner"
    DEVICE_LINE = "device line"
    PICTURE = "picture"
    END_MARK = "end mark"


class SubjectUse(StrEnum):
    """What becomes of a mail's subject."""

    IGNORED = "ignored"
    BEFORE = "before"
    """It stands above the text."""
    TEXT = "text"
    """It is the text, and the body is not texted."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What a mailbox wants otherwise than the bridge reads mails by itself."""

    kept: frozenset[CutRule] = frozenset()
    """Rules that are switched off: what they would leave out is texted."""
    end_marks: tuple[str, ...] = ()
    """The mailbox's own, beside those of other services: a line that ends with one ends the text."""
    signatures: tuple[str, ...] = ()
    """What was learned to be its signatures, a text of several lines each."""
    subject: SubjectUse = SubjectUse.IGNORED


NO_HABITS = Habits()
"""Those of a mailbox that set none."""
