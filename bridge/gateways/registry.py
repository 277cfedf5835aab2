"""The table of gateway kinds: turns a section `[gateways.NAME]` of the configuration into a gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bridge.errors import SettingsError, SettingsErrors
from bridge.gateways.apprise import AppriseGateway
from bridge.gateways.aws import Aws
from bridge.gateways.bandwidth import Bandwidth
from bridge.gateways.base import Gateway
from bridge.gateways.clicksend import ClickSend
from bridge.gateways.connection import Connection
from bridge.gateways.elks46 import Elks46
from bridge.gateways.gammu.gateway import GammuGateway
from bridge.gateways.gatewayapi import GatewayApi
from bridge.gateways.generic import GenericHttp
from bridge.gateways.infobip import Infobip
from bridge.gateways.jasmin import Jasmin
from bridge.gateways.kannel import Kannel
from bridge.gateways.messagebird import MessageBird
from bridge.gateways.plivo import Plivo
from bridge.gateways.provider import Provider
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

PROVIDERS: tuple[type[Provider], ...] = (
    Elks46,
    AppriseGateway,
    Aws,
    Bandwidth,
    ClickSend,
    GammuGateway,
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

KINDS: Mapping[str, type[Provider]] = {provider.kind: provider for provider in PROVIDERS}
"""Every value that `kind` may have, and what it makes."""


def build(kind: str, connection: Connection) -> Gateway:
    """The gateway of a connection. Raises SettingsErrors with everything that the kind complains of."""
    section = f"gateways.{connection.name}"
    provider = KINDS.get(kind)
    if provider is None:
        remedy = f"no such provider; write one of: {', '.join(sorted(KINDS))}"
        raise SettingsErrors([SettingsError(f"{section}.kind", f'"{kind}"', remedy)])
    complaints = list(_options(f"{section}.options", provider, connection.options))
    if not complaints:  # where its API is may depend on them
        usual = provider.url_of(connection.options)
        connection = replace(connection, url=(connection.url or usual).rstrip("/"))
    complaints += _needs(section, provider, connection, known_url=not complaints)
    if complaints:
        raise SettingsErrors(complaints)
    return provider(connection)


def _needs(
    section: str, provider: type[Provider], connection: Connection, *, known_url: bool
) -> Iterator[SettingsError]:
    for need in (*(["url"] if known_url else []), *provider.needs):
        if not getattr(connection, need):
            remedy = f"{provider.title} needs it; write it" + (f" or {need}_file" if need.endswith("secret") else "")
            yield SettingsError(f"{section}.{need}", "(not set)", remedy)


def _options(section: str, provider: type[Provider], given: Mapping[str, str]) -> Iterator[SettingsError]:
    known = {option.name: option for option in provider.options}
    for name, value in given.items():
        option = known.get(name)
        if option is None:
            names = ", ".join(sorted(known)) or "none"
            yield SettingsError(
                f"{section}.{name}", f'"{value}"', f"{provider.title} has no such option; it has: {names}"
            )
        elif option.choices and value not in option.choices:
            yield SettingsError(f"{section}.{name}", f'"{value}"', f"write one of: {', '.join(option.choices)}")
    for name, option in known.items():
        if option.default is None and not given.get(name):
            yield SettingsError(f"{section}.{name}", "(not set)", f"{provider.title} needs it: {option.meaning}")
