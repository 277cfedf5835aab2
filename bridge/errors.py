"""The error tree of the bridge, below every other room: what went wrong, whose fault it is and what to do.

    BridgeError
    ├── SettingsError          a key of the configuration: key, value, remedy (exit code 2)
    │   └── SettingsErrors     all that is wrong with a configuration, at once
    ├── UsageError             a command line that cannot be carried out (exit code 2)
    ├── NotFound               a mailbox, message or file that the command names is not there (exit code 1)
    ├── NotPossible            what is there does not allow what the command asks (exit code 1)
    ├── StoreUnavailable       the database cannot be read or written now; nothing was changed
    ├── MailRefused            an outgoing mail that its server refused, for good or for now
    └── Refusal                what a sender is told over SMTP
        ├── RecipientRefusal   this recipient only; the other recipients of the mail go on
        └── MailRefusal        the mail as a whole

A `Refusal` carries a `Reason` (the closed list that notices translate), the SMTP reply of that reason
(RFC 5321 section 4.2, RFC 3463, RFC 5248) and one sentence that says what to change. Sentences are for
the sender and hold at most what the sender wrote himself; `detail` is for the operator's log and holds
neither telephone numbers nor texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Reason(StrEnum):
    """Why a message was not taken, not sent or not delivered; each value has its wording in every language."""

    MALFORMED_NUMBER = "malformed_number"
    UNKNOWN_ALIAS = "unknown_alias"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    PREMIUM_NUMBER = "premium_number"
    LANDLINE = "landline"
    OPTED_OUT = "opted_out"
    UNDECIDED = "undecided"
    FOREIGN_SENDER = "foreign_sender"
    UNVERIFIED = "unverified"
    UNVERIFIED_YET = "unverified_yet"
    RELAYING = "relaying"
    LOGIN_NEEDED = "login_needed"
    BAD_LOGIN = "bad_login"
    EMPTY_TEXT = "empty_text"
    ENCRYPTED = "encrypted"
    TOO_MANY_SEGMENTS = "too_many_segments"
    MAIL_TOO_LARGE = "mail_too_large"
    UNENCODABLE = "unencodable"
    BAD_HEADER = "bad_header"
    BAD_ORDER = "bad_order"
    ORDER_PASSWORD = "order_password"
    BAD_LINES = "bad_lines"
    AUTOMATIC_MAIL = "automatic_mail"
    BEYOND_THREAD = "beyond_thread"
    DAILY_CAP = "daily_cap"
    PAUSED = "paused"
    BUSY = "busy"
    INTERNAL = "internal"
    UNKNOWN_SUBSCRIBER = "unknown_subscriber"
    ABSENT_SUBSCRIBER = "absent_subscriber"
    VALIDITY_EXPIRED = "validity_expired"
    GAVE_UP = "gave_up"
    BARRED = "barred"
    FILTERED = "filtered"
    SENDER_REFUSED = "sender_refused"
    PROVIDER_REFUSED = "provider_refused"
    NO_ANSWER = "no_answer"
    CANCELLED = "cancelled"


REPLIES: dict[Reason, tuple[int, str]] = {
    Reason.MALFORMED_NUMBER: (553, "5.1.3"),
    Reason.UNKNOWN_ALIAS: (550, "5.1.1"),
    Reason.COUNTRY_NOT_ALLOWED: (550, "5.7.1"),
    Reason.PREMIUM_NUMBER: (550, "5.7.1"),
    Reason.LANDLINE: (550, "5.7.1"),
    Reason.OPTED_OUT: (550, "5.7.1"),
    Reason.UNDECIDED: (550, "5.7.1"),
    Reason.FOREIGN_SENDER: (550, "5.7.1"),
    Reason.UNVERIFIED: (550, "5.7.1"),
    Reason.UNVERIFIED_YET: (451, "4.4.3"),
    Reason.RELAYING: (550, "5.7.1"),
    Reason.LOGIN_NEEDED: (530, "5.7.0"),
    Reason.BAD_LOGIN: (535, "5.7.8"),
    Reason.EMPTY_TEXT: (550, "5.6.0"),
    Reason.ENCRYPTED: (550, "5.6.1"),
    Reason.TOO_MANY_SEGMENTS: (552, "5.3.4"),
    Reason.MAIL_TOO_LARGE: (552, "5.3.4"),
    Reason.UNENCODABLE: (550, "5.6.0"),
    Reason.BAD_HEADER: (550, "5.6.0"),
    Reason.BAD_ORDER: (550, "5.6.0"),
    Reason.ORDER_PASSWORD: (550, "5.7.1"),
    Reason.BAD_LINES: (550, "5.6.0"),
    Reason.AUTOMATIC_MAIL: (550, "5.7.1"),
    Reason.BEYOND_THREAD: (550, "5.7.1"),
    Reason.DAILY_CAP: (452, "4.2.2"),
    Reason.PAUSED: (450, "4.2.1"),
    Reason.BUSY: (452, "4.3.1"),
    Reason.INTERNAL: (451, "4.3.0"),
}
"""The SMTP reply of every reason that can be given while the client is still connected."""


STATUS: dict[Reason, str] = {
    **{reason: enhanced for reason, (_, enhanced) in REPLIES.items()},
    Reason.UNKNOWN_SUBSCRIBER: "5.1.1",
    Reason.ABSENT_SUBSCRIBER: "5.4.1",
    Reason.VALIDITY_EXPIRED: "5.4.7",
    Reason.GAVE_UP: "5.4.7",
    Reason.BARRED: "5.2.1",
    Reason.FILTERED: "5.7.1",
    Reason.SENDER_REFUSED: "5.1.8",
    Reason.PROVIDER_REFUSED: "5.3.0",
    Reason.NO_ANSWER: "4.4.7",
    Reason.CANCELLED: "5.7.0",
}
"""The RFC 3463 status code of every reason, for delivery reports (RFC 3464 section 2.3.4)."""


class BridgeError(Exception):
    """Anything the bridge itself raises. `sentence` is for the person, `detail` for the operator."""

    def __init__(self, sentence: str, *, detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail or sentence


class SettingsError(BridgeError):
    """One setting that cannot be used: its key, the offending value (never a secret) and the remedy."""

    def __init__(self, key: str, value: str, remedy: str) -> None:
        super().__init__(f"{key} = {value}: {remedy}")
        self.key = key
        self.value = value
        self.remedy = remedy


class SettingsErrors(SettingsError):
    """Everything that is wrong with a configuration; `complaints` holds one `SettingsError` a key, never none."""

    def __init__(self, complaints: Sequence[SettingsError]) -> None:
        first = complaints[0]
        super().__init__(first.key, first.value, first.remedy)
        self.complaints = tuple(complaints)
        self.sentence = self.detail = "\n".join(complaint.sentence for complaint in complaints)
        self.args = (self.sentence,)


class UsageError(BridgeError):
    """A command that cannot be carried out as it was written."""


class NotFound(BridgeError):
    """The thing that a command names does not exist."""


class NotPossible(BridgeError):
    """The state of a mailbox, message or folder does not allow what a command asks."""


class StoreUnavailable(BridgeError):
    """The database did not take a change: locked, full or gone. Trying again can help."""


class MailRefused(BridgeError):
    """An outgoing mail was not taken. `retryable` says whether trying again can help."""

    def __init__(self, sentence: str, *, retryable: bool, detail: str = "") -> None:
        super().__init__(sentence, detail=detail)
        self.retryable = retryable


class Refusal(BridgeError):
    """What a sender is told: a reason with its SMTP reply, and the sentence that says what to change."""

    def __init__(self, reason: Reason, sentence: str, *, detail: str = "") -> None:
        super().__init__(sentence, detail=detail or reason.value)
        self.reason = reason
        self.code, self.enhanced = REPLIES[reason]

    @property
    def retryable(self) -> bool:
        """Whether the same mail may be taken later (a 4yz reply, RFC 5321 section 4.2.1)."""
        return self.code < 500

    @property
    def reply(self) -> str:
        """The whole reply line: code, enhanced code, sentence; ASCII, as RFC 5321 section 4.2 wants it."""
        text = self.sentence.encode("ascii", "replace").decode("ascii")
        return f"{self.code} {self.enhanced} {' '.join(text.split())}"


class RecipientRefusal(Refusal):
    """One recipient is refused; the others of the same mail are not affected."""


class MailRefusal(Refusal):
    """The mail as a whole is refused."""
