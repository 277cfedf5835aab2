"""Signs the bridge's own mails (RFC 6376), so that a mailbox's server can tell them from forged ones.

A mail of the bridge is answered to a phone, so the fields that say whom an answer goes to and which thread it joins are
signed once more than they occur: then nobody can add another on the way without breaking the signature (RFC 6376
section 8.15). Both halves are canonicalised as `relaxed`, since servers fold and trim on the way (section 3.4).
"""

from __future__ import annotations

import base64
import re
from email.parser import BytesHeaderParser
from pathlib import Path

import dkim
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

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

_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_REMEDY = f"name a file with an RSA key of at least {SHORTEST_RSA_KEY} bits or an Ed25519 key, in PEM, without passphrase"


class Signer:
    """One key of one domain. Signing takes some milliseconds of computing with RSA, a fraction of one with Ed25519."""

    def __init__(self, domain: str, selector: str, key_file: Path) -> None:
        """Read the key. Raises SettingsError when the file does not hold one, or the names are not fit for DNS."""
        for setting, name in (("dkim.domain", domain), ("dkim.selector", selector)):
            if not _NAME.fullmatch(name):
                raise SettingsError(setting, name, "use letters, digits and hyphens, with dots between")
        self._domain = domain.encode()
        self._selector = selector.encode()
        key = _load(key_file)
        self._public = key.public_key()
        if isinstance(key, RSAPrivateKey):
            self._algorithm = b"rsa-sha256"
            self._key = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        else:
            self._algorithm = b"ed25519-sha256"
            self._key = base64.b64encode(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))

    def sign(self, raw: bytes) -> bytes:
        """The mail with a DKIM-Signature field before all others; `raw` has CRLF line ends and a From field."""
        fields = [name.lower() for name in BytesHeaderParser().parsebytes(raw).keys()]
        over = [name for name in map(str.lower, SIGNED_FIELDS) for _ in range(fields.count(name) + 1)]
        signature: bytes = dkim.sign(
            raw,
            self._selector,
            self._domain,
            self._key,
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=self._algorithm,
            include_headers=[name.encode() for name in over],
        )
        return signature + raw

    @property
    def record_name(self) -> str:
        """Where the public key is published in DNS (RFC 6376 section 3.6.2.1)."""
        return f"{self._selector.decode()}._domainkey.{self._domain.decode()}"

    @property
    def record(self) -> str:
        """The TXT record to publish there (RFC 6376 section 3.6.1, RFC 8463 section 4 for Ed25519)."""
        if self._algorithm == b"rsa-sha256":
            public = self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            kind = "rsa"
        else:
            public = self._public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            kind = "ed25519"
        return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"


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
