"""Consent with a code that somebody types in elsewhere (RFC 8628)."""

from __future__ import annotations

import asyncio
import json

import pytest

from bridge.consent import device
from bridge.consent.application import Application
from bridge.consent.endpoint import Away, Refused
from bridge.errors import NotPossible
from tests.consent.conftest import ANNA
from tests.servers.tokens import USER_CODE, TokenServer


def nobody(_: float) -> None:
    """Tells nobody how long there is."""


async def test_somebody_consents_after_a_while(provider: TokenServer, app: Application) -> None:
    provider.until_decided = ["authorization_pending"] * 3
    code = await device.begin(app)
    assert (code.page, code.user_code, code.seconds) == (f"{provider.base}/devices", USER_CODE, 900)
    left: list[float] = []
    found = await device.wait(app, code, left.append)
    assert provider.users[found.access_token] == provider.consents[found.refresh_token] == ANNA
    assert len(left) == 3
    assert 890 < left[-1] < left[0] < 900
    asked, *polled = provider.asked
    assert asked == {
        "client_id": "bridge-1",
        "client_secret": "s3cret of the bridge",
        "scope": "imap offline_access",
    }
    assert {(each["grant_type"], each["device_code"]) for each in polled} == {
        ("urn:ietf:params:oauth:grant-type:device_code", code.device_code)
    }


async def test_a_provider_that_is_asked_too_often_is_asked_less_often(
    provider: TokenServer, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    provider.until_decided = ["authorization_pending", "slow_down", "authorization_pending", "server_error"]
    await device.wait(app, await device.begin(app), nobody)
    assert slept == pytest.approx([0.01, 0.01, 5.01, 5.01, 10.02])


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("access_denied", "The page was answered with no, so nothing is kept."),
        ("authorization_declined", "The page was answered with no, so nothing is kept."),
        ("expired_token", "Nobody has consented in time, and the code is over. Run the command again for a new one."),
    ],
)
async def test_no_consent_is_said(provider: TokenServer, app: Application, answer: str, sentence: str) -> None:
    provider.until_decided = ["authorization_pending", answer]
    with pytest.raises(NotPossible) as caught:
        await device.wait(app, await device.begin(app), nobody)
    assert caught.value.sentence == sentence
    assert provider.consents == {}


async def test_nobody_is_waited_for_longer_than_the_code_is_good(
    provider: TokenServer, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.until_decided = ["authorization_pending"] * 1000
    monkeypatch.setattr(device, "LONGEST", 0.1)
    with pytest.raises(NotPossible, match="in time"):
        await device.wait(app, await device.begin(app), nobody)


async def test_what_the_provider_will_never_take_is_not_asked_for_again(
    provider: TokenServer, app: Application
) -> None:
    provider.until_decided = ["invalid_client"]
    with pytest.raises(Refused, match="invalid_client"):
        await device.wait(app, await device.begin(app), nobody)


GOOD = {"device_code": "d", "user_code": "U", "verification_uri": "https://login.example.com/device", "expires_in": 900}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"verification_uri": "http://login.example.com/device"}, "no page", id="a page without TLS"),
        pytest.param({"verification_uri": "https://x.example/\x1b[2J"}, "no page", id="a page that clears the screen"),
        pytest.param({"verification_uri": None}, "no page", id="no page"),
        pytest.param({"user_code": "\x1b]0;x\x07"}, "its code is none", id="a code that commands the terminal"),
        pytest.param({"user_code": 12}, "no code", id="a number"),
        pytest.param({"device_code": ""}, "its code is none", id="an empty code"),
    ],
)
async def test_nothing_that_is_hostile_is_shown(
    provider: TokenServer, app: Application, changes: dict[str, object], why: str
) -> None:
    provider.status = 200, json.dumps(GOOD | changes).encode()
    with pytest.raises(Away, match=why):
        await device.begin(app)


@pytest.mark.parametrize("said", [None, "soon", -1, True, 1e300, 10**400, {}], ids=lambda said: str(said)[:9])
async def test_times_that_are_none_do_no_harm(provider: TokenServer, app: Application, said: object) -> None:
    answer = GOOD | {"expires_in": said, "interval": said}
    provider.status = 200, json.dumps(answer).encode()
    code = await device.begin(app)
    assert (code.seconds, code.interval) == (900, 5)
