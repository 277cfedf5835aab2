"""Checks of the settings of IMAP accounts: those that are filed in, and those that are watched."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from bridge.errors import SettingsError
from bridge.settings.accounts import ImapSettings
from bridge.settings.choices import MailAuth, TlsMode
from bridge.settings.forms import ADDRESS, dotted, is_host, is_loopback, readable
from bridge.settings.model import RelaySettings, Settings


def check_account(section: str, account: ImapSettings) -> Iterator[SettingsError]:
    """What is wrong with the way to an account; `section` is its key."""
    if not is_host(account.host):
        yield SettingsError(f"{section}.host", f'"{account.host}"', "write the host name of the IMAP server")
    yield from _check_login(section, account)
    if account.tls is TlsMode.STARTTLS:
        remedy = 'IMAP servers are spoken to with TLS from the first byte; write "implicit", usually with port 993'
        yield SettingsError(f"{section}.tls", '"starttls"', remedy)
    if account.tls is TlsMode.NONE and not is_loopback(account.host):
        what = "password" if account.auth is MailAuth.PASSWORD else "token"
        remedy = f'{what} and texts would travel readable; write "implicit", usually with port 993'
        yield SettingsError(f"{section}.tls", '"none"', remedy)
    if account.ca_file is not None:
        problem = readable(account.ca_file, secret=False)
        if problem:
            yield SettingsError(f"{section}.ca_file", f'"{account.ca_file}"', problem)


def check_names(top: str, names: Collection[str]) -> Iterator[SettingsError]:
    """Sections of one kind that are for the same mailbox."""
    folded = [name.lower() for name in names]
    for name in names:
        if folded.count(name.lower()) > 1:
            yield SettingsError(dotted([top, name]), "(section)", "the same mailbox has two; keep one of them")


def check_watch(settings: Settings) -> Iterator[SettingsError]:
    """What is wrong with `watch`; looks at files, never at the network."""
    for address, watch in settings.watch.items():
        section = dotted(["watch", address])
        if not ADDRESS.fullmatch(address) or "+" in address:
            yield SettingsError(section, "(section)", "its name is the mail address of the mailbox, without a plus")
        yield from check_account(section, watch)
        if not watch.authserv_ids:
            remedy = "anybody could write in the name of your mailboxes; docs/mailbox-door.md says what to write"
            yield SettingsError(f"{section}.authserv_ids", "[]", remedy)
        for name in watch.authserv_ids:
            if name != name.lower() or not name or set(name) & set(' ;=()"\\'):
                remedy = 'write it in lower case, as it stands behind "Authentication-Results:"'
                yield SettingsError(f"{section}.authserv_ids", f'"{name}"', remedy)
        folders = (("folder", watch.folder), ("done", watch.done), ("refused", watch.refused))
        for key, folder in folders:
            if not all(level.strip() for level in folder.split("/")):
                remedy = 'write a path such as "SMS/Taken", with a name between any two slashes'
                yield SettingsError(f"{section}.{key}", f'"{folder}"', remedy)
            elif key != "folder" and folder.lower() == watch.folder.lower():
                yield SettingsError(f"{section}.{key}", f'"{folder}"', "mails come in there; name another folder")
    yield from check_names("watch", settings.watch)


def _check_login(section: str, account: ImapSettings) -> Iterator[SettingsError]:
    """A password or a token, never both."""
    has_password = account.password is not None and bool(account.password.get_secret_value())
    if account.auth is MailAuth.PASSWORD and account.password_file is None and not has_password:
        yield SettingsError(f"{section}.password", "(not set)", "set it or password_file")
    yield from check_token(section, account, has_password=has_password or account.password_file is not None)


def check_token(section: str, account: ImapSettings | RelaySettings, *, has_password: bool) -> Iterator[SettingsError]:
    """What is wrong with where the token of a login comes from. Its file may come later: at the login it is said if it
    lacks."""
    if account.auth is MailAuth.PASSWORD:
        if account.token_file is not None:
            remedy = 'a token is no password; write auth = "xoauth2" or "oauthbearer", or remove it'
            yield SettingsError(f"{section}.token_file", f'"{account.token_file}"', remedy)
        return
    if has_password:
        remedy = f'auth = "{account.auth}" logs in with a token; remove one of the two'
        yield SettingsError(f"{section}.password", "(not shown)", remedy)
    if account.token_file is None and not account.oauth:
        remedy = "name the file that holds the access token; or set oauth, and the bridge gets tokens itself"
        yield SettingsError(f"{section}.token_file", "(not set)", remedy)
    elif account.token_file is not None and account.oauth:
        remedy = "oauth is set as well, and the bridge gets tokens itself; keep one of the two"
        yield SettingsError(f"{section}.token_file", f'"{account.token_file}"', remedy)
    elif account.token_file is not None and os.access(account.token_file, os.F_OK):
        problem = readable(account.token_file, secret=True)
        if problem:
            yield SettingsError(f"{section}.token_file", f'"{account.token_file}"', problem)
