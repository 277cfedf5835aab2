"""What the settings say about providers, as gateways; called by the composition root and by `bridge check`."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from pydantic import SecretStr

from bridge.errors import SettingsError, SettingsErrors
from bridge.gateways.base import Gateway
from bridge.gateways.connection import Connection
from bridge.gateways.registry import build
from bridge.settings import Settings


def _nobody_knows(_: str) -> bytes:
    return secrets.token_bytes()


def open_gateways(settings: Settings, derive: Callable[[str], bytes] = _nobody_knows) -> dict[str, Gateway]:
    """Every configured gateway by name; the caller closes them. Raises SettingsErrors with all that is wrong in them.

    `derive` makes keys for a purpose from the installation's own; from it comes the part of a callback's path that
    nobody can guess, the same on every node and after a restart. Without it gateways can send and be asked, and no
    unsigned callback is believed.
    """
    opened: dict[str, Gateway] = {}
    complaints: list[SettingsError] = []
    for name, each in settings.gateways.items():
        connection = Connection(
            name=name,
            url=each.url,
            account=each.account,
            secret=_revealed(each.secret),
            webhook_secret=_revealed(each.webhook_secret),
            options=each.options,
            timeout=each.timeout,
            public_url=settings.http.public_url.rstrip("/"),
            hook_token=derive(f"callbacks of gateway {name}").hex()[:32],
        )
        try:
            opened[name] = build(each.kind, connection)
        except SettingsErrors as errors:
            complaints += errors.complaints
        except SettingsError as error:
            complaints.append(error)
    if complaints:
        raise SettingsErrors(complaints)
    return opened


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
