"""What a mail would send: the answer of `bridge preview` and of the address `preview@…`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bridge.errors import Reason
from bridge.types.mail import Cut, Submission
from bridge.types.mailbox import Mailbox, UnicodePolicy
from bridge.types.taken import NewMessage


@dataclass(frozen=True, slots=True)
class PreviewRefusal:
    """A recipient that would get nothing."""

    address: str
    reason: Reason
    reply: str
    """What its sender would be told over SMTP."""
    sentence: str = ""
    """The same without its codes, in all its characters."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a mail would come to, without being sent."""

    login: str | None
    """Of the mailbox that sends it; None when nobody may."""
    messages: tuple[NewMessage, ...] = ()
    """Each phone once; without a number where only the text was asked for."""
    cuts: tuple[Cut, ...] = ()
    refused: tuple[PreviewRefusal, ...] = ()
    warnings: tuple[str, ...] = ()
    send_at: datetime | None = None
    """What the mail asks for."""
    signature: str = ""
    """What ends this mail and may be learned as a signature."""
    submission: Submission | None = field(default=None, repr=False)
    """What was read in it; None where nothing was."""

    def reference_of(self, message: NewMessage) -> str | None:
        """The sender's own reference for a message: that of its phone, else that of the whole mail."""
        if message.reference is not None or self.submission is None:
            return message.reference
        return self.submission.options.reference

    def policy(self, chosen: UnicodePolicy) -> UnicodePolicy:
        """What became of characters outside the GSM 7-bit alphabet: as the mail asks, else as its mailbox has
        `chosen`."""
        asked = self.submission.options.unicode if self.submission is not None else None
        return asked or chosen


@dataclass(frozen=True, slots=True)
class PreviewNotice:
    """All that the answer to `preview@…` says; `notices.previewed` makes the mail of it."""

    notice_id: str
    """Our own id: the local part of the answer's Message-ID."""
    to: str
    mailbox: Mailbox
    preview: Preview
    message_id: str
    """Message-ID of the mail it answers, or empty."""
    references: tuple[str, ...]
    subject: str
    created_at: datetime
