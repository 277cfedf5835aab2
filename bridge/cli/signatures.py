"""`bridge mailbox signatures`, `forget`: what the bridge learned to leave out at the end of a mailbox's mails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.options import Login
from bridge.cli.shared import Config, Json, find_mailbox, in_store, show_json
from bridge.errors import NotFound, UsageError

if TYPE_CHECKING:
    from bridge.store.signatures import Signature
    from bridge.store.store import Store

Which = Annotated[
    str, typer.Argument(metavar="NUMBER", help="Its number in `bridge mailbox signatures`, or `all` for every one.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `bridge mailbox`."""
    app.command()(signatures)
    app.command()(forget)


def signatures(login: Login, config: Config = None, as_json: Json = False) -> None:
    """List what ends a mailbox's mails again and again.

    What is learned is left out of its texts, unless the rule learned-signature is switched off (--keep-cut). What is
    not learned yet is still texted.
    """
    found = in_store(config, lambda store: _numbered(store, login))
    if as_json:
        show_json(
            [
                {
                    "number": number,
                    "text": each.text,
                    "seen": each.seen,
                    "learned": each.learned,
                    "forgotten": each.forgotten,
                }
                for number, each in found.items()
            ]
        )
        return
    for number, each in found.items():
        print(f"{number}  {_state(each)}, seen at the end of {each.seen} {'mail' if each.seen == 1 else 'mails'}")
        for line in each.text.split("\n"):
            print(f"  | {line}")
    if not found:
        print("Nothing at the end of its mails looks like a signature that is not known by itself.")


def forget(login: Login, number: Which, config: Config = None) -> None:
    """Text again what was learned to be a signature.

    It is not learned again. `all` forgets every one.
    """
    if number != "all" and not number.isdecimal():
        raise UsageError(f"{number} is neither a number of `bridge mailbox signatures {login}` nor all.")

    async def work(store: Store) -> list[Signature]:
        found = await _numbered(store, login)
        if number == "all":
            wanted = [each for each in found.values() if not each.forgotten]
        elif int(number) in found:
            wanted = [found[int(number)]]
        else:
            raise NotFound(f"{login} has no signature {number}. See `bridge mailbox signatures {login}`.")
        for each in wanted:
            await store.signatures.forget(each.id)
        return wanted

    forgotten = in_store(config, work)
    for each in forgotten:
        print("Forgotten, and texted from now on:")
        for line in each.text.split("\n"):
            print(f"  | {line}")
    if not forgotten:
        print("There was nothing to forget.")


async def _numbered(store: Store, login: str) -> dict[int, Signature]:
    """By their age, so that the next one does not move the others' numbers."""
    return dict(enumerate(await store.signatures.all(find_mailbox(store, login).id), start=1))


def _state(signature: Signature) -> str:
    if signature.forgotten:
        return "forgotten"
    return "learned" if signature.learned else "not learned yet"
