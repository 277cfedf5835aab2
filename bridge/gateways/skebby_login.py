"""Skebby's login: a user key with a session or a token, asked for once and shared by all requests.

`GET login` and `GET token` answer a Basic login with `USER_KEY;KEY` as plain text, and 404 when user or password are
wrong. A session ends after five idle minutes, a token after months; either is then answered 401.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping

import httpx

from bridge.gateways.connection import Connection
from bridge.gateways.orders import Answer, Order, basic

LOGINS: Mapping[str, tuple[str, str]] = {"session": ("login", "Session_key"), "token": ("token", "Access_token")}
"""What a login can bring: its path, and the header that carries it from then on."""

_KEYS = re.compile(r"([!-:<-~]+);([!-:<-~]+)")


class LoginFailed(httpx.ConnectError):
    """There is no login now, so what it was for has not left: the same as a connection that cannot be made."""


class Login:
    """The login of one account."""

    def __init__(self, connection: Connection, brings: str, ask: Callable[[Order], Awaitable[Answer]]) -> None:
        """`brings` is one of `LOGINS`, or `key` where account and secret are the keys already."""
        self._connection = connection
        self._brings = brings
        self._ask = ask
        self._keys: Mapping[str, str] | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def renews(self) -> bool:
        """Keys that are refused can be had anew."""
        return self._brings in LOGINS

    async def keys(self, instead_of: Mapping[str, str] | None = None) -> Mapping[str, str] | None:
        """The headers that prove who we are; None when Skebby does not know the login. Raises LoginFailed.

        `instead_of` are headers that were refused: whoever comes first renews them, the others get what he got.
        """
        if not self.renews:
            return {"user_key": self._connection.account, "Access_token": self._connection.secret}
        async with self._one_at_a_time:
            if self._keys is None or self._keys is instead_of:
                self._keys = None
                self._keys = await self._log_in()
            return self._keys

    async def _log_in(self) -> Mapping[str, str] | None:
        path, header = LOGINS[self._brings]
        login = basic(self._connection.account, self._connection.secret)
        try:
            answer = await self._ask(Order("GET", f"{self._connection.url}/{path}", login))
        except httpx.HTTPError as error:
            raise LoginFailed(type(error).__name__) from error
        if answer.status in (400, 401, 403, 404):
            return None
        found = _KEYS.fullmatch(answer.text.strip())
        if not answer.ok or found is None:
            raise LoginFailed(f"HTTP {answer.status}")
        return {"user_key": found[1], header: found[2]}
