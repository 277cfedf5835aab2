"""What became of a text whose answer was lost, asked by our own reference: Infobip's log and Sinch's batches."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from bridge.errors import Reason
from bridge.gateways.base import Doubt
from bridge.gateways.registry import build
from bridge.types import OutcomeKind
from tests.gateways.cases import NUMBER, REFERENCE, connection
from tests.gateways.provider import Fault, Play, Provider, run_provider
from tests.servers.ports import free_port

SETTINGS = {
    "infobip": connection(secret="api-key"),
    "sinch": connection(account="plan", secret="api-token"),
}
ASKED = {
    "infobip": (f"/sms/3/logs?messageId={REFERENCE}", "App api-key"),
    "sinch": (f"/xms/v1/plan/batches?client_reference={REFERENCE}&page_size=1", "Bearer api-token"),
}
BATCH = "01W4FFL35P4NC4K35SMSBATCH9"
ACCEPTED, REJECTED, UNKNOWN = OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with run_provider() as running:
        yield running


def logged(group: int, name: str, reference: str = REFERENCE) -> Play:
    """An entry of Infobip's log."""
    entry = {"messageId": reference, "status": {"groupId": group, "name": name}}
    return Play(200, json.dumps({"results": [entry]}))


def batches(*found: Mapping[str, str]) -> Play:
    """A page of Sinch's batches."""
    return Play(200, json.dumps({"count": len(found), "page": 0, "page_size": 1, "batches": found}))


@pytest.mark.parametrize(
    ("kind", "answer", "found", "reason", "provider_id"),
    [
        pytest.param("infobip", logged(1, "PENDING_ENROUTE"), ACCEPTED, None, REFERENCE, id="infobip on its way"),
        pytest.param("infobip", logged(3, "DELIVERED_TO_HANDSET"), ACCEPTED, None, REFERENCE, id="infobip delivered"),
        pytest.param("infobip", logged(2, "UNDELIVERABLE_NOT_DELIVERED"), ACCEPTED, None, REFERENCE, id="infobip lost"),
        pytest.param(
            "infobip", logged(5, "REJECTED_SENDER"), REJECTED, Reason.SENDER_REFUSED, None, id="infobip refused"
        ),
        pytest.param("infobip", Play(200, '{"results":[]}'), UNKNOWN, None, None, id="infobip not there"),
        pytest.param("infobip", logged(1, "PENDING_ENROUTE", "other"), UNKNOWN, None, None, id="infobip another text"),
        pytest.param(
            "sinch", batches({"id": BATCH, "client_reference": REFERENCE}), ACCEPTED, None, BATCH, id="sinch there"
        ),
        pytest.param("sinch", batches(), UNKNOWN, None, None, id="sinch not there"),
        pytest.param(
            "sinch", batches({"id": BATCH, "client_reference": "other"}), UNKNOWN, None, None, id="sinch another text"
        ),
        *(
            pytest.param(kind, answer, UNKNOWN, None, None, id=f"{kind} {name}")
            for kind in SETTINGS
            for name, answer in {
                "no JSON": Play(200, "<html>"),
                "not allowed": Play(403, "{}"),
                "broken": Play(500),
                "no answer": Fault.SILENCE,
            }.items()
        ),
    ],
)
async def test_what_became_of_a_text_can_be_asked(
    kind: str,
    answer: Play | Fault,
    found: OutcomeKind,
    reason: Reason | None,
    provider_id: str | None,
    provider: Provider,
) -> None:
    gateway = build(kind, replace(SETTINGS[kind], url=provider.url, timeout=0.5))
    provider.script.append(answer)
    outcome = await gateway.lookup(Doubt(REFERENCE, None, NUMBER))
    await gateway.close()
    assert (outcome.kind, outcome.reason, outcome.provider_id) == (found, reason, provider_id)
    seen = provider.seen[0]
    assert (seen.method, seen.target, seen.headers["authorization"]) == ("GET", *ASKED[kind])


@pytest.mark.parametrize("kind", SETTINGS)
async def test_a_provider_that_is_not_reached_leaves_it_open(kind: str) -> None:
    gateway = build(kind, replace(SETTINGS[kind], url=f"http://127.0.0.1:{free_port()}"))
    outcome = await gateway.lookup(Doubt(REFERENCE, None, NUMBER))
    await gateway.close()
    assert outcome.kind is UNKNOWN
