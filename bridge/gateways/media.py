"""Files that come with an SMS (MMS), fetched from the provider before the SMS is kept; between gateways and the web.

A callback names them by their addresses, and is believed only so far: what is asked is the provider's own API, with
the gateway's login, and hosts where that provider is known to store such files, without it, over TLS alone. A
redirect leads nowhere else either (server-side request forgery, CWE-918). Nothing is unpacked, and every amount has
its bound. An SMS is never lost for its files: what does not come in time, its mail says.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import httpx
import structlog

from bridge.gateways.media_kinds import file_of, is_layout, text_of, type_of
from bridge.http_clients import HttpClients
from bridge.types import Enclosed, InboundSms

log = structlog.get_logger("bridge.media")

MOST_FILES = 10
"""Of one SMS that are asked for; providers document the same."""

LARGEST = 5_000_000
"""Octets of one file."""

LARGEST_TOGETHER = 7_000_000
"""Octets of all files of one SMS: in base64 the mail then stays below 10,240,000, which is what Postfix takes."""

LONGEST = 8.0
"""Seconds for all files of one SMS. Bandwidth waits 10 for the answer to its callback, Twilio 15; Telnyx calls again
after 2, and is then told the same once more."""

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between two tries: a callback may be here before the file is (Twilio's support article 44750147594523)."""

MOST_REDIRECTS = 3

AT_ONCE = 4
"""SMS whose files one gateway fetches at the same time, which bounds the memory they take."""

_STEP = 5.0
"""Seconds for each step of one request."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_AGAIN = frozenset({404, 408, 425, 429})
_PORTS = {"http": 80, "https": 443}

_LENGTH = re.compile("[0-9]{1,19}")

_Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class _Part:
    """One file as it came."""

    content_type: str
    octets: bytes


@dataclass(slots=True)
class _Room:
    """Octets that the files of one SMS may still take together."""

    left: int = LARGEST_TOGETHER

    def take(self, octets: int) -> bool:
        """Whether there was room for so many more; then it is less now."""
        if octets > self.left:
            return False
        self.left -= octets
        return True


class Media:
    """Fetches for one gateway."""

    def __init__(self, own: str, storage: Iterable[str], login: Callable[[], Mapping[str, str]]) -> None:
        """`own` is the address of the provider's API, the only place that gets `login`; `storage` are others by their
        scheme and host, and the port if it is not the usual one."""
        self._own = _origin(own)
        self._storage = frozenset(map(_origin, storage)) - {None}
        self._login = login
        self._clients = HttpClients(_STEP)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def complete(self, sms: InboundSms) -> InboundSms:
        """The same SMS with what was fetched of its files. Never raises for what network or provider does."""
        deadline, room = asyncio.get_running_loop().time() + LONGEST, _Room()
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        except TimeoutError:
            parts: list[_Part | None] = [None]
        else:
            try:
                async with asyncio.TaskGroup() as group:
                    urls = sms.media[:MOST_FILES]
                    tasks = [group.create_task(self._in_time(url, room, deadline)) for url in urls]
                parts = [task.result() for task in tasks]
            finally:
                self._turns.release()
        # In a thread, since megabytes in base64 take some tens of milliseconds.
        whole = await asyncio.to_thread(_sorted, sms, [part for part in parts if part is not None])
        enclosed = whole.enclosed
        log.info(
            "media.fetched",
            gateway=sms.gateway,
            files=len(enclosed.files),
            left_out=len(enclosed.left_out),
            missing=enclosed.missing,
        )
        return whole

    async def close(self) -> None:
        """Give back connections."""
        await self._clients.close()

    async def _in_time(self, url: str, room: _Room, deadline: float) -> _Part | None:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._fetch(url, room)
        except Exception as error:
            # Whatever one address or what it answers breaks, the SMS is kept. The error's text may hold the address.
            log.warning("media.not_fetched", why=type(error).__name__)
            return None

    async def _fetch(self, url: str, room: _Room) -> _Part | None:
        """The file at `url`; tried again where that may help. Raises httpx.HTTPError and httpx.InvalidURL."""
        for pause in PAUSES:
            try:
                part, status = await self._follow(httpx.URL(url), room)
            except httpx.TransportError as error:
                log.info("media.tried", why=type(error).__name__)
            else:
                if part is not None or not (status in _TRY_AGAIN or status >= 500):
                    return part
            await asyncio.sleep(pause)
        return (await self._follow(httpx.URL(url), room))[0]

    async def _follow(self, url: httpx.URL, room: _Room) -> tuple[_Part | None, int]:
        """The file, or none, and the last HTTP status; 0 where an address is not one that is asked."""
        status = 0
        for _ in range(1 + MOST_REDIRECTS):
            place = _origin(url)
            if place is None or not (place == self._own or place in self._storage) or url.userinfo:
                log.warning("media.foreign_address", redirected=status != 0)
                return None, 0
            headers = {"Accept": "*/*", **(self._login() if place == self._own else {})}
            async with self._clients.response("GET", str(url), headers, b"") as response:
                status = response.status_code
                if status not in _REDIRECTS:
                    return (await _read(response, room) if status == 200 else None), status
                url = url.join(response.headers.get("location", ""))
        return None, status


async def _read(response: httpx.Response, room: _Room) -> _Part | None:
    """The body, unless it is too large; what was too large takes no room.

    What says how long it is takes its room before it is read, so that two who come at once do not take it from each
    other half and half, and one that is too large from none.
    """
    said = response.headers.get("content-length", "")
    taken = int(said) if _LENGTH.fullmatch(said) else 0
    if taken > LARGEST or not room.take(taken):
        return None
    octets, kept = bytearray(), False
    try:
        async for chunk in response.aiter_raw():
            octets += chunk
            more = max(0, len(octets) - taken)
            if taken + more > LARGEST or not room.take(more):
                return None
            taken += more
        kept = True
    finally:
        if not kept:
            room.left += taken
    return _Part(response.headers.get("content-type", ""), bytes(octets))


def _sorted(sms: InboundSms, parts: Iterable[_Part]) -> InboundSms:
    """The SMS with its parts, each for what it is: words, a file that is passed on, or none of these."""
    words, files, left_out, missing = [sms.text], [], [], len(sms.media)
    for part in parts:
        missing -= 1
        if is_layout(part.octets):
            continue
        file, text = file_of(part.octets), text_of(part.content_type, part.octets)
        if file is not None:
            files.append(file)
        elif text is None:
            left_out.append(type_of(part.content_type))
        elif text not in sms.text:  # some providers give the words twice
            words.append(text)
    text = "\n".join(filter(None, words))
    return replace(sms, text=text, media=(), enclosed=Enclosed(tuple(files), tuple(left_out), missing))


def _origin(url: str | httpx.URL) -> _Origin | None:
    """Scheme, host and port of an address; None for one that is not HTTP's."""
    try:
        url = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    if url.scheme not in _PORTS or not url.host:
        return None
    return url.scheme, url.host.rstrip("."), url.port or _PORTS[url.scheme]
