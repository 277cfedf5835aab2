"""What the settings say about mail: the relay, the IMAP accounts and the signature, ready for the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from bridge.consent.renewal import Consents
from bridge.consent.source import TokenSource
from bridge.consent.token_file import TokenFile
from bridge.errors import SettingsError
from bridge.mailback.dkim import Signer
from bridge.mailback.imap import Folders, FolderSettings
from bridge.mailback.imap_inbox import Account
from bridge.mailback.relay import RelaySettings
from bridge.settings import ImapSettings, RelayProtocol, Settings
from bridge.settings import RelaySettings as Relayed
from bridge.types import OutgoingMail

_T = TypeVar("_T")


def open_folders(settings: Settings, consents: Consents) -> dict[str, Folders]:
    """The IMAP account of every mailbox that has its conversations filed, by login; the caller closes them.

    Raises SettingsError.
    """
    return _opened("filing", settings.filing, consents, Folders)


def open_watched(settings: Settings, consents: Consents) -> dict[str, Account]:
    """Every mailbox that is watched, by its address. Raises SettingsError."""
    return _opened("watch", settings.watch, consents, Account)


def _opened(
    top: str, accounts: Mapping[str, ImapSettings], consents: Consents, make: Callable[[FolderSettings], _T]
) -> dict[str, _T]:
    found = {}
    for name, account in accounts.items():
        try:
            found[name] = make(_reached(account, consents))
        except SettingsError as error:
            key = f'{top}."{name}".{error.key.removeprefix("imap.")}'
            raise SettingsError(key, error.value, error.remedy) from error
    return found


def _reached(account: ImapSettings, consents: Consents) -> FolderSettings:
    return FolderSettings(
        host=account.host,
        port=account.port,
        tls=account.tls,
        username=account.username,
        password=account.password.get_secret_value() if account.password is not None else "",
        auth=account.auth,
        token=_token(account, consents),
        ca_file=account.ca_file,
    )


def _token(account: ImapSettings | Relayed, consents: Consents) -> TokenSource | None:
    """Where the access token of a login comes from; None for one by password."""
    if account.oauth:
        return consents.of(account.oauth, account.username)
    return TokenFile(account.token_file) if account.token_file is not None else None


def relay_settings(settings: Settings, consents: Consents) -> RelaySettings:
    """How the mail server is reached that takes the bridge's own mails."""
    relay = settings.relay
    return RelaySettings(
        host=relay.host,
        port=relay.port,
        tls=relay.tls,
        username=relay.username,
        password=relay.password.get_secret_value() if relay.password is not None else "",
        auth=relay.auth,
        token=_token(relay, consents),
        ca_file=relay.ca_file,
        hostname=settings.hostname,
        lmtp=relay.protocol is RelayProtocol.LMTP,
        socket=relay.socket,
    )


def open_signer(settings: Settings) -> Signer | None:
    """What signs the bridge's own mails; None when they leave unsigned. Raises SettingsError."""
    dkim = settings.dkim
    return Signer(dkim.domain or settings.domain, dkim.selector, dkim.key_file) if dkim.key_file is not None else None


def signing(settings: Settings) -> Callable[[OutgoingMail], OutgoingMail]:
    """What every composed mail passes through once, so that each try to deliver it hands over the same.

    Raises SettingsError.
    """
    signer = open_signer(settings)
    if signer is None:
        return lambda mail: mail
    return lambda mail: replace(mail, raw=signer.sign(mail.raw))
