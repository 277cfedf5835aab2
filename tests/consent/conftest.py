"""A provider of mailboxes on loopback, and the bridge as an application that is registered there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.consent import device, kept
from bridge.consent.application import Application, application
from bridge.consent.renewal import Consent, Consents
from bridge.settings import Settings, load
from bridge.store.store import make_folder
from tests.servers.tokens import TokenServer

ANNA = "anna@clinic.example"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    """One where Anna signs in; nobody is kept waiting."""
    monkeypatch.setattr(device, "LEAST_INTERVAL", 0.01)
    server = TokenServer()
    server.user = ANNA
    yield server
    server.close()


def write_settings(folder: Path, server: TokenServer, *, way: str = "device", accounts: str = "") -> Path:
    """A configuration with the application `main`, by way of codes (`device`) or of a browser (`authorize`)."""
    file = folder / "bridge.toml"
    file.write_text(f"""
data_dir = "data"
[sending]
gateway = "main"
[gateways.main]
kind = "simulator"
url = "http://127.0.0.1:8026/simulator/provider"
secret = "a secret of two"
[oauth.main]
provider = "other"
client_id = "bridge-1"
client_secret = "s3cret of the bridge"
scopes = ["imap", "offline_access"]
token_url = "{server.base}/token"
{way}_url = "{server.base}/{way}"
{accounts}
""")
    return file


def settings_for(folder: Path, server: TokenServer, *, way: str = "device", accounts: str = "") -> Settings:
    """The same, read."""
    return load(write_settings(folder, server, way=way, accounts=accounts), {})


@pytest.fixture
def settings(tmp_path: Path, provider: TokenServer) -> Settings:
    """Those of a bridge that is registered with the provider."""
    return settings_for(tmp_path, provider)


@pytest.fixture
def app(settings: Settings) -> Application:
    """The bridge as the provider knows it."""
    return application(settings.oauth["main"], sends=False)


@pytest.fixture
def file(settings: Settings) -> Path:
    """Where Anna's refresh token is kept."""
    return kept.place(settings.data_dir, "main", ANNA)


@pytest.fixture
def consent(settings: Settings, provider: TokenServer, file: Path) -> Consent:
    """That of Anna, who has consented."""
    make_folder(settings.data_dir)
    kept.write(file, provider.consented(ANNA))
    return Consents(settings).of("main", ANNA)
