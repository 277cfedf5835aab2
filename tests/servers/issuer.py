"""An issuer of access tokens on loopback: it signs them, and gives its keys to whoever asks (RFC 7517)."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

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
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                status, said = issuer.answer or (200, json.dumps({"keys": issuer.keys}).encode())
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, name="issuer", daemon=True).start()

    @property
    def name(self) -> str:
        """What stands in the `iss` of its tokens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/clinic"

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
        self._server.shutdown()
        self._server.server_close()
