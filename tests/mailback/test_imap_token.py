"""Logins with access tokens that another program renews: on a real Dovecot that asks who a token belongs to."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import structlog.testing

from bridge import redact
from bridge.consent.source import LONGEST_TOKEN
from bridge.consent.token_file import TokenFile
from bridge.errors import MailRefused
from bridge.mailback.imap import Folders
from bridge.settings import MailAuth
from tests.mailback.imap import filed, folders, reaching, scripted_imap
from tests.servers.dovecot import DovecotServer

ON_DISK = ".SMS.+393331234567"
TOKEN = "ya29.a-Token_of~Anna+/1234567890=="
BOTH = pytest.mark.parametrize("auth", [MailAuth.XOAUTH2, MailAuth.OAUTHBEARER])


@pytest.fixture(autouse=True)
def no_token(dovecot: DovecotServer) -> None:
    """No token is good that no test has made so."""
    dovecot.tokens.users.clear()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A file with a token in it, as other programs leave it."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


def write(file: Path, content: str | bytes | None) -> None:
    """What another program does with the file; None: it takes it away."""
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def by_token(port: int, account: str, auth: MailAuth, file: Path, **changes: object) -> Folders:
    return Folders(reaching(port, account, auth=auth, token=TokenFile(file), password="", **changes))


async def refusal(into: Folders) -> MailRefused:
    with structlog.testing.capture_logs() as logs, pytest.raises(MailRefused) as caught:
        await into.file(filed())
    assert TOKEN not in f"{caught.value.sentence} {caught.value.detail} {caught.value!r} {logs}"
    assert caught.value.retryable
    return caught.value


# --------------------------------------------------------------------------------------------------- a real Dovecot


@BOTH
async def test_a_mail_is_filed_with_a_token(
    dovecot: DovecotServer, account: str, auth: MailAuth, token_file: Path
) -> None:
    dovecot.tokens.users[TOKEN] = account
    into = by_token(dovecot.port, account, auth, token_file)
    assert await into.probe() == ""
    await into.file(filed())
    await into.close()
    assert dovecot.mails(account, ON_DISK) == [filed().raw]
    assert f"Login: user=<{account}>, method={auth.upper()}" in dovecot.log()


@BOTH
async def test_a_token_that_ran_out_is_said_and_the_next_login_reads_the_file_anew(
    dovecot: DovecotServer, account: str, auth: MailAuth, token_file: Path
) -> None:
    into = by_token(dovecot.port, account, auth, token_file)
    refused = await refusal(into)
    status = "401" if auth is MailAuth.XOAUTH2 else "invalid_token"
    assert f"does not accept the access token in {token_file} ({status}): it may have run out" in refused.sentence
    assert await into.probe() == refused.sentence
    renewed = f"renewed.{auth}-{TOKEN}"
    dovecot.tokens.users[renewed] = account
    write(token_file, renewed)
    await into.file(filed())
    await into.close()
    assert dovecot.mails(account, ON_DISK) == [filed().raw]


@BOTH
async def test_a_token_of_somebody_else_opens_nothing(
    dovecot: DovecotServer, account: str, auth: MailAuth, token_file: Path
) -> None:
    dovecot.tokens.users[TOKEN] = "somebody-else"
    assert (
        "for another account than the user name"
        in (await refusal(by_token(dovecot.port, account, auth, token_file))).sentence
    )
    assert dovecot.folders(account) == set()


async def test_a_long_token_is_taken(dovecot: DovecotServer, account: str, token_file: Path) -> None:
    """Microsoft's have about 2,500 octets."""
    token = "e" * LONGEST_TOKEN
    write(token_file, token)
    dovecot.tokens.users[token] = account
    for auth in (MailAuth.XOAUTH2, MailAuth.OAUTHBEARER):
        assert await by_token(dovecot.port, account, auth, token_file).probe() == ""


async def test_after_a_mail_has_been_filed_a_new_token_waits_for_the_next_login(
    dovecot: DovecotServer, account: str, token_file: Path
) -> None:
    dovecot.tokens.users[TOKEN] = account
    into = folders(dovecot, account, auth=MailAuth.OAUTHBEARER, token=TokenFile(token_file))
    await into.file(filed(number=0))
    write(token_file, None)
    await into.file(filed(number=1))
    await into.close()
    assert "no such file or directory" in (await refusal(into)).sentence
    assert len(dovecot.mails(account, ON_DISK)) == 2


# -------------------------------------------------------------------------------------------- servers of other kinds


@BOTH
@pytest.mark.parametrize("at_once", [True, False], ids=["with the command", "when asked"])
async def test_what_is_said_is_what_the_standards_say(auth: MailAuth, at_once: bool, token_file: Path) -> None:
    offers = f"* CAPABILITY IMAP4rev1 AUTH={auth.upper()}{' SASL-IR' if at_once else ''}\r\n{{tag}} OK done"
    asks = {} if at_once else {"AUTHENTICATE": "+ "}
    answers = {"CAPABILITY": offers, "LOGIN": "{tag} BAD", **asks}
    async with scripted_imap(answers, after={"AUTHENTICATE": "{tag} OK in"}) as server:
        into = by_token(server.port, "anna=,b", auth, token_file)
        await into.file(filed())
        await into.close()
    (line,) = [line for line in server.lines if b"AUTHENTICATE" in line]
    said = line.split()[3] if at_once else server.said[0]
    assert len(line.split()) == (4 if at_once else 3)
    assert (
        base64.b64decode(said).decode()
        == {
            MailAuth.XOAUTH2: f"user=anna=,b\x01auth=Bearer {TOKEN}\x01\x01",
            MailAuth.OAUTHBEARER: (
                f"n,a=anna=3D=2Cb,\x01host=127.0.0.1\x01port={server.port}\x01auth=Bearer {TOKEN}\x01\x01"
            ),
        }[auth]
    )


