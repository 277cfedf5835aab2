"""Signed tokens (JSON Web Tokens, RFC 7519) that callbacks carry; only those signed with HMAC and SHA-2 count."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping

from bridge.gateways.callback import prove

_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
"""By the name that a token's head has for them (RFC 7518 section 3.1)."""


def claims_of(token: str, key: str) -> Mapping[str, object]:
    """What a token says, once its signature is proved (RFC 7515 section 7.1); else it raises HookRefused."""
    signed, _, signature = token.rpartition(".")
    head, _, said = signed.partition(".")
    digest = _DIGESTS.get(str(decoded(head).get("alg")), "")
    prove(signature_of(signed, key, digest) if digest else "", signature)
    return decoded(said)


def signature_of(signed: str, key: str, digest: str) -> str:
    """The signature of a token's first two parts, in Base64 for URLs without padding (RFC 7515 section 2)."""
    signature = hmac.digest(key.encode(), signed.encode("utf-8", "replace"), digest)
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def decoded(part: str) -> Mapping[str, object]:
    """A part of a token; empty when it holds no JSON object."""
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
