"""Shows mails as a person's mail program does: sender, subject, words, and which belong to one thread. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from bridge.simulator.record import SENT, StoredMail


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, decoded. What it does not say is empty; addresses are bare."""

    id: str
    folder: str
    sender: str
    sender_name: str
    to: str
    subject: str
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    received_at: str
    text: str
    statuses: tuple[str, ...]
    """Every `X-SMS-Status`, in the order of the recipients."""
    match: str
    """`X-SMS-Match`: how it was decided whose reply this is."""


def read_letter(mail: StoredMail) -> Letter:
    """The mail as a person sees it. Any bytes at all give a letter."""
    message = message_from_bytes(mail.raw, policy=policy.compat32)
    senders = getaddresses([_header(message, "From")])
    sender_name, sender = senders[0] if senders else ("", "")
    to = ", ".join(address for _, address in getaddresses([_header(message, "To")]) if address)
    in_reply_to = _header(message, "In-Reply-To")
    return Letter(
        id=mail.id,
        folder=mail.folder,
        sender=sender,
        sender_name=sender_name,
        to=to or mail.address,
        subject=_header(message, "Subject"),
        message_id=_header(message, "Message-ID"),
        in_reply_to=in_reply_to,
        references=tuple((_header(message, "References") + " " + in_reply_to).split()),
        received_at=mail.received_at,
        text=_text(message),
        statuses=tuple(str(value).strip() for value in message.get_all("X-SMS-Status", [])),
        match=_header(message, "X-SMS-Match"),
    )


def summary(letter: Letter) -> dict[str, str | None]:
    """The line of a mailbox's list; `null` stands for a header that is not there."""
    return {
        "id": letter.id,
        "folder": letter.folder,
        "from": letter.sender,
        "to": letter.to,
        "subject": letter.subject,
        "message_id": letter.message_id or None,
        "in_reply_to": letter.in_reply_to or None,
        "received_at": letter.received_at,
    }


def view(letter: Letter) -> dict[str, object]:
    """All of a letter, for the page."""
    return {**asdict(letter), "sent": letter.folder == SENT}


def threads(letters: Sequence[Letter]) -> list[list[Letter]]:
    """The letters by conversation: one that names another belongs to it. The thread that changed last comes first."""
    thread_of: dict[str, list[Letter]] = {}
    found: list[list[Letter]] = []
    for letter in letters:
        names = [name for name in (letter.message_id, *letter.references) if name]
        known = {id(thread): thread for name in names if (thread := thread_of.get(name)) is not None}
        thread = next(iter(known.values()), [])
        for other in list(known.values())[1:]:
            thread.extend(other)
            found = [kept for kept in found if kept is not other]
            thread_of = {name: thread if kept is other else kept for name, kept in thread_of.items()}
        if not known:
            found.append(thread)
        thread.append(letter)
        thread_of.update(dict.fromkeys(names, thread))
    ordered = [sorted(thread, key=lambda letter: letter.received_at) for thread in found]
    return sorted(ordered, key=lambda thread: thread[-1].received_at, reverse=True)


def _header(message: Message, name: str) -> str:
    """The first header of this name, decoded (RFC 2047), on one line; as it stands when it cannot be decoded."""
    value = str(message.get(name, ""))
    with contextlib.suppress(LookupError, ValueError):
        value = str(make_header(decode_header(value)))
    return " ".join(value.split())


def _text(message: Message) -> str:
    """The words of the first plain text part that is not attached; empty when there is none."""
    for part in message.walk():
        if part.get_content_type() != "text/plain" or part.get_content_disposition() == "attachment":
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            return _decode(payload, part.get_content_charset("utf-8")).replace("\r\n", "\n").rstrip()
    return ""


def _decode(payload: bytes, charset: str) -> str:
    try:
        return payload.decode(charset, "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")
