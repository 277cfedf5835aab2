"""`bridge check`: says in words what is wrong with a configuration, and whether gateways and relay answer."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bridge.cli.shared import Config
from bridge.errors import BridgeError, SettingsErrors, UsageError

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.store.store import Store


def register(app: typer.Typer) -> None:
    """Add `check` to `bridge`."""
    app.command()(check)


def check(config: Config = None) -> None:
    """Say in words what is wrong with a configuration. Exit code 1 if anything is."""
    from bridge import redact
    from bridge.settings import load

    if config is None:
        raise UsageError("Name the configuration file with --config FILE, or set BRIDGE_CONFIG.")
    if not Path(config).is_file():
        raise UsageError(f"There is no file {config}. Begin with a copy of config/bridge.toml.")
    try:
        settings = load(config, os.environ)
    except SettingsErrors as errors:
        for error in errors.complaints:
            print(f"wrong  {error.sentence}", file=sys.stderr)
        raise typer.Exit(1) from None
    redact.configure("error", settings.log.format, settings.secrets())
    findings = asyncio.run(_findings(settings))
    for part, complaint in findings:
        if complaint:
            print(f"wrong  {part}: {complaint}", file=sys.stderr)
        else:
            print(f"ok     {part}")
    if any(complaint for _, complaint in findings):
        raise typer.Exit(1)
    print("Everything answers. `bridge serve` can run with this configuration.")


async def _findings(settings: Settings) -> list[tuple[str, str]]:
    from bridge.app import open_gateways, relay_settings
    from bridge.mailback.relay import Relay

    found = [("configuration", ""), ("certificate", _certificate(settings))]
    found.extend(await _store(settings))
    for name, gateway in open_gateways(settings).items():
        try:
            found.append((f"gateway {name}", await gateway.probe()))
        finally:
            await gateway.close()
    relay = Relay(relay_settings(settings))
    try:
        found.append((f"relay {settings.relay.host}", await relay.probe()))
    finally:
        await relay.close()
    return found


def _certificate(settings: Settings) -> str:
    from bridge.app import door_settings
    from bridge.smtp_server import tls_context

    try:
        tls_context(door_settings(settings))
    except BridgeError as error:
        return error.sentence
    return ""


async def _store(settings: Settings) -> list[tuple[str, str]]:
    from bridge.store.store import Store

    try:
        async with Store(settings) as store:
            counts = await store.ledger.counts()
            found = [("database", ""), ("mailboxes", _mailboxes(store, settings))]
    except BridgeError as error:
        return [("database", error.sentence)]
    failed = counts["mails"].get("failed", 0)
    if failed:
        found.append(("mails", f"{failed} reports or replies were refused by the mail server for good; see the log."))
    lost = counts["inbound"]["without_mailbox"]
    if lost:
        found.append(("replies", f"{lost} texts from phones found no mailbox. Add one with `bridge mailbox add`."))
    return found


def _mailboxes(store: Store, settings: Settings) -> str:
    fallback = settings.replies.fallback
    if not store.directory.all():
        return "there is none yet. Add one with `bridge mailbox add`."
    if fallback and store.directory.by_login(fallback) is None:
        return f"replies.fallback names {fallback}, which is no mailbox. See `bridge mailbox list`."
    return ""
