"""The table of gateway kinds: turns a section `[gateways.NAME]` of the configuration into a gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bridge.errors import SettingsError
from bridge.gateways.aws import Aws
from bridge.gateways.bandwidth import Bandwidth
from bridge.gateways.base import Gateway
from bridge.gateways.clicksend import ClickSend
from bridge.gateways.connection import Connection
from bridge.gateways.elks46 import Elks46
from bridge.gateways.gatewayapi import GatewayApi
from bridge.gateways.generic import GenericHttp
from bridge.gateways.http import HttpGateway
from bridge.gateways.infobip import Infobip
from bridge.gateways.jasmin import Jasmin
from bridge.gateways.kannel import Kannel
from bridge.gateways.messagebird import MessageBird
from bridge.gateways.plivo import Plivo
from bridge.gateways.rdcom import Rdcom
from bridge.gateways.seven import Seven
from bridge.gateways.simulator import SimulatorGateway
from bridge.gateways.sinch import Sinch
from bridge.gateways.skebby import Skebby
from bridge.gateways.smpp.gateway import SmppGateway
from bridge.gateways.smsgate import SmsGate
from bridge.gateways.telnyx import Telnyx
from bridge.gateways.twilio import Twilio
from bridge.gateways.vonage import Vonage

Provider = type[HttpGateway] | type[SmppGateway]

PROVIDERS: tuple[Provider, ...] = (
    Elks46,
    Aws,
    Bandwidth,
    ClickSend,
    GatewayApi,
    GenericHttp,
    Infobip,
    Jasmin,
    Kannel,
    MessageBird,
    Plivo,
    Rdcom,
    Seven,
    SimulatorGateway,
    Sinch,
    Skebby,
    SmppGateway,
    SmsGate,
    Telnyx,
    Twilio,
    Vonage,
)

KINDS: Mapping[str, Provider] = {provider.kind: provider for provider in PROVIDERS}
"""Every value that `kind` may have, and what it makes."""


def build(kind: str, connection: Connection) -> Gateway:
    """The gateway of a connection. Raises SettingsError for a kind that is not known and for what the kind misses."""
    section = f"gateways.{connection.name}"
    provider = KINDS.get(kind)
    if provider is None:
        raise SettingsError(
            f"{section}.kind", f'"{kind}"', f"no such provider; write one of: {', '.join(sorted(KINDS))}"
        )
    _check_options(f"{section}.options", provider, connection.options)
    usual = provider.url_of(connection.options) if issubclass(provider, HttpGateway) else provider.base_url
    connection = replace(connection, url=(connection.url or usual).rstrip("/"))
    for need in ("url", *provider.needs):
        if not getattr(connection, need):
            remedy = f"{provider.title} needs it; write it" + (f" or {need}_file" if need.endswith("secret") else "")
            raise SettingsError(f"{section}.{need}", "(not set)", remedy)
    return provider(connection)


def _check_options(section: str, provider: Provider, given: Mapping[str, str]) -> None:
    known = {option.name: option for option in provider.options}
    for name, value in given.items():
        option = known.get(name)
        if option is None:
            names = ", ".join(sorted(known)) or "none"
            raise SettingsError(
                f"{section}.{name}", f'"{value}"', f"{provider.title} has no such option; it has: {names}"
            )
        if option.choices and value not in option.choices:
            raise SettingsError(f"{section}.{name}", f'"{value}"', f"write one of: {', '.join(option.choices)}")
    for name, option in known.items():
        if option.default is None and not given.get(name):
            raise SettingsError(f"{section}.{name}", "(not set)", f"{provider.title} needs it: {option.meaning}")
