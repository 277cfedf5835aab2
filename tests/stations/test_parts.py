"""A long answer of which a segment never comes: after an hour the mailbox gets what there is."""

from __future__ import annotations

from datetime import timedelta

from bridge import clock
from bridge.types import InboundPart
from tests.stations.conftest import PHONE, intake_of, waiting, words
from tests.store.conftest import GATEWAY, StoreRoom


async def test_what_is_not_whole_after_an_hour_is_mailed_as_it_is(room: StoreRoom) -> None:
    intake = intake_of(room)
    for ordinal, text, minutes in ((1, "Vengo domani", 61), (3, "con mia madre", 59)):
        at = clock.now() - timedelta(minutes=minutes)
        part = InboundPart(GATEWAY, f"e{ordinal}", PHONE, room.mailbox.sender, text, at, 7, 3, ordinal)
        await intake.hear([part])
    await intake.give_up()
    assert await waiting(room) == [], "the second of them came less than an hour ago"
    late = InboundPart(GATEWAY, "e4", PHONE, room.mailbox.sender, "Sì", clock.now() - timedelta(hours=2), 8, 2, 1)
    await intake.hear([late])
    await intake.give_up()
    (mail,) = await waiting(room)
    assert "Sì[…]" in words(mail)
