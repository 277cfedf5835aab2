"""The header of the PROXY protocol: for whom a proxy connects, said once and before anything else.

Versions 1 and 2 of https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt, whose sections are cited. The octets
behind the header belong to somebody else, such as TLS, so not one too many is asked for.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable

from bridge.access.networks import plain_address
from bridge.errors import BridgeError

MOST_V1 = 107
"""Octets of a header of version 1 with its CRLF (section 2.1)."""
MOST_V2 = 2048
"""Octets behind the first sixteen of version 2: addresses, and what else a proxy tells of a connection. By section 2
all of it fits into 536."""

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_V1 = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?"
    rb"|(TCP[46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4}))\r\n"
)
_LENGTHS = {1: 12, 2: 36, 3: 216}
"""Octets of the addresses of each family: IPv4, IPv6, Unix (section 2.2)."""

Receive = Callable[[int], Awaitable[bytes]]
"""Gives exactly so many octets."""


class BadHeader(BridgeError):
    """What came is no header; the connection must end (section 2)."""


async def read_header(receive: Receive) -> str | None:
    """The plain IP address that a proxy connects for; None where it is the proxy itself, or does not know.

    Raises `BadHeader`.
    """
    begun = await receive(len(_SIGNATURE))
    if begun == _SIGNATURE:
        return await _version_2(receive)
    if not begun.startswith(b"PROXY "):
        raise BadHeader("no header")
    while not begun.endswith(b"\n"):
        if len(begun) >= MOST_V1:
            raise BadHeader("too long")
        begun += await receive(1)
    return _version_1(begun)


def _version_1(line: bytes) -> str | None:
    """Section 2.1."""
    found = _V1.fullmatch(line)
    if found is None:
        raise BadHeader("malformed")
    if found[1] is None:
        return None
    kind = ipaddress.IPv4Address if found[1] == b"TCP4" else ipaddress.IPv6Address
    try:
        source, _ = kind(found[2].decode()), kind(found[3].decode())
    except ValueError:
        raise BadHeader("malformed") from None
    if max(int(found[4]), int(found[5])) > 0xFFFF:
        raise BadHeader("malformed")
    return plain_address(str(source))


async def _version_2(receive: Receive) -> str | None:
    """Section 2.2."""
    command, kind, *length = await receive(4)
    octets = int.from_bytes(bytes(length), "big")
    if octets > MOST_V2:
        raise BadHeader("too long")
    said = await receive(octets) if octets else b""
    if command == 0x20:  # LOCAL: the proxy itself, to see whether somebody is there
        return None
    family, transport = kind >> 4, kind & 0xF
    if command != 0x21 or family > 3 or transport > 2:
        raise BadHeader("malformed")
    if family == 0 or transport == 0:
        return None
    if len(said) < _LENGTHS[family]:
        raise BadHeader("malformed")
    if family == 3 or transport == 2:
        return None  # a valid address of a kind that does not come here counts as unknown
    return plain_address(str(ipaddress.ip_address(said[:4] if family == 1 else said[:16])))
