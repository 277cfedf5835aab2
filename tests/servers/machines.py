"""Machines with a certificate of their own to show: made here, as OpenSSL or a mail server's setup would."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bridge import clock
from bridge.types import ClientCertificate, Mailbox


@dataclass(frozen=True)
class Machine:
    """One of them."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @staticmethod
    def made(
        name: str = "printer",
        *,
        signed_by: Machine | None = None,
        days: int = 30,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
        extensions: Sequence[x509.ExtensionType] = (),
    ) -> Machine:
        """Signed by itself unless somebody else does; valid for so many days from now, and for sixty before."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signed_by.certificate.subject if signed_by else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(clock.now() - timedelta(days=60))
            .not_valid_after(clock.now() + timedelta(days=days))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return Machine(builder.sign(signed_by.key if signed_by else key, SHA256()), key)

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def until(self) -> datetime:
        """Its last moment."""
        return self.certificate.not_valid_after_utc

    def registered(self, mailbox: Mailbox) -> dict[str, ClientCertificate]:
        """As a directory has it where it is a mailbox's."""
        fingerprint = hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).hexdigest()
        known = ClientCertificate(fingerprint[:26], mailbox.id, fingerprint, self.pem.decode(), self.until)
        return {fingerprint: known}

    def write(self, folder: Path) -> Path:
        """Certificate and key in one file."""
        file = folder / "machine.pem"
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(key + self.pem)
        return file

    def shown_to(
        self, authority: Path, folder: Path, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ) -> ssl.SSLContext:
        """What a client connects with that believes `authority` and shows the certificate when it is asked."""
        context = ssl.create_default_context(cafile=str(authority))
        context.load_cert_chain(self.write(folder))
        context.maximum_version = version
        return context
