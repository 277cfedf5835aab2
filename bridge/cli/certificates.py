"""`bridge certificates`: machines that log in by the certificate they show in the TLS handshake, and need no password.

A running bridge notices every change within a second.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.check_imap import Finding
from bridge.cli.named import Name, checked_name, life, of_owner
from bridge.cli.options import Login, LoginOrAll
from bridge.cli.shared import Config, Json, find_mailbox, in_store, show_json
from bridge.errors import UsageError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from bridge.store.store import Store
    from bridge.types import CertificateUse

app = typer.Typer(help="Client certificates of machines that have no password.", no_args_is_help=True)

LEAST_RSA_BITS = 2048
"""OpenSSL takes no shorter key at the security level that Python sets."""


@app.command()
def add(
    login: Login,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The machine's certificate, in PEM or DER; no key.")],
    name: Annotated[
        str,
        typer.Option(metavar="NAME", help="What it is called here; its own common name if left out.", show_default=""),
    ] = "",
    config: Config = None,
) -> None:
    """Let whoever holds the key of a certificate send as a mailbox.

    Who has signed it does not matter: it counts by itself, from its first day to its last. Of several certificates in
    the file the first one counts.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    certificate = _read(file)
    _check(certificate)
    called = checked_name(name or _common_name(certificate))
    pem, fingerprint = certificate.public_bytes(Encoding.PEM).decode(), _fingerprint(certificate)
    until = certificate.not_valid_after_utc

    async def work(store: Store) -> tuple[str, bool]:
        mailbox = find_mailbox(store, login)
        await store.certificates.add(mailbox, called, pem=pem, fingerprint=fingerprint, until=until)
        return mailbox.login, bool(store.settings.smtp.certificates_from)

    owner, anybody_is_asked = in_store(config, work)
    print(f"{called} logs in to {owner} until {until.date().isoformat()}. SHA-256: {_shown(fingerprint)}")
    if not anybody_is_asked:
        print("No machine is asked for a certificate yet: name its address in smtp.certificates_from.")


@app.command("list")
def show_all(login: LoginOrAll = None, config: Config = None, as_json: Json = False) -> None:
    """List client certificates by their names, with their last day, and the day on which each was last shown."""

    async def work(store: Store) -> list[CertificateUse]:
        return of_owner(store, login, await store.certificates.all())

    found = in_store(config, work)
    if as_json:
        show_json([_document(each) for each in found])
        return
    for each in found:
        valid = f"valid until {each.until.date().isoformat()}"
        print(f"{each.login}  {each.name}  {valid}  {life(each.created_at, each.used_at)}  {_shown(each.fingerprint)}")
    if not found:
        print("There are no client certificates. Add one with `bridge certificates add LOGIN FILE`.")


@app.command()
def remove(login: Login, name: Name, config: Config = None) -> None:
    """Take a certificate's login away. Whoever has come in with it sends no further mail."""

    async def work(store: Store) -> str:
        mailbox = find_mailbox(store, login)
        await store.certificates.revoke(mailbox, name.strip())
        return mailbox.login

    print(f"Nobody logs in to {in_store(config, work)} with {name.strip()} any more.")


async def client_certificates(store: Store) -> list[Finding]:
    """What `bridge check` says of each: whether it can be shown, and is in time."""
    from bridge import clock

    return [
        (f"client certificate {each.name} of {each.login}", _complaint(each, store, clock.now()))
        for each in await store.certificates.all()
    ]


def _complaint(each: CertificateUse, store: Store, now: datetime) -> str:
    if each.until <= now:
        return f"was valid until {each.until.date()} only. Add the machine's new one, and remove this one."
    if not store.settings.smtp.certificates_from:
        return "nobody is asked for it. Name the machine's address in smtp.certificates_from."
    return ""


def _read(file: Path) -> Certificate:
    """The certificate of a machine in a file. Raises UsageError."""
    from cryptography import x509

    try:
        octets = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({(error.strerror or 'no file').lower()}).") from error
    try:
        if b"-----BEGIN " in octets:
            return x509.load_pem_x509_certificates(octets)[0]
        return x509.load_der_x509_certificate(octets)
    except ValueError:
        raise UsageError(f"{file} holds no certificate. Give the machine's certificate, in PEM or DER.") from None


def _check(certificate: Certificate) -> None:
    """Raises UsageError for one that no handshake would end well with."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509.oid import ExtendedKeyUsageOID

    from bridge import clock

    until = certificate.not_valid_after_utc
    if until <= clock.now():
        raise UsageError(f"This certificate was valid until {until.date().isoformat()} only. Renew it first.")
    try:
        key, extensions = certificate.public_key(), certificate.extensions
    except (ValueError, x509.DuplicateExtension) as error:
        raise UsageError("This certificate is not well formed. Make another one.") from error
    if isinstance(key, RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise UsageError(f"Its RSA key has {key.key_size} bits, and TLS takes {LEAST_RSA_BITS} or more. Make another.")
    for each in extensions:
        uses = each.value
        if isinstance(uses, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.CLIENT_AUTH not in uses:
            raise UsageError(
                "This certificate is for servers only (extended key usage without clientAuth), and TLS takes none such "
                "from a client. Make one for the machine itself, self-signed if you like."
            )
        if isinstance(uses, x509.KeyUsage) and not (uses.digital_signature or uses.key_agreement):
            raise UsageError("This certificate may not be used to sign (key usage), so nobody can log in with it.")


def _common_name(certificate: Certificate) -> str:
    """What it calls its owner. Raises UsageError where it does not."""
    from cryptography.x509.oid import NameOID

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not found:
        raise UsageError("This certificate has no common name. Say with --name NAME what it is called here.")
    return str(found[0].value)


def _fingerprint(certificate: Certificate) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256

    return certificate.fingerprint(SHA256()).hex()


def _shown(fingerprint: str) -> str:
    """As OpenSSL shows it."""
    return ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)).upper()


def _document(each: CertificateUse) -> dict[str, Any]:
    return {
        "mailbox": each.login,
        "name": each.name,
        "fingerprint": _shown(each.fingerprint),
        "until": each.until,
        "created_at": each.created_at,
        "used_at": each.used_at,
    }
