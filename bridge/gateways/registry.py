"""The table of gateway kinds: turns an entry `[gateways.NAME]` of the configuration into a gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.errors import SettingsError
from bridge.gateways.base import Gateway
from bridge.gateways.simulator import SimulatorGateway


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """What the operator says of one gateway, whatever its kind."""

    url: str
    secret: str
    timeout: float
    """Seconds to wait for the provider."""


def _simulator(name: str, options: GatewayOptions) -> Gateway:
    return SimulatorGateway(name, options.url, options.secret, options.timeout)


KINDS: Mapping[str, Callable[[str, GatewayOptions], Gateway]] = {"simulator": _simulator}
"""Every value that `kind` may have, and what makes a gateway of it."""


def build(name: str, kind: str, options: GatewayOptions) -> Gateway:
    """The gateway that the operator calls `name`. Raises SettingsError for an unknown kind."""
    make = KINDS.get(kind)
    if make is None:
        raise SettingsError(f"gateways.{name}.kind", kind, f"Use one of: {', '.join(sorted(KINDS))}.")
    return make(name, options)
