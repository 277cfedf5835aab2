"""Access tokens out of a consent: one for everybody, renewed before it ends, as long as the provider plays along."""

from __future__ import annotations

import asyncio
import stat
import time
from pathlib import Path

import pytest
import structlog.testing

from bridge import redact
from bridge.consent import kept, renewal
from bridge.consent.endpoint import Granted, granted
from bridge.consent.renewal import Consent, Consents
from bridge.consent.source import NoToken
from bridge.settings import Settings
from tests.consent.conftest import ANNA
from tests.servers.tokens import TokenServer

CONNECT = f"bridge mailbox connect {ANNA}"


async def lack(consent: Consent) -> str:
    """Why there is no token."""
    with pytest.raises(NoToken) as caught:
        await consent.token()
    return str(caught.value)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """So many seconds go by."""
    monkeypatch.setattr(time, "monotonic", lambda before=time.monotonic: before() + seconds)


async def test_whoever_needs_a_token_gets_the_same_one(provider: TokenServer, consent: Consent) -> None:
    """A mailbox that is watched, its folders and the mail server may log in at one moment."""
    provider.busy = 0.05
    tokens = set(await asyncio.gather(*(consent.token() for _ in range(20))))
    assert [provider.users[token] for token in tokens] == [ANNA]
    assert len(provider.asked) == 1
    assert provider.asked[0] == {
        "grant_type": "refresh_token",
        "refresh_token": next(iter(provider.consents)),
        "client_id": "bridge-1",
        "client_secret": "s3cret of the bridge",
    }


async def test_the_settings_name_one_consent_for_each_account(settings: Settings) -> None:
    consents = Consents(settings)
    assert consents.of("main", ANNA) is consents.of("main", ANNA.upper())
    assert consents.of("main", ANNA) is not consents.of("main", "bob@clinic.example")


@pytest.mark.parametrize(
    ("lifetime", "after", "renewed"),
    [
        pytest.param(3600, 3200, False, id="an hour, and nearly over"),
        pytest.param(3600, 3301, True, id="an hour, and five minutes left"),
        pytest.param(60, 25, False, id="a minute, and half of it over"),
        pytest.param(60, 31, True, id="a minute, and less than half left"),
        pytest.param(None, 290, False, id="nobody knows how long, and a while"),
        pytest.param(None, 301, True, id="nobody knows how long"),
    ],
)
async def test_a_token_is_renewed_before_it_ends(
    provider: TokenServer,
    consent: Consent,
    monkeypatch: pytest.MonkeyPatch,
    lifetime: int | None,
    after: float,
    renewed: bool,
) -> None:
    provider.lifetime = lifetime
    first = await consent.token()
    later(monkeypatch, after)
    assert (await consent.token() != first) is renewed


async def test_a_token_that_a_server_refuses_is_not_shown_again(provider: TokenServer, consent: Consent) -> None:
    first = await consent.token()
    consent.refused("an older one")
    assert await consent.token() == first
    consent.refused(first)
    assert await consent.token() != first


