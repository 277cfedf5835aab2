"""One message's life in every order that chance finds: no phone is texted twice, and what was delivered stays so."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bridge.store.transitions import Change
from bridge.types import SETTLED, MessageState
from tests.store.conftest import Template, later, new_mail, open_room
from tests.store.steps import ME, OTHER, claim, finish, receipt, start, view

ANSWERS = [MessageState.SENT, MessageState.FAILED, MessageState.QUEUED, MessageState.UNKNOWN]
TOLD = [
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
    MessageState.EXPIRED,
    MessageState.SENT,
    MessageState.QUEUED,
]
PROVABLY_NOT_SENT = {MessageState.FAILED, MessageState.QUEUED}


class Life(RuleBasedStateMachine):
    """Two nodes, a phone network that answers when it likes, crashes, receipts, and a person at the keyboard."""

    template: Template

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.exit = AsyncExitStack()
        self.run = self.runner.run
        self.room = self.run(self.exit.enter_async_context(open_room(self.folder, self.template)))
        self.at = 1.0
        self.events = 0
        self.mails = 0
        self.begin()

    def begin(self) -> None:
        """A fresh message, which nobody has touched."""
        self.mails += 1
        mail = new_mail(self.room.mailbox, message_id=f"<{self.mails}@x>", at=later(self.at))
        taken = self.run(self.room.outbox.take(mail))
        (found,) = self.run(self.room.store.ledger.submission_messages(taken.submission_id))
        self.message_id = found.id
        self.held: set[str] = set()
        self.flying: dict[int, bool] = {}
        """Tries without an answer, and whether somebody still waits for it."""
        self.reached = 0
        """Tries that have an answer and may have reached the phone."""
        self.asked_again = 0
        self.delivered = False

    def teardown(self) -> None:
        self.run(self.exit.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    @rule(seconds=st.sampled_from([1.0, 40.0, 100.0]))
    def time_passes_and_a_node_sweeps(self, seconds: float) -> None:
        self.at += seconds
        self.run(self.room.store.leases.recover(later(self.at), all_leases=False, told_after=15))

    @rule(owner=st.sampled_from([ME, OTHER]), sends=st.booleans())
    def a_node_claims(self, owner: str, sends: bool) -> None:
        if self.run(view(self.room, self.message_id)).state in SETTLED:
            self.begin()
        if self.run(claim(self.room, owner, self.at)):
            self.held.add(owner)
            if sends:
                self.a_node_sends(0, False)

    @precondition(lambda self: self.held)
    @rule(pick=st.integers(0, 1), twice=st.booleans())
    def a_node_sends(self, pick: int, twice: bool) -> None:
        """Twice at once, too, as if two tasks of one node believed that the message was theirs."""
        owner = sorted(self.held)[pick % len(self.held)]

        async def starts() -> list[int | None]:
            tries = (start(self.room, self.message_id, owner, self.at) for _ in range(1 + twice))
            return await asyncio.gather(*tries)

        for attempt in self.run(starts()):
            if attempt is not None:
                assert attempt not in self.flying
                self.flying[attempt] = True

    @precondition(lambda self: any(self.flying.values()))
    @rule(became=st.sampled_from(ANSWERS), pick=st.integers(0, 9))
    def the_network_answers(self, became: MessageState, pick: int) -> None:
        waiting = [attempt for attempt, awaited in self.flying.items() if awaited]
        attempt = waiting[pick % len(waiting)]
        del self.flying[attempt]
        self.reached += became not in PROVABLY_NOT_SENT
        provider_id = f"P-{self.mails}" if became is MessageState.SENT else None
        self.run(finish(self.room, self.message_id, became, attempt=attempt, at=self.at, provider_id=provider_id))

    @rule(first=st.sampled_from(TOLD), then=st.sampled_from(TOLD), by_id=st.booleans())
    def receipts_come(self, first: MessageState, then: MessageState, by_id: bool) -> None:
        for told in (first, then):
            self.events += 1
            heard = receipt(
                None if by_id else self.message_id, told, str(self.events), f"P-{self.mails}" if by_id else None
            )
            self.run(self.room.inbox.receipt(heard, later(self.at)))
            self.delivered_stays()

    @rule()
    def every_process_crashes_and_one_starts(self) -> None:
        self.held.clear()
        self.flying = dict.fromkeys(self.flying, False)
        self.run(self.room.store.leases.recover(later(self.at), all_leases=True, told_after=15))

    @rule()
    def a_person_sends_it_again(self) -> None:
        moment = later(self.at)
        again = Change(self.message_id, MessageState.QUEUED, moment, due_at=moment, by_person=True)
        if self.run(self.room.store.queue.change(again)) is not None:
            self.asked_again += 1

    @rule()
    def a_person_cancels(self) -> None:
        self.run(self.room.store.queue.change(Change(self.message_id, MessageState.CANCELLED, later(self.at))))

    @rule()
    def the_provider_takes_it_back(self) -> None:
        taken_back = Change(self.message_id, MessageState.CANCELLED, later(self.at), by_provider=True)
        self.run(self.room.store.queue.change(taken_back))

    @invariant()
    def nobody_is_texted_twice(self) -> None:
        assert self.reached + len(self.flying) <= 1 + self.asked_again

    @invariant()
    def delivered_stays(self) -> None:
        state = self.run(view(self.room, self.message_id)).state
        assert state is MessageState.DELIVERED or not self.delivered
        self.delivered = state is MessageState.DELIVERED


@pytest.mark.timeout(600)  # finding the shortest story of a failure takes its time
def test_one_messages_life(template: Template, long: bool) -> None:
    Life.template = template
    run_state_machine_as_test(
        Life,
        settings=settings(max_examples=200 if long else 20, stateful_step_count=30, deadline=None),
    )
