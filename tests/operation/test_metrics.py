"""`GET /metrics`: what a Prometheus server reads, who may read it, and what never stands in it."""

from __future__ import annotations

import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bridge.web.app import build_web
from bridge.web.scrape import scrape_routes
from bridge.web.server import WebServer
from tests.road.demo_process import DemoProcess, eventually
from tests.servers.web import NOBODY, web
from tests.web.parts import all_is_well

TOKEN = "a-long-random-word"


async def no_gauges() -> list[object]:
    return []


async def ask(token: str, headers: dict[str, str]) -> httpx.Response:
    async def drop(events: object) -> None:
        return None

    web = WebServer(build_web({}, drop, all_is_well, scrape_routes(no_gauges, token)), "127.0.0.1", 0)  # type: ignore[arg-type]
    await web.start()
    try:
        async with httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
            return await http.get(f"http://127.0.0.1:{web.port}/metrics", headers=headers)
    finally:
        await web.stop()


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        pytest.param("", {}, 200, id="this-machine"),
        pytest.param("", {"X-Forwarded-For": "192.0.2.7"}, 403, id="through-a-proxy"),
        pytest.param("", {"Forwarded": "for=192.0.2.7"}, 403, id="through-a-proxy-of-rfc-7239"),
        pytest.param(TOKEN, {}, 401, id="without-the-token"),
        pytest.param(TOKEN, {"Authorization": "Bearer another-long-word"}, 401, id="with-another-token"),
        pytest.param(TOKEN, {"Authorization": f"Basic {TOKEN}"}, 401, id="in-another-way"),
        pytest.param(TOKEN, {"Authorization": f"Bearer {TOKEN}"}, 200, id="with-the-token"),
        pytest.param(TOKEN, {"Authorization": f"Bearer {TOKEN}", "Via": "1.1 proxy"}, 200, id="token-through-a-proxy"),
    ],
)
async def test_who_may_read_them(token: str, headers: dict[str, str], status: int) -> None:
    answer = await ask(token, headers)
    assert answer.status_code == status
    assert ("bridge_build_info" in answer.text) == (status == 200)


def read(demo: DemoProcess) -> dict[str, float]:
    """Every sample by its name and labels."""
    text = web.get(f"{demo.url}/metrics", timeout=20).text
    return {
        " ".join([sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_happens_is_counted_and_what_waits_is_shown(own_demo: DemoProcess) -> None:
    demo, good, slow, bad = own_demo, "+393478100000", "+393478100910", "+393478100901"
    retry = "gateway=simulator waits_for=retry"
    demo.send(slow, "Your visit is tomorrow at eleven.")
    waiting = eventually(lambda: found if f"bridge_messages_waiting {retry}" in (found := read(demo)) else None)
    assert waiting[f"bridge_messages_waiting {retry}"] == 1
    assert waiting[f"bridge_messages_waiting_oldest_seconds {retry}"] > 0
    demo.send([good, bad], "And yours is at half past ten.")
    eventually(lambda: demo.phone(good))
    demo.texts_back(good, "I shall come.")
    tries = "bridge_gateway_tries_total gateway=simulator outcome"
    eventually(lambda: read(demo).get(f"{tries}=accepted") == 2)
    seen = eventually(lambda: found if f"bridge_messages_waiting {retry}" not in (found := read(demo)) else None)
    assert seen[f"{tries}=unreachable"] == 3
    assert seen[f"{tries}=rejected"] == 1
    assert seen["bridge_mails_taken_total door=submission"] == 2
    assert seen["bridge_mail_to_submit_seconds_count gateway=simulator"] == 3
    assert seen["bridge_inbound_total gateway=simulator match=latest"] == 1
    assert seen["bridge_store_up"] == 1
    text = web.get(f"{demo.url}/metrics", timeout=20).text
    named = re.sub(r"(?m)^([^#].*) \S+$", r"\1", text)  # a time may hold any digits
    assert f"{tries}=accepted".split()[0] in named
    assert not re.search(r"39347|clinic@|visit", named)
