"""`bridge cancel`: a text that has not left is not sent; one that a provider has is taken back, where that is possible.

Nothing counts as cancelled that a provider has, unless the provider itself says that it will not leave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from bridge.cli.messages import MessageId
from bridge.cli.shared import Config, settings_of
from bridge.errors import NotFound, NotPossible, Reason
from bridge.gateways.base import Gateway, Handed, Recall, Recalled
from bridge.types import MessageState

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.store.ledger import Whereabouts

ANSWER = 60.0
"""Seconds that a provider has to answer: a person waits."""

_WITH_THE_PROVIDER = frozenset({MessageState.SENT, MessageState.UNKNOWN})

_SAID: Mapping[Recalled, str] = {
    Recalled.ASKED: "gateway {gateway} was asked, and has not said yet whether it can",
    Recalled.REFUSED: "gateway {gateway} has it and does not take it back",
    Recalled.UNKNOWN: "gateway {gateway} has it and did not say whether it takes it back",
}


def register(app: typer.Typer) -> None:
    """Add `cancel` to `bridge`."""
    app.command()(cancel)


def cancel(message_id: MessageId, config: Config = None) -> None:
    """Cancel a message, at its provider too if it can.

    A message that a provider has is cancelled only when the provider says that it will not leave.
    """
    print(asyncio.run(_cancel(settings_of(config), message_id)))


async def _cancel(settings: Settings, message_id: str) -> str:
    """What was done, in a sentence. Raises NotFound, and NotPossible when the text may arrive or has arrived."""
    from bridge import clock
    from bridge.store.store import Store
    from bridge.store.transitions import Change

    async with Store(settings) as store:
        here = Change(message_id, MessageState.CANCELLED, clock.now(), Reason.CANCELLED, by_person=True)
        if await store.queue.change(here) is not None:
            return f"{message_id} is cancelled."
        found = await store.ledger.whereabouts(message_id)
        if found is None:
            raise NotFound(f"There is no message {message_id}. See `bridge messages`.")
        if found.state not in _WITH_THE_PROVIDER:
            raise NotPossible(_not_now(found))
        recall = await _recall(settings, found)
        if recall.kind is not Recalled.CANCELLED:
            raise NotPossible(_sentence(found, recall))
        there = Change(
            message_id,
            MessageState.CANCELLED,
            clock.now(),
            Reason.CANCELLED,
            recall.diagnostic,
            by_provider=True,
            attempt=found.attempt,
        )
        state = await store.queue.change(there)
        if state is None:  # a receipt was faster, which may say the same
            now = await store.ledger.whereabouts(message_id)
            state = now.state if now is not None else found.state
        if state is not MessageState.CANCELLED:
            raise NotPossible(
                f"Gateway {found.gateway} says that it took {message_id} back, and yet it is {state}. "
                f"See `bridge trace {message_id}`."
            )
        return f"{message_id} is cancelled: gateway {found.gateway} took it back before it left."


def _not_now(found: Whereabouts) -> str:
    if found.state is MessageState.SENDING:
        return f"{found.message_id} is being handed to gateway {found.gateway}. Try again in a moment."
    return (
        f"{found.message_id} cannot be cancelled: it is {found.state}. Only a message that has not left yet can. "
        f"See `bridge trace {found.message_id}`."
    )


def _sentence(found: Whereabouts, recall: Recall) -> str:
    why = _SAID[recall.kind].format(gateway=found.gateway)
    said = f" ({recall.diagnostic})" if recall.diagnostic else ""
    return f"{found.message_id} is not cancelled: {why}{said}. It may arrive. See `bridge trace {found.message_id}`."


async def _recall(settings: Settings, found: Whereabouts) -> Recall:
    from bridge.gateways.configured import open_gateways

    section = settings.gateways.get(found.gateway)
    if section is None:
        raise NotPossible(
            f"{found.message_id} is not cancelled and may arrive: gateway {found.gateway} has it, and there is no "
            f"[gateways.{found.gateway}] any more. Write the section again, then cancel it again."
        )
    gateway = open_gateways(settings.model_copy(update={"gateways": {found.gateway: section}}))[found.gateway]
    try:
        return await _ask(gateway, found)
    finally:
        await gateway.close()


async def _ask(gateway: Gateway, found: Whereabouts) -> Recall:
    if not gateway.traits.cancel:
        return Recall(Recalled.REFUSED, "it cannot do that")
    try:
        async with asyncio.timeout(ANSWER):
            return await gateway.cancel(Handed(found.message_id, found.provider_ids, found.number, found.sender))
    except TimeoutError:
        return Recall(Recalled.UNKNOWN, "no answer in time")
