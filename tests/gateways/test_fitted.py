"""What becomes of a text that was cut for national tables where they may not be used any more: no word is lost."""

from __future__ import annotations

import pytest

from bridge.errors import Reason
from bridge.gateways.base import Gateway, Traits
from bridge.sms.encoding import encode
from bridge.types import Encoding, National, OutboundSms, Outcome, OutcomeKind

TURKISH = "Yarın görüşürüz " * 9
BOTH = Traits(receipts=False, inbound=False, own_segments=True, shifts=True)
PLAIN = Traits(receipts=False, inbound=False)
WIDE = Traits(receipts=False, inbound=False, own_segments=True, wide_reference=True)


class Provider(Gateway):
    """A gateway that can what its traits say."""

    name = "main"

    def __init__(self, traits: Traits, *tables: National) -> None:
        self.traits, self.tables = traits, frozenset(tables)

    async def submit(self, sms: OutboundSms) -> Outcome:
        return self.unable(sms) or Outcome(OutcomeKind.ACCEPTED)

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
        pytest.param(TURKISH, Provider(BOTH, National.TURKISH), id="tables that it may send"),
        pytest.param("Ciao", Provider(PLAIN), id="the alphabet that everybody knows"),
        pytest.param("Γειά", Provider(PLAIN), id="Unicode"),
    ],
)
async def test_what_can_leave_leaves_as_it_is(text: str, provider: Provider) -> None:
    sms = cut(text, National.TURKISH)
    assert provider.fitted(sms) is sms
    assert (await provider.submit(sms)).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    ("provider", "sizes"),
    [
        pytest.param(Provider(BOTH), [67, 67, 10], id="the operator took them out of the settings"),
        pytest.param(Provider(BOTH, National.SPANISH), [67, 67, 10], id="or put others in"),
        pytest.param(Provider(PLAIN, National.TURKISH), [67, 67, 10], id="another provider has the name now"),
        pytest.param(Provider(WIDE), [66, 66, 12], id="with longer headers"),
    ],
)
async def test_the_words_leave_without_tables(provider: Provider, sizes: list[int]) -> None:
    sms = cut(TURKISH, National.TURKISH)
    assert len(sms.segments) == 1
    found = provider.fitted(sms)
    assert (found.shift, found.encoding, list(map(len, found.segments))) == (None, Encoding.UCS2, sizes)
    assert "".join(found.segments) == found.text == sms.text
    assert (await provider.submit(found)).kind is OutcomeKind.ACCEPTED


async def test_what_no_header_could_number_is_refused() -> None:
    provider, sms = Provider(PLAIN), cut("ş" * 149 * 200, National.TURKISH)
    assert len(sms.segments) == 200
    assert provider.fitted(sms) is sms
    refused = await provider.submit(sms)
    assert (refused.kind, refused.reason) == (OutcomeKind.REJECTED, Reason.UNENCODABLE)
