"""What every HTTP provider shares: an order goes out as data, the answer comes back as data; a file a provider.

A provider's own file says how an order looks, what its answers mean and what its callbacks say. Here is when a
request counts as not sent: what failed before the connection stood is *unreachable*, everything later *unknown*.
"""

from __future__ import annotations

import abc
import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx

from bridge.errors import Reason
from bridge.gateways.base import SILENT, Doubt, Gateway, Hook, HttpClients, Traits, outcome_of_error, outcome_of_status
from bridge.gateways.callback import phone_of, text_of, words_of
from bridge.gateways.connection import Connection, Option
from bridge.types import InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt

LONGEST_ANSWER = 262_144
"""Octets of an answer that are read; a provider's have a few hundred."""


@dataclass(frozen=True, slots=True)
class Order:
    """One HTTP request."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def ok(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none becomes U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def at(self, *path: str | int) -> Any:
        """What stands in the JSON body under these keys and indexes; None when nothing does."""
        value = self.json()
        for step in path:
            if isinstance(step, str) and isinstance(value, dict):
                value = value.get(step)
            elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
                value = value[step]
            else:
                return None
        return value

    def retry_after(self, now: datetime) -> float | None:
        """Seconds that the provider asks us to wait (RFC 9110 section 10.2.3), at most an hour."""
        given = self.headers.get("retry-after", "").strip()
        if given.isdecimal():
            return min(float(given), 3600.0)
        try:
            moment = parsedate_to_datetime(given)
        except ValueError:
            return None
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return min(max((moment - now).total_seconds(), 0.0), 3600.0)


def json_order(url: str, value: object, headers: Mapping[str, str], method: str = "POST") -> Order:
    """A request with a JSON body in UTF-8."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Order(method, url, {**headers, "Content-Type": "application/json"}, body)


def form_order(url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> Order:
    """A POST with a form as browsers send it, in UTF-8."""
    body = urlencode(fields, encoding="utf-8", errors="replace").encode()
    return Order("POST", url, {**headers, "Content-Type": "application/x-www-form-urlencoded"}, body)


def basic(user: str, password: str) -> dict[str, str]:
    """The header of a Basic login (RFC 7617)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def accepted(provider_id: object) -> Outcome:
    """The provider has the message, even if its id is one that cannot be kept: then no receipt will match."""
    if isinstance(provider_id, int) and not isinstance(provider_id, bool):
        provider_id = str(provider_id)
    known = isinstance(provider_id, str) and 0 < len(provider_id) <= 255 and provider_id.isprintable()
    return Outcome(OutcomeKind.ACCEPTED, provider_id=str(provider_id) if known else None)


def unclear(answer: Answer) -> Outcome:
    """The answer says neither yes nor no."""
    return Outcome(OutcomeKind.UNKNOWN, diagnostic=f"HTTP {answer.status} with an answer that makes no sense")


def taken(answer: Answer, *path: str | int) -> Outcome:
    """The meaning of a 2xx answer that has the message's id under `path`: accepted, or unclear where there is none."""
    return accepted(answer.at(*path)) if answer.at(*path) else unclear(answer)


def code_of(value: object) -> str:
    """A provider's error code as it may stand in a diagnostic: short, printable, and no number of a phone."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    short = "".join(char for char in text[:32] if char.isalnum() or char in "-_.")
    return "" if sum(char.isdigit() for char in short) > 6 else short


class HttpGateway(Gateway):
    """A provider that takes one message with one HTTP request."""

    kind: ClassVar[str]
    """Its name in `kind = …`."""
    title: ClassVar[str]
    """Its name as its makers write it."""
    base_url: ClassVar[str] = ""
    """Where its API is when the operator says nothing else; empty: he must say it."""
    needs: ClassVar[tuple[str, ...]] = ("account", "secret")
    """The settings that it cannot do without."""
    options: ClassVar[tuple[Option, ...]] = ()
    traits: Traits

    @classmethod
    def url_of(cls, options: Mapping[str, str]) -> str:
        """Where its API is when the operator says nothing else; empty: he must say it."""
        return cls.base_url

    def __init__(self, connection: Connection) -> None:
        self.name = connection.name
        self.connection = connection
        self._clients = HttpClients(connection.timeout, {})

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
        with self._clients.one() as client:
            headers = {"Accept": "application/json", "Accept-Encoding": "identity", **order.headers}
            # As octets, since a password may hold more than ASCII.
            octets = [(name.encode(), value.encode()) for name, value in headers.items()]
            request = client.build_request(order.method, order.url, headers=octets, content=order.body)
            response = await client.send(request, stream=True)
            try:
                body = bytearray()
                async for chunk in response.aiter_raw():  # nothing is unpacked: a small answer could become a large one
                    body += chunk
                    if len(body) > LONGEST_ANSWER:
                        break
            finally:
                await response.aclose()
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, bytes(body))

    def refused(self, answer: Answer, code: str = "") -> Outcome:
        """The usual meaning of an answer that is not 2xx; `code` is the provider's own, for the diagnostic."""
        usual = outcome_of_status(answer.status, answer.retry_after(self.connection.now()))
        return replace(usual, diagnostic=f"{usual.diagnostic} {code}".strip())

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

    def unsigned(self, name: str, read: Any, says: Any = SILENT) -> Hook:
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
    ) -> Sequence[InboundSms]:
        """The SMS that a callback brings: the keys of `event` where its id, both phones and its text stand.

        It was received now where the provider does not say when.
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
            ),
        )

    def option(self, name: str) -> str:
        """The operator's value of an option, or its default."""
        default = next(option.default for option in self.options if option.name == name)
        return self.connection.options.get(name, default or "")

    def secrets(self) -> Sequence[str]:
        return self.connection.secrets()

    async def close(self) -> None:
        await self._clients.close()
