"""Which words of a mail are texted, and to whom where the mail itself says so: body, subject, another service's form.

The last step of the parser before the SMS: `mime` has decoded the body, `trim` cuts it, `grammars` read the forms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bridge.errors import MailRefusal, Reason
from bridge.reading.grammars import GRAMMARS, Order, read_order
from bridge.reading.headers import Fields
from bridge.reading.mime import Body, read_body
from bridge.reading.subjects import bare_subject, number_list
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
    numbers: tuple[str, ...] = ()
    """Telephone numbers that the mail names, as written."""
    cuts: tuple[Cut, ...] = ()
    warnings: tuple[str, ...] = ()
    invitation: Invitation | None = None
    options: Options = NO_OPTIONS
    wishes: Wishes = NO_WISHES
    passwords: tuple[str, ...] = ()


_NO_ORDER = Order()


def read_words(
    body: bytes, fields: Fields, subject: str, habits: Habits, form: Form | None, *, numbers_within: bool
) -> Words:
    """The words of the mail with header `fields`, `body` (lines end in LF) and decoded `subject`. With `numbers_within`
    it must name its phones. Raises `MailRefusal`: nothing to text, no number, encrypted, a form that is broken.
    """
    if form is None and not numbers_within and habits.subject is SubjectUse.TEXT:
        return Words(_of_subject(subject), warnings=(_BODY_LEFT_OUT,))
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
    if order.text is not None and order.final:
        left_out = (Cut(CutRule.END_MARK, order.left_out),) if order.left_out else ()
        return Words(_said(normalise(order.text).strip()), _found(order.numbers, numbers_within), left_out)
    text, cuts = trim(content.text if order.text is None else order.text, subject, habits)
    cuts = content.cuts + cuts
    use = habits.subject if order.subject is None else order.subject
    bare = bare_subject(subject)
    numbers = order.numbers
    if numbers_within and not numbers:
        numbers = number_list(bare)
        if numbers:
            use = SubjectUse.IGNORED
        else:
            first, _, rest = text.partition("\n")
            numbers, text = _found(number_list(first), numbers_within), rest.lstrip("\n")
    if order.text is None:
        if use is SubjectUse.TEXT:
            return Words(_of_subject(subject), numbers, warnings=(*content.warnings, _BODY_LEFT_OUT))
        if use is SubjectUse.BEFORE and bare:
            text = f"{bare}\n{text}".rstrip("\n")
    invitation = None if text else content.invitation
    if invitation is None:
        _said(text, cut=bool(cuts))
    return Words(text, numbers, cuts, content.warnings, invitation)


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
