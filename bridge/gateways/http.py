"""What every HTTP provider shares: an order goes out as data, the answer comes back as data; a file a provider.

A provider's own file says how an order looks, what its answers mean and what its callbacks say. Here is when a
request counts as not sent: what failed before the connection stood is *unreachable*, everything later *unknown*.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import httpx

from bridge.errors import Reason
from bridge.gateways.base import SILENT, Doubt, Handed, Hook, Recall, Recalled, Said
from bridge.gateways.callback import phone_of, text_of, words_of
from bridge.gateways.connection import MEDIA_HOSTS, Connection, stores_of
from bridge.gateways.media import Media
from bridge.gateways.orders import Answer, Order, basic, outcome_of_status, unclear
from bridge.gateways.paths import word
from bridge.gateways.provider import Provider
from bridge.http_clients import HttpClients, outcome_of_error
from bridge.types import (
    GatewayEvent,
    HttpRequest,
    InboundSms,
    MessageState,
    Money,
    OutboundSms,
    Outcome,
    OutcomeKind,
    Receipt,
)

LONGEST_ANSWER = 262_144
"""Octets of an answer that are read; a provider's have a few hundred."""


class HttpGateway(Provider):
    """A provider that takes one message with one HTTP request."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._clients = HttpClients(connection.timeout)
        has_stores = any(option.name == MEDIA_HOSTS for option in self.options)
        stores = stores_of(self.name, self.option(MEDIA_HOSTS)) if has_stores else ()
        self._media = Media(connection.url, stores, lambda: self.login)

    @property
    def login(self) -> dict[str, str]:
        """The headers that prove who we are; a provider without Basic login says so in its own file."""
        return basic(self.connection.account, self.connection.secret)

    @abc.abstractmethod
    def order(self, sms: OutboundSms) -> Order:
        """The request that hands `sms` over."""

    @abc.abstractmethod
    def outcome(self, answer: Answer) -> Outcome:
        """What the answer to it means. `refused` says what is usual."""

    @abc.abstractmethod
    def question(self) -> Order:
        """A request that costs nothing and that only a right login is answered 2xx."""

    def welcomes(self, answer: Answer) -> bool:
        """Whether this answer to `question` shows that the login is right."""
        return answer.ok

    async def submit(self, sms: OutboundSms) -> Outcome:
        try:
            answer = await self.exchange(self.order(sms))
        except httpx.HTTPError as error:
            return outcome_of_error(error)
        return self.outcome(answer)

    def inquiry(self, message: Doubt) -> Order | None:
        """A request for what became of `message`, by our own reference; None where the provider cannot be asked."""
        return None

    def found(self, message: Doubt, answer: Answer) -> Outcome:
        """What the answer to `inquiry` means."""
        return unclear(answer)

    async def lookup(self, message: Doubt) -> Outcome:
        inquiry = self.inquiry(message)
        if inquiry is None:
            return await super().lookup(message)
        try:
            return self.found(message, await self.exchange(inquiry))
        except httpx.HTTPError as error:
            return Outcome(OutcomeKind.UNKNOWN, diagnostic=type(error).__name__)

    def recall(self, message: Handed) -> Order | None:
        """A request to take `message` back; None where the provider cannot be asked about it."""
        return None

    def recalled(self, answer: Answer) -> Recall:
        """What the answer to `recall` means. `kept` says what is usual."""
        return self.kept(answer)

    async def cancel(self, message: Handed) -> Recall:
        recall = self.recall(message)
        if recall is None:
            return await super().cancel(message)
        try:
            return self.recalled(await self.exchange(recall))
        except httpx.HTTPError as error:
            return Recall(Recalled.UNKNOWN, type(error).__name__)

    def statement(self) -> Order:
        """The request for what is left on the account; where nothing is said, that of `question` does."""
        return self.question()

    def left(self, answer: Answer) -> Money | None:
        """What the answer to `statement` says."""
        return None

    async def balance(self) -> Money | None:
        if not self.traits.balance:
            return await super().balance()
        try:
            answer = await self.exchange(self.statement())
        except httpx.HTTPError:
            return None
        return self.left(answer) if answer.ok else None

    async def probe(self) -> str:
        try:
            answer = await self.exchange(self.question())
        except httpx.HTTPError as error:
            return f"{self.title} cannot be reached ({type(error).__name__}). Check url, DNS and firewall."
        if answer.status in (401, 403):
            return f"{self.title} does not know this login. Check account and secret of the gateway."
        return (
            ""
            if self.welcomes(answer)
            else f"{self.title} answers HTTP {answer.status}. Check url and account of the gateway."
        )

    async def exchange(self, order: Order) -> Answer:
        """Make one request, never twice and never to where it is redirected. Raises httpx.HTTPError."""
        headers = {"Accept": "application/json", **order.headers}
        async with self._clients.response(order.method, order.url, headers, order.body) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    break
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, bytes(body))

    def refused(self, answer: Answer, code: str = "") -> Outcome:
        """The usual meaning of an answer that is not 2xx; `code` is the provider's own, for the diagnostic."""
        usual = outcome_of_status(answer.status, answer.retry_after(self.connection.now()))
        return replace(usual, diagnostic=f"{usual.diagnostic} {code}".strip())

    def kept(self, answer: Answer, code: str = "") -> Recall:
        """The usual meaning of an answer that does not say that a text was taken back."""
        refused = 400 <= answer.status < 500 and answer.status not in (401, 403, 408, 429)
        return Recall(Recalled.REFUSED if refused else Recalled.UNKNOWN, f"HTTP {answer.status} {code}".strip())

    def throttled(self, answer: Answer, diagnostic: str) -> Outcome:
        """The message was provably not looked at; it can be sent again when the provider asks for it, or later."""
        wait = answer.retry_after(self.connection.now())
        return Outcome(OutcomeKind.THROTTLED, diagnostic=diagnostic.strip(), retry_after=wait)

    def seconds_left(self, sms: OutboundSms, most: int) -> int | None:
        """Whole seconds until `sms` is of no use: at least a minute, at most `most`; None when it always is of use."""
        if sms.expires_at is None:
            return None
        return min(max(int((sms.expires_at - self.connection.now()).total_seconds()), 60), most)

    def hook_url(self, hook: Hook) -> str:
        """The address that the provider is given for a callback."""
        return self.connection.public_url + hook.path(self.name)

    def unsigned(self, name: str, read: Callable[[HttpRequest], Sequence[GatewayEvent]], says: Said = SILENT) -> Hook:
        """A callback that is believed for its unguessable path alone."""
        return Hook(name, read, self.connection.hook_token, says)

    def receipt(
        self,
        raw: str,
        state: MessageState | None,
        provider_id: str | None,
        status: str,
        code: str = "",
        *,
        reference: str | None = None,
        reason: Reason | None = None,
        at: datetime | None = None,
        event_id: str = "",
        price: Money | None = None,
    ) -> Sequence[Receipt]:
        """The receipt that a callback tells; none where its `state` is nothing new.

        `status` and `code` are the provider's words as they may stand in a diagnostic. A callback that comes again is
        known by the provider's id and the status, where the provider gives it no `event_id`.
        """
        if state is None:
            return ()
        return (
            Receipt(
                gateway=self.name,
                provider_id=provider_id,
                reference=reference or None,
                state=state,
                event_id=event_id or f"{provider_id}:{status}",
                reason=reason,
                diagnostic=" ".join(filter(None, (self.title, status, code))),
                occurred_at=at,
                raw=raw,
                price=price,
            ),
        )

    def inbound(
        self,
        raw: str,
        event: Mapping[str, object],
        *,
        event_id: str,
        number: str,
        to: str,
        text: str,
        at: datetime | None = None,
        answers: str = "",
        media: Sequence[str] = (),
    ) -> Sequence[InboundSms]:
        """The SMS that a callback brings: the keys of `event` where its id, both phones and its text stand.

        It was received now where the provider does not say when. `answers` is the key of the text of ours that it
        answers; whatever stands there, what the phone wrote is taken. `media` are the addresses of files that came
        with it.
        """
        return (
            InboundSms(
                gateway=self.name,
                event_id=text_of(event, event_id),
                number=phone_of(event, number),
                to=phone_of(event, to),
                text=words_of(event, text),
                received_at=at or self.connection.now(),
                raw=raw,
                answers=word(event.get(answers)) if answers else "",
                media=tuple(media),
            ),
        )

    async def whole(self, sms: InboundSms) -> InboundSms:
        return await self._media.complete(sms)

    async def close(self) -> None:
        await self._clients.close()
        await self._media.close()
