"""Asks an endpoint of a provider and reads its answer (RFC 6749 sections 5.1 and 5.2); for `device`, `redirect` and
`renewal`.

What a provider says beside its codes may quote tokens and names: only codes are kept.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from bridge.consent.source import is_token
from bridge.http_clients import HttpClients

LONGEST = 8.0
"""Seconds that one answer may take: who logs in waits for it, and a mail server for him."""
MOST_OCTETS = 65_536

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MICROSOFT = re.compile(r"\bAADSTS[0-9]{4,8}\b")
_REFRESH = re.compile(r"[\x20-\x7e]{1,8192}")
"""RFC 6749 appendix A.17."""
_PASSING = frozenset({"temporarily_unavailable", "server_error"})
_UNTOLD = 600.0
"""Seconds that an access token is used whose end nobody has told (RFC 6749 section 5.1 only recommends it)."""


class Refused(Exception):
    """The provider says no."""

    def __init__(self, code: str, detail: str = "") -> None:
        """`code` as in RFC 6749 section 5.2; `detail` is Microsoft's own number, or empty."""
        super().__init__(f"{code} {detail}".rstrip())
        self.code = code


class Away(Exception):
    """The provider does not answer, or with nothing that can be used; the words say how."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What came of a consent."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    """Empty where there is no new one."""
    lifetime: float
    """Seconds that the access token is good for."""


async def granted(url: str, form: Mapping[str, str]) -> Granted:
    """Ask for tokens. Raises Refused and Away."""
    said = await ask(url, form)
    access, refresh, lifetime = said.get("access_token"), said.get("refresh_token", ""), said.get("expires_in")
    if not isinstance(access, str) or not is_token(access) or str(said.get("token_type")).lower() != "bearer":
        raise Away("it gives no access token that mail servers take")
    if not isinstance(refresh, str) or (refresh and not _REFRESH.fullmatch(refresh)):
        raise Away("its refresh token is none")
    return Granted(access, refresh, seconds(lifetime, _UNTOLD))


async def ask(url: str, form: Mapping[str, str]) -> dict[str, Any]:
    """What the provider says to a form. Raises Refused and Away."""
    clients = HttpClients(LONGEST)
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        async with (
            asyncio.timeout(LONGEST),
            clients.response("POST", url, headers, urlencode(form).encode()) as response,
        ):
            status, octets = response.status_code, await _octets(response)
    except (httpx.HTTPError, TimeoutError) as error:
        raise Away(type(error).__name__) from None
    finally:
        await clients.close()
    said = _document(octets)
    if status == 200 and said is not None:
        return said
    code = said.get("error") if said is not None else None
    if not 400 <= status < 500 or status == 429 or not isinstance(code, str) or not _CODE.fullmatch(code):
        raise Away(f"HTTP {status}")
    if code in _PASSING:
        raise Away(code)
    number = _MICROSOFT.search(str(said.get("error_description", ""))) if said is not None else None
    raise Refused(code, number[0] if number is not None else "")


def seconds(said: object, otherwise: float) -> float:
    """A number of seconds in an answer, of which some providers make a text; `otherwise` where it is none."""
    try:
        value = float(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else otherwise
    except (ValueError, OverflowError):  # the latter for a number of four hundred digits
        return otherwise
    return value if 0 <= value < 1e9 else otherwise


async def _octets(response: httpx.Response) -> bytes:
    octets = bytearray()
    async for block in response.aiter_raw():
        octets += block
        if len(octets) > MOST_OCTETS:
            raise Away("its answer is too long")
    return bytes(octets)


def _document(octets: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(octets)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
