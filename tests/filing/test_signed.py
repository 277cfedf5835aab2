"""The bridge's mails go straight into Dovecot by LMTP, signed once: the mail in the inbox and the one in the folder."""

from __future__ import annotations

from pathlib import Path

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bridge.cli.check import _to_publish
from bridge.mailback.configured import open_signer
from bridge.settings import DkimSettings, RelayProtocol, RelaySettings, TlsMode
from tests.filing.conftest import LOGIN, eventually, filing, office
from tests.servers.dovecot import DovecotServer

NUMBER = "+393331230001"


async def test_a_reply_is_signed_and_comes_by_lmtp(dovecot: DovecotServer, account: str, tmp_path: Path) -> None:
    key = tmp_path / "dkim.pem"
    key.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    relay = RelaySettings(protocol=RelayProtocol.LMTP, socket=dovecot.lmtp_socket, tls=TlsMode.NONE)
    signature = DkimSettings(key_file=key)
    inbox = LOGIN.partition("@")[0]
    async with office(tmp_path, {LOGIN: filing(dovecot.port, account)}, relay=relay, dkim=signature) as running:
        await running.send([NUMBER], "Can you come?")
        await running.arrives(NUMBER)
        await running.texts_back(NUMBER, "Sì")

        async def all_there() -> bool:
            counts = await running.bridge.store.ledger.counts()
            return counts["filings"] == {"sent": 2} and counts["mails"] == {"sent": 1}

        await eventually(all_there)
        signer = open_signer(running.bridge.settings)
        (line,) = _to_publish(running.bridge.settings)
    assert signer is not None
    (delivered,) = dovecot.mails(inbox)
    assert dovecot.mails(account, f".SMS.{NUMBER}")[1] in delivered
    record = {f"{signer.record_name}.".encode(): signer.record.encode()}
    assert dkim.verify(delivered, dnsfunc=lambda name, **_: record.get(name))
    assert line == f'dns    bridge._domainkey.sms.example.test. TXT "{signer.record}"'
