"""`bridge blocks`: phones that are not texted, because they said so, or because somebody here did.

A running bridge notices every change within a second. Texts that wait for a decision leave, or are refused, then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.options import Login, LoginOrAll
from bridge.cli.shared import Config, Json, find_mailbox, in_store, show_json
from bridge.errors import NotFound, RecipientRefusal, UsageError
from bridge.types import Block, BlockKind, Mailbox, RulingOutcome

if TYPE_CHECKING:
    from bridge.store.decisions import Blocked
    from bridge.store.store import Store

app = typer.Typer(help="Phones that are not texted, and letting them in again.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The phone, such as +393331234567.")]

_WHY = {
    BlockKind.ORDER: "it asked for no more texts",
    BlockKind.WISH: "it asked in words of its own, and nobody has decided: texts wait",
    BlockKind.SET: "it was blocked here",
}


@app.command("list")
def show_all(
    login: LoginOrAll = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List the phones that a mailbox, or nobody, may text; the oldest block first."""

    async def work(store: Store) -> list[Blocked]:
        senders = find_mailbox(store, login).senders if login is not None else None
        return await store.decisions.all(senders)

    found = in_store(config, work)
    if as_json:
        show_json([_document(each) for each in found])
        return
    for each in found:
        print(f"{each.number}  from {each.sender}  since {_day(each.block)}  {_WHY[each.block.kind]}")
    if not found:
        print("No phone is blocked.")


@app.command()
def add(login: Login, number: Number, config: Config = None) -> None:
    """Block a phone for all numbers of a mailbox, as if it had texted STOP.

    For a phone that has asked for it in another way, and for one whose wish is to be decided.
    """

    async def work(store: Store) -> tuple[str, RulingOutcome]:
        mailbox = find_mailbox(store, login)
        phone = _phone(number, mailbox)
        return phone, (await store.decisions.decide(mailbox, phone, allows=False)).outcome

    phone, outcome = in_store(config, work)
    done = "is blocked" if outcome is RulingOutcome.BLOCKED else "was blocked before, and stays blocked"
    print(f"{phone} {done} for {login}. It can lift this by texting START.")


@app.command()
def remove(
    login: Login,
    number: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Also if the phone itself asked for no more texts.")] = False,
    config: Config = None,
) -> None:
    """Let a mailbox text a phone again."""

    async def work(store: Store) -> str:
        mailbox = find_mailbox(store, login)
        phone = _phone(number, mailbox)
        if not await store.decisions.remove(mailbox, phone, orders=yes):
            raise NotFound(f"{phone} is not blocked for {login}. See `bridge blocks list {login}`.")
        return phone

    print(f"{in_store(config, work)} may be texted by {login} again.")


def _phone(written: str, mailbox: Mailbox) -> str:
    """The number in E.164. Raises UsageError."""
    from bridge.sms.numbers import read_number

    try:
        return read_number(written, mailbox.region).e164
    except RecipientRefusal as refusal:
        raise UsageError(refusal.sentence) from refusal


def _day(block: Block) -> str:
    return block.since.date().isoformat()


def _document(blocked: Blocked) -> dict[str, Any]:
    return {
        "number": blocked.number,
        "sender": blocked.sender,
        "since": blocked.block.since,
        "kind": blocked.block.kind.value,
    }
