"""Behind a reverse proxy: who really called, and callbacks that are signed for an address which the proxy changes."""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlencode

import httpx
import pytest
from prometheus_client.core import GaugeMetricFamily
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bridge.gateways.base import Gateway
from bridge.gateways.registry import build
from bridge.types import GatewayEvent, Receipt
from bridge.web.app import build_web
from bridge.web.proxies import Proxies
from bridge.web.scrape import scrape_routes
from bridge.web.server import WebServer
from tests.gateways import cases
from tests.servers.web import NOBODY
from tests.web.parts import all_is_well

CLIENT, OTHER, PROXY, EDGE = "192.0.2.7", "198.51.100.9", "10.0.0.5", "10.0.1.6"
TRUSTED = ("10.0.0.0/24", EDGE, "fd00::/64")


@pytest.mark.parametrize(
    ("peer", "forwarded", "x_forwarded_for", "caller"),
    [
        pytest.param(CLIENT, [], [], CLIENT, id="no proxy"),
        pytest.param(CLIENT, [f"for={OTHER}"], [OTHER], CLIENT, id="who is no proxy is not believed"),
        pytest.param(PROXY, [], [], PROXY, id="a proxy that says nothing"),
        pytest.param(PROXY, [], [CLIENT], CLIENT, id="a proxy"),
        pytest.param(PROXY, [f"for={CLIENT}"], [], CLIENT, id="a proxy of RFC 7239"),
        pytest.param(PROXY, [], [f"{OTHER}, {CLIENT}"], CLIENT, id="a client that claims to be another"),
        pytest.param(PROXY, [], [OTHER, CLIENT], CLIENT, id="the same in two lines"),
        pytest.param(PROXY, [], [f"{CLIENT}, {EDGE}"], CLIENT, id="two proxies"),
        pytest.param(PROXY, [], [f"{CLIENT}, {OTHER}, {EDGE}"], OTHER, id="two proxies, and one of somebody else"),
        pytest.param(PROXY, [], [f"{EDGE}, {PROXY}"], EDGE, id="nobody but proxies"),
        pytest.param(PROXY, [f"for={OTHER}"], [CLIENT], PROXY, id="the client wrote one of them"),
        pytest.param(PROXY, [f"for={CLIENT}"], [CLIENT], CLIENT, id="both say the same"),
        pytest.param(PROXY, [], ["192.0.2.7:4711"], CLIENT, id="with a port"),
        pytest.param(PROXY, [], ["2001:db8::7"], "2001:db8::7", id="IPv6"),
        pytest.param(PROXY, [], ["[2001:DB8::7]:4711"], "2001:db8::7", id="IPv6 with a port"),
        pytest.param(PROXY, [], ["::ffff:192.0.2.7"], CLIENT, id="IPv4 within IPv6"),
        pytest.param("::ffff:10.0.0.5", [], [CLIENT], CLIENT, id="a proxy by IPv4 within IPv6"),
        pytest.param("fd00::1%eth0", [], [CLIENT], CLIENT, id="a proxy by IPv6 with a zone"),
        pytest.param(PROXY, ['For="[2001:db8::7]:4711";proto=https;by=10.0.0.5'], [], "2001:db8::7", id="RFC 7239, 4"),
        pytest.param(
            PROXY, [f'host="a;for={OTHER},b";for={CLIENT}'], [], CLIENT, id="a host that is written by a client"
        ),
        pytest.param(PROXY, [f'for={OTHER};x=", for="[2001:db8::7]"'], [], PROXY, id="a quotation mark too many"),
        pytest.param(PROXY, [f"for={OTHER};for={CLIENT}"], [], PROXY, id="two callers in one element"),
        pytest.param(PROXY, [rf'for="{CLIENT[:-1]}\7"'], [], CLIENT, id="a quoted pair"),
        pytest.param(PROXY, ["for=unknown"], [], PROXY, id="unknown"),
        pytest.param(PROXY, [f"for={OTHER}, for=_hidden"], [], PROXY, id="hidden"),
        pytest.param(PROXY, ["proto=https"], [], PROXY, id="no caller named"),
        pytest.param(PROXY, [], [f"{CLIENT}, {EDGE}, garbage"], PROXY, id="garbage"),
        pytest.param(PROXY, [], ["999.1.1.1"], PROXY, id="no address"),
        pytest.param(PROXY, [], [""], PROXY, id="empty"),
        pytest.param("", [], [CLIENT], "", id="no peer"),
    ],
)
def test_the_caller(peer: str, forwarded: Sequence[str], x_forwarded_for: Sequence[str], caller: str) -> None:
    assert Proxies(TRUSTED).caller(peer, forwarded, x_forwarded_for) == caller


async def test_all_within_see_who_called() -> None:
    async def who(request: Request) -> Response:
        assert request.client is not None
        return PlainTextResponse(request.client.host)

    async with serving({}, [], [Route("/who", who)], Proxies(["127.0.0.1"])) as http:
        assert (await http.get("/who")).text == "127.0.0.1"
        assert (await http.get("/who", headers={"X-Forwarded-For": CLIENT})).text == CLIENT
        assert (await http.get("/who", headers={"Forwarded": f"for={CLIENT}"})).text == CLIENT


