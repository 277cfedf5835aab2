"""Checks of the settings of the MX door: its port, its limits, and the names that it asks and believes."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.errors import SettingsError
from bridge.settings.forms import DOMAIN, check_networks, name_server
from bridge.settings.model import Settings


def check_mx(settings: Settings) -> Iterator[SettingsError]:
    """What is wrong with `mx`; never looks at the network."""
    mx, smtp = settings.mx, settings.smtp
    if mx.port and mx.port in (smtp.port, smtp.tls_port):
        remedy = "mail programs log in at this port; other mail servers come to 25, or write 0 for no such listener"
        yield SettingsError("mx.port", str(mx.port), remedy)
    if mx.max_connections_per_address > mx.max_connections:
        remedy = f"must be at most mx.max_connections, which is {mx.max_connections}"
        yield SettingsError("mx.max_connections_per_address", str(mx.max_connections_per_address), remedy)
    yield from check_networks("mx.trusted_proxies", mx.trusted_proxies, "the proxy")
    for domain in mx.trusted_forwarders:
        if not DOMAIN.fullmatch(domain) or "." not in domain or domain != domain.lower():
            remedy = 'write the domain that stands as d= in its ARC-Seal, in lower case, such as "lists.example.com"'
            yield SettingsError("mx.trusted_forwarders", f'"{domain}"', remedy)
    for server in mx.name_servers:
        if not _is_name_server(server):
            remedy = 'write its IP address, such as "127.0.0.1", with a port if it is not 53: "127.0.0.1:5353"'
            yield SettingsError("mx.name_servers", f'"{server}"', remedy)


def _is_name_server(value: str) -> bool:
    try:
        name_server(value)
    except ValueError:
        return False
    return True
