"""What becomes of a text that was cut for national tables where they may not be used any more: no word is lost."""

from __future__ import annotations

import pytest

from bridge.gateways.base import Gateway, Traits
from bridge.sms.encoding import encode
from bridge.types import Encoding, National, OutboundSms, Outcome

TURKISH = "Yarın görüşürüz " * 9


class Provider(Gateway):
    """A gateway that may send these tables."""

    name = "main"

    def __init__(self, *tables: National, wide: bool = False) -> None:
        self.traits = Traits(receipts=False, inbound=False, shifts=frozenset(tables), wide_reference=wide)

    async def submit(self, sms: OutboundSms) -> Outcome:
        raise AssertionError("nothing is sent here")

    async def probe(self) -> str:
        return ""


def cut(text: str, *tables: National) -> OutboundSms:
    encoded = encode(text, shifts=tables)
    return OutboundSms(
        "R1", "+393331234567", "ACME", encoded.text, encoded.encoding, encoded.segments, shift=encoded.shift
    )


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        pytest.param(TURKISH, Provider(National.TURKISH), id="tables that it may send"),
        pytest.param("Ciao", Provider(), id="the alphabet that everybody knows"),
        pytest.param("Γειά", Provider(), id="Unicode"),
    ],
)
def test_what_can_leave_leaves_as_it_is(text: str, provider: Provider) -> None:
    sms = cut(text, National.TURKISH)
    assert provider.fitted(sms) is sms


@pytest.mark.parametrize(
    ("provider", "sizes"),
    [
        pytest.param(Provider(), [67, 67, 10], id="the operator took them out of the settings"),
        pytest.param(Provider(National.SPANISH), [67, 67, 10], id="or put others in"),
        pytest.param(Provider(wide=True), [66, 66, 12], id="with longer headers"),
    ],
)
def test_the_words_leave_without_tables(provider: Provider, sizes: list[int]) -> None:
    sms = cut(TURKISH, National.TURKISH)
    assert len(sms.segments) == 1
    found = provider.fitted(sms)
    assert found is not None
    assert (found.shift, found.encoding, list(map(len, found.segments))) == (None, Encoding.UCS2, sizes)
    assert "".join(found.segments) == found.text == sms.text


def test_what_no_header_could_number_does_not_leave() -> None:
    sms = cut("ş" * 149 * 200, National.TURKISH)
    assert len(sms.segments) == 200
    assert Provider().fitted(sms) is None
