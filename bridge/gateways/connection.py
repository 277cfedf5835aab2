"""What the operator says of one gateway, and where its callbacks come in; given to every kind of gateway."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bridge import clock
from bridge.errors import SettingsError

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
"""The name of a host in a domain (RFC 1123 section 2.1); no address of a machine, which a provider's storage is not."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One section `[gateways.NAME]`."""

    name: str
    """The operator's name for it."""
    url: str
    """Where its API is, without a slash at the end."""
    account: str = ""
    """User, account id or API key: what the provider calls the public half of the login."""
    secret: str = field(default="", repr=False)
    """Password, token or API secret."""
    webhook_secret: str = field(default="", repr=False)
    """What the provider signs its callbacks with, where that is not `secret`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What this kind wants to know besides."""
    timeout: float = 30.0
    """Seconds to wait for each step of a request."""
    public_url: str = ""
    """How the provider reaches our web listener, without a slash at the end."""
    hook_token: str = field(default="", repr=False)
    """What nobody can guess: the last part of the path of callbacks that nobody signs."""
    now: Callable[[], datetime] = clock.now

    def option(self, name: str, options: Sequence[Option]) -> str:
        """The operator's value of one of `options`, or its default."""
        default = next(option.default for option in options if option.name == name)
        return self.options.get(name, default or "")

    def secrets(self) -> tuple[str, ...]:
        """Values that must never reach a log."""
        return tuple(value for value in (self.secret, self.webhook_secret, self.hook_token) if value)


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of one kind of gateway, under `[gateways.NAME.options]`."""

    name: str
    meaning: str
    """A phrase for the docs and for the operator who left it out."""
    default: str | None = None
    """None: it must be given."""
    choices: tuple[str, ...] = ()
    """Every value it may have; empty when any will do."""


LINKS = Option("links", "whether it is believed which of your texts a phone answers", "no", ("no", "yes"))
"""Of providers that name the text and do not say how they know. What a phone sends refers to no other SMS
(3GPP TS 23.040 section 9.2.2.2), so it may just be the last one; our own record then knows as much, and who else wrote.
"""


MEDIA_HOSTS = "media_hosts"


def media_hosts(usual: str) -> Option:
    """The option of a provider that keeps what phones send beside words (MMS) elsewhere than at its API."""
    return Option(MEDIA_HOSTS, "hosts besides the API that pictures may be fetched from, with commas between", usual)


def stores_of(name: str, hosts: str) -> Sequence[str]:
    """The addresses of these hosts. Raises SettingsError for what is no name of a host; `name` is the gateway's."""
    named = [host.strip().lower() for host in hosts.split(",") if host.strip()]
    wrong = next((host for host in named if not _HOST.fullmatch(host)), None)
    if wrong is not None:
        remedy = "write names of hosts, such as mms.twiliocdn.com, with commas between"
        raise SettingsError(f"gateways.{name}.options.{MEDIA_HOSTS}", f'"{wrong}"', remedy)
    return [f"https://{host}" for host in named]
