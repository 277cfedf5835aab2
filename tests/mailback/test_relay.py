"""Mails reach the mail server, over every kind of TLS, and a refusal is final only when it is about the mail."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.errors import MailRefused, SettingsError
from bridge.mailback.relay import Relay
from bridge.settings import TlsMode
from bridge.types import OutgoingMail
from tests.mailback.conftest import MAIL, PASSWORD, USER, Certificates, issue, reaching, scripted, sink


async def refusal(relay: Relay, mail: OutgoingMail = MAIL) -> MailRefused:
    with pytest.raises(MailRefused) as caught:
        await relay.send(mail)
    await relay.close()
    return caught.value


# --------------------------------------------------------------------------------------------- a mail is handed over


async def test_a_mail_arrives_byte_for_byte_with_its_null_sender() -> None:
    async with sink() as server:
        relay = Relay(reaching(server.port))
        await relay.send(MAIL)
        await relay.close()
    ((sender, recipients, raw),) = server.mails
    assert sender in {"", "<>"}
    assert recipients == ["clinic@example.test"]
    assert raw == MAIL.raw


@pytest.mark.parametrize("tls", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
async def test_a_mail_travels_encrypted_and_after_login(tls: TlsMode, certificates: Certificates) -> None:
    async with sink(certificates.server, implicit=tls is TlsMode.IMPLICIT, auth_require_tls=False) as server:
        relay = Relay(reaching(server.port, tls, username=USER, password=PASSWORD, ca_file=certificates.authority))
        await relay.send(MAIL)
        await relay.close()
    assert server.encrypted == [True]
    assert server.logins == [USER.encode()]
    assert len(server.mails) == 1


async def test_without_tls_a_server_that_offers_it_is_taken_at_the_operator_s_word(certificates: Certificates) -> None:
    async with sink(certificates.server) as server:
        relay = Relay(reaching(server.port, TlsMode.NONE))
        await relay.send(MAIL)
        await relay.close()
    assert server.encrypted == [False]


async def test_a_size_limit_is_told_in_advance() -> None:
    async with sink(data_size_limit=len(MAIL.raw) - 1) as server:
        refused = await refusal(Relay(reaching(server.port)))
    assert not refused.retryable
    assert "552" in refused.sentence
    assert server.mails == []


# ------------------------------------------------------------------------------------------------- one connection


async def test_many_mails_share_one_connection_even_at_the_same_time() -> None:
    async with sink() as server:
        relay = Relay(reaching(server.port))
        await asyncio.gather(*(relay.send(MAIL) for _ in range(20)))
        await relay.close()
    assert len(server.mails) == 20
    assert server.connections == 1


async def test_an_idle_connection_is_closed_with_a_farewell() -> None:
    async with scripted() as server:
        relay = Relay(reaching(server.port, idle=0.01))
        await relay.send(MAIL)
        await server.gone.wait()
        assert server.heard[-1] == "QUIT"
        await relay.send(MAIL)
        await relay.close()
    assert server.connections == 2


async def test_a_server_that_hangs_up_between_two_mails_is_connected_to_again() -> None:
    async with scripted({"RSET": None}) as server:
        relay = Relay(reaching(server.port))
        await relay.send(MAIL)
        await relay.send(MAIL)
        await relay.close()
    assert server.connections == 2
    assert server.heard.count("DOT") == 2


async def test_a_refused_mail_does_not_cost_the_next_one_its_connection() -> None:
    async with scripted({"RCPT": "550 5.1.1 unknown"}) as server:
        relay = Relay(reaching(server.port))
        with pytest.raises(MailRefused):
            await relay.send(MAIL)
        del server.answers["RCPT"]
        await relay.send(MAIL)
        await relay.close()
    assert server.heard.count("DOT") == 1
    assert server.connections == 1


async def test_a_cancelled_mail_leaves_no_connection_behind() -> None:
    async with scripted(silent_on="DOT") as server:
        relay = Relay(reaching(server.port))
        sending = asyncio.create_task(relay.send(MAIL))
        await server.silent.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.gone.wait()
        await relay.close()
    assert "QUIT" not in server.heard


async def test_closing_waits_for_the_mail_under_way() -> None:
    async with sink() as server:
        relay = Relay(reaching(server.port))
        sending = asyncio.create_task(relay.send(MAIL))
        await asyncio.sleep(0)
        await relay.close()
        await sending
    assert len(server.mails) == 1


# ------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("answers", "retryable", "codes"),
    [
        pytest.param({"MAIL": "550 5.7.1 sender not allowed"}, False, "550 5.7.1", id="sender refused"),
        pytest.param({"RCPT": "550 5.1.1 no such user"}, False, "550 5.1.1", id="unknown mailbox"),
        pytest.param({"RCPT": "450 4.2.0 greylisted"}, True, "450 4.2.0", id="greylisted"),
        pytest.param({"RCPT": "452 mailbox full"}, True, "452", id="mailbox full"),
        pytest.param({"DATA": "554 5.5.1 no valid recipients"}, False, "554 5.5.1", id="refused at DATA"),
        pytest.param({"DOT": "554 5.7.1 looks like spam"}, False, "554 5.7.1", id="refused after the dot"),
        pytest.param({"DOT": "451 4.3.0 try later"}, True, "451 4.3.0", id="put off after the dot"),
        pytest.param({"MAIL": "530 5.7.0 log in first"}, True, "530 5.7.0", id="login wanted: not the mail's fault"),
        pytest.param({"MAIL": "503 5.5.1 AUTH first"}, True, "503 5.5.1", id="another way to want a login"),
        pytest.param({"MAIL": "421 4.3.2 going down"}, True, "421 4.3.2", id="going down"),
    ],
)
async def test_the_answer_decides_whether_trying_again_can_help(
    answers: dict[str, str | None], retryable: bool, codes: str
) -> None:
    async with scripted(answers) as server:
        refused = await refusal(Relay(reaching(server.port)))
    assert refused.retryable is retryable
    assert f"({codes})" in refused.sentence


@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"])
async def test_a_server_that_hangs_up_may_be_tried_again(command: str) -> None:
    async with scripted({command: None, "HELO": None}) as server:
        refused = await refusal(Relay(reaching(server.port)))
    assert refused.retryable


@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "MAIL", "DOT"])
async def test_a_server_that_falls_silent_is_left_after_the_timeout(command: str) -> None:
    async with scripted(silent_on=command) as server:
        refused = await refusal(Relay(reaching(server.port, timeout=0.2, data_timeout=0.2)))
        await server.gone.wait()
    assert refused.retryable


async def test_a_server_that_stops_reading_a_large_mail_is_left_after_the_timeout() -> None:
    large = OutgoingMail("x", "", "clinic@example.test", b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * 10_000_000)
    async with scripted(silent_on="DATA") as server:
        refused = await refusal(Relay(reaching(server.port, timeout=0.2, data_timeout=0.2)), large)
        await server.gone.wait()
    assert refused.retryable


async def test_nobody_at_the_port_may_be_tried_again() -> None:
    async with scripted() as server:
        pass
    refused = await refusal(Relay(reaching(server.port)))
    assert refused.retryable
    assert refused.sentence == (
        f"The mail server 127.0.0.1:{server.port} does not answer: check relay.host, relay.port and relay.tls."
    )


@pytest.mark.parametrize("noise", ["HTTP/1.1 400 Bad Request", "", "\u00ff\u00ff"])
async def test_a_port_that_speaks_something_else_may_be_tried_again(noise: str) -> None:
    async with scripted({"CONNECT": noise}) as server:
        refused = await refusal(Relay(reaching(server.port, timeout=0.2)))
    assert refused.retryable


@pytest.mark.parametrize(
    "address",
    [
        "a\r\nRCPT TO:<x@example.test>",
        "Anna <x@example.test>",
        "a@example.test> SIZE=1",
        "a@example.test,b@example.test",
        "è@example.test",
        "a\0@example.test",
        "",
    ],
)
async def test_an_address_that_is_not_exactly_one_address_never_reaches_the_server(address: str) -> None:
    async with scripted() as server:
        refused = await refusal(Relay(reaching(server.port)), OutgoingMail("x", "", address, b"\r\n"))
    assert not refused.retryable
    assert "RCPT" not in server.heard


async def test_a_refusal_repeats_nothing_of_what_the_server_said() -> None:
    async with scripted({"RCPT": "550 5.1.1 <+393331234567@sms.example.test>: unknown"}) as server:
        refused = await refusal(Relay(reaching(server.port)))
    assert "393331234567" not in f"{refused.sentence}{refused.detail}{refused!r}{refused.__cause__!r}"


# ------------------------------------------------------------------------------------------------- TLS and login


async def test_starttls_is_never_given_up_silently() -> None:
    async with sink() as server:
        relay = Relay(reaching(server.port, TlsMode.STARTTLS, username=USER, password=PASSWORD))
        refused = await refusal(relay)
    assert refused.retryable
    assert "does not start TLS" in refused.sentence
    assert server.logins == []
    assert server.mails == []


@pytest.mark.parametrize("tls", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
@pytest.mark.parametrize("trusted", [False, True], ids=["unknown authority", "certificate for another name"])
async def test_a_certificate_that_cannot_be_trusted_gets_no_mail(tls: TlsMode, trusted: bool, tmp_path: Path) -> None:
    other = issue(tmp_path, "other.example.test")
    async with sink(other.server, implicit=tls is TlsMode.IMPLICIT) as server:
        relay = Relay(reaching(server.port, tls, ca_file=other.authority if trusted else None))
        refused = await refusal(relay)
    assert refused.retryable
    assert "certificate that is not trusted" in refused.sentence
    assert server.mails == []


async def test_a_wrong_password_is_the_operator_s_to_mend_and_loses_no_mail(certificates: Certificates) -> None:
    async with sink(certificates.server) as server:
        relay = Relay(
            reaching(server.port, TlsMode.STARTTLS, username=USER, password="wrong", ca_file=certificates.authority)
        )
        refused = await refusal(relay)
    assert refused.retryable
    assert "check relay.username and relay.password" in refused.sentence
    assert "wrong" not in f"{refused.sentence}{refused.detail}{reaching(1, password='wrong')!r}"


def test_an_unreadable_authority_file_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for path in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        with pytest.raises(SettingsError, match=r"relay\.ca_file"):
            Relay(reaching(25, TlsMode.STARTTLS, ca_file=path))


# --------------------------------------------------------------------------------------------------------- probe


async def test_a_probe_of_a_good_server_has_nothing_to_say_and_sends_nothing(certificates: Certificates) -> None:
    async with sink(certificates.server) as server:
        relay = Relay(
            reaching(server.port, TlsMode.STARTTLS, username=USER, password=PASSWORD, ca_file=certificates.authority)
        )
        assert await relay.probe() == ""
    assert server.logins == [USER.encode()]
    assert server.mails == []


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        pytest.param({"CONNECT": "554 no service"}, "does not answer", id="turned away"),
        pytest.param({"EHLO": None, "HELO": None}, "does not answer the greeting", id="hangs up at the greeting"),
    ],
)
async def test_a_probe_says_what_is_wrong(answers: dict[str, str | None], sentence: str) -> None:
    async with scripted(answers) as server:
        assert sentence in await Relay(reaching(server.port)).probe()
