"""Signs the bridge's own mails (RFC 6376), so that a mailbox's server can tell them from forged ones.

A mail of the bridge is answered to a phone, so the fields that say whom an answer goes to and which thread it joins are
signed once more than they occur: then nobody can add another on the way without breaking the signature (RFC 6376
section 8.15). Both halves are canonicalised as `relaxed`, since servers fold and trim on the way (section 3.4).

The signing is our own over `cryptography`, and dkimpy verifies it in the tests: dkimpy signs RSA in pure Python, which
would cost more than all else that happens to a report.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from bridge import clock
from bridge.canonical import body_hash, relaxed_field
from bridge.errors import SettingsError

SHORTEST_RSA_KEY = 2048
"""Bits. RFC 8301 section 3.2 asks for 1024 and advises 2048; verifiers may ignore shorter ones."""

SIGNED_FIELDS = (
    "From",
    "Reply-To",
    "Subject",
    "To",
    "Cc",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
)
"""Header fields under the signature, each once more than it occurs (RFC 6376 section 5.4.1)."""

_LINE = 72
_FOLD = ":\r\n  "
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_REMEDY = (
    f"name a file with an RSA key of at least {SHORTEST_RSA_KEY} bits or an Ed25519 key, in PEM, without passphrase"
)


class Signer:
    """One key of one domain; a mail is signed in about a millisecond with RSA, and faster with Ed25519."""

    def __init__(self, domain: str, selector: str, key_file: Path) -> None:
        """Read the key. Raises SettingsError when the file does not hold one, or the names are not fit for DNS."""
        for setting, name in (("dkim.domain", domain), ("dkim.selector", selector)):
            if not _NAME.fullmatch(name):
                raise SettingsError(setting, name, "use letters, digits and hyphens, with dots between")
        self._domain = domain
        self._selector = selector
        self._key = _load(key_file)

    def sign(self, raw: bytes) -> bytes:
        """The mail with a DKIM-Signature field before all others; `raw` has CRLF line ends and a From field."""
        head, _, body = raw.partition(b"\r\n\r\n")
        fields = [relaxed_field(field) for field in _FIELD_END.split(head)]
        names, covered = _covered(fields)
        hashed, _ = body_hash(body, relaxed=True)
        algorithm = "rsa-sha256" if isinstance(self._key, RSAPrivateKey) else "ed25519-sha256"
        unsigned = (
            f"DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed;\r\n"
            f" d={self._domain}; s={self._selector}; t={int(clock.now().timestamp())};\r\n"
            f" h={_FOLD.join(names)};\r\n"
            f" bh={base64.b64encode(hashed).decode()};\r\n"
            " b="
        ).encode("ascii")
        signed = b"".join(field + b"\r\n" for field in covered) + relaxed_field(unsigned)
        signature = base64.b64encode(self._signature(signed))
        lines = (signature[start : start + _LINE] for start in range(0, len(signature), _LINE))
        return unsigned + b"\r\n ".join(lines) + b"\r\n" + raw

    def _signature(self, signed: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(signed, PKCS1v15(), SHA256())
        return self._key.sign(hashlib.sha256(signed).digest())  # RFC 8463 section 3: the hash is what is signed

    @property
    def record_name(self) -> str:
        """Where the public key is published in DNS (RFC 6376 section 3.6.2.1)."""
        return f"{self._selector}._domainkey.{self._domain}"

    @property
    def record(self) -> str:
        """The TXT record to publish there (RFC 6376 section 3.6.1, RFC 8463 section 4 for Ed25519)."""
        public = self._key.public_key()
        if isinstance(public, RSAPublicKey):
            kind, octets = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, octets = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={kind}; p={base64.b64encode(octets).decode()}"


def _covered(fields: list[bytes]) -> tuple[list[str], list[bytes]]:
    """The names under the signature and the fields they stand for, from the bottom up (RFC 6376 section 5.4.2)."""
    names: list[str] = []
    covered: list[bytes] = []
    for name in SIGNED_FIELDS:
        start = name.lower().encode("ascii") + b":"
        present = [field for field in reversed(fields) if field.startswith(start)]
        names.extend([name] * (len(present) + 1))
        covered.extend(present)
    return names, covered


def _load(file: Path) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError:
        raise SettingsError("dkim.key_file", str(file), "name a file that the bridge may read") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError("dkim.key_file", str(file), _REMEDY) from None
    if isinstance(key, Ed25519PrivateKey) or (isinstance(key, RSAPrivateKey) and key.key_size >= SHORTEST_RSA_KEY):
        return key
    raise SettingsError("dkim.key_file", str(file), _REMEDY)
