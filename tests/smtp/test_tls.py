"""The certificate of a door: what cannot be used is refused in words, and what is renewed is shown at once."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from bridge.errors import SettingsError
from bridge.smtp_doors import DoorSettings
from bridge.smtp_server import open_certificate
from bridge.smtp_tls import Certificate
from tests.smtp.conftest import Client, House, OpenHouse


def test_a_tls_port_without_certificate_is_refused_in_words() -> None:
    with pytest.raises(SettingsError, match="certificate"):
        open_certificate(DoorSettings(tls_port=465))


@pytest.mark.parametrize("content", [None, "not PEM"], ids=["missing", "not PEM"])
def test_a_certificate_that_cannot_be_used_is_refused_in_words(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "server.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match=r"smtp\.certificate"):
        open_certificate(DoorSettings(certificate=path))


async def test_old_tls_is_not_spoken(house: House, authority_file: Path) -> None:
    old = ssl.create_default_context(cafile=str(authority_file))
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.deprecated_call():
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.deprecated_call():
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await house.connect(tls=old)


# ------------------------------------------------------------------------------------------------- renewed


class Pair:
    """Certificate and key in two files, as a program leaves them that renews certificates."""

    def __init__(self, authority: trustme.CA, folder: Path) -> None:
        self._authority = authority
        self.chain, self.key = folder / "fullchain.pem", folder / "privkey.pem"

    def write_chain(self) -> trustme.LeafCert:
        issued = self._authority.issue_cert("localhost")
        self.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return issued

    def renew(self) -> bytes:
        """The certificate that counts from now on (DER)."""
        self.key.write_bytes((issued := self.write_chain()).private_key_pem.bytes())
        return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())


@pytest.fixture
def pair(authority: trustme.CA, tmp_path: Path) -> Pair:
    return Pair(authority, tmp_path)


async def test_a_renewed_certificate_is_shown_to_who_connects_next(
    open_house: OpenHouse, pair: Pair, trusting: ssl.SSLContext
) -> None:
    first = pair.renew()
    house = await open_house(certificate=pair.chain, private_key=pair.key)
    before = await house.connect(tls=trusting)
    assert _shown(before) == first
    second = pair.renew()
    assert _shown(await house.connect(tls=trusting)) == second
    client = await house.connect()
    await client.say("EHLO pc")
    await client.say("STARTTLS")
    await client.writer.start_tls(trusting, server_hostname="localhost")
    assert _shown(client) == second
    assert (await before.say("NOOP")).startswith("250"), "who was there before goes on"


async def test_half_of_a_new_pair_leaves_the_old_one_in_use_and_is_told(
    open_house: OpenHouse, pair: Pair, trusting: ssl.SSLContext
) -> None:
    first = pair.renew()
    house = await open_house(certificate=pair.chain, private_key=pair.key)
    certificate = Certificate(pair.chain, pair.key)
    pair.write_chain()  # and its key is not there yet
    assert certificate.asking({}) is certificate.context, "nor is anybody asked for a certificate of his own"
    with capture_logs() as logs:
        for _ in range(2):
            assert _shown(await house.connect(tls=trusting)) == first
        second = pair.renew()
        assert _shown(await house.connect(tls=trusting)) == second
    told = [entry["event"] for entry in logs if entry["event"].startswith("smtp.certificate")]
    assert told == ["smtp.certificate_unusable", "smtp.certificate_reloaded"]


def _shown(client: Client) -> bytes:
    """The server's certificate (DER)."""
    shown: bytes = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return shown
