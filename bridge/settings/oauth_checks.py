"""Checks of the settings of applications, as which the bridge is registered with providers of mailboxes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.errors import SettingsError
from bridge.settings.accounts import OAuthSettings
from bridge.settings.choices import MailAuth, OAuthProvider
from bridge.settings.forms import dotted, is_secure
from bridge.settings.model import Settings

_TENANT = re.compile(r"[A-Za-z0-9.-]{1,255}")


def check_oauth(settings: Settings) -> Iterator[SettingsError]:
    """What is wrong with `oauth`, and with the accounts that name one of its applications."""
    for name, oauth in settings.oauth.items():
        section = dotted(["oauth", name])
        if not oauth.client_id:
            yield SettingsError(f"{section}.client_id", '""', "write the id that the provider gave the application")
        if not _TENANT.fullmatch(oauth.tenant):
            yield SettingsError(f"{section}.tenant", f'"{oauth.tenant}"', "write the id of the directory")
        yield from _check_endpoints(section, oauth)
    for section, auth, application in _accounts(settings):
        if not application:
            continue
        if auth is MailAuth.PASSWORD:
            remedy = 'a token is no password; write auth = "xoauth2" or "oauthbearer", or remove it'
            yield SettingsError(f"{section}.oauth", f'"{application}"', remedy)
        if application not in settings.oauth:
            remedy = f"no application has this name; write a section [oauth.{application}]"
            yield SettingsError(f"{section}.oauth", f'"{application}"', remedy)


def _check_endpoints(section: str, oauth: OAuthSettings) -> Iterator[SettingsError]:
    given = {key: getattr(oauth, key) for key in ("token_url", "device_url", "authorize_url")}
    if oauth.provider is not OAuthProvider.OTHER:
        for key, value in (*given.items(), ("scopes", " ".join(oauth.scopes))):
            if value:
                remedy = f'that of {oauth.provider} is known; remove it, or write provider = "other"'
                yield SettingsError(f"{section}.{key}", f'"{value}"', remedy)
        return
    for key, value in given.items():
        if value and not is_secure(value):
            yield SettingsError(f"{section}.{key}", "(not shown)", "tokens would travel readable; write https://")
    if not oauth.token_url:
        yield SettingsError(f"{section}.token_url", "(not set)", "the provider calls it token_endpoint; write it")
    if not oauth.device_url and not oauth.authorize_url:
        remedy = "write this, device_authorization_endpoint, or authorize_url, authorization_endpoint"
        yield SettingsError(f"{section}.device_url", f'"{oauth.device_url}"', remedy)
    if not oauth.scopes:
        yield SettingsError(f"{section}.scopes", "[]", 'write the rights that open a mailbox, such as ["email"]')


def _accounts(settings: Settings) -> Iterator[tuple[str, MailAuth, str]]:
    for top, accounts in (("filing", settings.filing), ("watch", settings.watch)):
        for name, account in accounts.items():
            yield dotted([top, name]), account.auth, account.oauth
    yield "relay", settings.relay.auth, settings.relay.oauth
