"""Addresses of peers in one spelling: asked by the front door for trusted networks, loopback and per-address limits."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


class Networks:
    """Addresses and networks (CIDR), as settings write them."""

    def __init__(self, written: Iterable[str] = ()) -> None:
        self._networks = tuple(ipaddress.ip_network(each) for each in written)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        """Whether a plain IP address is in one of them."""
        if not self._networks:
            return False
        known = ipaddress.ip_address(address)
        return any(known in network for network in self._networks)


NO_NETWORKS = Networks()


def plain_address(peer: str) -> str:
    """The peer's address without a zone, and as IPv4 where an IPv6 socket shows `::ffff:192.0.2.1`.

    Raises ValueError when `peer` is not an IP address.
    """
    address = ipaddress.ip_address(peer.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def is_loopback(address: str) -> bool:
    """Whether a plain address is this machine itself."""
    return address == "127.0.0.1" or ipaddress.ip_address(address).is_loopback


def subscriber(address: str) -> str:
    """What counts as one peer: an IPv4 address, or the /64 that an IPv6 site hands out to a single host."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))
