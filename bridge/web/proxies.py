"""What stands between a provider and the listener: who really called, and at which path.

A reverse proxy calls in the provider's place. Which ones may say for whom they do is a setting, since anybody can write
the header fields they say it with: `Forwarded` (RFC 7239) and the older `X-Forwarded-For`. Each proxy adds the address
that called it on the right, so the caller is the first from the right that is not such a proxy itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.access.networks import Networks, is_loopback, plain_address

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_BALANCED = re.compile(rf'(?:[^"]|{_QUOTED})*', re.DOTALL)
_ELEMENTS = re.compile(rf'(?:[^,"]|{_QUOTED})+')
_PAIRS = re.compile(rf'(?:[^;"]|{_QUOTED})+')
_NODE = re.compile(r"\[(?P<v6>[^\]]+)\](?::.*)?|(?P<v4>\d+(?:\.\d+){3})(?::.*)?|(?P<bare>[0-9A-Fa-f:.]+)")
"""RFC 7239 section 6. Without brackets an IPv6 address has no port; so `X-Forwarded-For` has it."""


class Proxies:
    """The proxies that are believed, `trusted` as addresses or networks (CIDR), and the `public_url` before them."""

    def __init__(self, trusted: Iterable[str] = (), public_url: str = "http://127.0.0.1") -> None:
        self._trusted = Networks(trusted)
        parts = urlsplit(public_url)
        self._public_path = parts.path.rstrip("/")
        self._is_public = not _is_this_machine(parts.hostname or "")

    @property
    def are_known(self) -> bool:
        """Whether what comes from this machine's own address was sent by this machine.

        It may as well have been passed on by a proxy on it, when the bridge is called from outside and nobody said by
        which proxies.
        """
        return bool(self._trusted) or not self._is_public

    def caller(self, peer: str, forwarded: Sequence[str], x_forwarded_for: Sequence[str]) -> str:
        """The address that called, plain, from that of the connection and the lines of both header fields.

        Where both are there and do not agree, one of them was not written by the proxy: then the proxy is the caller.
        """
        try:
            peer = plain_address(peer)
        except ValueError:
            return peer
        chains = (_of_forwarded(forwarded), _of_x_forwarded_for(x_forwarded_for))
        found = {self._walk(peer, chain) for chain in chains if chain}
        return found.pop() if len(found) == 1 else peer

    def inner_path(self, raw_path: bytes) -> bytes:
        """The path of a callback as this listener knows it.

        Where `public_url` has a path, one proxy removes it and the next one leaves it there.
        """
        outer = self._public_path.encode()
        return raw_path[len(outer) :] if outer and raw_path.startswith(outer + b"/hooks/") else raw_path

    def _walk(self, peer: str, chain: Sequence[str]) -> str:
        caller = peer
        for node in reversed(chain):
            address = _address(node) if caller in self._trusted else None
            if address is None:
                break
            caller = address
        return caller


class BehindProxies:
    """Shows all that lies within who really called, as the client, and the callback's own path."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers, (peer, port) = Headers(scope=scope), scope.get("client") or ("", 0)
            caller = self._proxies.caller(peer, headers.getlist("forwarded"), headers.getlist("x-forwarded-for"))
            path = self._proxies.inner_path(scope["raw_path"])
            scope = {**scope, "client": (caller, port), "raw_path": path, "path": unquote(path.decode("ascii"))}
        await self._app(scope, receive, send)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or is_loopback(host)
    except ValueError:
        return False


def _of_x_forwarded_for(lines: Sequence[str]) -> list[str]:
    return [node for line in lines for node in line.split(",")]


def _of_forwarded(lines: Sequence[str]) -> list[str]:
    # A quotation mark too many would let a client put what the proxy added into a string of its own.
    return [
        _for(element) for line in lines for element in (_ELEMENTS.findall(line) if _BALANCED.fullmatch(line) else [""])
    ]


def _for(element: str) -> str:
    """The node that an element of `Forwarded` was passed on for; empty where it does not say one."""
    pairs = (pair.partition("=") for pair in _PAIRS.findall(element))
    nodes = [value.strip() for name, _, value in pairs if name.strip().lower() == "for"]
    if len(nodes) != 1:
        return ""
    return re.sub(r"\\(.)", r"\1", nodes[0][1:-1]) if nodes[0].startswith('"') else nodes[0]


def _address(node: str) -> str | None:
    """The address of a node; None where it has none (`unknown`, `_hidden`) or makes no sense."""
    match = _NODE.fullmatch(node.strip())
    if match is None:
        return None
    try:
        return plain_address(match["v6"] or match["v4"] or match["bare"])
    except ValueError:
        return None
