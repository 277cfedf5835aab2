"""`bridge mailbox connect`: somebody consents, once, that the bridge opens an account at a mail provider."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.shared import Config, settings_of
from bridge.errors import NotPossible, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bridge.consent.application import Application
    from bridge.consent.endpoint import Granted, Refused
    from bridge.settings import ImapSettings, RelaySettings, Settings

Address = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="The account: the username in [watch], [filing] or [relay].")
]

Browser = Annotated[
    bool, typer.Option("--browser", help="Consent in a browser that comes back here, where codes are forbidden.")
]

TOLD_EVERY = 60.0
"""Seconds between two lines that say how long a code is still good."""


def register(app: typer.Typer) -> None:
    """Add `connect` to `bridge mailbox`."""
    app.command()(connect)


def connect(address: Address, browser: Browser = False, config: Config = None) -> None:
    """Consent that the bridge opens a mailbox at its provider.

    For providers that want access tokens (OAuth 2.0): it says where to sign in, waits, and keeps what the bridge needs
    to log in from then on. Run it as the user of the bridge, on each node; a running bridge goes on by itself.
    """
    from bridge.consent import kept
    from bridge.consent.application import application
    from bridge.store.store import make_folder

    settings = settings_of(config)
    name, account = _wanted(settings, address)
    app = application(settings.oauth[name], sends=settings.relay.oauth == name)
    if browser and not app.authorize_url:
        raise UsageError(f"[oauth.{name}] has no authorize_url. Write it, or leave --browser out.")
    way = _in_browser if browser or not app.device_url else _by_code
    found = asyncio.run(_consent(way(app, account), name))
    if not found.refresh_token:
        raise NotPossible(
            "The provider gave no refresh token, without which the bridge could log in for an hour only. Give the "
            "application the right to one: offline_access, or whatever the provider calls it."
        )
    make_folder(settings.data_dir)
    kept.write(kept.place(settings.data_dir, name, account), found.refresh_token)
    print(f"The bridge can log in as {account} now. `bridge check` says whether that opens the mailbox.")


def _wanted(settings: Settings, address: str) -> tuple[str, str]:
    """The application and the account that an address stands for. Raises UsageError."""
    sections: list[tuple[str, ImapSettings | RelaySettings]] = [*settings.watch.items(), *settings.filing.items()]
    sections.append(("", settings.relay))
    found = {
        (each.oauth, each.username.lower()): each.username
        for name, each in sections
        if each.oauth and address.lower() in (name.lower(), each.username.lower())
    }
    if len(found) > 1:
        raise UsageError(f"{address} stands for several accounts in the settings. Name one by its username.")
    for (application, _), username in found.items():
        return application, username
    raise UsageError(
        f"No [watch], [filing] or [relay] logs in as {address} with oauth = NAME. docs/mailbox-door.md says how to "
        "write it."
    )


async def _consent(way: Awaitable[Granted], name: str) -> Granted:
    """What comes of it. Raises NotPossible."""
    from bridge.consent.endpoint import Away, Refused

    try:
        return await way
    except Away as away:
        raise NotPossible(f"The provider does not answer as it should ({away}). Try again in a while.") from None
    except Refused as refused:
        raise NotPossible(_refusal(refused, name)) from None


async def _by_code(app: Application, account: str) -> Granted:
    from bridge.consent import device

    code = await device.begin(app)
    print(f"Open {code.page} in a browser, on any machine, and type in the code {code.user_code}")
    print(f"Sign in there as {account}, or as somebody who may open that mailbox.")
    print(f"Waiting for that; the code is good for {code.seconds / 60:.0f} minutes.", flush=True)
    told = code.seconds

    def waiting(left: float) -> None:
        nonlocal told
        if told - left >= TOLD_EVERY:
            told = left
            print(f"Still waiting; {left / 60:.0f} minutes are left.", file=sys.stderr)

    return await device.wait(app, code, waiting)


async def _in_browser(app: Application, account: str) -> Granted:
    from bridge.consent import redirect

    async with redirect.redirected(app, account) as consent:
        print(f"Open this address in a browser, sign in as {account} and consent:")
        print(f"\n  {consent.page}\n")
        print(f"The browser then goes to an address that begins with http://{app.comes_back_to}. If it runs on another")
        print("machine, it shows an error there: copy that address, all of it, paste it here, press Enter.", flush=True)
        return await consent.wait()


def _refusal(refused: Refused, name: str) -> str:
    match refused.code:
        case "invalid_client" | "unauthorized_client":
            do = "client_id or client_secret is wrong, or the registration does not allow public clients"
        case "invalid_scope":
            do = "the registration lacks the rights to mail"
        case "invalid_grant":
            do = "the code was used before or is over; run the command again"
        case _:
            do = "docs/mailbox-door.md says how an application is registered"
    return f"The provider refuses [oauth.{name}] ({refused}): {do}."
