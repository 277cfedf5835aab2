"""Vonage: a phone's long answer comes in pieces, and leaves as the segments that they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bridge.gateways.registry import build
from bridge.types import GatewayEvent, HttpRequest, InboundPart, InboundSms
from tests.gateways.cases import NOW, NUMBER, SENDER
from tests.gateways.kinds.vonage import KIND, WRITTEN, signed

PLACE = {"concat": "true", "concat-ref": "171", "concat-total": "3", "concat-part": "2"}


def heard(event: dict[str, str]) -> Sequence[GatewayEvent]:
    inbound = build("vonage", KIND.connection).hooks()[1]
    body = json.dumps(signed(event)).encode()
    return inbound.read(HttpRequest({}, {"content-type": "application/json"}, body))


def test_a_piece_of_a_long_answer_is_one_of_its_segments() -> None:
    (part,) = heard({**WRITTEN, "text": "domani alle nove", "message-timestamp": "2026-11-21 06:00:00", **PLACE})
    assert isinstance(part, InboundPart)
    assert (part.number, part.to, part.text, part.event_id) == (NUMBER, SENDER, "domani alle nove", "0B1")
    assert (part.reference, part.total, part.ordinal) == (171, 3, 2)
    assert part.received_at == NOW, "it is from now on that the others are waited for"


@pytest.mark.parametrize(
    "place",
    [
        pytest.param({**PLACE, "concat": "false"}, id="not in pieces"),
        pytest.param({**PLACE, "concat-ref": "a4-71"}, id="a reference that is no number"),
        pytest.param({**PLACE, "concat-ref": "99999999999"}, id="a reference that no database takes"),
        pytest.param({**PLACE, "concat-total": "1", "concat-part": "1"}, id="the only piece"),
        pytest.param({**PLACE, "concat-total": "300"}, id="more pieces than there can be"),
        pytest.param({**PLACE, "concat-part": "4"}, id="a piece after the last"),
        pytest.param({**PLACE, "concat-part": "0"}, id="a piece before the first"),
        pytest.param({"concat": "true"}, id="no numbers"),
    ],
)
def test_what_cannot_be_put_together_is_a_text_by_itself(place: dict[str, str]) -> None:
    (sms,) = heard({**WRITTEN, **place})
    assert isinstance(sms, InboundSms)
    assert (sms.text, sms.received_at) == (WRITTEN["text"], datetime(2026, 11, 21, 9, 59, 58, tzinfo=UTC))
