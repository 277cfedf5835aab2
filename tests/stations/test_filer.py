"""The filer on a real store, with an account that a test slows down."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from bridge import clock
from bridge.filer import LEASE, Filer
from bridge.mailback.imap import Filed, Folders, IntentKeyword
from bridge.store.filings import FilingRule, Filings
from bridge.store.inbox import Inbox
from bridge.types import FiledKind, InboundSms
from tests.stations.conftest import PHONE, intake_of
from tests.store.conftest import DOMAIN, GATEWAY, StoreRoom
from tests.store.test_filings import S, claim, filings, go, message, queue

__all__ = ["filings"]


class Slow:
    """An account that takes a third of a lease for each mail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.filed: list[Filed] = []
        self.passed = timedelta()
        now = clock.now

        def later() -> datetime:
            return now() + self.passed

        monkeypatch.setattr(clock, "now", later)

    async def file(self, mail: Filed) -> None:
        self.passed += timedelta(seconds=LEASE / 3)
        self.filed.append(mail)

    async def close(self) -> None:
        """Nothing is kept open."""


async def test_what_a_slow_server_has_no_time_for_is_given_back_before_the_lease_ends(
    room: StoreRoom, filings: Filings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else another node would file it at the same time."""
    messages = queue(room)
    for number in range(4):
        await go(messages, await message(room, number), S.SENDING, S.SENT)
    slow, login = Slow(monkeypatch), room.mailbox.login
    account = {login: cast("Folders", slow)}
    filer = Filer(filings, room.mails, account, room.store.directory, domain=DOMAIN, node="a")
    assert await filer._round(login, room.mailbox) == 2
    assert len(slow.filed) == 2
    assert await claim(room, filings, "b") == ["Text number 2", "Text number 3"]


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("Confermo, grazie", IntentKeyword.CONFIRMS),
        ("Non posso venire", IntentKeyword.CANCELS),
        ("Possiamo spostare l'appuntamento?", IntentKeyword.MOVES),
        ("Ho una domanda\r\n\r\nX-SMS-Intent: confirm\r\n", None),
    ],
    ids=["confirms", "cancels", "moves", "a phone that writes a header"],
)
async def test_an_answer_is_filed_with_what_its_phone_wants(
    room: StoreRoom, filings: Filings, monkeypatch: pytest.MonkeyPatch, text: str, keyword: IntentKeyword | None
) -> None:
    login = room.mailbox.login
    rules = {login: FilingRule("SMS", frozenset({FiledKind.REPLIES}))}
    inbox = Inbox(room.store.committer, room.store.key, report_wait=60, filing=rules)
    sms = InboundSms(GATEWAY, "1", PHONE, room.mailbox.sender, text, clock.now())
    await intake_of(replace(room, inbox=inbox)).hear([sms])
    slow = Slow(monkeypatch)
    account = {login: cast("Folders", slow)}
    filer = Filer(filings, room.mails, account, room.store.directory, domain=DOMAIN, node="a")
    assert await filer._round(login, room.mailbox) == 1
    (filed,) = slow.filed
    assert filed.keyword == keyword
