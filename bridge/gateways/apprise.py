"""Any service that Apprise can notify, by its URL: for texts by a provider that the bridge has no gateway for.

https://github.com/caronc/apprise and its Python API. Apprise says yes or no. It says no for a number that a provider
refuses, for a connection that was refused and for an answer that never came alike, so that a no is *unknown*. Its
own tries again (`retry`) and its leniency (`optional`) belong to a layer that is not used here.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from bridge.errors import SettingsError
from bridge.gateways.base import Traits
from bridge.gateways.connection import Connection
from bridge.gateways.provider import Provider
from bridge.types import OutboundSms, Outcome, OutcomeKind

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase

THREADS = 8
"""Texts that are handed over at the same time: Apprise waits for an answer in a thread."""

PLACE_WAIT = 20.0
"""Seconds that a text waits for one of them; then it is better off in the queue."""

_SAMPLE = "+393331234567"


class AppriseGateway(Provider):
    """A notification URL of Apprise, which is the `secret`; `{number}` or `{digits}` in it stand for the phone."""

    kind = "apprise"
    title = "Apprise"
    base_url = "apprise"
    """Nothing is asked of the operator: where it goes stands in the secret."""
    needs: ClassVar[tuple[str, ...]] = ("secret",)
    traits = Traits(receipts=False, inbound=False)

    def __init__(self, connection: Connection) -> None:
        """Raises SettingsError when Apprise is not installed, or has no service for the URL."""
        super().__init__(connection)
        self._asset = _asset(connection.name)
        key = f"gateways.{self.name}.secret"
        if "{number}" not in connection.secret and "{digits}" not in connection.secret:
            remedy = "write {number} or {digits} where the phone's number belongs, with or without its plus"
            raise SettingsError(key, "(not shown)", remedy)
        if self._service(_SAMPLE) is None:
            remedy = "Apprise has no service for this URL; try it with its own command, apprise -vv -b test URL"
            raise SettingsError(key, "(not shown)", remedy)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"apprise-{self.name}")
        self._places = asyncio.Semaphore(THREADS)

    async def submit(self, sms: OutboundSms) -> Outcome:
        service = self._service(sms.number)
        if service is None:
            return Outcome(OutcomeKind.REJECTED, diagnostic="Apprise takes no such number")
        try:
            async with asyncio.timeout(PLACE_WAIT):
                await self._places.acquire()
        except TimeoutError:
            return Outcome(OutcomeKind.UNREACHABLE, diagnostic="every thread waits for an answer")
        notify = partial(service.notify, body=sms.text, body_format="text")
        try:
            answer = asyncio.get_running_loop().run_in_executor(self._threads, notify)
            answer.add_done_callback(self._answered)
            said = await asyncio.shield(answer)  # the thread goes on and keeps its place, whoever waits for it
        except Exception as error:
            # Any of its plugins may raise anything, and nobody can say what it had done by then.
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=type(error).__name__)
        return Outcome(OutcomeKind.ACCEPTED) if said else Outcome(OutcomeKind.UNKNOWN, diagnostic="Apprise says no")

    async def probe(self) -> str:
        """Nothing is asked: the URL was understood at the start, and Apprise knows no question that texts nobody."""
        return ""

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answered(self, answer: asyncio.Future[bool]) -> None:
        self._places.release()
        if not answer.cancelled():
            answer.exception()  # it may be that nobody waits for it any more

    def _service(self, number: str) -> NotifyBase | None:
        from apprise import Apprise

        url = self.connection.secret.replace("{number}", quote(number, safe=""))
        return Apprise.instantiate(url.replace("{digits}", number.removeprefix("+")), asset=self._asset)


def _asset(gateway: str) -> AppriseAsset:
    try:
        from apprise import AppriseAsset, PersistentStoreMode
    except ImportError:
        remedy = "the package apprise is not installed; docs/gateways/apprise.md says how to add it"
        raise SettingsError(f"gateways.{gateway}.kind", '"apprise"', remedy) from None
    # Its log lines hold URLs, numbers and answers of providers, already put into the text.
    logging.getLogger("apprise").propagate = False
    return AppriseAsset(storage_mode=PersistentStoreMode.MEMORY, secure_logging=True)
