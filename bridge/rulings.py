"""Mails to `+393331234567+allow@…` and `+block@…`: a mailbox decides whether a phone is texted again; for admission.

A phone that asks for no more texts in words of its own is not texted until somebody has decided. The mail that brought
its SMS offers both addresses. Whatever a mail to one of them says is ignored; that it came, from a mailbox that texts
from the numbers in question, is the decision. What is decided twice is answered twice and done once.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bridge import clock, notices, parser
from bridge.errors import MailRefusal, Reason, RecipientRefusal
from bridge.notices.ruling import RulingNotice
from bridge.sms.numbers import international
from bridge.store.decisions import Decisions
from bridge.store.directory import Directory
from bridge.types import BlockKind, Mailbox, OutgoingMail, Ruled, Ruling, RulingOutcome

log = structlog.get_logger("bridge.rulings")

_SAID = {
    RulingOutcome.ALLOWED: "Texts to {number} go out again.",
    RulingOutcome.FREE: "Texts to {number} were not blocked, and go out.",
    RulingOutcome.BLOCKED: "Texts to {number} are blocked. The phone can lift this by texting START.",
    RulingOutcome.STAYS_BLOCKED: "Texts to {number} were blocked before, and stay blocked.",
}


class Rulings:
    """Takes decisions of mailboxes."""

    def __init__(
        self,
        decisions: Decisions,
        directory: Directory,
        *,
        domain: str,
        mailed: Callable[[], None],
        decided: Callable[[], None],
        sign: Callable[[OutgoingMail], OutgoingMail],
    ) -> None:
        """`decided` is called when texts that waited may leave, or are to be refused."""
        self._decisions = decisions
        self._directory = directory
        self._domain = domain
        self._mailed = mailed
        self._decided = decided
        self._sign = sign

    def check(self, mailbox: Mailbox, ruled: Ruled) -> None:
        """At RCPT. Raises RecipientRefusal for what is not the mailbox's to decide: an order is lifted by the phone."""
        if not ruled.allows:
            return
        if any(block.kind is not BlockKind.WISH for _, block in self._directory.blocks(mailbox, ruled.number)):
            raise RecipientRefusal(Reason.OPTED_OUT, _ordered(ruled.number))

    async def take(self, mailbox: Mailbox, ruled: Ruled, raw: bytes, *, to: str, answers: bool) -> str:
        """Carry a decision out, and confirm it by a mail to the address `to`; the sentence that says what was done.

        `answers` says that the envelope sender is empty, as that of a machine's answer is. Raises MailRefusal
        (automatic mail, opted out) and StoreUnavailable. When this returns, it is on disk.
        """
        if answers or parser.is_from_a_machine(raw):
            raise MailRefusal(
                Reason.AUTOMATIC_MAIL,
                "A program sent this mail, and only a person decides about a phone: write a mail of your own.",
            )

        def compose(ruling: Ruling) -> OutgoingMail:
            notice = RulingNotice(f"ruling.{clock.new_id()}", to, mailbox, ruling, clock.now())
            return self._sign(notices.ruling(notice, self._domain))

        ruling = await self._decisions.decide(mailbox, ruled.number, allows=ruled.allows, compose=compose)
        log.info("ruling.taken", mailbox=mailbox.id, outcome=ruling.outcome.value)
        if ruling.outcome is RulingOutcome.ORDERED:
            raise MailRefusal(Reason.OPTED_OUT, _ordered(ruled.number))
        if ruling.outcome in (RulingOutcome.ALLOWED, RulingOutcome.BLOCKED):
            await self._directory.refresh()  # before its mailbox hears of it
            self._mailed()
            self._decided()
        return _SAID[ruling.outcome].format(number=international(ruled.number))


def _ordered(number: str) -> str:
    return f"Texts to {international(number)} are blocked, and not by a wish. The phone can lift this by texting START."
