"""The gateway believes only what the network signed, just now, and reads nothing else into it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateways.base import HookRefused
from bridge.gateways.callback import sign
from bridge.gateways.connection import Connection
from bridge.gateways.simulator import SimulatorGateway
from bridge.types import HttpRequest, InboundSms, MessageState, Receipt
from tests.simulator.world import SECRET

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
GATEWAY = SimulatorGateway(Connection("sim", "http://127.0.0.1:1", secret=SECRET, timeout=1.0, now=lambda: NOW))
HOOKS = {hook.name: hook.read for hook in GATEWAY.hooks()}

RECEIPT = {
    "event_id": "e1",
    "id": "00aB",
    "reference": "r1",
    "status": "delivered",
    "error": None,
    "time": "2026-11-21T11:00:00+01:00",
}
INBOUND = {"event_id": "e2", "from": "+393470000123", "to": "+390200000001", "text": "SÌ", "time": NOW.isoformat()}


def signed(body: bytes, at: datetime = NOW, secret: str = SECRET) -> HttpRequest:
    timestamp = str(int(at.timestamp()))
    headers = {"x-simulator-timestamp": timestamp, "x-simulator-signature": sign(secret, timestamp, body)}
    return HttpRequest({}, headers, body)


def test_a_receipt_is_read_with_the_ids_exactly_as_given() -> None:
    body = json.dumps(RECEIPT).encode()
    assert HOOKS["receipts"](signed(body)) == (
        Receipt("sim", "00aB", "r1", MessageState.DELIVERED, "e1", None, "", NOW, body.decode()),
    )


def test_an_answer_is_read() -> None:
    body = json.dumps(INBOUND).encode()
    assert HOOKS["inbound"](signed(body)) == (
        InboundSms("sim", "e2", "+393470000123", "+390200000001", "SÌ", NOW, body.decode()),
    )


def test_half_a_surrogate_pair_from_a_phone_is_no_reason_to_lose_the_text() -> None:
    [heard] = HOOKS["inbound"](signed(json.dumps(INBOUND | {"text": "a\ud83d"}).encode()))
    assert isinstance(heard, InboundSms)
    assert heard.text == "a\ufffd"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (signed(b"{}", secret="another"), 403),
        (HttpRequest({}, {}, b"{}"), 403),
        (signed(b"{}", at=NOW - timedelta(seconds=301)), 403),
        (signed(b"{}", at=NOW + timedelta(seconds=301)), 403),
        (signed(b""), 400),
        (signed(b"[]"), 400),
        (signed(b"\xff\xfe{\x00}\x00"), 400),
        (signed(b"[" * 60_000), 400),
        (signed(json.dumps(RECEIPT | {"status": "lost"}).encode()), 400),
        (signed(json.dumps(RECEIPT | {"error": ["x"]}).encode()), 400),
        (signed(json.dumps(RECEIPT | {"id": ""}).encode()), 400),
        (signed(json.dumps(RECEIPT | {"time": "2026-11-21T10:00:00"}).encode()), 400),
        (signed(json.dumps(RECEIPT | {"time": "0001-01-01T00:00:00+23:59"}).encode()), 400),
    ],
    ids=[
        "another secret",
        "no signature",
        "five minutes old",
        "from the future",
        "empty",
        "no object",
        "utf-16",
        "deep nesting",
        "unknown status",
        "unknown error",
        "empty id",
        "time without offset",
        "time before time",
    ],
)
def test_a_receipt_that_is_not_believed_or_not_understood(request_: HttpRequest, status: int) -> None:
    with pytest.raises(HookRefused) as refused:
        HOOKS["receipts"](request_)
    assert refused.value.status == status


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from([*RECEIPT, *INBOUND])


@given(
    hook=st.sampled_from(list(HOOKS)),
    body=st.binary(max_size=200)
    | st.dictionaries(keys, json_values)
    .map(lambda change: {**RECEIPT, **INBOUND, **change})
    .map(json.dumps)
    .map(str.encode),
    signature=st.booleans(),
)
def test_any_request_gives_events_or_a_refusal_that_repeats_none_of_it(hook: str, body: bytes, signature: bool) -> None:
    request = signed(body) if signature else HttpRequest({}, {"x-simulator-signature": "é"}, body)
    refusal = None
    try:
        events = HOOKS[hook](request)
    except HookRefused as refused:
        refusal = refused
    if refusal is None:
        assert signature
        assert len(events) == 1
    else:
        assert refusal.status in (400, 403)
        assert "+39" not in str(refusal)
