"""What several commands have in common: the configuration they read, the store they open, how they show things."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bridge.errors import NotFound, UsageError

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.store.store import Store
    from bridge.types import Mailbox

T = TypeVar("T")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration file; without it, that of the demo.",
        envvar="BRIDGE_CONFIG",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, and nothing else.")]

DEMO_DIR = Path("data/demo")

_DATA_DIR = "BRIDGE_DATA_DIR"


def config_file(config: Path | None) -> Path:
    """The file that `--config` names, or else the one that the demo left in its folder.

    Raises UsageError when neither is there.
    """
    if config is not None:
        return config
    left = Path(os.environ.get(_DATA_DIR, DEMO_DIR)) / "bridge.toml"
    if not left.is_file():
        raise UsageError("Name the configuration file with --config FILE, or start the demo with `bridge demo`.")
    return left


def environment(config: Path | None) -> dict[str, str]:
    """The variables that go before the file: a data folder that led to the file is not said twice."""
    return {name: value for name, value in os.environ.items() if config is not None or name != _DATA_DIR}


def settings_of(config: Path | None) -> Settings:
    """The settings in `config_file(config)`. Raises SettingsError and UsageError."""
    from bridge import redact
    from bridge.settings import load

    settings = load(config_file(config), environment(config))
    redact.configure("error", settings.log.format, settings.secrets())
    return settings


def in_store(config: Path | None, work: Callable[[Store], Awaitable[T]]) -> T:
    """Open the store that `config` names, do `work`, close it again."""
    from bridge.store.store import Store

    settings = settings_of(config)

    async def run() -> T:
        async with Store(settings) as store:
            return await work(store)

    return asyncio.run(run())


def find_mailbox(store: Store, login: str) -> Mailbox:
    """The mailbox with this login. Raises NotFound."""
    mailbox = store.directory.by_login(login)
    if mailbox is None:
        raise NotFound(f"There is no mailbox {login}. See `bridge mailbox list`.")
    return mailbox


def show_json(document: Any) -> None:
    """One JSON document on a line of standard output; moments are RFC 3339."""
    print(json.dumps(document, ensure_ascii=False, default=_moment))


def _moment(value: datetime) -> str:
    return value.isoformat()
