"""What depends on the network behind a Jasmin, its operator says."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from bridge.gateways.jasmin import Jasmin
from bridge.types import HttpRequest, InboundSms
from tests.gateways.cases import NUMBER, PLAIN, SENDER
from tests.gateways.kinds.jasmin import KIND, mo


@pytest.mark.parametrize(
    ("alphabet", "octets", "text"),
    [
        pytest.param("gsm", b"\x00 \x05 \x1be", "@ é €", id="the GSM alphabet, unpacked"),
        pytest.param("latin-1", "@ é".encode("latin-1"), "@ é", id="Latin-1"),
    ],
)
def test_data_coding_0_is_what_the_network_means(alphabet: str, octets: bytes, text: str) -> None:
    jasmin = Jasmin(replace(KIND.connection, options={"alphabet": alphabet}))
    (event,) = jasmin.hooks()[1].read(HttpRequest({}, body=mo(octets, "0").body))
    assert isinstance(event, InboundSms)
    assert event.text == text


@pytest.mark.parametrize(("plus", "numbers"), [("yes", (NUMBER, SENDER)), ("no", (NUMBER[1:], SENDER[1:]))])
def test_numbers_go_out_as_the_network_wants_them(plus: str, numbers: tuple[str, str]) -> None:
    order = Jasmin(replace(KIND.connection, options={"plus": plus})).order(PLAIN)
    fields = parse_qs(order.body.decode())
    assert (fields["to"][0], fields["from"][0]) == numbers
