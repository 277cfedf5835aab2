"""`bridge preview`: what a mail would send, without sending."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.shared import Config, Json, in_store, show_json
from bridge.errors import UsageError
from bridge.types import (
    EMPTY_BOOK,
    CutRule,
    Mailbox,
    MessageClass,
    NewMessage,
    Preview,
    Priority,
    UnicodePolicy,
)

if TYPE_CHECKING:
    from bridge.addressing import Ground
    from bridge.routing import Routes
    from bridge.store.store import Store


def register(app: typer.Typer) -> None:
    """Add `preview` to `bridge`."""
    app.command()(preview)


@dataclass(frozen=True, slots=True)
class _House:
    """Who can send, and what is known of the phones."""

    by_address: Callable[[str], Mailbox | None]
    ground: Callable[[Mailbox], Ground]
    routes: Routes


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
    from bridge.preview import document, unsendable
    from bridge.preview import preview as previewed

    mails = [_read(file) for file in files or [Path("-")]]
    house = _demo(sender) if config is None else in_store(config, _house)
    results = []
    for raw in mails:
        mailbox = house.by_address(sender or _from_of(raw))
        if mailbox is None:
            shown = unsendable(to)
        else:
            shown = previewed(mailbox, to, raw, house.ground(mailbox), house.routes, clock.now())
        results.append((shown, mailbox))
    for shown, mailbox in results:
        if as_json:
            show_json(document(shown))
        else:
            _show(shown, mailbox)
    if len(results) == 1 and not results[0][0].messages:
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


def _demo(sender: str | None) -> _House:
    """The demo's. Any mail can be tried there: one whose From is a stranger's counts as its first mailbox's own."""
    from bridge.addressing import Ground
    from bridge.demo_mailboxes import DOMAIN, PASSWORDS, demo_mailbox
    from bridge.routing import Routes

    mailboxes = [demo_mailbox(login) for login in PASSWORDS]

    def by_address(address: str) -> Mailbox | None:
        own = (mailbox for mailbox in mailboxes if mailbox.login == address.lower())
        allowed = (mailbox for mailbox in mailboxes if sender is None or mailbox.may_send_from(address))
        return next(own, None) or next(allowed, None)

    return _House(by_address, lambda _: Ground({DOMAIN}, EMPTY_BOOK, lambda *_: None), Routes.anywhere())


async def _house(store: Store) -> _House:
    from bridge.admission import known
    from bridge.gateways.configured import open_gateways
    from bridge.routing import configured

    gateways = open_gateways(store.settings)
    routes = configured(store.settings, {name: each.traits for name, each in gateways.items()})
    for each in gateways.values():
        await each.close()

    return _House(
        store.directory.by_address,
        lambda mailbox: known(store.directory, mailbox, {store.settings.domain}, routes),
        routes,
    )


def _show(shown: Preview, mailbox: Mailbox | None) -> None:
    """What the answer to `preview@…` says (`notices.preview`), for operators. A mail is hostile: none of its control
    characters reaches the terminal."""
    from bridge.notices.address import called
    from bridge.notices.mime import one_line
    from bridge.notices.preview import alike

    for messages in alike(shown.messages):
        for message in messages:
            phone = called(message.number, message.contact) if message.number else "any phone"
            print(f"{phone}  from {' or '.join((message.sender, *message.pool))}")
        for line in _about(shown, messages[0], mailbox):
            print(line)
    for cut in shown.cuts:
        print(f"left out ({cut.rule.value}):")
        for line in _lines(cut.text):
            print(f"  - {line}")
        if cut.rule is CutRule.LEARNED_SIGNATURE:
            print("  (these lines ended several mails of the mailbox, and count as its signature)")
    for refused in shown.refused:
        print(f"refused  {one_line(refused.address)}: {refused.reply}")
    for warning in shown.warnings:
        print(f"note  {one_line(warning)}")


def _about(shown: Preview, message: NewMessage, mailbox: Mailbox | None) -> Iterator[str]:
    from bridge.notices.preview import MAX_CHARACTERS, breaks_of, foreign_characters
    from bridge.sms.encoding import named
    from bridge.sms.expense import most_expensive

    encoded = message.encoded
    alphabet = encoded.encoding.value + (f" ({encoded.shift})" if encoded.shift is not None else "")
    yield f"{len(encoded.segments)} SMS, {alphabet}, {encoded.units} units used, {encoded.units_left} left in the last"
    policy = shown.policy(mailbox.unicode) if mailbox is not None else UnicodePolicy.ALLOW
    foreign = foreign_characters(encoded, policy)
    for char, position in list(foreign.items())[:MAX_CHARACTERS]:
        yield f"not in the GSM 7-bit alphabet: character {position} ({named(char)})"
    if len(foreign) > MAX_CHARACTERS:
        yield f"not in the GSM 7-bit alphabet: {len(foreign) - MAX_CHARACTERS} more"
    found = most_expensive(encoded, policy)
    if found is not None:
        who = f"character {found.position} ({named(found.char)})" + (
            f" and {found.others} more" if found.others else ""
        )
        why = ", counting double" if found.counts_double else ""
        yield f"costs more: {who}{why}; {found.segments_without} SMS without"
    yield from _wishes(shown, message)
    yield from (f"  | {line}" for line in _lines(encoded.text))
    yield from (f"cut at  {each}" for each in breaks_of(encoded))


def _wishes(shown: Preview, message: NewMessage) -> Iterator[str]:
    """What the mail or the address asks for, where that is not what every mail gets."""
    if message.message_class is not MessageClass.TRANSACTIONAL:
        yield f"class: {message.message_class.value}"
    if message.flash:
        yield "flash: shown at once, not kept"
    if message.priority is not Priority.NORMAL:
        yield f"priority: {message.priority.value}"
    if shown.options.send_at is not None:
        yield f"send at: {shown.options.send_at.isoformat()}"
    if message.expires_at is not None:
        yield f"expires: {message.expires_at.isoformat()}"
    reference = shown.reference_of(message)
    if reference is not None:
        yield f"reference: {reference}"


def _lines(text: str) -> list[str]:
    from bridge.notices.mime import lines_of

    return lines_of(text).split("\n")
