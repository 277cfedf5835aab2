"""How tests ask servers on loopback: in plain HTTP, and without a look at the authorities of the world.

httpx reads all of them for each client anew, which takes 40 ms of a processor: more than most answers do.
"""

from __future__ import annotations

import ssl

import httpx

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Whom a client trusts that speaks no TLS; each `httpx.AsyncClient` is given this."""

web = httpx.Client(verify=NOBODY, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""For all threads; each request has a connection of its own, since a server may be killed between two."""
