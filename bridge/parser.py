"""Reads a raw email into a submission: who wrote, which thread, and the words to text; before any decision is made.

Whatever octets come in, a `Submission` or a `MailRefusal` comes out, in time proportional to their number.
"""

from __future__ import annotations

import hashlib
import re

from bridge.errors import MailRefusal, Reason
from bridge.reading import headers
from bridge.reading.automatic import is_automatic, is_automatic_answer
from bridge.reading.headers import Fields, display_names
from bridge.reading.options import read_options
from bridge.reading.words import Form, read_words
from bridge.types import NO_HABITS, Habits, Submission

LAST_REFERENCES = 10
"""Message-IDs of a thread that are kept beside its first one."""

_NAMES_AND_COMMENTS = re.compile(r'"(?:[^"\\]|\\.)*"(?!@)|\([^()]*\)')
_ANGLE_ADDRESS = re.compile(r"<([^<>]*)>")
_ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]+@[A-Za-z0-9.\-\[\]:]+")

_AUTOMATIC = (
    "This is an automatic answer or a report, and a text made from it could start a loop: "
    "write a mail of your own to the number."
)

_OUR_FIELDS = ("x-sms-status", "x-sms-match", "x-sms-received")
"""One of these stands in every report, and in every mail that an SMS becomes."""

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
_JUNK = "The mail holds no readable text: write the words into the body of the mail, in UTF-8."


def parse(
    raw: bytes,
    habits: Habits = NO_HABITS,
    form: Form | None = None,
    *,
    numbers_within: bool = False,
) -> Submission:
    """The submission that `raw` makes, read as the `habits` of its mailbox say, and as the other service reads it whose
    `form` it has. With `numbers_within` the mail goes to a fixed address and must name its phones. Raises
    `MailRefusal`: automatic mail, bad header, bad order, encrypted, empty text, no number.
    """
    fields, header_end, start = headers.split(raw, 0, len(raw))
    subject = headers.decoded(fields.raw("subject"))
    if _is_automatic(fields, subject):
        raise MailRefusal(Reason.AUTOMATIC_MAIL, _AUTOMATIC)
    options = read_options(fields)
    words = read_words(raw[start:], fields, subject, habits, form, numbers_within=numbers_within)
    if _unreadable(words.text):
        raise MailRefusal(Reason.EMPTY_TEXT, _JUNK)
    message_id = headers.message_id(fields.raw("message-id"))
    return Submission(
        message_id=message_id,
        fingerprint=_fingerprint(message_id, words.written, raw),
        header_from=_header_from(fields),
        subject=subject,
        references=_references(fields),
        text=words.text,
        cuts=words.cuts,
        warnings=words.warnings,
        options=options if form is None else options.over(words.options),
        headers=raw[:header_end],
        wants_receipt="return-receipt-to" in fields,
        numbers=words.numbers,
        wishes=words.wishes,
        passwords=words.passwords,
        names=display_names(fields),
        invitation=words.invitation,
    )


def is_from_a_machine(raw: bytes) -> bool:
    """Whether a mail says that no person wrote it: not only an answer, as for a text, but any mail of a program's own.
    Raises MailRefusal for a header that cannot be read."""
    fields, _, _ = headers.split(raw, 0, len(raw))
    return is_automatic(fields) or _is_automatic(fields, headers.decoded(fields.raw("subject")))


def _is_automatic(fields: Fields, subject: str) -> bool:
    """Bounces, vacation answers and our own mails (RFC 3834 section 5, RFC 6522); machines' own mails are welcome."""
    if _is_report(fields) or is_automatic_answer(fields, subject):
        return True
    return "x-auto-response-suppress" in fields and any(name in fields for name in _OUR_FIELDS)


def _is_report(fields: Fields) -> bool:
    says = b"report" in fields.raw("content-type").lower()  # few do, and looking closer costs a tenth of the whole
    return says and headers.content_type(fields).type == "multipart/report"


def _unreadable(text: str) -> bool:
    """Octets that are no text in any charset: a picture or a program sent as if it were one."""
    return len(_NOT_TEXT.findall(text)) * 5 > len(text)


def _fingerprint(message_id: str, written: str, raw: bytes) -> str:
    """See `Submission.fingerprint`: with a Message-ID the words count too, since there are devices that give all their
    mails the same one. The blanks between them do not: a relaxed signature (RFC 6376 section 3.4) leaves these open."""
    same = " ".join(written.split()).encode("utf-8", "surrogatepass") if message_id else raw
    return f"{message_id}sha256:{hashlib.sha256(same).hexdigest()}"


def _references(fields: Fields) -> tuple[str, ...]:
    """The thread the mail answers; the first and the last ten of a long one (RFC 5322 section 3.6.4)."""
    for name in ("references", "in-reply-to"):
        found = headers.MESSAGE_ID.findall(_all_on_one_line(fields, name))
        if len(found) > LAST_REFERENCES + 1:
            found = [found[0], *found[-LAST_REFERENCES:]]
        if found:
            return tuple(found)
    return ()


def _all_on_one_line(fields: Fields, name: str) -> str:
    raw = fields.raw(name)
    return " ".join(raw[-headers.MAX_VALUE :].decode("ascii", "replace").split())


def _header_from(fields: Fields) -> str:
    """The address of the first author (RFC 5322 section 3.4); names in quotes and comments are passed over."""
    first = _NAMES_AND_COMMENTS.sub("", fields.line("from")[:1_000]).partition(",")[0]
    found = _ANGLE_ADDRESS.search(first)
    address = found[1] if found is not None else first.rpartition(":")[2].strip(" ;")
    return address if _ADDRESS.fullmatch(address) else ""
