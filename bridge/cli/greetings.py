"""`bridge greetings`: what a mailbox texts by itself to phones that did not ask for anything, and its opening hours.

A running bridge notices every change within a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bridge import clock
from bridge.cli import lengths, properties
from bridge.cli.options import Login
from bridge.cli.shared import Config, Json, find_mailbox, in_store, show_json
from bridge.errors import UsageError
from bridge.types import Greetings, Mailbox, OpeningHours

if TYPE_CHECKING:
    from bridge.store.store import Store

app = typer.Typer(help="Opening hours, and texts to whoever writes unasked.", no_args_is_help=True)


@app.command("set")
def change(
    login: Login,
    unprompted: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What a phone is texted that writes without having been texted lately, in quotes; `none` for nothing.",
            show_default=False,
        ),
    ] = None,
    hours: Annotated[
        str | None,
        typer.Option(
            metavar="PLAN",
            help="When somebody reads, on the clocks of the mailbox's time zone, in quotes: "
            '"Mon-Fri 09:00-13:00 15:00-19:00, Sat 09:00-12:00"; `none` for no opening hours.',
            show_default=False,
        ),
    ] = None,
    closed: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What a phone is texted that writes outside these hours, in quotes; `none` for nothing.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Say what a mailbox texts by itself; what is not named stays. Each phone gets each text once in 24 hours."""
    if unprompted is None and hours is None and closed is None:
        raise UsageError("Name what is to change: --unprompted TEXT, --hours PLAN or --closed TEXT.")

    async def work(store: Store) -> Mailbox:
        mailbox = find_mailbox(store, login)
        changed = replace(mailbox, greetings=_changed(mailbox.greetings, unprompted, hours, closed))
        for name, text in (("--unprompted", changed.greetings.unprompted), ("--closed", changed.greetings.closed)):
            lengths.check(changed, text, name)
        await store.mailboxes.save(changed)
        return changed

    _print(in_store(config, work))


@app.command()
def show(
    login: Annotated[
        str | None, typer.Argument(metavar="LOGIN", help="The mailbox's login; without it, all.", show_default=False)
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show what a mailbox, or each, texts by itself, and whether it is open now."""

    async def work(store: Store) -> list[Mailbox]:
        return [find_mailbox(store, login)] if login is not None else store.directory.all()

    found = in_store(config, work)
    if as_json:
        show_json([_document(mailbox) for mailbox in found])
        return
    for mailbox in found:
        _print(mailbox)
    if not found:
        print("There is no mailbox yet. Add one with `bridge mailbox add`.")


def _changed(greetings: Greetings, unprompted: str | None, hours: str | None, closed: str | None) -> Greetings:
    """`greetings` with what was named."""
    if unprompted is not None:
        greetings = replace(greetings, unprompted=_text(unprompted))
    if hours is not None:
        plan = _text(hours)
        greetings = replace(greetings, hours=OpeningHours.parse(plan) if plan else None)
    if closed is not None:
        greetings = replace(greetings, closed=_text(closed))
    if greetings.closed and greetings.hours is None:
        if closed is None:
            raise UsageError("A text for closed hours would be left without hours. Take it away too: --closed none.")
        raise UsageError("Say with --hours PLAN when the mailbox is open; --closed is what it texts at other times.")
    return greetings


def _text(word: str) -> str:
    """What was named; empty for nothing."""
    stripped = word.strip()
    return "" if stripped.lower() in properties.NOTHING else stripped


def _told(mailbox: Mailbox) -> Iterator[str]:
    """What the mailbox does, in sentences."""
    greetings, zone = mailbox.greetings, mailbox.timezone
    if greetings.hours is not None:
        now = clock.now()
        opens = greetings.hours.next_opening(now, zone).astimezone(ZoneInfo(zone))
        state = "open" if greetings.hours.open_at(now, zone) else f"closed until {opens:%Y-%m-%d %H:%M}"
        yield f"Opening hours: {greetings.hours} ({zone}); it is {state}."
    if greetings.closed:
        yield f"Outside them a phone is texted: {_sized(mailbox, greetings.closed)}"
    elif greetings.hours is not None:
        yield "Outside them nothing is texted: there is no --closed TEXT."
    if greetings.unprompted:
        yield f"A phone that writes unasked is texted: {_sized(mailbox, greetings.unprompted)}"
    if greetings.unprompted or greetings.closed:
        if mailbox.paused:
            yield "It is paused, so nothing is texted now."
    elif greetings.hours is None:
        yield "It texts nothing by itself but answers to STOP, START, HELP and its keywords."


def _sized(mailbox: Mailbox, text: str) -> str:
    return f'"{text}" ({lengths.count(mailbox, text)} SMS)'


def _print(mailbox: Mailbox) -> None:
    print(f"{mailbox.login}:")
    for sentence in _told(mailbox):
        print(f"  {sentence}")


def _document(mailbox: Mailbox) -> dict[str, Any]:
    greetings, hours = mailbox.greetings, mailbox.greetings.hours
    return {
        "mailbox": mailbox.login,
        "unprompted": greetings.unprompted or None,
        "hours": str(hours) if hours is not None else None,
        "closed": greetings.closed or None,
        "open": hours.open_at(clock.now(), mailbox.timezone) if hours is not None else None,
    }
