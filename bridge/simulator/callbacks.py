"""Posts receipts and phones' answers to the bridge, signed, again and again until it says 2xx (or confirms by SMPP).

The callbacks wait in the record, so a killed bridge or a killed simulator loses none. Those of one lane (a message, a
phone) keep their order; different lanes do not wait for each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterator

import httpx
import structlog

from bridge import clock
from bridge.gateways.callback import sign
from bridge.simulator.record import Callback, Record

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
"""Seconds between two tries: the first pause, doubled up to the longest."""

_AT_ONCE = 8

Say = Callable[[str, bytes], Awaitable[str]]

log = structlog.get_logger("bridge.simulator")


class Callbacks:
    """The postman of the network. `hooks_url` is the address of our gateway's hooks, without the hook's name.

    With `say`, the bridge is told in that way and not by HTTP: hook and body, and empty comes back when it was kept.
    """

    def __init__(self, record: Record, hooks_url: str, secret: str, say: Say | None = None) -> None:
        self._record = record
        self._hooks_url = hooks_url.rstrip("/")
        self._secret = secret
        self._say = say or self._post_signed
        self._client = httpx.AsyncClient(timeout=10.0, trust_env=False, follow_redirects=False)
        self._wake = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._awaited: dict[str, asyncio.Event] = {}
        self._work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to post what is due, beginning with what an earlier process left."""
        self._work = asyncio.create_task(self._post_due(), name="simulator-callbacks")

    async def stop(self) -> None:
        """Stop posting; what is under way is tried again by the next process."""
        tasks = [task for task in (self._work, *self._busy.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    def wake(self) -> None:
        """Say that a callback was added to the record."""
        self._wake.set()

    @contextlib.contextmanager
    def acceptance(self, lane: str) -> Iterator[asyncio.Event]:
        """An event that is set as soon as the bridge accepts a callback of this lane."""
        self._awaited[lane] = event = asyncio.Event()
        try:
            yield event
        finally:
            del self._awaited[lane]

    async def _post_due(self) -> None:
        while True:
            self._wake.clear()
            free = _AT_ONCE - len(self._busy)
            due = await self._record.due_callbacks(clock.now().timestamp(), free, self._busy) if free else []
            for callback in due:
                task = asyncio.create_task(self._post(callback), name="simulator-callback")
                self._busy[callback.lane] = task
                task.add_done_callback(functools.partial(self._finished, callback.lane))
            if not due:
                next_due = await self._record.next_due(self._busy) if free else None
                pause = None if next_due is None else max(0.0, next_due - clock.now().timestamp())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pause)

    def _finished(self, lane: str, task: asyncio.Task[None]) -> None:
        del self._busy[lane]
        self._wake.set()

    async def _post(self, callback: Callback) -> None:
        said = await self._say(callback.hook, callback.body.encode())
        if said == "":
            await self._record.finish_callback(callback.seq)
            if awaited := self._awaited.get(callback.lane):
                awaited.set()
            return
        pause = min(FIRST_PAUSE * 2 ** min(callback.attempts, 10), LONGEST_PAUSE)
        log.warning("callback.refused", hook=callback.hook, answer=said, attempts=callback.attempts + 1, pause=pause)
        await self._record.postpone_callback(callback.seq, clock.now().timestamp() + pause)

    async def _post_signed(self, hook: str, body: bytes) -> str:
        """Post once: empty when the bridge took it, else what came instead."""
        timestamp = str(int(clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Simulator-Timestamp": timestamp,
            "X-Simulator-Signature": sign(self._secret, timestamp, body),
        }
        try:
            answer = await self._client.post(f"{self._hooks_url}/{hook}", content=body, headers=headers)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "" if answer.is_success else f"HTTP {answer.status_code}"
