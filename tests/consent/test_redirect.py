"""Consent in a browser that comes back to a listener on this machine (RFC 8252, RFC 7636)."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bridge.consent import redirect
from bridge.consent.application import Application, application
from bridge.consent.endpoint import Refused
from bridge.errors import NotPossible
from bridge.settings import OAuthProvider, OAuthSettings
from tests.consent.conftest import ANNA, settings_for
from tests.servers.tokens import TokenServer
from tests.servers.web import NOBODY


@pytest.fixture
def app(tmp_path: Path, provider: TokenServer) -> Application:
    """The bridge where there are no codes."""
    return application(settings_for(tmp_path, provider, way="authorize").oauth["main"], sends=False)


async def visit(url: str) -> httpx.Response:
    """What a browser does with an address."""
    async with httpx.AsyncClient(verify=NOBODY, trust_env=False, follow_redirects=True) as browser:
        return await browser.get(url)


async def test_a_browser_on_this_machine_brings_the_answer_by_itself(provider: TokenServer, app: Application) -> None:
    async with redirect.redirected(app, ANNA) as consent:
        shown = await visit(consent.page)
        found = await consent.wait()
    assert (shown.status_code, "Thank you" in shown.text) == (200, True)
    assert provider.consents[found.refresh_token] == ANNA
    asked = parse_qs(urlsplit(consent.page).query)
    assert asked["redirect_uri"][0].startswith("http://127.0.0.1:")
    assert (asked["login_hint"], asked["scope"]) == ([ANNA], ["imap offline_access"])
    assert provider.asked[-1]["redirect_uri"] == asked["redirect_uri"][0]
    with pytest.raises(httpx.ConnectError):
        await visit(asked["redirect_uri"][0])


async def test_an_address_that_is_pasted_is_as_good(provider: TokenServer, app: Application) -> None:
    async with httpx.AsyncClient(verify=NOBODY, trust_env=False) as browser, redirect.redirected(app, ANNA) as consent:
        sent = await browser.get(consent.page)
        assert consent.hears(f"  {sent.headers['Location']}\n")
        found = await consent.wait()
    assert provider.consents[found.refresh_token] == ANNA


async def test_who_answers_without_the_secret_of_the_page_is_not_heard(provider: TokenServer, app: Application) -> None:
    """Whoever else is on this machine could hand in a consent of his own, and have the bridge text from his mailbox."""
    async with redirect.redirected(app, ANNA) as consent:
        back = parse_qs(urlsplit(consent.page).query)["redirect_uri"][0]
        for query in ("", "?code=1", "?code=1&state=x", "?error=access_denied&state=%C3%A4"):
            shown = await visit(f"{back}/{query}")
            assert (shown.status_code, "Thank you" in shown.text) == (400, False)
        await visit(consent.page)
        assert not consent.hears(f"{back}/?code=another&state=x")
        found = await consent.wait()
    assert provider.consents[found.refresh_token] == ANNA


@pytest.mark.parametrize(
    "octets",
    [b"", b"\r\n", b"GET\r\n", b"GET /\xff?code=1 HTTP/1.1\r\n", b"GET http://[ HTTP/1.1\r\n", b"G" * 20_000],
    ids=["nothing", "an empty line", "a word", "no ASCII", "no address", "a long line"],
)
async def test_what_is_no_request_does_no_harm(provider: TokenServer, app: Application, octets: bytes) -> None:
    async with redirect.redirected(app, ANNA) as consent:
        port = urlsplit(parse_qs(urlsplit(consent.page).query)["redirect_uri"][0]).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(octets)
        writer.write_eof()
        with contextlib.suppress(ConnectionResetError):  # it did not even read all of it
            assert b"200 OK" not in await reader.read()
        writer.close()
        await visit(consent.page)
        assert (await consent.wait()).refresh_token in provider.consents


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("access_denied", "The provider's page was answered with no, so nothing is kept."),
        ("server_error", "The provider's page could not go on, so nothing is kept."),
    ],
)
async def test_no_consent_is_said(provider: TokenServer, app: Application, error: str, sentence: str) -> None:
    provider.until_decided = [error]
    async with redirect.redirected(app, ANNA) as consent:
        await visit(consent.page)
        with pytest.raises(NotPossible) as caught:
            await consent.wait()
    assert caught.value.sentence == sentence


async def test_a_code_that_somebody_has_overheard_brings_nothing(provider: TokenServer, app: Application) -> None:
    """PKCE: tokens are given only to who began."""
    async with redirect.redirected(app, ANNA) as consent, redirect.redirected(app, ANNA) as thief:
        async with httpx.AsyncClient(verify=NOBODY, trust_env=False) as browser:
            sent = await browser.get(consent.page)
        code = parse_qs(urlsplit(sent.headers["Location"]).query)["code"][0]
        state = parse_qs(urlsplit(thief.page).query)["state"][0]
        assert thief.hears(f"http://127.0.0.1/?code={code}&state={state}")
        with pytest.raises(Refused, match="invalid_grant"):
            await thief.wait()


async def test_nobody_is_waited_for_longer_than_a_while(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redirect, "PATIENCE", 0.05)
    async with redirect.redirected(app, ANNA) as consent:
        with pytest.raises(NotPossible, match="in time"):
            await consent.wait()


# -------------------------------------------------------------------------------------------------- those we know


def test_what_google_is_asked_is_what_it_publishes() -> None:
    app = application(OAuthSettings(provider=OAuthProvider.GOOGLE, client_id="1"), sends=True)
    assert (app.token_url, app.device_url) == ("https://oauth2.googleapis.com/token", "")
    assert app.authorize_url == "https://accounts.google.com/o/oauth2/v2/auth"
    assert app.scope == "https://mail.google.com/"
    assert app.asks == {"access_type": "offline", "prompt": "consent"}


@pytest.mark.parametrize("sends", [False, True], ids=["reads", "reads and sends"])
def test_what_microsoft_is_asked_is_what_it_publishes(sends: bool) -> None:
    settings = OAuthSettings(provider=OAuthProvider.MICROSOFT, client_id="1", tenant="clinic.example")
    app = application(settings, sends=sends)
    base = "https://login.microsoftonline.com/clinic.example/oauth2/v2.0"
    assert (app.token_url, app.device_url) == (f"{base}/token", f"{base}/devicecode")
    assert (app.authorize_url, app.comes_back_to) == (f"{base}/authorize", "localhost")
    assert app.scope.split() == [
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        *(["https://outlook.office.com/SMTP.Send"] if sends else []),
        "offline_access",
    ]
    assert app.identified() == {"client_id": "1"}
