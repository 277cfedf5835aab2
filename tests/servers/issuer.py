"""An issuer of access tokens on loopback: it signs them, and gives its keys to whoever asks (RFC 7517)."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.servers.answering import Answer, AnsweringServer

AUDIENCE = "https://sms.clinic.example"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
KEYS: dict[str, tuple[str, Key]] = {"r": ("RS256", RSA), "e": ("ES256", EC), "d": ("EdDSA", ED)}
"""By their ids, each with its algorithm."""


def jwk(key: Key, **more: Any) -> dict[str, Any]:
    """The public half of a key (RFC 7518 section 6, RFC 8037)."""
    match key:
        case rsa.RSAPrivateKey():
            said = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ec.EllipticCurvePrivateKey():
            said = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case _:
            said = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {name: value for name, value in said.items() if name != "key_ops"} | more


class IssuerServer:
    """Signs, and gives its keys out."""

    def __init__(self) -> None:
        """Listens at once."""
        self.keys = [jwk(key, kid=kid, alg=algorithm, use="sig") for kid, (algorithm, key) in KEYS.items()]
        self.answer: tuple[int, bytes] | None = None
        """Status and body in place of the keys."""
        self.asked = 0
        self._server = AnsweringServer(self._give)

    @property
    def name(self) -> str:
        """What stands in the `iss` of its tokens."""
        return f"{self._server.base}/clinic"

    @property
    def keys_url(self) -> str:
        """Where its keys are."""
        return f"{self.name}/keys"

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of a good token for the clinic; one that is changed to None is left out."""
        now = int(time.time())
        said = {
            "iss": self.name,
            "aud": AUDIENCE,
            "sub": "4711",
            "email": "clinic@example.test",
            "iat": now,
            "exp": now + 600,
        }
        return {name: value for name, value in (said | changes).items() if value is not None}

    def token(self, kid: str = "r", headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token that it signs."""
        algorithm, key = KEYS[kid]
        return jwt.encode(self.claims(**changes), key, algorithm, headers={"kid": kid} | (headers or {}))

    def close(self) -> None:
        """Listen no more."""
        self._server.close()

    def _give(self, method: str, target: str, body: bytes) -> Answer:
        self.asked += 1
        status, octets = self.answer or (200, json.dumps({"keys": self.keys}).encode())
        return Answer(octets, status)
