"""`bridge preview`: what a mail would send, without sending."""

from __future__ import annotations

import json
import sys
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.shared import Config, Json, in_store
from bridge.errors import NotFound, UsageError
from bridge.types import Mailbox

if TYPE_CHECKING:
    from bridge.store.store import Store

_DEMO_LOGIN = "clinic@example.test"


def register(app: typer.Typer) -> None:
    """Add `preview` to `bridge`."""
    app.command()(preview)


def preview(
    to: Annotated[
        list[str], typer.Option("--to", help="Recipient, such as +393331234567@sms.example.test. May be repeated.")
    ],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Mail files (.eml); - or none reads one mail from standard input.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--from", help="Who sends it; decides the mailbox.", show_default=False)
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show what a mail would send, without sending. Without --config the demo's settings apply."""
    from bridge import clock
    from bridge.preview import preview as previewed

    mails = [_read(file) for file in files or [Path("-")]]
    mailbox, domain = _mailbox(config, sender or _from_of(mails[0]))
    results = [previewed(mailbox, to, raw, domains={domain}, now=clock.now()) for raw in mails]
    for result in results:
        if as_json:
            print(json.dumps(result, ensure_ascii=False))
        else:
            _show(result)
    if len(results) == 1 and not results[0]["messages"]:
        raise typer.Exit(1)


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error


def _from_of(raw: bytes) -> str:
    return parseaddr(str(message_from_bytes(raw[:65_536]).get("From", "")))[1]


def _mailbox(config: Path | None, sender: str) -> tuple[Mailbox, str]:
    from bridge.demo_mailboxes import demo_mailbox
    from bridge.settings import Settings

    if config is None:
        return demo_mailbox(_DEMO_LOGIN), Settings().domain

    async def find(store: Store) -> tuple[Mailbox, str]:
        mailbox = store.directory.by_address(sender)
        if mailbox is None:
            raise NotFound(f"No mailbox may send from {sender or 'an empty address'}. Name one with --from ADDRESS.")
        return mailbox, store.settings.domain

    return in_store(config, find)


def _show(result: dict[str, Any]) -> None:
    from bridge.sms.numbers import international

    for message in result["messages"]:
        print(f"{international(message['number'])}  from {message['sender']}")
        print(
            f"{message['segments']} SMS, {message['encoding']}, {message['units']} units used, "
            f"{message['units_left']} left in the last"
        )
        for line in message["text"].split("\n"):
            print(f"  | {line}")
    for cut in result["cuts"]:
        print(f"left out ({cut['rule']}):")
        for line in cut["text"].split("\n"):
            print(f"  - {line}")
    for refused in result["refused"]:
        print(f"refused  {refused['address']}: {refused['reply']}")
    for warning in result["warnings"]:
        print(f"note  {warning}")
