"""Checks of the settings of issuers, whose access tokens are taken as logins."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.errors import SettingsError
from bridge.settings.forms import dotted, is_secure, readable
from bridge.settings.model import IssuerSettings, Settings


def check_issuers(settings: Settings) -> Iterator[SettingsError]:
    """What is wrong with `issuers`; looks at files, never at the network."""
    known: dict[str, str] = {}
    for name, issuer in settings.issuers.items():
        section = dotted(["issuers", name])
        other = known.setdefault(issuer.issuer, section)
        if not issuer.issuer:
            yield SettingsError(f"{section}.issuer", '""', "write what its tokens have in iss, letter by letter")
        elif other != section:
            yield SettingsError(f"{section}.issuer", f'"{issuer.issuer}"', f"{other} is the same; keep one of the two")
        if not issuer.audience or not all(issuer.audience):
            remedy = "tokens for everybody would be logins; write what those for this bridge have in aud"
            yield SettingsError(f"{section}.audience", str(list(issuer.audience)).replace("'", '"'), remedy)
        if not issuer.claim:
            yield SettingsError(f"{section}.claim", '""', 'write the claim with the login, such as "email"')
        yield from _check_keys(section, issuer)


def _check_keys(section: str, issuer: IssuerSettings) -> Iterator[SettingsError]:
    if issuer.keys_file is not None:
        if issuer.keys_url:
            yield SettingsError(f"{section}.keys_url", f'"{issuer.keys_url}"', "keys_file is set as well; keep one")
        problem = readable(issuer.keys_file, secret=False)
        if problem:
            yield SettingsError(f"{section}.keys_file", f'"{issuer.keys_file}"', problem)
    elif not issuer.keys_url:
        yield SettingsError(f"{section}.keys_url", "(not set)", "set it or keys_file; the issuer calls it jwks_uri")
    elif not is_secure(issuer.keys_url):
        remedy = "whoever is on the way could make logins; write https://"
        yield SettingsError(f"{section}.keys_url", f'"{issuer.keys_url}"', remedy)
