"""A mail goes straight into a mailbox by LMTP, over TCP and over a unix socket."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.errors import MailRefused
from bridge.mailback.relay import Relay, RelaySettings
from bridge.settings import TlsMode
from tests.mailback.conftest import MAIL, reaching, scripted
from tests.servers.dovecot import FULL, DovecotServer


def to_dovecot(dovecot: DovecotServer, *, over_socket: bool = False) -> RelaySettings:
    return reaching(dovecot.lmtp_port, lmtp=True, socket=dovecot.lmtp_socket if over_socket else None)


@pytest.mark.parametrize("over_socket", [False, True], ids=["TCP", "unix socket"])
async def test_mails_are_delivered_one_after_another_over_one_connection(
    dovecot: DovecotServer, account: str, over_socket: bool
) -> None:
    relay = Relay(to_dovecot(dovecot, over_socket=over_socket))
    mails = [replace(MAIL, envelope_to=f"{account}@example.test", raw=MAIL.raw + b"%d\r\n" % n) for n in range(3)]
    for mail in mails:
        await relay.send(mail)
    await relay.close()
    # Dovecot puts Return-Path, Delivered-To and Received before the mail (RFC 5321 section 4.4).
    delivered = dovecot.mails(account)
    assert all(there.endswith(mail.raw) for there, mail in zip(delivered, mails, strict=True))
    assert all(there.startswith(b"Return-Path: <>\r\n") for there in delivered)


async def test_a_full_mailbox_keeps_the_mail_waiting(dovecot: DovecotServer) -> None:
    relay = Relay(to_dovecot(dovecot))
    with pytest.raises(MailRefused, match=r"The mailbox is full \(552 5\.2\.2\)") as refused:
        await relay.send(replace(MAIL, envelope_to=f"{FULL}@example.test", raw=MAIL.raw + b"x" * 5000 + b"\r\n"))
    await relay.close()
    assert refused.value.retryable


async def test_a_server_that_speaks_only_smtp_is_named(dovecot: DovecotServer) -> None:
    async with scripted({"LHLO": "500 5.5.1 unknown", "HELO": "500 5.5.1 unknown"}) as server:
        relay = Relay(reaching(server.port, lmtp=True))
        assert "does not answer the greeting" in await relay.probe()
        assert "EHLO" not in server.heard


async def test_a_socket_that_is_not_there_is_named(dovecot: DovecotServer) -> None:
    nowhere = dovecot.folder / "no-such-socket"
    relay = Relay(RelaySettings(host="localhost", port=24, tls=TlsMode.NONE, lmtp=True, socket=nowhere))
    assert str(nowhere) in await relay.probe()
