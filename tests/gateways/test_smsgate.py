"""What became of a message is asked of SMSGate by our own reference."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bridge.gateways.base import Doubt
from bridge.gateways.registry import build
from bridge.types import HttpRequest, MessageState, OutcomeKind, Receipt
from tests.gateways.cases import NUMBER, REFERENCE, Call
from tests.gateways.kinds.smsgate import KIND, answer, error, signed, told
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


def test_each_part_of_a_long_text_is_reported_and_the_first_is_that_of_the_text() -> None:
    """SMSGate calls once for each part that arrived; the calls have ids of their own but name no part."""
    heard = [receipt(told("sms:delivered", "deliveredAt", partsCount=2), call_id) for call_id in ("first", "second")]
    assert [each.state for each in heard] == [MessageState.DELIVERED] * 2
    assert heard[0].event_id == heard[1].event_id, "the store keeps one of them"
    late = receipt(told("sms:failed", "failedAt", reason="Delivery result: 1"), "third")
    assert late.event_id != heard[0].event_id, "what becomes of it then is for the store to say"


def receipt(call: Call, call_id: str) -> Receipt:
    """What a call of SMSGate tells, when the call has this id."""
    again = signed(replace(call, body=json.dumps({**json.loads(call.body), "id": call_id}).encode()))
    (hook,) = build("smsgate", replace(KIND.connection, url="https://127.0.0.1:9")).hooks()
    (heard,) = hook.read(HttpRequest({}, again.headers, again.body))
    assert isinstance(heard, Receipt)
    return heard
