"""Consent in a browser: the provider's page sends it back to a listener on this machine, with a code for which there
are tokens (RFC 8252 section 7.3, with PKCE, RFC 7636).

A browser on another machine finds no listener there. What it shows in its address line then is as good: whoever runs
the command pastes it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

from bridge.consent.application import Application
from bridge.consent.endpoint import Granted, granted
from bridge.errors import NotPossible

PATIENCE = 600.0
"""Seconds that somebody has to consent."""

_LONGEST_LINE = 8192
_READING = 10.0
"""Seconds that a browser has for its request."""
_DONE, _NOT_DONE = "200 OK", "400 Bad Request"
_PAGES = {
    _DONE: "Thank you. The rest is told where the command was run; this page can be closed.",
    _NOT_DONE: "This is not the answer that the command waits for.",
}


class Redirect:
    """One consent that is waited for."""

    def __init__(self, app: Application, address: str, port: int) -> None:
        """`address` is the account that is proposed; the listener is on `port`."""
        self._app = app
        self._back = f"http://{app.comes_back_to}:{port}"
        self._state = secrets.token_urlsafe(32)
        self._verifier = secrets.token_urlsafe(48)
        self._answered: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        challenge = hashlib.sha256(self._verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": self._back,
            "scope": app.scope,
            "state": self._state,
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
            "login_hint": address,
            **app.asks,
        }
        self.page = f"{app.authorize_url}{'&' if '?' in app.authorize_url else '?'}{urlencode(asked)}"
        """Where somebody consents."""

    def hears(self, url: str) -> bool:
        """Whether an address that a browser was sent to is the answer; one that is not leaves everything as it is."""
        try:
            said = dict(parse_qsl(urlsplit(url.strip()).query))
        except ValueError:
            return False
        known = hmac.compare_digest(said.get("state", "").encode(), self._state.encode())
        if not known or not ("code" in said or "error" in said) or self._answered.done():
            return False
        self._answered.set_result(said)
        return True

    async def wait(self) -> Granted:
        """The tokens, once somebody has consented. Raises NotPossible, Refused and Away."""
        try:
            async with asyncio.timeout(PATIENCE):
                said = await self._answered
        except TimeoutError:
            raise NotPossible("Nobody has consented in time. Run the command again.") from None
        if "code" not in said:
            why = "was answered with no" if said["error"] == "access_denied" else "could not go on"
            raise NotPossible(f"The provider's page {why}, so nothing is kept.")
        form = self._app.identified(
            grant_type="authorization_code",
            code=said["code"],
            redirect_uri=self._back,
            code_verifier=self._verifier,
        )
        return await granted(self._app.token_url, form)


@asynccontextmanager
async def redirected(app: Application, address: str) -> AsyncIterator[Redirect]:
    """A listener for the answer of one consent, which is also read from standard input."""
    heard: list[Redirect] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READING):
                line = await reader.readline()
                words = line.decode("ascii", "replace").split()
                is_answer = len(words) == 3 and words[0] == "GET" and heard[0].hears(words[1])
                writer.write(_page(_DONE if is_answer else _NOT_DONE))
                await writer.drain()
        except (TimeoutError, ValueError, ConnectionError):  # the second for a line that is too long
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_LONGEST_LINE)
    heard.append(Redirect(app, address, server.sockets[0].getsockname()[1]))
    try:
        with _pasted(heard[0]):
            yield heard[0]
    finally:
        server.close()


@contextmanager
def _pasted(redirect: Redirect) -> Iterator[None]:
    """Lines of standard input are read as addresses meanwhile, where it is a terminal or a pipe."""
    loop, source, rest = asyncio.get_running_loop(), 0, bytearray()

    def read() -> None:
        octets = os.read(source, _LONGEST_LINE)
        rest.extend(octets)
        *lines, left = rest.split(b"\n")
        rest[:] = left[-_LONGEST_LINE:]
        for line in lines:
            if line.strip() and not redirect.hears(line.decode("ascii", "replace")):
                print("That is not the address that the browser was sent to. Copy all of it.", file=sys.stderr)
        if not octets:
            loop.remove_reader(source)

    try:
        loop.add_reader(source, read)
    except OSError:  # a file, or nothing: there is nobody who could paste
        yield
        return
    try:
        yield
    finally:
        loop.remove_reader(source)


def _page(status: str) -> bytes:
    words = f"<!doctype html><meta charset=utf-8><title>SMS bridge</title><p>{_PAGES[status]}".encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(words)}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + words