async def test_a_server_that_takes_no_token_at_all_does_not_make_us_hammer_the_provider(
    provider: TokenServer, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Microsoft 365 where SMTP AUTH is off: every mail that waits logs in, and is refused."""
    for _ in range(10):
        consent.refused(await consent.token())
    assert len(provider.asked) == 2
    later(monkeypatch, 61)
    consent.refused(await consent.token())
    await consent.token()
    assert len(provider.asked) == 3


async def test_a_refresh_token_that_is_rotated_is_kept_for_the_next_bridge(
    provider: TokenServer, settings: Settings, consent: Consent, file: Path
) -> None:
    provider.rotates = True
    first = kept.read(file)
    token = await consent.token()
    assert kept.read(file) in provider.consents
    assert kept.read(file) != first
    consent.refused(token)
    assert provider.users[await consent.token()] == ANNA
    assert provider.users[await Consents(settings).of("main", ANNA).token()] == ANNA


async def test_who_gives_up_waiting_does_not_lose_the_refresh_token(
    provider: TokenServer, settings: Settings, consent: Consent, file: Path
) -> None:
    provider.rotates = True
    provider.busy = 0.1
    first = kept.read(file)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(consent.token(), 0.05)
    assert provider.users[await consent.token()] == ANNA
    assert len(provider.asked) == 1
    assert kept.read(file) not in ("", first)


async def test_a_bridge_that_stops_does_not_lose_the_refresh_token(
    provider: TokenServer, settings: Settings, consent: Consent, file: Path
) -> None:
    provider.rotates, provider.busy = True, 0.1
    consents = Consents(settings)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(consents.of("main", ANNA).token(), 0.05)
    await consents.close()
    assert kept.read(file) in provider.consents


async def test_a_refresh_token_that_cannot_be_kept_is_used_until_the_bridge_ends(
    provider: TokenServer, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.rotates = True
    monkeypatch.setattr(renewal, "AGAIN", dict.fromkeys(renewal.AGAIN, 0.0))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "write", full)
    for _ in range(3):
        consent.refused(await consent.token())
    assert consent.lacks == ""


async def test_of_two_processes_the_slower_one_takes_what_the_other_has_kept(
    provider: TokenServer, settings: Settings, consent: Consent
) -> None:
    """Workers of one machine share a data folder."""
    provider.rotates = True
    other = Consents(settings).of("main", ANNA)
    consent.refused(await consent.token())
    other.refused(await other.token())
    assert provider.users[await consent.token()] == ANNA


async def test_two_that_renew_in_the_same_breath(
    provider: TokenServer, settings: Settings, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the same refresh token, which is good for once."""
    provider.rotates = True
    other, ask = Consents(settings).of("main", ANNA), granted
    overtaken: list[str] = []

    async def overtake(url: str, form: dict[str, str]) -> Granted:
        if not overtaken:
            overtaken.append("now")
            await other.token()
        return await ask(url, form)

    monkeypatch.setattr("bridge.consent.renewal.granted", overtake)
    assert provider.users[await consent.token()] == ANNA


async def test_without_consent_it_is_said_what_to_run(settings: Settings) -> None:
    consents = Consents(settings)
    said = f"nobody has consented yet for {ANNA}; run `{CONNECT}`"
    assert await lack(consents.of("main", ANNA)) == said
    assert consents.states() == {ANNA: said}


async def test_a_consent_that_is_over_is_said_and_asked_for_no_more_than_once_a_minute(
    provider: TokenServer, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.consents.clear()
    said = f"its provider takes the consent for {ANNA} no more (invalid_grant AADSTS700082); run `{CONNECT}`"
    for _ in range(3):
        assert await lack(consent) == said
    assert (consent.lacks, len(provider.asked)) == (said, 1)
    later(monkeypatch, 61)
    assert await lack(consent) == said
    assert len(provider.asked) == 2


async def test_a_new_consent_counts_at_once(provider: TokenServer, consent: Consent, file: Path) -> None:
    provider.consents.clear()
    await lack(consent)
    kept.write(file, provider.consented(ANNA))
    assert provider.users[await consent.token()] == ANNA
    assert consent.lacks == ""


async def test_an_application_that_is_refused_is_not_the_fault_of_who_consented(
    provider: TokenServer, consent: Consent
) -> None:
    provider.status = 401, b'{"error": "invalid_client", "error_description": "AADSTS7000218: secret of anna"}'
    assert await lack(consent) == (
        "its provider refuses the application (invalid_client AADSTS7000218); see [oauth.main] and its registration"
    )


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        pytest.param(503, b"busy", "HTTP 503", id="busy"),
        pytest.param(429, b'{"error": "invalid_grant"}', "HTTP 429", id="too many questions"),
        pytest.param(400, b'{"error": "temporarily_unavailable"}', "temporarily_unavailable", id="it says so"),
        pytest.param(400, b'{"error": "a b\\r\\nc"}', "HTTP 400", id="no code"),
        pytest.param(302, b"", "HTTP 302", id="sent elsewhere"),
        pytest.param(200, b"<html>", "HTTP 200", id="a page"),
        pytest.param(200, b"[" * 50_000, "HTTP 200", id="deep"),
        pytest.param(200, b"x" * 100_000, "its answer is too long", id="endless"),
        pytest.param(200, b'{"access_token": "a\\r\\nb", "token_type": "Bearer"}', "gives no access token", id="lines"),
        pytest.param(200, b'{"access_token": "abc", "token_type": "mac"}', "gives no access token", id="another kind"),
        pytest.param(
            200,
            b'{"access_token": "abc", "token_type": "Bearer", "refresh_token": "a\\nb"}',
            "its refresh token is none",
            id="a refresh token of two lines",
        ),
    ],
)
async def test_a_provider_that_is_away_or_talks_nonsense_is_asked_again(
    provider: TokenServer,
    consent: Consent,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    said: bytes,
    why: str,
) -> None:
    refresh = kept.read(file)
    provider.status = status, said
    assert why in await lack(consent)
    assert consent.lacks is None, "nobody has to do anything, as far as is known"
    assert kept.read(file) == refresh
    provider.status = None
    assert why in await lack(consent), "not in the same breath"
    later(monkeypatch, 5.1)
    assert provider.users[await consent.token()] == ANNA


async def test_while_a_provider_is_away_the_old_token_goes_on(
    provider: TokenServer, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await consent.token()
    provider.status = 503, b""
    later(monkeypatch, 3400)
    assert await consent.token() == first
    later(monkeypatch, 201)
    assert "HTTP 503" in await lack(consent)


async def test_no_log_line_holds_a_token(
    provider: TokenServer, consent: Consent, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "AGAIN", dict.fromkeys(renewal.AGAIN, 0.0))
    with structlog.testing.capture_logs() as logs:
        first = kept.read(file)
        consent.refused(await consent.token())
        provider.rotates = True
        token = await consent.token()
        provider.consents.clear()
        consent.refused(token)
        await lack(consent)
    for secret in (first, kept.read(file), token):
        assert secret not in str(logs)
    assert redact.mask(f"it said {token} and {kept.read(file)}") == "it said [secret] and [secret]"


# ---------------------------------------------------------------------------------------------------------- the file


def test_nobody_else_can_read_what_is_kept(tmp_path: Path) -> None:
    file = kept.place(tmp_path, "main", "Anna/../b@clinic.example")
    kept.write(file, "first")
    kept.write(file, "second")
    assert [each.name for each in file.parent.iterdir()] == ["main.anna%2F..%2Fb@clinic.example"]
    assert kept.read(file) == "second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_file_that_cannot_be_read_is_said(settings: Settings, file: Path, folder_in_its_place: None) -> None:
    assert await lack(Consents(settings).of("main", ANNA)) == f"{file} cannot be read: is a directory"


@pytest.fixture
def folder_in_its_place(file: Path) -> None:
    """Something else stands where the file should."""
    file.mkdir(parents=True)
