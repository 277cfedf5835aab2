"""Which words of a mail are texted, and to whom where the mail itself says so: body, subject, another service's form.

The last step of the parser before the SMS: `mime` has decoded the body, `trim` cuts it, `grammars` read the forms.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from bridge.errors import MailRefusal, Reason
from bridge.reading.grammars import GRAMMARS, Order, read_order
from bridge.reading.headers import MAX_VALUE, Fields
from bridge.reading.mime import Body, read_body
from bridge.reading.subjects import bare_subject, number_list, numbers_above
from bridge.reading.trim import normalise, trim
from bridge.types import (
    NO_OPTIONS,
    NO_WISHES,
    Cut,
    CutRule,
    GrammarName,
    Habits,
    Invitation,
    Options,
    SubjectUse,
    Wishes,
)

_NO_SUBJECT = "The mail has no subject, and the subject is what this mailbox texts: write the text of the SMS there."
_BODY_LEFT_OUT = "The body was left out: the subject is what is texted."
_NO_NUMBERS = (
    "The mail names no phone: write the numbers into the subject, or alone into the first line, with their country "
    "code, like +393331234567."
)
_SUBJECT_CROPPED = (
    "The subject is too long to be read whole, and numbers may be missing at its end: write the numbers alone into the "
    "first line of the mail."
)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of another service in which a mailbox writes."""

    grammar: GrammarName
    modes: frozenset[str]
    """What the addresses of the mail say about its reading."""
    timezone: str
    """IANA name; hours in such mails are counted in it."""
    at: datetime
    """When the mail came."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is texted of a mail, and what it asks for besides."""

    text: str
    """Empty where there is an `invitation` and nothing else."""
    written: str = ""
    """What it is made of, before anything is cut: two mails with one Message-ID are one if this is the same, whatever
    was learned to be a signature in between."""
    numbers: tuple[str, ...] = ()
    """Telephone numbers that the mail names, as written."""
    cuts: tuple[Cut, ...] = ()
    warnings: tuple[str, ...] = ()
    invitation: Invitation | None = None
    options: Options = NO_OPTIONS
    wishes: Wishes = NO_WISHES
    passwords: tuple[str, ...] = field(default=(), repr=False)


_NO_ORDER = Order()


def read_words(
    body: bytes, fields: Fields, subject: str, habits: Habits, form: Form | None, *, numbers_within: bool
) -> Words:
    """The words of the mail with header `fields`, `body` and decoded `subject`. With `numbers_within` it must name its
    phones. Raises `MailRefusal`: nothing to text, no number, encrypted, a form that is broken.
    """
    if form is None and not numbers_within and habits.subject is SubjectUse.TEXT:
        return Words(_of_subject(subject), subject, warnings=(_BODY_LEFT_OUT,))
    if numbers_within and len(fields.raw("subject")) > MAX_VALUE and not any(map(str.isalpha, bare_subject(subject))):
        raise MailRefusal(Reason.MALFORMED_NUMBER, _SUBJECT_CROPPED)
    content = read_body(body, fields, habits)
    if form is None:
        return _words(content, subject, habits, _NO_ORDER, numbers_within=numbers_within)
    order = read_order(GRAMMARS[form.grammar], subject, content.text, form.modes)
    words = _words(content, subject, habits, order, numbers_within=numbers_within)
    unheeded = tuple(f"{name} is not carried out here." for name in order.unheeded)
    return replace(
        words,
        options=order.options_at(form.at, form.timezone),
        wishes=order.wishes,
        passwords=order.passwords,
        warnings=words.warnings + unheeded,
    )


def _words(content: Body, subject: str, habits: Habits, order: Order, *, numbers_within: bool) -> Words:
    """Body and subject, as the form says, else as the mailbox wants it; a subject that names the phones is no words."""
    use = habits.subject if order.subject is None else order.subject
    bare, written = bare_subject(subject), _written(content, subject, use)
    if order.text is not None and order.final:
        numbers = order.numbers or (number_list(bare) if numbers_within else ())
        left_out = (Cut(CutRule.END_MARK, order.left_out),) if order.left_out else ()
        text = _said(normalise(order.text).strip())
        return Words(text, written, _found(numbers, numbers_within), left_out, content.warnings)
    text, cuts = trim(content.text if order.text is None else order.text, subject, habits)
    cuts = content.cuts + cuts
    numbers = order.numbers
    if numbers_within and not numbers:
        numbers = number_list(bare)
        if numbers:
            use = SubjectUse.IGNORED
        else:
            numbers, text = numbers_above(text)
            _found(numbers, numbers_within)
    if order.text is None and use is SubjectUse.TEXT:
        return Words(_of_subject(subject), written, numbers, warnings=(*content.warnings, _BODY_LEFT_OUT))
    if not text and content.invitation is not None:  # its summary begins with its title, which the subject repeats
        return Words("", written, numbers, cuts, content.warnings, content.invitation)
    if order.text is None and use is SubjectUse.BEFORE and bare:
        text = f"{normalise(bare)}\n{text}".rstrip("\n")
    return Words(_said(text, cut=bool(cuts)), written, numbers, cuts, content.warnings)


def _written(content: Body, subject: str, use: SubjectUse) -> str:
    """All that the text may be made of."""
    words = content.text if use is SubjectUse.IGNORED else f"{subject}\n{content.text}"
    return words if content.invitation is None else f"{words}\n{content.invitation}"


def _of_subject(subject: str) -> str:
    bare = bare_subject(subject)
    if not bare:
        raise MailRefusal(Reason.EMPTY_TEXT, _NO_SUBJECT)
    return normalise(bare)


def _found(numbers: tuple[str, ...], wanted: bool) -> tuple[str, ...]:
    if wanted and not numbers:
        raise MailRefusal(Reason.MALFORMED_NUMBER, _NO_NUMBERS)
    return numbers


def _said(text: str, *, cut: bool = False) -> str:
    if text:
        return text
    if cut:
        raise MailRefusal(
            Reason.EMPTY_TEXT,
            "The mail holds nothing but a quoted mail or a signature: write the text above it.",
        )
    raise MailRefusal(
        Reason.EMPTY_TEXT,
        "The mail holds no text: write the text of the SMS into the body of the mail, not the subject.",
    )
