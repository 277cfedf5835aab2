"""Logins at the mail server with access tokens: how they are said, and what a refusal means."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from bridge.consent import kept
from bridge.consent.renewal import Consent, Consents
from bridge.consent.source import LONGEST_TOKEN
from bridge.consent.token_file import TokenFile
from bridge.errors import MailRefused
from bridge.mailback.configured import relay_settings
from bridge.mailback.relay import Relay
from bridge.settings import MailAuth
from bridge.store.store import make_folder
from tests.consent.conftest import ANNA, settings_for
from tests.mailback.conftest import MAIL, Sink, reaching, scripted, serving
from tests.servers.tokens import TokenServer

OFFER = "250-mail.example.test\r\n250 AUTH LOGIN XOAUTH2 OAUTHBEARER"
TOKEN = "ya29.a-Token_of~Anna+/1234567890=="


@pytest.fixture
def provider() -> Iterator[TokenServer]:
    """Who gives tokens, and says whose they are."""
    server = TokenServer()
    yield server
    server.close()


@asynccontextmanager
async def asking(provider: TokenServer) -> AsyncIterator[Sink]:
    """A mail server that takes tokens in the way of Google and Microsoft."""

    class Server(SMTP):
        async def auth_XOAUTH2(self, _server: SMTP, arguments: list[str]) -> AuthResult:
            user, bearer, *_ = base64.b64decode(arguments[1]).decode().split("\x01")
            good = provider.users.get(bearer.removeprefix("auth=Bearer ")) == user.removeprefix("user=")
            if not good:
                why = {"status": "401", "schemes": "bearer mac", "scope": "https://mail.google.com/"}
                await self.push(f"334 {base64.b64encode(json.dumps(why).encode()).decode()}")
                assert self._reader is not None
                assert await self._reader.readline() == b"\r\n"
            return AuthResult(success=good, handled=False)

    async with serving(lambda into: Server(into, hostname="mail.example.test", auth_require_tls=False)) as into:
        yield into


def consented(folder: Path, provider: TokenServer, server: Sink) -> tuple[Relay, Consent]:
    """The relay of a bridge that Anna has consented to, as the settings make it."""
    relay = f"""
[relay]
host = "127.0.0.1"
port = {server.port}
tls = "none"
auth = "xoauth2"
username = "{ANNA}"
oauth = "main"
"""
    settings = settings_for(folder, provider, accounts=relay)
    make_folder(settings.data_dir)
    kept.write(kept.place(settings.data_dir, "main", ANNA), provider.consented(ANNA))
    consents = Consents(settings)
    return Relay(relay_settings(settings, consents)), consents.of("main", ANNA)


async def refusal(relay: Relay) -> MailRefused:
    with pytest.raises(MailRefused) as caught:
        await relay.send(MAIL)
    await relay.close()
    assert caught.value.retryable
    assert TOKEN not in f"{caught.value.sentence} {caught.value.detail}"
    return caught.value


async def test_a_mail_goes_out_with_a_token_of_the_bridge_s_own(tmp_path: Path, provider: TokenServer) -> None:
    async with asking(provider) as server:
        relay, _ = consented(tmp_path, provider, server)
        assert await relay.probe() == ""
        await relay.send(MAIL)
        await relay.close()
    assert [raw for _, _, raw in server.mails] == [MAIL.raw]
    assert len(provider.asked) == 1


async def test_a_token_that_is_withdrawn_is_renewed_for_the_next_try(tmp_path: Path, provider: TokenServer) -> None:
    async with asking(provider) as server:
        relay, _ = consented(tmp_path, provider, server)
        assert await relay.probe() == ""
        provider.users.clear()
        refused = await refusal(relay)
        assert f"does not accept the access token for {ANNA} (401): run `bridge mailbox connect" in refused.sentence
        assert refused.detail.endswith("AUTH 535 401")
        await relay.send(MAIL)
        await relay.close()
    assert len(server.mails) == 1


async def test_a_consent_that_is_over_is_said_and_the_mail_waits(tmp_path: Path, provider: TokenServer) -> None:
    async with asking(provider) as server:
        relay, consent = consented(tmp_path, provider, server)
        provider.consents.clear()
        refused = await refusal(relay)
    assert refused.sentence == f"The mail server 127.0.0.1:{server.port} wants an access token, and {consent.lacks}."
    assert f"run `bridge mailbox connect {ANNA}`." in refused.sentence


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        (MailAuth.XOAUTH2, f"user=anna=,b\x01auth=Bearer {TOKEN}\x01\x01"),
        (
            MailAuth.OAUTHBEARER,
            f"n,a=anna=3D=2Cb,\x01host=127.0.0.1\x01port={{port}}\x01auth=Bearer {TOKEN}\x01\x01",
        ),
    ],
)
async def test_what_is_said_is_what_the_standards_say(tmp_path: Path, auth: MailAuth, said: str) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    async with scripted({"EHLO": OFFER, "AUTH": "235 2.7.0 in"}) as server:
        token = TokenFile(tmp_path / "token")
        relay = Relay(reaching(server.port, username="anna=,b", auth=auth, token=token))
        await relay.send(MAIL)
        await relay.close()
    _, mechanism, first = next(line for line in server.lines if line.startswith(b"AUTH")).split()
    assert mechanism.decode() == auth.upper()
    assert base64.b64decode(first).decode() == said.format(port=server.port)


async def test_a_long_token_is_shown_whole(tmp_path: Path) -> None:
    """Microsoft's have about 2,500 octets, and commands of SMTP 512 but for this one (RFC 4954 section 4)."""
    (tmp_path / "token").write_text("e" * LONGEST_TOKEN)
    async with scripted({"EHLO": OFFER, "AUTH": "235 2.7.0 in"}) as server:
        token = TokenFile(tmp_path / "token")
        assert await Relay(reaching(server.port, auth=MailAuth.XOAUTH2, username=ANNA, token=token)).probe() == ""
    (line,) = [line for line in server.lines if line.startswith(b"AUTH")]
    assert b"e" * LONGEST_TOKEN in base64.b64decode(line.split()[2])


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        pytest.param({"EHLO": "250 mail"}, 'takes no logins by "xoauth2"', id="no such login"),
        pytest.param({"AUTH": "454 4.7.0 later"}, "lets nobody in for now", id="later"),
        pytest.param({"AUTH": "535 5.7.3 no"}, "does not accept the access token in ", id="refused at once"),
        pytest.param({"AUTH": None}, "does not answer: check relay.host", id="hangs up"),
    ],
)
async def test_a_refusal_says_what_to_do(tmp_path: Path, answers: dict[str, str | None], says: str) -> None:
    (tmp_path / "token").write_text(TOKEN)
    async with scripted({"EHLO": OFFER, **answers}) as server:
        token = TokenFile(tmp_path / "token")
        refused = await refusal(Relay(reaching(server.port, auth=MailAuth.XOAUTH2, username=ANNA, token=token)))
    assert says in refused.sentence


async def test_a_file_without_a_token_is_said_and_nothing_is_sent(tmp_path: Path) -> None:
    async with scripted({"EHLO": OFFER}) as server:
        token = TokenFile(tmp_path / "token")
        refused = await refusal(Relay(reaching(server.port, auth=MailAuth.XOAUTH2, username=ANNA, token=token)))
    assert f"wants an access token, and {tmp_path / 'token'} cannot be used: no such file" in refused.sentence
    assert "AUTH" not in server.heard
