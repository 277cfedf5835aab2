"""Thousands of texts over binds that break off and throttle: none arrives twice, none is lost unless it is in doubt."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from bridge.types import OutcomeKind
from tests.gateways.smpp.smsc import Answer, Link, Smsc, bound, run_smsc, sms


class Flaky(Smsc):
    """Hangs up, throttles and keeps silent, each after a number of submits of its own."""

    def next_answer(self, link: Link) -> Answer:
        count = len(self.submits)
        if count % 101 == 0:
            link.hang_up()
            return None
        if count % 37 == 0:
            return 0x58
        return f"id-{count}"


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Binds come back at once, and a throttled one holds back only a moment."""
    for constant in ("binds.FIRST_DELAY", "binds.LONGEST_DELAY", "pace.FIRST_HOLD", "pace.LONGEST_HOLD"):
        monkeypatch.setattr(f"bridge.gateways.smpp.{constant}", 0.01)


@pytest.mark.usefixtures("hurry")
async def test_at_most_once_and_exactly_once_unless_unknown(long: bool) -> None:
    count = 10_000 if long else 1_000
    outcomes: dict[str, OutcomeKind] = {}
    async with run_smsc(smsc=Flaky()) as smsc, bound(smsc.port, binds="3", window="20") as (gateway, _):
        places = asyncio.Semaphore(100)

        async def send(text: str) -> None:
            """As the dispatcher does it: again only what provably was not taken."""
            async with places:
                while True:
                    outcome = await gateway.submit(sms(text))
                    if outcome.kind not in (OutcomeKind.THROTTLED, OutcomeKind.UNREACHABLE):
                        outcomes[text] = outcome.kind
                        return
                    await asyncio.sleep(outcome.retry_after or 0.0)

        await asyncio.gather(*(send(f"text {number}") for number in range(count)))
    taken = Counter(smsc.taken)
    unknown = {text for text, kind in outcomes.items() if kind is OutcomeKind.UNKNOWN}
    assert set(outcomes.values()) == {OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN}
    assert max(taken.values()) == 1, "nobody is texted twice"
    assert outcomes.keys() - unknown <= taken.keys(), "what is said to be taken was taken"
    assert len(unknown) < count / 2
    assert len(smsc.links) > count / 110, "binds broke off, and came back"
