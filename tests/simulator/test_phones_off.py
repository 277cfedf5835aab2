"""A phone that is switched off: what is for it waits in the network, and can be taken back as long as it does."""

from __future__ import annotations

from pathlib import Path

from bridge.gateways.base import Handed, Recall, Recalled
from bridge.types import MessageState, OutboundSms
from tests.simulator.world import Bridge, World, run_world, sms

PHONE = "+393470000123"
CANCELLED, REFUSED = Recalled.CANCELLED, Recalled.REFUSED


async def switch(world: World, what: str, phone: str = PHONE) -> int:
    return (await world.http.post(f"/simulator/api/phones/{phone}/{what}")).status_code


async def send(world: World, message: OutboundSms) -> Handed:
    """Hand a message over; what the gateway must know to take it back."""
    outcome = await world.gateway.submit(message)
    assert outcome.provider_id
    return Handed(message.reference, (outcome.provider_id,), message.number, message.sender)


async def test_what_waits_is_shown_when_the_phone_comes_back(world: World) -> None:
    assert await switch(world, "off") == 204
    first, second = sms(PHONE, "one"), sms(PHONE, "two")
    await send(world, first)
    await send(world, second)
    assert await world.texts(PHONE) == []
    assert await switch(world, "on") == 204
    await world.bridge.wait_for(2)
    assert await world.texts(PHONE) == ["one", "two"]
    assert [receipt.state for receipt in world.bridge.receipts] == [MessageState.DELIVERED] * 2
    assert {receipt.reference for receipt in world.bridge.receipts} == {first.reference, second.reference}
    await send(world, sms(PHONE, "three"))
    assert await world.texts(PHONE) == ["one", "two", "three"], "it is on again"


async def test_what_waits_can_be_taken_back_and_never_comes(world: World) -> None:
    await switch(world, "off")
    handed, kept = await send(world, sms(PHONE, "not this")), sms(PHONE, "but this")
    await send(world, kept)
    assert await world.gateway.cancel(handed) == Recall(CANCELLED)
    assert await world.gateway.cancel(handed) == Recall(REFUSED, "HTTP 409 too_late"), "it does not wait any more"
    await switch(world, "on")
    await world.bridge.wait_for(1)
    assert await world.texts(PHONE) == ["but this"]
    assert [receipt.reference for receipt in world.bridge.receipts] == [kept.reference]


async def test_what_a_phone_shows_cannot_be_taken_back(world: World) -> None:
    handed = await send(world, sms(PHONE))
    assert await world.gateway.cancel(handed) == Recall(REFUSED, "HTTP 409 too_late")
    assert await world.texts(PHONE) == ["Ciao"]


async def test_what_the_network_never_had_cannot_be_taken_back(world: World) -> None:
    nothing = Handed("mine", ("unheard-of",), PHONE, "+390200000001")
    assert await world.gateway.cancel(nothing) == Recall(REFUSED, "HTTP 404 unknown_message")


async def test_one_phone_is_off_and_no_other(world: World) -> None:
    await switch(world, "off")
    await send(world, sms("+393470000124"))
    assert await world.texts("+393470000124") == ["Ciao"]
    await send(world, sms("+393470000903"))
    await world.bridge.wait_for(2)
    assert await switch(world, "off", "12") == 400


async def test_only_who_knows_the_secret_takes_texts_back(world: World) -> None:
    await switch(world, "off")
    handed = await send(world, sms(PHONE))
    answer = await world.http.delete(f"/simulator/provider/messages/{handed.provider_ids[0]}")
    assert answer.status_code == 401
    assert await world.gateway.cancel(handed) == Recall(CANCELLED)


async def test_what_waits_survives_a_killed_network(tmp_path: Path) -> None:
    async with run_world(tmp_path, Bridge()) as world:
        await switch(world, "off")
        await send(world, sms(PHONE, "still there"))
    async with run_world(tmp_path, Bridge()) as world:
        await send(world, sms(PHONE, "and another"))
        assert await world.texts(PHONE) == []
        await switch(world, "on")
        await world.bridge.wait_for(2)
        assert await world.texts(PHONE) == ["still there", "and another"]


async def test_emptying_the_network_switches_every_phone_on(world: World) -> None:
    await switch(world, "off")
    await send(world, sms(PHONE, "old"))
    await world.http.delete("/simulator/api")
    await send(world, sms(PHONE, "new"))
    assert await world.texts(PHONE) == ["new"]
