"""The examples of docs/operation.md, with real proxies: callbacks come through, nothing else does, nothing is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from bridge.gateways.registry import build
from bridge.types import GatewayEvent, Receipt
from bridge.web.app import build_web
from bridge.web.proxies import Proxies
from bridge.web.server import WebServer
from tests.gateways import cases
from tests.servers.ports import free_port
from tests.servers.reverse_proxy import NAME, Caddy, Nginx, ReverseProxy
from tests.web.parts import all_is_well
from tests.web.test_proxies import TWILIO_RECEIPT, twilio

CLIENT = "127.0.0.2"
"""Where the provider of these tests calls from; the proxy is 127.0.0.1."""

both = pytest.mark.parametrize("make", [Nginx, Caddy])


class Site:
    """A bridge with a gateway that signs and one that does not, before which a proxy can be put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.upstream = free_port()
        self.heard: list[GatewayEvent] = []
        self._ends: list[Callable[[], object]] = []
        self._web: WebServer | None = None

    async def bridge(self, public_url: str) -> None:
        """Start the bridge."""

        async def keep(events: Sequence[GatewayEvent]) -> None:
            self.heard.extend(events)

        signing = replace(cases.connection(account="AC1", secret="token"), public_url=public_url)
        gateways = {
            "main": build("twilio", signing),
            "plain": build("46elks", cases.connection(account="u", secret="p")),
        }
        app = build_web(gateways, keep, all_is_well, proxies=Proxies(["127.0.0.1"], public_url))
        self._web = WebServer(app, "127.0.0.1", self.upstream)
        await self._web.start()

    async def proxy(self, make: type[ReverseProxy], altered: dict[str, str] | None = None) -> ReverseProxy:
        """Start the proxy."""
        proxy = make(self.folder, self.upstream)
        self._ends.append(proxy.stop)
        await asyncio.to_thread(proxy.start, altered or {})
        return proxy

    async def call(self, proxy: ReverseProxy, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Call the public address from another address than the proxy's."""
        transport = httpx.AsyncHTTPTransport(verify=proxy.tls, local_address=CLIENT)
        async with httpx.AsyncClient(transport=transport, trust_env=False) as http:
            url = f"https://127.0.0.1:{proxy.port}{path}"
            named = {"Host": NAME, **(headers or {})}
            return await http.post(url, data=TWILIO_RECEIPT, headers=named, extensions={"sni_hostname": NAME})

    async def close(self) -> None:
        for end in self._ends:
            await asyncio.to_thread(end)
        if self._web is not None:
            await self._web.stop()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    yield site
    await site.close()


@both
async def test_callbacks_come_through_and_nothing_else_does(make: type[ReverseProxy], site: Site) -> None:
    await site.bridge(f"https://{NAME}")
    proxy = await site.proxy(make)
    answer = await site.call(proxy, "/hooks/main/receipts", twilio(f"https://{NAME}/hooks/main/receipts"))
    assert answer.status_code == 200, answer.text
    assert [event.provider_id for event in site.heard if isinstance(event, Receipt)] == ["SM1"]
    for path in ("/healthz", "/metrics", "/hooks/../metrics", "/hooks/%2e%2e/metrics"):
        assert (await site.call(proxy, path)).status_code in (400, 404), path


@both
async def test_the_bridge_knows_who_called_whatever_the_caller_claims(make: type[ReverseProxy], site: Site) -> None:
    await site.bridge(f"https://{NAME}")
    proxy = await site.proxy(make)
    with capture_logs() as log:
        for claim in ({}, {"X-Forwarded-For": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}):
            assert (await site.call(proxy, "/hooks/main/receipts", claim)).status_code == 403
    assert [line["peer"] for line in log if line["event"] == "web.refused"] == [CLIENT] * 3


@both
async def test_the_proxy_keeps_tokens_to_itself_with_the_bridge_up_or_down(
    make: type[ReverseProxy], site: Site
) -> None:
    proxy = await site.proxy(make)
    assert (await site.call(proxy, f"/hooks/plain/receipts/{cases.TOKEN}")).status_code == 502
    await site.bridge(f"https://{NAME}")
    assert (await site.call(proxy, f"/hooks/plain/receipts/{cases.TOKEN}")).status_code == 400
    proxy.stop()
    assert cases.TOKEN not in proxy.written()


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param({"location /hooks/": "location /a/hooks/"}, id="kept"),
        pytest.param({"location /hooks/": "location /a/hooks/", "8025;": "8025/hooks/;"}, id="removed"),
    ],
)
async def test_a_public_path_may_be_removed_or_kept(altered: dict[str, str], site: Site) -> None:
    public_url = f"https://{NAME}/a"
    await site.bridge(public_url)
    proxy = await site.proxy(Nginx, altered)
    answer = await site.call(proxy, "/a/hooks/main/receipts", twilio(f"{public_url}/hooks/main/receipts"))
    assert answer.status_code == 200, answer.text
