"""What became of a message is asked of SMSGate by our own reference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.gateways.base import Doubt
from bridge.gateways.registry import build
from bridge.types import OutcomeKind
from tests.gateways.cases import NUMBER, REFERENCE
from tests.gateways.kinds.smsgate import KIND, answer, error
from tests.gateways.provider import Fault, Play, run_provider


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        pytest.param(answer("Pending", 200), OutcomeKind.ACCEPTED, id="it waits"),
        pytest.param(answer("Delivered", 200), OutcomeKind.ACCEPTED, id="it arrived"),
        pytest.param(answer("Failed", 200), OutcomeKind.REJECTED, id="it failed"),
        pytest.param(answer("Cancelled", 200), OutcomeKind.REJECTED, id="it was cancelled"),
        pytest.param(Play(200, '{"id": "another", "state": "Sent"}'), OutcomeKind.UNKNOWN, id="another message"),
        pytest.param(error(404, "message not found"), OutcomeKind.UNKNOWN, id="it may still come in"),
        pytest.param(error(500, "failed"), OutcomeKind.UNKNOWN, id="broken"),
        pytest.param(Fault.NO_HTTP, OutcomeKind.UNKNOWN, id="no HTTP"),
    ],
)
async def test_a_message_in_doubt_is_looked_up(says: Play | Fault, kind: OutcomeKind) -> None:
    async with run_provider() as provider:
        provider.script.append(says)
        gateway = build("smsgate", replace(KIND.connection, url=provider.url + KIND.path))
        outcome = await gateway.lookup(Doubt(REFERENCE, None, NUMBER))
        await gateway.close()
    assert outcome.kind is kind
    assert (outcome.provider_id == REFERENCE) is (kind is OutcomeKind.ACCEPTED)
    assert [seen.target for seen in provider.seen] == [f"{KIND.path}/messages/{REFERENCE}"]
