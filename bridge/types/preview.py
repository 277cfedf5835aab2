"""What a mail would send: the answer of `bridge preview` and of the address `preview@…`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bridge.errors import Reason
from bridge.types.mail import NO_OPTIONS, Cut, Options, Submission
from bridge.types.mailbox import Mailbox, UnicodePolicy
from bridge.types.taken import NewMessage


@dataclass(frozen=True, slots=True)
class PreviewRefusal:
    """A recipient that would get nothing."""

    address: str
    reason: Reason
    reply: str
    """What its sender would be told over SMTP."""
    sentence: str
    """The same without its codes, in all its characters."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a mail would come to, without being sent."""

    login: str | None
    """Of the mailbox that sends it; None when nobody may."""
    messages: tuple[NewMessage, ...] = ()
    """Each phone once; without a number where only the text was asked for."""
    refused: tuple[PreviewRefusal, ...] = ()
    submission: Submission | None = field(default=None, repr=False)
    """What was read in it; None where nothing was."""

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """What is not texted of the mail."""
        return self.submission.cuts if self.submission is not None else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its author should know."""
        return self.submission.warnings if self.submission is not None else ()

    @property
    def options(self) -> Options:
        """What the mail asks for."""
        return self.submission.options if self.submission is not None else NO_OPTIONS

    def reference_of(self, message: NewMessage) -> str | None:
        """The sender's own reference for a message: that of its phone, else that of the whole mail."""
        return message.reference if message.reference is not None else self.options.reference

    def policy(self, chosen: UnicodePolicy) -> UnicodePolicy:
        """What became of characters outside the GSM 7-bit alphabet: as the mail asks, else as its mailbox has
        `chosen`."""
        return self.options.unicode or chosen


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
