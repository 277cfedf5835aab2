"""What `bridge check` says of issuers: whether the keys of their access tokens can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.check_imap import Finding

if TYPE_CHECKING:
    from bridge.settings import IssuerSettings, Settings


async def issuers(settings: Settings) -> list[Finding]:
    """One finding for each."""
    return [(f"issuer {name}", await _keys(issuer)) for name, issuer in settings.issuers.items()]


async def _keys(issuer: IssuerSettings) -> str:
    from bridge.access.issuer_keys import IssuerKeys, KeysUnavailable

    try:
        await IssuerKeys(issuer.keys_url, issuer.keys_file).key(None)
    except KeysUnavailable:
        where = issuer.keys_url or issuer.keys_file
        return f"{where} gives no key to check tokens with. It must be a JWK Set: what the issuer calls jwks_uri."
    return ""
