"""`bridge messages`, `trace`, `retry`: looking at messages, and a person's word about one that nobody knows of."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.shared import Config, Json, in_store, show_json
from bridge.errors import NotFound, NotPossible, Refusal, UsageError
from bridge.types import MessageState

if TYPE_CHECKING:
    from bridge.store.ledger import MessageView, Trace
    from bridge.store.store import Store

_NO_NUMBER = "no number"
"""What a recipient is shown as whose number does not exist."""

MessageId = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the message, as `bridge messages` and reports show it.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `bridge`."""
    app.command()(messages)
    app.command()(trace)
    app.command()(retry)


def messages(
    state: Annotated[
        MessageState | None,
        typer.Option(
            metavar="STATE", help=f"Only messages in this state: {', '.join(MessageState)}.", show_default=False
        ),
    ] = None,
    number: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="Only messages to this phone, such as +393331234567.", show_default=False),
    ] = None,
    mailbox: Annotated[
        str | None, typer.Option(metavar="LOGIN", help="Only messages of this mailbox.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(metavar="COUNT", help="At most this many.", min=1)] = 100,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List messages, newest first."""
    e164 = None if number is None else _number(number)

    async def work(store: Store) -> list[MessageView]:
        if mailbox is not None and store.directory.by_login(mailbox) is None:
            raise NotFound(f"There is no mailbox {mailbox}. See `bridge mailbox list`.")
        return await store.ledger.messages(state=state, number=e164, login=mailbox, limit=limit)

    from bridge.sms.numbers import international

    found = in_store(config, work)
    if as_json:
        show_json([_document(view) for view in found])
        return
    for view in found:
        why = f" ({view.reason})" if view.reason else ""
        moment = view.created_at.strftime("%Y-%m-%d %H:%M:%S")
        print(f"{view.id}  {moment}  {international(view.number) or _NO_NUMBER}  {view.state}{why}  {view.mailbox}")
    if not found:
        print("No message fits.")


def trace(message_id: MessageId, config: Config = None, as_json: Json = False) -> None:
    """Show everything that happened to one message.

    ID may also be that of a mail, as its sender saw it in the answer "250 Taken as …": then all its messages are shown.
    """

    async def work(store: Store) -> list[Trace]:
        ids = [view.id for view in await store.ledger.submission_messages(message_id)] or [message_id]
        traces = [await store.ledger.trace(one) for one in ids]
        return [found for found in traces if found is not None]

    from bridge.sms.numbers import international

    traces = in_store(config, work)
    if not traces:
        raise NotFound(f"There is no message {message_id}. See `bridge messages`.")
    documents = [
        {**_document(found.message), "text": found.text, "steps": [asdict(step) for step in found.steps]}
        for found in traces
    ]
    if as_json:
        show_json(documents[0] if len(documents) == 1 else documents)
        return
    for found in traces:
        view = found.message
        print(
            f"{view.id}  {international(view.number) or _NO_NUMBER}  {view.state}  from {view.sender} by {view.mailbox}"
        )
        for step in found.steps:
            print(f"  {step.at.strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]}  {step.what:12} {step.detail}")


def retry(
    message_id: MessageId,
    config: Config = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, even on a terminal.")] = False,
) -> None:
    """Send a message again whose outcome is unknown.

    The phone may then get it twice: only a person can decide that, so a terminal is asked.
    """
    if not yes and sys.stdin.isatty():
        typer.confirm("The phone may have this text already, and then gets it twice. Send it again?", abort=True)
    _send_again(config, message_id)
    print(f"{message_id} is queued again.")


def _send_again(config: Path | None, message_id: str) -> None:
    """Raises NotFound, and NotPossible for a message that is not in doubt."""
    from bridge import clock
    from bridge.store.transitions import Change

    async def work(store: Store) -> None:
        now = clock.now()
        change = Change(message_id, MessageState.QUEUED, now, due_at=now, by_person=True)
        if await store.queue.change(change) is not None:
            return
        found = await store.ledger.trace(message_id)
        if found is None:
            raise NotFound(f"There is no message {message_id}. See `bridge messages`.")
        raise NotPossible(
            f"{message_id} cannot be sent again: it is {found.message.state}. Only a message whose outcome is unknown "
            f"can. See `bridge trace {message_id}`."
        )

    in_store(config, work)


def _number(value: str) -> str:
    from bridge.sms.numbers import read_number

    try:
        number = read_number(value, "ZZ")
    except Refusal as error:
        raise UsageError(f"--number {value} is not a number with its country code, such as +393331234567.") from error
    return number.e164


def _document(view: MessageView) -> dict[str, Any]:
    return asdict(view)
