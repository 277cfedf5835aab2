"""What aiosmtpd 1.4.6 leaves open to an unauthenticated stranger or an impatient client, closed one by one.

Traps that one conversation shows are in `dialogs/`; here are those that need time, floods or a hang-up.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import socket
import ssl
import struct

import pytest
from aiosmtpd.smtp import SMTP
from structlog.testing import capture_logs

from bridge.errors import MailRefusal, Reason
from bridge.smtp_session import MAX_IDLE_COMMANDS
from bridge.smtp_wire import MAX_LINE
from tests.smtp.conftest import LOGIN, NUMBER, PASSWORD, House, OpenHouse, resident

WRONG = base64.b64encode(f"\0{LOGIN}\0wrong".encode()).decode()


# 1. An asynchronous authenticator that says no is taken for a yes.


@pytest.mark.usefixtures("quick")
async def test_a_wrong_password_is_never_answered_235(house: House) -> None:
    client = await house.connect()
    await client.say("EHLO pc")
    assert (await client.say(f"AUTH PLAIN {WRONG}")).startswith("535 5.7.8")
    assert (await client.say(f"MAIL FROM:<{LOGIN}>")).startswith("530 5.7.0")


# 2. The timer runs on while the server thinks, and through the whole of an upload.


async def test_the_timer_stands_still_while_a_mail_is_committed(open_house: OpenHouse) -> None:
    house = await open_house(command_timeout=0.6, data_timeout=0.6)
    house.admission.gate = asyncio.Event()
    client = await house.at_data()
    await client.send(b"Hello\r\n.\r\n")
    await house.admission.entered.wait()
    await asyncio.sleep(0.9)
    house.admission.gate.set()
    assert (await client.reply()).startswith("250 2.0.0")


async def test_a_slow_upload_lives_as_long_as_blocks_keep_coming(open_house: OpenHouse) -> None:
    house = await open_house(data_timeout=1.0)
    client = await house.at_data()
    for _ in range(12):
        await asyncio.sleep(0.1)
        await client.send(b"slow" * 50 + b"\r\n")
    assert (await client.mail(b"done")).startswith("250 2.0.0")


async def test_a_client_that_falls_silent_is_told_so(open_house: OpenHouse) -> None:
    house = await open_house(command_timeout=0.2)
    client = await house.connect()
    assert (await client.reply()).startswith("421 4.4.2")
    assert await client.rest() == b""


async def test_an_upload_that_falls_silent_is_told_so(open_house: OpenHouse) -> None:
    house = await open_house(data_timeout=0.2)
    client = await house.at_data()
    await client.send(b"Hello\r\n")
    assert (await client.reply()).startswith("421 4.4.2")
    assert house.admission.admitted == []


async def test_a_command_that_drips_in_is_timed_as_a_whole(open_house: OpenHouse) -> None:
    house = await open_house(command_timeout=0.3)
    client = await house.connect()

    async def drip() -> None:
        while True:
            await client.send(b"N")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    assert (await client.reply()).startswith("421 4.4.2")
    dripping.cancel()


async def test_a_client_that_does_not_read_its_answers_is_cut_off(open_house: OpenHouse) -> None:
    house = await open_house(command_timeout=0.5)
    house.directory.networks["127.0.0.1"] = LOGIN
    client = await house.connect()
    transport = client.writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    with pytest.raises(ConnectionError):
        await client.flood(b"RCPT TO:<x>\r\n" * 20_000)
    await house.emptied()


# 3. Hanging up right after the dot cancels the commit.


@pytest.mark.parametrize("how", ["close", "half-close", "reset"])
async def test_a_mail_is_committed_though_the_client_hangs_up_after_the_dot(house: House, how: str) -> None:
    house.admission.gate = asyncio.Event()
    client = await house.at_data()
    await client.send(b"Hello\r\n.\r\n")
    await house.admission.entered.wait()
    match how:
        case "close":
            client.writer.close()
        case "half-close":
            client.writer.write_eof()
        case _:
            client.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            client.writer.transport.abort()
    house.admission.gate.set()
    await asyncio.wait_for(house.admission.done.wait(), 30)
    assert [mail.raw for mail in house.admission.admitted] == [b"Hello\r\n"]
    if how == "half-close":
        assert (await client.reply()).startswith("250 2.0.0")


async def test_a_mail_cut_off_before_its_dot_is_not_taken(house: House) -> None:
    client = await house.at_data()
    await client.send(b"Hello\r\n.\r")
    await client.close()
    await house.emptied()
    assert house.admission.admitted == []


# 4. A mail without line ends fills the memory.


@pytest.mark.parametrize("where", ["in a mail", "in a command"])
async def test_a_hundred_megabytes_without_a_line_end_are_refused_and_not_kept(
    open_house: OpenHouse, where: str
) -> None:
    house = await open_house(max_mail_bytes=1_000_000)
    client = await (house.at_data() if where == "in a mail" else house.connect())
    before = resident()
    answer = asyncio.create_task(client.rest())
    with pytest.raises(ConnectionError):
        await client.flood(b"x" * 50_000)
    assert resident() - before < 8 << 20
    assert house.admission.admitted == []
    answer.cancel()
    await house.emptied()


async def test_a_mail_somewhat_too_large_is_read_to_its_end_and_the_connection_lives(open_house: OpenHouse) -> None:
    house = await open_house(max_mail_bytes=50_000)
    client = await house.at_data()
    assert (await client.mail(b"x" * 150_000)).startswith("552 5.3.4")
    assert (await client.say("NOOP")).startswith("250")


# 5. The text of an exception goes to the client, with a 500 that makes the mail bounce.


async def test_an_error_of_our_own_is_451_and_tells_the_client_nothing(house: House) -> None:
    house.admission.error = RuntimeError("password=hunter2 +393331234567")
    client = await house.at_data()
    with capture_logs() as logs:
        answer = await client.mail(b"Hello")
    assert answer.startswith("451 4.3.0 ")
    assert "hunter2" not in answer + str(logs)
    assert "393331234567" not in answer + str(logs)
    (internal,) = [entry for entry in logs if entry["event"] == "smtp.internal"]
    assert internal["reference"] in answer
    assert internal["error"] == "RuntimeError"
    assert any("conftest.py" in frame for frame in internal["frames"])
    house.admission.error = None
    await client.say(f"MAIL FROM:<{LOGIN}>")
    assert (await client.say(f"RCPT TO:{NUMBER}")).startswith("250")


async def test_a_refusal_of_admission_is_the_answer(house: House) -> None:
    house.admission.error = MailRefusal(Reason.BUSY, "Too much at once. Try again in a minute.")
    client = await house.at_data()
    assert await client.mail(b"Hello") == "452 4.3.1 Too much at once. Try again in a minute."


# 6. What looks like the end of a mail to one server and not to another smuggles a second mail past the first.


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\n\n.\r\n", b"\r\n\0.\r\n"],
    ids=["LF.LF", "LF.CRLF", "CR.CR", "CRLF.LF", "CRLF.CR", "CR.CRLF", "LFLF.CRLF", "CRLF NUL.CRLF"],
)
async def test_nothing_but_a_dot_between_crlf_ends_a_mail(house: House, end: bytes) -> None:
    client = await house.at_data()
    smuggled = b"MAIL FROM:<clinic@example.test>\r\nRCPT TO:" + NUMBER.encode() + b"\r\nDATA\r\nsecond"
    answer = await client.mail(b"first" + end + smuggled)
    assert answer.startswith("550 5.6.0")
    assert house.admission.admitted == []
    assert (await client.say("NOOP")) == "250 2.0.0 Still here."


# 7. Lines: one limit for all, and a limit that all connections share and raise.


async def test_a_login_may_be_as_long_as_rfc_4954_says(house: House) -> None:
    client = await house.connect()
    await client.say("EHLO pc")
    room = MAX_LINE - len("AUTH PLAIN \r\n")
    long_password = "p" * (room // 4 * 3 - len(LOGIN) - 2)
    response = base64.b64encode(f"\0{LOGIN}\0{long_password}".encode()).decode()
    assert MAX_LINE - 4 < len(f"AUTH PLAIN {response}\r\n") <= MAX_LINE
    assert (await client.say(f"AUTH PLAIN {response}")).startswith("535 5.7.8")
    assert (await client.say(f"AUTH PLAIN {response}AAAA")).startswith("500 5.5.2")
    await client.say("AUTH PLAIN")
    assert (await client.say("A" * MAX_LINE)).startswith("500 5.5.6")
    assert (await client.say("NOOP " + "x" * 3000)).startswith("500 5.5.2")
    assert (await client.say("NOOP")).startswith("250")


async def test_no_connection_changes_the_limits_of_another(house: House) -> None:
    before = dict(SMTP.command_size_limits)
    for _ in range(3):
        client = await house.connect()
        await client.say("EHLO pc")
    assert dict(SMTP.command_size_limits) == before


# 8. Guessing, and commands without end.


async def test_a_wrong_password_costs_time(house: House) -> None:
    client = await house.connect()
    await client.say("EHLO pc")
    started = asyncio.get_running_loop().time()
    await client.say(f"AUTH PLAIN {WRONG}")
    assert asyncio.get_running_loop().time() - started >= 1.0


async def test_commands_that_bring_no_mail_run_out(house: House) -> None:
    client = await house.connect()
    for _ in range(MAX_IDLE_COMMANDS):
        assert (await client.say("NOOP")).startswith("250")
    assert (await client.say("NOOP")).startswith("421 4.7.0")
    assert await client.rest() == b""


async def test_a_long_list_with_bad_addresses_does_not_run_out(house: House) -> None:
    client = await house.logged_in()
    await client.say(f"MAIL FROM:<{LOGIN}>")
    for _ in range(MAX_IDLE_COMMANDS * 2):
        assert (await client.say("RCPT TO:<nobody>")).startswith("553 5.1.3")
    assert (await client.say(f"RCPT TO:{NUMBER}")).startswith("250")


# 9. PROXY: see dialogs/other_commands.txt.  10. Addresses: see dialogs/address_oddities.txt.

# 11. A look at the DNS for each connection, and every command in the log.


async def test_no_name_is_looked_up(open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object) -> str:
        raise AssertionError("a blocking look-up")

    for name in ("getfqdn", "gethostbyaddr", "getnameinfo"):
        monkeypatch.setattr(socket, name, look_up)
    house = await open_house()
    client = await house.connect()
    assert (await client.say("EHLO pc")).startswith("250-bridge.example.test\n")


@pytest.mark.usefixtures("quick")
async def test_no_log_line_holds_an_address_a_number_or_a_secret(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    with capture_logs() as logs:
        client = await house.connect()
        await client.say("EHLO pc")
        await client.say(f"AUTH PLAIN {WRONG}")
        await client.close()
        client = await house.at_data()
        await client.mail(b"Subject: secret\r\n\r\nSee you at ten")
        await client.say("MAIL FROM:<spy@elsewhere.test>")
        await client.say(f"MAIL FROM:<{LOGIN}>")
        await client.say("RCPT TO:<12@sms.example.test>")
    written = caplog.text + str(logs)
    assert {"login.refused", "mail.taken", "mail.refused", "recipient.refused"} <= {entry["event"] for entry in logs}
    assert not re.search(r"clinic|elsewhere|3331234567|sms\.example|secret|See you|at ten\b", written), written
    assert PASSWORD not in written


# 12. The prompts of AUTH LOGIN: see dialogs/login_prompts.txt.


async def test_commands_sent_before_tls_are_not_obeyed_after_it(house: House, trusting: ssl.SSLContext) -> None:
    """CVE-2024-34083: whoever sits on the line may put commands of his own before the handshake."""
    client = await house.connect()
    await client.say("EHLO pc")
    await client.send(b"STARTTLS\r\nEHLO injected\r\nNOOP\r\n")
    assert (await client.reply()).startswith("220 2.0.0")
    await client.writer.start_tls(trusting, server_hostname="localhost")
    assert (await client.say("HELP")).startswith("214 2.0.0")


async def test_a_login_is_given_up_when_its_password_changes(house: House) -> None:
    client = await house.logged_in()
    (mailbox,) = house.directory.mailboxes.values()
    house.directory.mailboxes.clear()
    assert (await client.say(f"MAIL FROM:<{LOGIN}>")).startswith("530 5.7.0")
    house.directory.mailboxes[mailbox.login] = mailbox
    assert (await client.say(f"MAIL FROM:<{LOGIN}>")).startswith("530 5.7.0")
