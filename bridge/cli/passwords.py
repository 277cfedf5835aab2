"""`bridge passwords`: one password for each program or device of a mailbox, made here and taken away by its name.

A running bridge notices every change within a second.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from bridge.cli.named import Name, checked_name, life, of_owner
from bridge.cli.options import Login, LoginOrAll
from bridge.cli.shared import Config, Json, find_mailbox, in_store, show_json

if TYPE_CHECKING:
    from bridge.store.store import Store
    from bridge.types import AppPasswordUse

app = typer.Typer(help="App passwords: one for each program or device that logs in.", no_args_is_help=True)


@app.command()
def add(login: Login, name: Name, config: Config = None) -> None:
    """Make an app password and show it, this once.

    It stands beside the password of the mailbox and all others, and only sends mail. Nothing else is printed on
    standard output, so that it can be handed on unread.
    """
    from bridge.access import passwords, scram

    name, password = checked_name(name), passwords.generate()

    async def work(store: Store) -> None:
        mailbox = find_mailbox(store, login)
        secret = store.key.derived(scram.SALTS)
        verifier = partial(scram.verifier_beside, password=password, secret=secret, login=mailbox.login)
        await store.passwords.add(mailbox, name, verifier)

    in_store(config, work)
    print(password)


@app.command("list")
def show_all(
    login: LoginOrAll = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List app passwords by their names, with the day on which each was last used."""

    async def work(store: Store) -> list[AppPasswordUse]:
        return of_owner(store, login, await store.passwords.all())

    found = in_store(config, work)
    if as_json:
        show_json([_document(each) for each in found])
        return
    for each in found:
        print(f"{each.login}  {each.name}  {life(each.created_at, each.used_at)}")
    if not found:
        print("There are no app passwords. Make one with `bridge passwords add LOGIN NAME`.")


@app.command()
def revoke(login: Login, name: Name, config: Config = None) -> None:
    """Take an app password away. Whoever is logged in with it sends no further mail."""

    async def work(store: Store) -> str:
        mailbox = find_mailbox(store, login)
        await store.passwords.revoke(mailbox, name.strip())
        return mailbox.login

    print(f"Nobody logs in to {in_store(config, work)} with {name.strip()} any more.")


def _document(each: AppPasswordUse) -> dict[str, Any]:
    return {"mailbox": each.login, "name": each.name, "created_at": each.created_at, "used_at": each.used_at}
