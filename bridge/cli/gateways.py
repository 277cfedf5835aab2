"""`bridge gateways`: the providers that this program knows, and the addresses that the configured ones call back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from bridge.cli.shared import Config, Json, settings_of, show_json

if TYPE_CHECKING:
    from bridge.gateways.base import Gateway
    from bridge.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(gateways)


def gateways(config: Config = None, json: Json = False) -> None:
    """Show the configured gateways and their callback addresses.

    The addresses hold what nobody else may know where the provider signs nothing: keep them like passwords.
    """
    settings = settings_of(config)
    found = asyncio.run(_found(settings))
    if json:
        show_json(found)
        return
    for gateway in found:
        can = [word for word in ("receipts", "inbound") if gateway[word]]
        print(f"{gateway['name']}: {gateway['kind']}, {' and '.join(can) or 'neither receipts nor inbound'}")
        for name, url in gateway["callbacks"].items():
            print(f"  {name:10} {url}")
    if not found:
        print("No gateway is configured. Write a section [gateways.NAME]; docs/gateways.md names the providers.")


async def _found(settings: Settings) -> list[dict[str, Any]]:
    from bridge.gateways.configured import open_gateways
    from bridge.store.keys import load_key
    from bridge.store.store import make_folder

    make_folder(settings.data_dir)
    opened = open_gateways(settings, load_key(settings.data_dir).derived)
    try:
        return [_described(settings, gateway) for gateway in opened.values()]
    finally:
        for gateway in opened.values():
            await gateway.close()


def _described(settings: Settings, gateway: Gateway) -> dict[str, Any]:
    return {
        "name": gateway.name,
        "kind": settings.gateways[gateway.name].kind,
        "receipts": gateway.traits.receipts,
        "inbound": gateway.traits.inbound,
        "evidence": gateway.traits.evidence.value,
        "callbacks": {
            hook.name: settings.http.public_url.rstrip("/") + hook.path(gateway.name) for hook in gateway.hooks()
        },
    }
