"""Any service that Apprise knows: real HTTP to a server on loopback, and what the bridge may say of its yes and no."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bridge.errors import SettingsError
from bridge.gateways import apprise
from bridge.gateways.base import Doubt, Gateway
from bridge.gateways.registry import build
from bridge.types import Outcome, OutcomeKind
from tests.gateways.cases import NUMBER, PLAIN, REFERENCE, UNICODE, connection
from tests.gateways.provider import Fault, Play, Provider, run_provider
from tests.servers.ports import free_port

# One of its plugins imports what Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")

TOKEN = "token-of-a-provider"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with run_provider() as running:
        yield running


def opened(url: str, path: str = "/sms/{number}") -> Gateway:
    """A gateway to a server on loopback, by Apprise's JSON service; it waits a second for each step."""
    host = url.removeprefix("http://")
    return build("apprise", connection(secret=f"json://user:{TOKEN}@{host}{path}?cto=1&rto=1"))


async def test_a_text_goes_where_the_url_says(provider: Provider) -> None:
    for path, target in (("/sms/{number}", "/sms/+393331234567"), ("/to/{digits}", "/to/393331234567")):
        gateway = opened(provider.url, path)
        provider.script += [Play(200)]
        assert await gateway.submit(UNICODE) == Outcome(OutcomeKind.ACCEPTED)
        await gateway.close()
        assert provider.seen[-1].target == target
        assert json.loads(provider.seen[-1].body)["message"] == UNICODE.text
        assert provider.seen[-1].headers["authorization"].startswith("Basic ")


async def test_a_text_is_passed_on_as_it_is(provider: Provider) -> None:
    gateway, text = opened(provider.url), "<b>5 < 6 & *so*</b> \\n :smile: {number} %20"
    provider.script += [Play(200)]
    await gateway.submit(replace(PLAIN, text=text))
    await gateway.close()
    assert json.loads(provider.seen[-1].body)["message"] == text


@pytest.mark.parametrize(
    "answer",
    [
        Play(400, "unknown number"),
        Play(401),
        Play(500),
        Fault.HANGS_UP_AT_ONCE,
        Fault.HANGS_UP_AFTER_READING,
        Fault.HALF_AN_ANSWER,
        Fault.NO_HTTP,
        Fault.SILENCE,
    ],
    ids=str,
)
async def test_a_no_of_apprise_is_not_known_to_be_one(answer: Play | Fault, provider: Provider) -> None:
    gateway = opened(provider.url)
    provider.script += [answer]
    outcome = await gateway.submit(PLAIN)
    await gateway.close()
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert len(provider.seen) <= 1, "it is not tried again"
    assert NUMBER[1:] not in outcome.diagnostic


async def test_not_even_a_refused_connection_is() -> None:
    """Apprise does not tell it from an answer that never came. Its log lines, with URL and number, go nowhere."""
    log, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(log), root.level
    root.addHandler(handler)
    root.setLevel(1)
    gateway = opened(f"http://127.0.0.1:{free_port()}", "/sms/{number}?retry=5&optional=yes&wait=0.1&x=")
    try:
        outcome = await gateway.submit(PLAIN)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        await gateway.close()
    assert outcome == Outcome(OutcomeKind.UNKNOWN, diagnostic="Apprise says no")
    assert log.getvalue().count("Starting new HTTP connection") == 1, "it is not tried again"
    assert "JSON" not in log.getvalue()
    assert TOKEN not in log.getvalue()
    assert (await gateway.lookup(Doubt(REFERENCE, None, NUMBER))).kind is OutcomeKind.UNKNOWN


async def test_a_text_that_finds_no_thread_has_not_left(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when nobody waits for the one before it any more: its thread does."""
    monkeypatch.setattr(apprise, "THREADS", 1)
    monkeypatch.setattr(apprise, "PLACE_WAIT", 0.2)
    gateway = opened(provider.url)
    provider.script += [Fault.SILENCE, Play(200)]
    forgotten = asyncio.create_task(gateway.submit(PLAIN))
    await provider.asked.wait()
    forgotten.cancel()
    with pytest.raises(asyncio.CancelledError):
        await forgotten
    assert (await gateway.submit(PLAIN)).kind is OutcomeKind.UNREACHABLE
    monkeypatch.setattr(apprise, "PLACE_WAIT", 10.0)
    assert (await gateway.submit(PLAIN)).kind is OutcomeKind.ACCEPTED
    assert len(provider.seen) == 2
    await gateway.close()


async def test_others_go_on_while_apprise_waits(provider: Provider) -> None:
    gateway = opened(provider.url)
    provider.script += [Fault.SILENCE]
    waiting = asyncio.create_task(gateway.submit(PLAIN))
    turns = 0
    while not waiting.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert (await waiting).kind is OutcomeKind.UNKNOWN
    assert turns > 5, "the loop turned while the answer was waited for"
    await gateway.close()


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        pytest.param("", "secret = (not set): Apprise needs it", id="none"),
        pytest.param("json://localhost/token-1234", "write {number} or {digits}", id="no phone in it"),
        pytest.param("nothing://token-1234/{number}", "Apprise has no service for this URL", id="no such service"),
        pytest.param("twilio://token-1234/{number}", "Apprise has no service for this URL", id="incomplete"),
    ],
)
def test_a_url_that_cannot_be_used(secret: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build("apprise", connection(secret=secret))
    assert said in str(caught.value)
    assert "token-1234" not in str(caught.value)


def test_without_the_package_it_says_what_to_install() -> None:
    program = """
import sys
sys.modules["apprise"] = None
from bridge.errors import SettingsError
from bridge.gateways.registry import build
from tests.gateways.cases import connection
try:
    build("apprise", connection(secret="json://localhost/{number}"))
except SettingsError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == (
        'gateways.main.kind = "apprise": the package apprise is not installed; '
        "docs/gateways/apprise.md says how to add it\n"
    )


def test_what_it_cannot_do_is_declared() -> None:
    gateway = build("apprise", connection(secret="json://localhost/{number}"))
    assert (gateway.traits.receipts, gateway.traits.inbound, gateway.traits.lookup) == (False, False, False)
    assert "json://localhost/{number}" in gateway.secrets()
