"""SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side: no wire, no clock, no chance; asked by `bridge.logins`.

A verifier proves that somebody knows a password and is not enough to log in with. One kind serves every mechanism: a
password that is said in the clear is checked against it too. It is for generated passwords only: with 120 bits of
chance nobody finds one by trying, whatever a try costs, so 4096 iterations are enough. What people think of wants
argon2 (`access.credentials`).

The server names salt and iterations before it can know which password the client has, so all verifiers of one login
have the same. Channel binding (SCRAM-SHA-256-PLUS) is not offered: `tls-exporter` (RFC 9266), the only kind that holds
under TLS 1.3, cannot be had from Python's TLS.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.smtp_syntax import BadCommand

NAME = "SCRAM-SHA-256"
ITERATIONS = 4096
"""The least that RFC 7677 section 4 allows."""
SALT = 16
"""Octets."""
SALTS = "salts of logins"
"""The purpose of the key that salts are made with (`store.keys`)."""

_NOT_SCRAM = "501 5.5.2 This is not an answer of SCRAM-SHA-256 (RFC 5802)."
_NO_BINDING = "501 5.5.4 Channel binding is not offered. Use SCRAM-SHA-256 without it."
_NO_ACTING = "501 5.5.4 A login acts for itself only. Leave the authorization identity away."

_NAME = r"((?:[^,=\x00-\x1f\x7f]|=2C|=3D)+)"
_FIRST = re.compile(rf"([ny]|p=[A-Za-z0-9.-]+),(?:a={_NAME})?,(n={_NAME},r=([!-+\--~]+)(?:,[^\x00]*)?)\Z")
_FINAL = re.compile(r"(c=([A-Za-z0-9+/=]+),r=([!-+\--~]+)(?:,[^\x00]*?)?),p=([A-Za-z0-9+/=]+)\Z")
_WRITTEN = re.compile(r"SCRAM-SHA-256\$([0-9]+):([^$]+)\$([^:]+):(.+)\Z")


@dataclass(frozen=True, slots=True)
class Verifier:
    """What is stored for one password (RFC 5802 section 3)."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    @classmethod
    def of(cls, password: str, salt: bytes, iterations: int = ITERATIONS) -> Verifier:
        """The verifier of a password. Takes a millisecond or two."""
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
        return cls(salt, iterations, _stored(_hmac(salted, b"Client Key")), _hmac(salted, b"Server Key"))

    @classmethod
    def read(cls, written: str) -> Verifier:
        """As `str` wrote it. Raises ValueError."""
        found = _WRITTEN.match(written)
        if found is None:
            raise ValueError("not a verifier of SCRAM-SHA-256")
        salt, stored_key, server_key = (base64.b64decode(part, validate=True) for part in found.groups()[1:])
        return cls(salt, int(found[1]), stored_key, server_key)

    def __str__(self) -> str:
        """As it is stored: mechanism, iterations, salt and keys as in RFC 5803, with `$` between them."""
        return f"{NAME}${self.iterations}:{_b64(self.salt)}${_b64(self.stored_key)}:{_b64(self.server_key)}"

    def matches(self, other: Verifier) -> bool:
        """Whether another is of the same password, in constant time."""
        return hmac.compare_digest(self.stored_key, other.stored_key)


def decoy(secret: bytes, login: str) -> Verifier:
    """What stands where a login has no verifier, or does not exist: its salt is always the same, as a real one is, and
    no password fits. The first verifier of a login takes this salt, so that it does not show when there is one."""
    salt = _hmac(secret, b"salt of " + login.lower().encode())[:SALT]
    return Verifier(salt, ITERATIONS, b"", b"")


def verifier_beside(others: Sequence[str], password: str, secret: bytes, login: str) -> str:
    """The verifier of a further password of `login`, as it is stored; `others` are those that are stored for it."""
    like = Verifier.read(others[0]) if others else decoy(secret, login)
    return str(Verifier.of(password, like.salt, like.iterations))


@dataclass(frozen=True, slots=True)
class ClientFirst:
    """The client's first message, read (RFC 5802 section 7)."""

    login: str
    nonce: str
    bare: str
    header: bytes
    """The GS2 header, which the client repeats."""


def read_first(message: bytes) -> ClientFirst:
    """Raises `BadCommand`. A `y` says that the client could bind channels and sees no offer, which is the truth."""
    found = _FIRST.match(_text(message))
    if found is None:
        raise BadCommand(_NOT_SCRAM)
    binding, acting, bare, login, nonce = found.groups()
    if binding.startswith("p"):
        raise BadCommand(_NO_BINDING)
    if acting is not None and acting != login:
        raise BadCommand(_NO_ACTING)
    header = message[: len(message) - len(bare.encode())]
    return ClientFirst(login.replace("=2C", ",").replace("=3D", "="), nonce, bare, header)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A login under way: what was said, and what the proof is compared with."""

    first: ClientFirst
    nonce: str
    """The client's and the server's, one behind the other."""
    verifiers: tuple[Verifier, ...]
    """Those of the login, never none: a decoy where there is none."""

    @property
    def server_first(self) -> str:
        """The server's first message."""
        return f"r={self.nonce},s={_b64(self.verifiers[0].salt)},i={self.verifiers[0].iterations}"

    def finish(self, message: bytes) -> tuple[int, bytes] | None:
        """Which of the verifiers the client's final message proves, and the server's own proof, its final message.

        None when it proves none. Raises `BadCommand` when it is none of this exchange.
        """
        found = _FINAL.match(_text(message))
        if found is None:
            raise BadCommand(_NOT_SCRAM)
        before, binding, nonce, proof = found.groups()
        if _octets(binding) != self.first.header or not hmac.compare_digest(nonce, self.nonce):
            raise BadCommand(_NOT_SCRAM)
        said = f"{self.first.bare},{self.server_first},{before}".encode()
        which = _proven(self.verifiers, said, _octets(proof))
        if which is None:
            return None
        return which, b"v=" + base64.b64encode(_hmac(self.verifiers[which].server_key, said))


def _proven(verifiers: Sequence[Verifier], said: bytes, proof: bytes) -> int | None:
    """The one whose password was used. All are looked at, so that it takes as long for the first as for the last."""
    found = None
    for index, verifier in enumerate(verifiers):
        signature = _hmac(verifier.stored_key, said)
        if len(proof) != len(signature):
            continue
        key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        if hmac.compare_digest(_stored(key), verifier.stored_key):
            found = index
    return found


def _text(message: bytes) -> str:
    try:
        return message.decode()
    except UnicodeDecodeError:
        raise BadCommand(_NOT_SCRAM) from None


def _octets(written: str) -> bytes:
    try:
        return base64.b64decode(written, validate=True)
    except ValueError:
        raise BadCommand(_NOT_SCRAM) from None


def _stored(client_key: bytes) -> bytes:
    return hashlib.sha256(client_key).digest()


def _hmac(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, "sha256")


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
