"""What the settings say about mail: the relay, the IMAP accounts and the signature, ready for the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.errors import SettingsError
from bridge.mailback.dkim import Signer
from bridge.mailback.imap import Folders, FolderSettings
from bridge.mailback.imap_inbox import Account
from bridge.mailback.relay import RelaySettings
from bridge.settings import ImapSettings, RelayProtocol, Settings
from bridge.types import OutgoingMail


def open_folders(settings: Settings) -> dict[str, Folders]:
    """The IMAP account of every mailbox that has its conversations filed, by login; the caller closes them.

    Raises SettingsError.
    """
    found = {}
    for login, filing in settings.filing.items():
        try:
            found[login] = Folders(_account(filing))
        except SettingsError as error:
            key = f'filing."{login}".{error.key.removeprefix("imap.")}'
            raise SettingsError(key, error.value, error.remedy) from error
    return found


def open_watched(settings: Settings) -> dict[str, Account]:
    """Every mailbox that is watched, by its address. Raises SettingsError."""
    found = {}
    for address, watch in settings.watch.items():
        try:
            found[address] = Account(_account(watch))
        except SettingsError as error:
            key = f'watch."{address}".{error.key.removeprefix("imap.")}'
            raise SettingsError(key, error.value, error.remedy) from error
    return found


def _account(account: ImapSettings) -> FolderSettings:
    return FolderSettings(
        host=account.host,
        port=account.port,
        tls=account.tls,
        username=account.username,
        password=account.password.get_secret_value() if account.password is not None else "",
        auth=account.auth,
        token_file=account.token_file,
        ca_file=account.ca_file,
    )


def relay_settings(settings: Settings) -> RelaySettings:
    """How the mail server is reached that takes the bridge's own mails."""
    relay = settings.relay
    return RelaySettings(
        host=relay.host,
        port=relay.port,
        tls=relay.tls,
        username=relay.username,
        password=relay.password.get_secret_value() if relay.password is not None else "",
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
