"""Real mail programs, every kind of login over every kind of connection."""

from __future__ import annotations

import asyncio
import os
import smtplib
import ssl
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from bridge.types import Door, Notify, Ret
from tests.smtp.conftest import LOGIN, PASSWORD, Admitted, House, OpenHouse

TO = "+393331234567@sms.example.test"
MAIL = f"From: {LOGIN}\r\nTo: {TO}\r\nSubject: appointment\r\n\r\n.Tomorrow at 10, città\r\n"

PLUS = "clinic+recall@example.test"
"""An address of the same mailbox with a detail behind the plus (RFC 5233)."""

DOORS = ["loopback", "starttls", "implicit-tls"]
LOGINS = ["PLAIN", "LOGIN"]


async def _run(*command: str, stdin: str = "", **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | environment,
    )
    output, _ = await process.communicate(stdin.encode())
    assert process.returncode == 0, output.decode(errors="replace")
    return output.decode(errors="replace")


def _the_mail(house: House, sender: str = LOGIN) -> Admitted:
    (mail,) = house.admission.admitted
    assert mail.envelope.mail_from == sender
    assert mail.numbers == ("+393331234567",)
    assert mail.envelope.door is Door.SUBMISSION
    return mail


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("door", DOORS)
async def test_smtplib(open_house: OpenHouse, trusting: ssl.SSLContext, door: str, login: str) -> None:
    house = await open_house(plaintext_login=door == "loopback")

    def send() -> None:
        client: smtplib.SMTP
        if door == "implicit-tls":
            client = smtplib.SMTP_SSL("localhost", house.tls_port, context=trusting)
        else:
            client = smtplib.SMTP("localhost", house.port)
        with client:
            if door == "starttls":
                client.starttls(context=trusting)
            client.ehlo()
            assert client.has_extn("auth")
            client.user, client.password = LOGIN, PASSWORD
            client.auth(login, client.auth_plain if login == "PLAIN" else client.auth_login)
            client.sendmail(
                LOGIN, [TO], MAIL.encode(), ["BODY=8BITMIME", "RET=HDRS", "ENVID=Order+2B7"], ["NOTIFY=NEVER"]
            )

    await asyncio.to_thread(send)
    mail = _the_mail(house)
    assert mail.raw == MAIL.encode()
    assert mail.envelope.envid == "Order+7"
    assert mail.envelope.ret is Ret.HDRS
    assert mail.recipients[0].notify == frozenset({Notify.NEVER})


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("door", DOORS)
async def test_swaks(open_house: OpenHouse, authority_file: Path, door: str, login: str) -> None:
    house = await open_house(plaintext_login=door == "loopback")
    tls = {
        "loopback": [],
        "starttls": ["--tls", "--tls-verify", "--tls-ca-path", str(authority_file)],
        "implicit-tls": ["--tls-on-connect", "--tls-verify", "--tls-ca-path", str(authority_file)],
    }[door]
    port = house.tls_port if door == "implicit-tls" else house.port
    address = ["--server", "127.0.0.1", "--port", str(port), "--from", LOGIN, "--ehlo", "pc.example.test"]
    user = ["--auth", login, "--auth-user", LOGIN, "--auth-password", PASSWORD]
    # Without POSIXLY_CORRECT swaks takes the plus of a number for the beginning of an option.
    command = ["swaks", *address, *tls, *user, "--body", "Tomorrow at 10", "--to", TO]
    output = await _run(*command, POSIXLY_CORRECT="1")
    assert "250 2.0.0 Taken as submission1" in output
    assert b"Tomorrow at 10" in _the_mail(house).raw


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("door", DOORS)
async def test_curl(open_house: OpenHouse, authority_file: Path, door: str, login: str) -> None:
    house = await open_house(plaintext_login=door == "loopback")
    url = f"smtps://127.0.0.1:{house.tls_port}" if door == "implicit-tls" else f"smtp://127.0.0.1:{house.port}"
    tls = ["--ssl-reqd"] if door == "starttls" else []
    user = ["--user", f"{LOGIN}:{PASSWORD}", "--login-options", f"AUTH={login}", "--cacert", str(authority_file)]
    address = ["--mail-from", LOGIN, "--mail-rcpt", TO, "--upload-file", "-"]
    await _run("curl", "--silent", "--show-error", "--url", url, *tls, *user, *address, stdin=MAIL)
    assert _the_mail(house).raw == MAIL.encode()


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("door", DOORS)
async def test_msmtp(open_house: OpenHouse, authority_file: Path, tmp_path: Path, door: str, login: str) -> None:
    """As scripts call it: in place of sendmail(8), with the recipients taken from the mail."""
    house = await open_house(plaintext_login=door == "loopback")
    tls = {"loopback": "tls off", "starttls": "tls_starttls on", "implicit-tls": "tls_starttls off"}[door]
    trust = f"tls on\ntls_trust_file {authority_file}\n" if door != "loopback" else ""
    settings = tmp_path / "msmtprc"
    settings.write_text(
        f"account default\nhost localhost\nport {house.tls_port if door == 'implicit-tls' else house.port}\n"
        f"{trust}{tls}\nauth {login.lower()}\nuser {LOGIN}\npassword {PASSWORD}\nfrom {PLUS}\n"
        "dsn_notify failure,delay\ndsn_return headers\n"
    )
    settings.chmod(0o600)  # msmtp reads no password that others could read too
    await _run("msmtp", "--file", str(settings), "--read-recipients", stdin=MAIL.replace("\r\n", "\n"))
    mail = _the_mail(house, PLUS)
    assert mail.raw.endswith(MAIL.encode())  # below the Date that msmtp gives a mail without one
    assert mail.envelope.ret is Ret.HDRS
    assert mail.recipients[0].notify == frozenset({Notify.FAILURE, Notify.DELAY})


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("door", DOORS)
async def test_mutt(open_house: OpenHouse, authority_file: Path, tmp_path: Path, door: str, login: str) -> None:
    """Its own SMTP, not a sendmail beside it."""
    house = await open_house(plaintext_login=door == "loopback")
    scheme, port = ("smtps", house.tls_port) if door == "implicit-tls" else ("smtp", house.port)
    tls = "no" if door == "loopback" else "yes"
    settings = tmp_path / "muttrc"
    settings.write_text(
        f'set smtp_url="{scheme}://{LOGIN.replace("@", "%40")}@localhost:{port}/"\n'
        f'set smtp_pass="{PASSWORD}"\nset smtp_authenticators="{login.lower()}"\n'
        f"set ssl_starttls={tls}\nset ssl_force_tls={tls}\n"
        f'set ssl_usesystemcerts=no\nset ssl_ca_certificates_file="{authority_file}"\n'
        f'set from="{PLUS}"\nset hostname="pc.example.test"\nset charset="utf-8"\nset copy=no\n'
        'set dsn_notify="failure,delay"\nset dsn_return="hdrs"\n'
    )
    command = ["mutt", "-n", "-F", str(settings), "-s", "appointment", "--", TO]
    await _run(*command, stdin=".Tomorrow at 10, città\n", HOME=str(tmp_path), TMPDIR=str(tmp_path), LC_ALL="C.UTF-8")
    mail = _the_mail(house, PLUS)
    assert message_from_bytes(mail.raw, policy=policy.default).get_content() == ".Tomorrow at 10, città\r\n"
    assert mail.envelope.ret is Ret.HDRS
    assert mail.recipients[0].notify == frozenset({Notify.FAILURE, Notify.DELAY})
