"""The sections of IMAP accounts: those that conversations are filed in, and those that are watched."""

from __future__ import annotations

from pydantic import SecretStr

from bridge.settings.choices import FiledState, ImapAuth, TlsMode
from bridge.settings.section import FilePath, Port, Section
from bridge.types import FiledKind


def levels(folder: str) -> tuple[str, ...]:
    """The path of a folder that is written with slashes."""
    return tuple(level.strip() for level in folder.split("/"))


class ImapSettings(Section):
    """How an account on an IMAP server is reached."""

    host: str
    port: Port = 993
    tls: TlsMode = TlsMode.IMPLICIT
    auth: ImapAuth = ImapAuth.PASSWORD
    username: str
    password: SecretStr | None = None
    password_file: FilePath | None = None
    token_file: FilePath | None = None
    """Where the access token stands; it is read at every login, since another program renews it."""
    ca_file: FilePath | None = None
    """Authorities to trust instead of the system's, in PEM."""


class FilingSettings(ImapSettings):
    """The IMAP account that a mailbox's conversations are filed in: `[filing."clinic@example.com"]`, by its login."""

    folder: str = "SMS/{number}"
    """Levels with `/` between them; `{number}`, `{contact}` and `{year}` are filled in."""
    what: tuple[FiledKind, ...] = (FiledKind.SENT, FiledKind.REPLIES, FiledKind.FAILURES)
    state: FiledState = FiledState.MAILS


class WatchSettings(ImapSettings):
    """An IMAP mailbox whose mails are texted: `[watch."sms@clinic.example"]`, by its mail address."""

    authserv_ids: tuple[str, ...]
    """Names under which its mail provider says who wrote a mail (RFC 8601 section 2.5), in lower case."""
    folder: str = "INBOX"
    done: str = "SMS/Taken"
    """Where mails go that were taken, and"""
    refused: str = "SMS/Refused"
    """those that were not."""
    subject_numbers: bool = False
    """A mail to the bare address may name its phone in the subject."""
    answers: bool = True
    """Who answers the mail with a phone's SMS writes to this mailbox."""

    @property
    def levels(self) -> tuple[str, ...]:
        """The path of the folder."""
        return levels(self.folder)
