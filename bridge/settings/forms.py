"""How hosts, networks, addresses, files and keys look in settings: what all checks of them share."""

from __future__ import annotations

import ipaddress
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bridge.errors import SettingsError

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.IGNORECASE)
"""RFC 5321 section 4.1.2, `Domain`, with the label length of RFC 1035 section 2.3.4."""

ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[a-z0-9.-]+", re.IGNORECASE)
"""A mail address as people have them."""

_WITH_PORT = re.compile(r"(?:\[([^\[\]]+)\]|([0-9.]+)):([0-9]{1,5})")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def dotted(location: Sequence[str]) -> str:
    """A key as TOML writes it: a name that is more than letters, digits and hyphens stands in quotes."""
    top, *rest = location
    quoted = top in ("filing", "issuers", "oauth", "watch")
    return ".".join([top, *(f'"{part}"' if quoted and not _BARE_KEY.fullmatch(part) else part for part in rest)])


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def readable(path: Path, *, secret: bool) -> str:
    """Empty when a file can be read and, if secret, not by everybody; else the remedy."""
    try:
        with path.open("rb"):
            mode = path.stat().st_mode
    except OSError as error:
        return f"{(error.strerror or type(error).__name__).lower()}; name a file that the bridge may read"
    if secret and mode & (stat.S_IROTH | stat.S_IWOTH):
        return f"everybody on this machine may read this secret; run: chmod 640 {path}"
    return ""


def is_host(value: str) -> bool:
    """Whether a value is a host name or an IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return bool(DOMAIN.fullmatch(value)) and not value.replace(".", "").isdigit()
    return True


def name_server(value: str) -> tuple[str, int]:
    """Address and port of a name server: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`.
    Raises ValueError."""
    found = _WITH_PORT.fullmatch(value)
    address, port = (found[1] or found[2], int(found[3])) if found is not None else (value, 53)
    if not 0 < port < 65536:
        raise ValueError("no port")
    return str(ipaddress.ip_address(address)), port


def is_secure(url: str) -> bool:
    """Whether it is an address with https, or on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return is_host(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def check_networks(key: str, written: Iterable[str], whose: str) -> Iterator[SettingsError]:
    """Which values are neither an IP address nor a network (CIDR); `whose` says what stands there."""
    for network in written:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            remedy = f'write the address of {whose}, such as "10.0.0.5", or its network, such as "10.0.0.0/28"'
            yield SettingsError(key, f'"{network}"', remedy)