@pytest.mark.parametrize(
    ("auth", "farewell", "words", "status"),
    [
        (MailAuth.XOAUTH2, b"", {"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"}, "(400)"),
        (MailAuth.OAUTHBEARER, b"AQ==", {"status": "invalid_token", "schemes": "bearer"}, "(invalid_token)"),
        (MailAuth.OAUTHBEARER, b"AQ==", {"status": f"{TOKEN} is bad"}, f"{'token'}:"),
        (MailAuth.XOAUTH2, b"", None, "token:"),
    ],
    ids=["Google", "RFC 7628", "the token in the answer", "no JSON"],
)  # fmt: skip
async def test_a_server_that_explains_itself_is_heard_to_the_end(
    auth: MailAuth, farewell: bytes, words: dict[str, str] | None, status: str, token_file: Path
) -> None:
    challenge = base64.b64encode(json.dumps(words).encode()).decode() if words else "what?"
    answers = {
        "CAPABILITY": f"* CAPABILITY IMAP4rev1 SASL-IR AUTH={auth.upper()}\r\n{{tag}} OK done",
        "AUTHENTICATE": f"+ {challenge}",
    }
    async with scripted_imap(answers, after={"AUTHENTICATE": "{tag} NO SASL authentication failed"}) as server:
        refused = await refusal(by_token(server.port, "anna", auth, token_file))
    assert server.said == [farewell]
    assert status in refused.sentence.replace(str(token_file), "token")


async def test_a_server_that_takes_other_tokens_is_said_to(token_file: Path) -> None:
    offers = "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n{tag} OK done"
    async with scripted_imap({"CAPABILITY": offers}) as server:
        refused = await refusal(by_token(server.port, "anna", MailAuth.OAUTHBEARER, token_file))
    assert 'takes no logins by "oauthbearer": it takes "xoauth2"' in refused.sentence
    assert "AUTHENTICATE" not in server.heard


async def test_a_server_that_lets_nobody_in_for_now_does_not_blame_the_token(token_file: Path) -> None:
    answers: dict[str, str | None] = {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n{tag} OK done",
        "AUTHENTICATE": "{tag} NO [UNAVAILABLE] later",
    }
    async with scripted_imap(answers) as server:
        refused = await refusal(by_token(server.port, "anna", MailAuth.XOAUTH2, token_file))
    assert "lets nobody in for now" in refused.sentence


NOT_CONNECTED = "{tag} BAD User is authenticated but not connected."
THROTTLED = "Request is throttled. Suggested Backoff Time: 299910 milliseconds"


async def test_a_mailbox_that_the_token_may_not_open_is_said_and_nothing_is_refused_for_good(token_file: Path) -> None:
    """Microsoft 365 takes such a login, and then refuses whatever it is asked."""
    answers: dict[str, str | None] = {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 NAMESPACE\r\n{tag} OK done",
        **dict.fromkeys(("NAMESPACE", "LIST", "APPEND", "SELECT"), NOT_CONNECTED),
    }
    async with scripted_imap(answers) as server:
        into = by_token(server.port, "anna", MailAuth.XOAUTH2, token_file)
        refused = await refusal(into)
        assert "lets the login in, but not to the folders" in refused.sentence
        assert await into.probe() == refused.sentence
    assert "APPEND" not in server.heard


@pytest.mark.parametrize("result", ["NO", "BAD"])
async def test_where_everybody_is_throttled_a_mail_waits(result: str, token_file: Path) -> None:
    answers: dict[str, str | None] = {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n{tag} OK done",
        "APPEND": f"{{tag}} {result} {THROTTLED}",
    }
    async with scripted_imap(answers) as server:
        refused = await refusal(by_token(server.port, "anna", MailAuth.XOAUTH2, token_file))
    assert "does not take the mail for now" in refused.sentence
    assert "299910" not in refused.detail


# ---------------------------------------------------------------------------------------------------------- the file


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "no such file or directory"),
        (b" \n", "the file is empty"),
        (b"two words", "it holds something else"),
        (b"one\r\nline\r\nmore", "it holds something else"),
        (b'{"access_token": "abc"}', "it holds something else"),
        ("tökén".encode(), "it holds something else"),
        (b"x" * 100_000, "it holds something else"),
    ],
    ids=["missing", "empty", "two words", "lines", "JSON", "not ASCII", "too long"],
)
async def test_a_file_without_a_token_is_said_and_nothing_of_it_is_sent(
    content: bytes | None, why: str, token_file: Path
) -> None:
    write(token_file, content)
    offers = "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n{tag} OK done"
    async with scripted_imap({"CAPABILITY": offers}) as server:
        refused = await refusal(by_token(server.port, "anna", MailAuth.XOAUTH2, token_file))
    assert f"wants an access token, and {token_file} cannot be used: {why}" in refused.sentence
    assert "AUTHENTICATE" not in server.heard


async def test_no_log_line_can_hold_a_token_that_was_used(
    dovecot: DovecotServer, account: str, token_file: Path
) -> None:
    into = by_token(dovecot.port, account, MailAuth.XOAUTH2, token_file)
    await refusal(into)
    assert redact.mask(f"it said {TOKEN} here") == "it said [secret] here"
    write(token_file, "another-token-altogether")
    await refusal(into)
    assert redact.mask("it said another-token-altogether") == "it said [secret]"