@asynccontextmanager
async def serving(
    gateways: dict[str, Gateway], heard: list[GatewayEvent], routes: Sequence[Route], proxies: Proxies
) -> AsyncIterator[httpx.AsyncClient]:
    async def keep(events: Sequence[GatewayEvent]) -> None:
        heard.extend(events)

    web = WebServer(build_web(gateways, keep, all_is_well, routes, proxies=proxies), "127.0.0.1", 0)
    await web.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}", trust_env=False, verify=NOBODY) as http:
            yield http
    finally:
        await web.stop()
        for gateway in gateways.values():
            await gateway.close()


# ------------------------------------------------------------------------------------------------ the public address

TWILIO_RECEIPT = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": cases.NUMBER}


def twilio(signed_url: str) -> dict[str, str]:
    """Twilio's signature: the address it calls, then names and values."""
    text = signed_url + "".join(name + TWILIO_RECEIPT[name] for name in sorted(TWILIO_RECEIPT))
    return {"X-Twilio-Signature": base64.b64encode(hmac.digest(b"token", text.encode(), "sha1")).decode()}


@pytest.mark.parametrize(
    ("public_url", "called", "arrives_at", "status"),
    [
        pytest.param("https://example.org", "/hooks/main/receipts", "/hooks/main/receipts", 200, id="no path"),
        pytest.param("https://example.org/", "/hooks/main/receipts", "/hooks/main/receipts", 200, id="a slash"),
        pytest.param(
            "https://example.org/a/b", "/a/b/hooks/main/receipts", "/hooks/main/receipts", 200, id="a path is removed"
        ),
        pytest.param(
            "https://example.org/a/b", "/a/b/hooks/main/receipts", "/a/b/hooks/main/receipts", 200, id="a path is kept"
        ),
        pytest.param(
            "https://example.org/a", "/a/hooks/main/receipts?x=%2F+&y", "/hooks/main/receipts?x=%2F+&y", 200, id="query"
        ),
        pytest.param(
            "https://example.org/a", "/a/hooks/main/receipts?x=/", "/a/hooks/main/receipts?x=%2F", 403, id="altered"
        ),
        pytest.param(
            "https://example.org/hooks",
            "/hooks/hooks/main/receipts",
            "/hooks/main/receipts",
            200,
            id="a path like ours is removed",
        ),
        pytest.param(
            "https://example.org/hooks",
            "/hooks/hooks/main/receipts",
            "/hooks/hooks/main/receipts",
            200,
            id="a path like ours is kept",
        ),
        pytest.param(
            "https://example.org/a", "/hooks/main/receipts", "/hooks/main/receipts", 403, id="signed without the path"
        ),
        pytest.param("https://example.org", "/a/hooks/main/receipts", "/a/hooks/main/receipts", 404, id="not our path"),
    ],
)
async def test_what_the_provider_signed_is_what_it_called(
    public_url: str, called: str, arrives_at: str, status: int
) -> None:
    connection = replace(cases.connection(account="AC1", secret="token"), public_url=public_url.rstrip("/"))
    heard: list[GatewayEvent] = []
    async with serving({"main": build("twilio", connection)}, heard, [], Proxies([], public_url)) as http:
        headers = {**twilio(f"https://example.org{called}"), "Content-Type": "application/x-www-form-urlencoded"}
        answer = await http.post(arrives_at, headers=headers, content=urlencode(TWILIO_RECEIPT))
    assert answer.status_code == status, answer.text
    assert [event.provider_id for event in heard if isinstance(event, Receipt)] == ["SM1"] * (status == 200)


async def test_nothing_but_callbacks_is_reached_under_the_public_path() -> None:
    async with serving({}, [], [], Proxies([], "https://example.org/a")) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/a/healthz")).status_code == 404


# ------------------------------------------------------------------------------------------------ this machine's page


@pytest.mark.parametrize(
    ("trusted", "public_url", "headers", "status"),
    [
        pytest.param([], "http://127.0.0.1:8025", {}, 200, id="nobody calls from outside"),
        pytest.param([], "https://sms.example.org", {}, 403, id="a proxy nobody named may have passed it on"),
        pytest.param(["127.0.0.1"], "https://sms.example.org", {}, 200, id="the named proxy says when it does"),
        pytest.param(["127.0.0.1"], "https://sms.example.org", {"X-Forwarded-For": CLIENT}, 403, id="it passed it on"),
        pytest.param(
            ["127.0.0.1"], "https://sms.example.org", {"X-Forwarded-For": "127.0.0.1"}, 403, id="a claim of a client"
        ),
        pytest.param(["127.0.0.1"], "https://sms.example.org", {"Via": "1.1 proxy"}, 403, id="it says so otherwise"),
    ],
)
async def test_metrics_without_a_token_are_for_this_machine(
    trusted: Sequence[str], public_url: str, headers: dict[str, str], status: int
) -> None:
    async def no_gauges() -> list[GaugeMetricFamily]:
        return []

    proxies = Proxies(trusted, public_url)
    async with serving({}, [], scrape_routes(no_gauges, "", proxies), proxies) as http:
        answer = await http.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("bridge_build_info" in answer.text) == (status == 200)
