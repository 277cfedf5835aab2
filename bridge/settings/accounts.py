"""The sections of IMAP accounts: those that conversations are filed in, and those that are watched; and as whom the
bridge asks their provider to open them."""

from __future__ import annotations

from pydantic import SecretStr

from bridge.settings.choices import FiledState, MailAuth, OAuthProvider, TlsMode
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
    auth: MailAuth = MailAuth.PASSWORD
    username: str
    password: SecretStr | None = None
    password_file: FilePath | None = None
    token_file: FilePath | None = None
    """Where the access token stands; it is read at every login, since another program renews it."""
    oauth: str = ""
    """In its place: the name in `[oauth]` of the application that somebody has consented to."""
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


class OAuthSettings(Section):
    """An application whose access tokens open mailboxes that somebody has consented for: `[oauth.NAME]`."""

    provider: OAuthProvider
    client_id: str
    client_secret: SecretStr | None = None
    client_secret_file: FilePath | None = None
    tenant: str = "organizations"
    """Which accounts may consent at Microsoft: a directory by its id or domain, or all of a kind."""
    scopes: tuple[str, ...] = ()
    """With another provider: the rights that are asked for, and"""
    token_url: str = ""
    """where it gives tokens,"""
    device_url: str = ""
    """where it gives codes for other devices (RFC 8628), and"""
    authorize_url: str = ""
    """the page on which one consents; at least one of the two."""
