"""What an operator can choose among: the words that some settings take, and what each means."""

from __future__ import annotations

from enum import StrEnum


class TlsMode(StrEnum):
    """How a connection to a mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class RelayProtocol(StrEnum):
    """What the mail server is spoken to with: that of servers that pass mail on, or that of those that keep it."""

    SMTP = "smtp"
    LMTP = "lmtp"
    """RFC 2033."""


class MailAuth(StrEnum):
    """What a login at a mail server is made with."""

    PASSWORD = "password"
    XOAUTH2 = "xoauth2"
    """An access token, as Google and Microsoft take it."""
    OAUTHBEARER = "oauthbearer"
    """An access token (RFC 7628)."""


class OAuthProvider(StrEnum):
    """Who keeps the mailboxes that somebody consents to open."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"
    OTHER = "other"
    """Whose endpoints the operator names."""


class Ambiguous(StrEnum):
    """Who gets an answer that may be for several mailboxes."""

    LAST = "last"
    """The one that wrote last, with the names of the others."""
    ALL = "all"
    """All of them."""


class ConfirmOrders(StrEnum):
    """Whether the bridge texts an answer to STOP, START and HELP."""

    UNLESS_PROVIDER = "unless-provider"
    """Where the SMS provider does not do so itself."""
    ALWAYS = "always"
    NEVER = "never"


class FiledState(StrEnum):
    """How the folder of a conversation shows that a text did not arrive."""

    MAILS = "mails"
    """The report of it stands beside the text."""
    KEYWORDS = "keywords"
    """The copy of the text is marked, as it is when it has arrived."""


class LogLevel(StrEnum):
    """The least important log line that is still written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a log line looks: one JSON object for machines, or plain text for people."""

    JSON = "json"
    TEXT = "text"
