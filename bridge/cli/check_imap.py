"""What `bridge check` asks IMAP servers: whether each account that is filed in or watched can be used."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.consent.renewal import Consents
    from bridge.settings import ImapSettings, Settings

Finding = tuple[str, str]
"""A part of the bridge, and what is wrong with it in a sentence; empty when nothing is."""

PROBE = 10.0
"""Seconds that a mail server has to answer here, since a person waits: far fewer than the stations give it."""


async def folders(settings: Settings, consents: Consents) -> list[Finding]:
    """The accounts that conversations are filed in."""
    from bridge.mailback.configured import open_folders

    try:
        accounts = open_folders(settings, consents)
    except BridgeError as error:
        return [("filing", error.sentence)]
    found = []
    for login, account in accounts.items():
        try:
            async with asyncio.timeout(PROBE):
                found.append((f"filing {login}", await account.probe()))
        except TimeoutError:
            found.append((f"filing {login}", _silent(settings.filing[login])))
        finally:
            await account.close()
    return found


async def watched(settings: Settings, consents: Consents) -> list[Finding]:
    """The mailboxes that are watched."""
    from bridge.mailback.configured import open_watched

    try:
        accounts = open_watched(settings, consents)
    except BridgeError as error:
        return [("watch", error.sentence)]
    found = []
    for address, account in accounts.items():
        watch = settings.watch[address]
        try:
            async with asyncio.timeout(PROBE):
                found.append((f"watch {address}", await account.probe(watch.levels)))
        except TimeoutError:
            found.append((f"watch {address}", _silent(watch)))
    return found


def _silent(account: ImapSettings) -> str:
    where = f"The IMAP server {account.host}:{account.port}"
    return f"{where} is silent. See that it runs, and that nothing is in between."
