"""The steps of one message's life, as tests of the store take them."""

from __future__ import annotations

from datetime import timedelta

from bridge.store.claims import Claim, Claimed, Start
from bridge.store.ledger import MessageView
from bridge.store.queue import Finish
from bridge.store.transitions import Change
from bridge.types import MessageState, Outcome, OutcomeKind, Receipt
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail

ME, OTHER = "me", "another-node"


async def claim(room: StoreRoom, owner: str = ME, at: float = 1, limit: int = 10) -> list[Claimed]:
    now = later(at)
    return await room.store.queue.claim(Claim(owner, now, now + timedelta(seconds=90), limit))


async def start(room: StoreRoom, message_id: str, owner: str = ME, at: float = 1) -> int | None:
    now = later(at)
    return await room.store.queue.start(Start(owner, message_id, GATEWAY, now, now + timedelta(seconds=90)))


async def view(room: StoreRoom, message_id: str) -> MessageView:
    trace = await room.store.ledger.trace(message_id)
    assert trace is not None
    return trace.message


async def state(room: StoreRoom, message_id: str) -> MessageState:
    return (await view(room, message_id)).state


async def sending(room: StoreRoom, message_id: str = "<one@client.test>") -> str:
    """A message whose first byte is about to leave."""
    await room.outbox.take(new_mail(room.mailbox, message_id=message_id))
    (claimed,) = await claim(room)
    assert await start(room, claimed.sms.reference) == 1
    return claimed.sms.reference


def receipt(message_id: str | None, told: MessageState, event: str, provider_id: str | None = None) -> Receipt:
    return Receipt(GATEWAY, provider_id, message_id, told, event)


async def finish(
    room: StoreRoom,
    message_id: str,
    became: MessageState,
    *,
    attempt: int = 1,
    at: float = 2,
    provider_id: str | None = None,
) -> MessageState | None:
    """The gateway's answer to a try, as the dispatcher settles it."""
    kinds = {
        MessageState.SENT: OutcomeKind.ACCEPTED,
        MessageState.FAILED: OutcomeKind.REJECTED,
        MessageState.QUEUED: OutcomeKind.THROTTLED,
        MessageState.UNKNOWN: OutcomeKind.UNKNOWN,
    }
    change = Change(message_id, became, later(at), provider_id=provider_id, due_at=later(at), attempt=attempt)
    return await room.store.queue.finish(Finish(attempt, Outcome(kinds[became], provider_id), change))
