"""Access tokens as logins: a JWT (RFC 7519, RFC 9068) of an issuer that the operator trusts, to the login it names.

A token is checked by the rules of RFC 8725: the issuer is one of ours, its key says with which algorithm, the token is
meant for us (`aud`), it is of our time, and it is no token for something else. Nothing of a token is ever logged but
what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bridge.access.issuer_keys import IssuerKeys
from bridge.errors import BridgeError
from bridge.settings import Settings

LEEWAY = 60.0
"""Seconds by which clocks may differ."""

_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
"""What the header may say that it is (RFC 9068 section 4): a token for a logout or an event is no login."""


class Flaw(StrEnum):
    """What is wrong with a token."""

    MALFORMED = "malformed"
    ISSUER = "unknown issuer"
    KEY = "unknown key"
    SIGNATURE = "wrong signature"
    TIME = "expired or not yet valid"
    AUDIENCE = "meant for somebody else"
    LOGIN = "names no login, or another"


FORGED = frozenset({Flaw.MALFORMED, Flaw.ISSUER, Flaw.KEY, Flaw.SIGNATURE})
"""What a token has that no trusted issuer has signed."""


class TokenRefused(BridgeError):
    """A token is no login."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(f"The access token is refused: {flaw.value}.")
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues tokens."""

    name: str
    """As its tokens have it in `iss`."""
    audience: tuple[str, ...]
    """What they have in `aud` if they are meant for this bridge; one of these."""
    claim: str
    """In which of their claims the login stands."""
    keys: IssuerKeys


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a good token names."""

    login: str
    until: datetime
    """When it has expired by every clock."""


def configured(settings: Settings) -> Tokens | None:
    """What reads the tokens of the operator's issuers; None where there are none."""
    issuers = [
        Issuer(each.issuer, each.audience, each.claim, IssuerKeys(each.keys_url, each.keys_file))
        for each in settings.issuers.values()
    ]
    return Tokens(issuers) if issuers else None


class Tokens:
    """Reads tokens."""

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}

    async def read(self, token: str) -> Named:
        """Whom a token names. Raises `TokenRefused` and `KeysUnavailable`."""
        from jwt import decode as decode_token
        from jwt import exceptions

        header, said = _unverified(token)
        name = said.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise TokenRefused(Flaw.ISSUER)
        key = await issuer.keys.key(header.get("kid"))
        if key is None:
            raise TokenRefused(Flaw.KEY)
        try:
            claims = decode_token(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=issuer.audience,
                issuer=issuer.name,
                leeway=LEEWAY,
                options={"require": ["iss", "aud", "exp"]},
            )
        except (exceptions.ExpiredSignatureError, exceptions.ImmatureSignatureError):
            raise TokenRefused(Flaw.TIME) from None
        except (exceptions.InvalidAudienceError, exceptions.MissingRequiredClaimError):
            raise TokenRefused(Flaw.AUDIENCE) from None
        except (exceptions.InvalidSignatureError, exceptions.InvalidAlgorithmError):
            raise TokenRefused(Flaw.SIGNATURE) from None
        except exceptions.PyJWTError:
            raise TokenRefused(Flaw.MALFORMED) from None
        return Named(_login(claims, issuer.claim), _over(claims["exp"]))


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, believed by nobody: they say where to look for the key. Raises `TokenRefused`."""
    from jwt import PyJWTError, decode_complete

    try:
        parts = decode_complete(token, options={"verify_signature": False})
    except (PyJWTError, ValueError, RecursionError):
        raise TokenRefused(Flaw.MALFORMED) from None
    header = parts["header"]
    if str(header.get("typ") or "").lower() not in _TYPES:
        raise TokenRefused(Flaw.MALFORMED)
    return header, parts["payload"]


def _login(claims: dict[str, Any], claim: str) -> str:
    said = claims.get(claim)
    if not isinstance(said, str) or not said:
        raise TokenRefused(Flaw.LOGIN)
    if claim == "email" and claims.get("email_verified", True) not in (True, "true"):
        raise TokenRefused(Flaw.LOGIN)  # whoever signed up there may have written any address
    return said


def _over(exp: Any) -> datetime:
    try:
        return datetime.fromtimestamp(float(exp) + LEEWAY, UTC)
    except (ValueError, OverflowError, OSError):
        raise TokenRefused(Flaw.TIME) from None
