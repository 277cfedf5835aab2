"""`bridge certificates`: which machines log in by what they show, and what no handshake would end well with."""

from __future__ import annotations

import hashlib
import sqlite3
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ExtendedKeyUsage, KeyUsage
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.cli.commands import Done, run
from tests.cli.conftest import configured, copied
from tests.servers.machines import Machine

LOGIN = "relay@clinic.example"
OTHER = "lab@clinic.example"
Certificates = Callable[..., Done]


@pytest.fixture(scope="module")
def with_mailboxes(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = copied(tables, configured(tmp_path_factory.mktemp("certificates")))
    for login in (LOGIN, OTHER):
        add = ("mailbox", "add", login, "--sender", "+390200000042", "--network", "10.0.0.0/8")
        assert run(*add, "--config", config).code == 0
    return config


@pytest.fixture
def certificates(config: Path, with_mailboxes: Path) -> Certificates:
    copied(with_mailboxes, config)

    def command(*arguments: object) -> Done:
        return run("certificates", *arguments, "--config", config)

    return command


def test_one_is_added_listed_and_removed(certificates: Certificates, tmp_path: Path) -> None:
    assert "There are no client certificates" in certificates("list").out
    postfix, printer = Machine.made("mail.clinic.example"), Machine.made("printer")
    der = tmp_path / "printer.der"
    der.write_bytes(printer.certificate.public_bytes(Encoding.DER))
    added = certificates("add", LOGIN, postfix.write(tmp_path))
    assert (added.code, added.err) == (0, "")
    shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(postfix.pem.decode())).digest().hex(":").upper()
    day = postfix.until.date().isoformat()
    assert f"mail.clinic.example logs in to {LOGIN} until {day}. SHA-256: {shown}\n" in added.out
    assert "name its address in smtp.certificates_from" in added.out
    assert certificates("add", OTHER, der, "--name", "Printer, 2nd floor").code == 0
    assert [(each["mailbox"], each["name"], each["used_at"]) for each in certificates("list", "--json").document] == [
        (OTHER, "Printer, 2nd floor", None),
        (LOGIN, "mail.clinic.example", None),
    ]
    (mine,) = certificates("list", LOGIN, "--json").document
    assert (mine["fingerprint"], mine["until"]) == (shown, postfix.until.isoformat())
    assert f"  valid until {day}  made on {mine['created_at'][:10]}  never used  {shown}\n" in certificates("list").out
    removed = certificates("remove", OTHER, "printer, 2nd floor")
    assert (removed.code, removed.out) == (0, f"Nobody logs in to {OTHER} with printer, 2nd floor any more.\n")
    assert [each["mailbox"] for each in certificates("list", "--json").document] == [LOGIN]


SERVER_ONLY = ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
NO_SIGNING = KeyUsage(
    digital_signature=False,
    key_agreement=False,
    key_encipherment=True,
    content_commitment=False,
    data_encipherment=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
REFUSED = {
    "expired": (lambda: Machine.made(days=-1).pem, "was valid until"),
    "for servers only": (lambda: Machine.made(extensions=[SERVER_ONLY]).pem, "is for servers only"),
    "not for signing": (lambda: Machine.made(extensions=[NO_SIGNING]).pem, "may not be used to sign"),
    "a short key": (lambda: Machine.made(key=rsa.generate_private_key(65537, 1024)).pem, "has 1024 bits"),
    "without a name": (lambda: Machine.made(name="").pem, "has no common name"),
    "a name of two lines": (lambda: Machine.made(name="x\ny").pem, "on one line"),
    "no certificate": (lambda: b"-----BEGIN PRIVATE KEY-----\n", "holds no certificate"),
    "no DER": (lambda: b"\x30\x03\x02\x01\x01", "holds no certificate"),
}


@pytest.mark.parametrize(("octets", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_login_is_refused(
    certificates: Certificates, tmp_path: Path, octets: Callable[[], bytes], sentence: str
) -> None:
    file = tmp_path / "machine.pem"
    file.write_bytes(octets())
    done = certificates("add", LOGIN, file)
    assert (done.code, sentence in done.sentence) == (2, True)
    assert certificates("list", "--json").document == []


def test_a_certificate_is_one_mailbox_s_and_its_name_is_free(certificates: Certificates, tmp_path: Path) -> None:
    file = Machine.made("printer").write(tmp_path)
    assert certificates("add", LOGIN, file).code == 0
    taken = certificates("add", OTHER, file, "--name", "another")
    assert (taken.code, f"logs in to {LOGIN} already, where it is printer" in taken.sentence) == (1, True)
    named = certificates("add", LOGIN, Machine.made("Printer").write(tmp_path))
    assert (named.code, "has the client certificate Printer already" in named.sentence) == (1, True)
    missing = certificates("add", LOGIN, tmp_path / "nothing.pem")
    assert (missing.code, "cannot be read (no such file" in missing.sentence) == (2, True)
    none = certificates("remove", OTHER, "printer")
    assert (none.code, f"{OTHER} has no client certificate printer" in none.sentence) == (1, True)


def test_a_mailbox_that_is_removed_takes_its_certificates_along(
    certificates: Certificates, config: Path, tmp_path: Path
) -> None:
    certificates("add", LOGIN, Machine.made().write(tmp_path))
    assert run("mailbox", "remove", LOGIN, "--config", config).code == 0
    assert certificates("list", "--json").document == []


def test_check_tells_which_cannot_be_a_login(certificates: Certificates, config: Path, tmp_path: Path) -> None:
    certificates("add", LOGIN, Machine.made("printer").write(tmp_path))
    certificates("add", LOGIN, Machine.made("old").write(tmp_path))
    with sqlite3.connect(config.parent / "data" / "bridge.db") as database:
        database.execute("UPDATE client_certificate SET until = '2026-01-31 12:00:00.000000' WHERE name = 'old'")
    complaints = run("check", "--config", config).err
    assert f"client certificate printer of {LOGIN}: nobody is asked for it." in complaints
    assert f"client certificate old of {LOGIN}: was valid until 2026-01-31 only." in complaints
