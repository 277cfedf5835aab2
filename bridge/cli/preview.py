"""`bridge preview`: what a mail would send, without sending."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.shared import Config, Json, in_store, show_json
from bridge.errors import UsageError
from bridge.types import Mailbox

if TYPE_CHECKING:
    from bridge.store.store import Store


def register(app: typer.Typer) -> None:
    """Add `preview` to `bridge`."""
    app.command()(preview)


@dataclass(frozen=True, slots=True)
class _Users:
    """Who can send, where the phones are, and which of them asked for no more texts."""

    domain: str
    by_address: Callable[[str], Mailbox | None]
    opted_out_since: Callable[[str, str, str], datetime | None]


def preview(
    to: Annotated[
        list[str],
        typer.Option(
            "--to", metavar="ADDRESS", help="Recipient, such as +393331234567@sms.example.test; may be repeated."
        ),
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Mail files (.eml); - or none reads one mail from standard input."),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ADDRESS",
            help="Who sends it, instead of the From of each mail; decides the mailbox.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show what a mail would send, without sending.

    Without --config the demo's settings apply. With --json each file gives one document on a line.
    """
    from bridge import clock
    from bridge.preview import preview as previewed

    mails = [_read(file) for file in files or [Path("-")]]
    users = _demo_users(sender) if config is None else in_store(config, _users)
    results = [
        previewed(
            users.by_address(sender or _from_of(raw)),
            to,
            raw,
            domains={users.domain},
            now=clock.now(),
            opted_out_since=users.opted_out_since,
        )
        for raw in mails
    ]
    for result in results:
        if as_json:
            show_json(result)
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
        raise UsageError(
            f"{file} cannot be read: {error.strerror}. Name a mail file, or - for standard input."
        ) from error


def _from_of(raw: bytes) -> str:
    return parseaddr(str(message_from_bytes(raw[:65_536]).get("From", "")))[1]


def _demo_users(sender: str | None) -> _Users:
    """The demo's. Any mail can be tried there: one whose From is a stranger's counts as its first mailbox's own."""
    from bridge.demo_mailboxes import DOMAIN, PASSWORDS, demo_mailbox

    mailboxes = [demo_mailbox(login) for login in PASSWORDS]

    def by_address(address: str) -> Mailbox | None:
        own = (mailbox for mailbox in mailboxes if mailbox.login == address.lower())
        allowed = (mailbox for mailbox in mailboxes if sender is None or mailbox.may_send_from(address))
        return next(own, None) or next(allowed, None)

    return _Users(DOMAIN, by_address, lambda *_: None)


async def _users(store: Store) -> _Users:
    return _Users(store.settings.domain, store.directory.by_address, store.directory.opted_out_since)


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
