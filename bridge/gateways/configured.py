"""What the settings say about providers, as gateways; called by the composition root and by `bridge check`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from pydantic import SecretStr

from bridge.errors import SettingsError, SettingsErrors
from bridge.gateways.base import Gateway
from bridge.gateways.connection import Connection
from bridge.gateways.registry import build
from bridge.settings import Settings
from bridge.types import National, Rates


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
            opened[name] = gateway = build(each.kind, connection)
            if each.shift_tables and not gateway.traits.shifts:
                complaints.append(_no_tables(name, each.shift_tables))
            gateway.traits = replace(gateway.traits, shifts=gateway.traits.shifts.intersection(each.shift_tables))
            if each.balance_below is not None and not gateway.traits.balance:
                complaints.append(_nothing_to_compare(name, each.balance_below))
        except SettingsErrors as errors:
            complaints += errors.complaints
        except SettingsError as error:
            complaints.append(error)
    if complaints:
        raise SettingsErrors(complaints)
    return opened


def _nothing_to_compare(name: str, limit: Decimal) -> SettingsError:
    remedy = "this provider cannot be asked what is left on its account; leave it out"
    return SettingsError(f"gateways.{name}.balance_below", str(limit), remedy)


def _no_tables(name: str, languages: Sequence[National]) -> SettingsError:
    remedy = "this gateway carries no national tables, or not with these options; leave it out"
    return SettingsError(f"gateways.{name}.shift_tables", ", ".join(languages), remedy)


def rates(settings: Settings, gateways: Mapping[str, Gateway]) -> dict[str, Rates]:
    """How fast each gateway may be used: as the operator says, else its provider; those without limit are left out."""
    found: dict[str, Rates] = {}
    for name, gateway in gateways.items():
        said, usual = settings.gateways[name], gateway.traits.rates
        found[name] = Rates(
            usual.gateway if said.rate is None else said.rate,
            usual.sender if said.sender_rate is None else said.sender_rate,
        )
    return {name: each for name, each in found.items() if each}


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
