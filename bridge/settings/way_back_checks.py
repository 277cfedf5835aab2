"""Checks of the settings of the way back: the mail server, its signature, the folders, what phones may do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.errors import SettingsError
from bridge.settings.choices import FiledState, MailAuth, RelayProtocol, TlsMode
from bridge.settings.forms import ADDRESS, DOMAIN, check_networks, dotted, is_loopback, readable
from bridge.settings.imap_checks import check_account, check_names, check_token
from bridge.settings.model import Settings
from bridge.types import FiledKind

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
"""E.164."""

_BLANK = re.compile(r"\{(number|contact|year)\}")


def check_way_back(settings: Settings) -> Iterator[SettingsError]:
    """What is wrong with `relay`, `dkim`, `filing` and `replies`; looks at files, never at the network."""
    yield from _check_relay(settings)
    yield from _check_dkim(settings)
    yield from _check_filing(settings)
    yield from _check_replies(settings)


def _check_relay(settings: Settings) -> Iterator[SettingsError]:
    relay = settings.relay
    by_password = relay.auth is MailAuth.PASSWORD
    if relay.username and by_password and relay.password is None and relay.password_file is None:
        remedy = "relay.password is missing; set it or relay.password_file, or leave the username out"
        yield SettingsError("relay.username", f'"{relay.username}"', remedy)
    if relay.password is not None and not relay.username:
        yield SettingsError("relay.password", "(not shown)", "relay.username is missing; set it, or leave both out")
    if not by_password and not relay.username:
        yield SettingsError("relay.username", '""', "write the account whose access token is the login")
    yield from check_token("relay", relay, has_password=relay.password is not None)
    if relay.tls is TlsMode.NONE and not is_loopback(relay.host) and (relay.password is not None or not by_password):
        what = "password" if by_password else "token"
        yield SettingsError("relay.tls", '"none"', f'the {what} would travel readable; write "starttls" or "implicit"')
    if relay.socket is not None and relay.protocol is not RelayProtocol.LMTP:
        remedy = 'only LMTP goes over a socket; write relay.protocol = "lmtp", or remove it'
        yield SettingsError("relay.socket", f'"{relay.socket}"', remedy)
    elif relay.socket is not None and relay.tls is not TlsMode.NONE:
        yield SettingsError("relay.tls", f'"{relay.tls}"', 'a socket does not leave this machine; write "none"')
    if relay.ca_file is not None:
        problem = readable(relay.ca_file, secret=False)
        if problem:
            yield SettingsError("relay.ca_file", f'"{relay.ca_file}"', problem)
    yield from check_networks("relay.bounces_from", relay.bounces_from, "the mail server")


def _check_dkim(settings: Settings) -> Iterator[SettingsError]:
    dkim = settings.dkim
    for key, value in (("domain", dkim.domain), ("selector", dkim.selector or " ")):
        if value and not DOMAIN.fullmatch(value):
            yield SettingsError(f"dkim.{key}", f'"{value}"', "use letters, digits and hyphens, with dots between")
    if dkim.key_file is not None:
        problem = readable(dkim.key_file, secret=True)
        if problem:
            yield SettingsError("dkim.key_file", f'"{dkim.key_file}"', problem)


def _check_filing(settings: Settings) -> Iterator[SettingsError]:
    for login, filing in settings.filing.items():
        section = dotted(["filing", login])
        if "@" not in login:
            yield SettingsError(section, "(section)", "its name is the login of a mailbox, which is a mail address")
        yield from check_account(section, filing)
        if not filing.what:
            yield SettingsError(f"{section}.what", "[]", 'write what to file, such as ["sent"], or remove the section')
        if filing.state is FiledState.KEYWORDS and FiledKind.SENT not in filing.what:
            remedy = 'there are no copies to mark; add "sent" to what, or write "mails"'
            yield SettingsError(f"{section}.state", '"keywords"', remedy)
        if re.search(r"[{}]", _BLANK.sub("", filing.folder)):
            remedy = "only {number}, {contact} and {year} can be filled in"
            yield SettingsError(f"{section}.folder", f'"{filing.folder}"', remedy)
        elif not all(level.strip() for level in filing.folder.split("/")):
            remedy = 'write a path such as "SMS/{number}", with a name between any two slashes'
            yield SettingsError(f"{section}.folder", f'"{filing.folder}"', remedy)
    yield from check_names("filing", settings.filing)


def _check_replies(settings: Settings) -> Iterator[SettingsError]:
    replies = settings.replies
    if replies.fallback and "@" not in replies.fallback:
        remedy = "write the login of a mailbox, which is a mail address"
        yield SettingsError("replies.fallback", f'"{replies.fallback}"', remedy)
    for index, phone in enumerate(replies.phones_may_mail):
        if not _PHONE.fullmatch(phone):
            remedy = 'write a number with its country code and nothing else, as in "+393331234567"'
            yield SettingsError(f"replies.phones_may_mail.{index}", "(not shown)", remedy)
    for address in replies.phones_may_mail_to:
        domain = address.rpartition("@")[2]
        if not ADDRESS.fullmatch(f"all{address}" if address.startswith("@") else address):
            remedy = 'write a mail address, or "@example.com" for all addresses of a domain'
            yield SettingsError("replies.phones_may_mail_to", f'"{address}"', remedy)
        elif domain.lower() == settings.domain.lower():
            remedy = "mails there are texted to phones; a phone can write a mail to any other domain"
            yield SettingsError("replies.phones_may_mail_to", f'"{address}"', remedy)
    if replies.phones_may_mail and not replies.phones_may_mail_to:
        remedy = "the number that an SMS comes from can be forged: write whom these phones may mail"
        yield SettingsError("replies.phones_may_mail_to", "[]", remedy)
