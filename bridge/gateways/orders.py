"""What goes to an HTTP provider and what comes back, as data: orders, answers, and what answers usually mean; pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from bridge.http_clients import retry_after
from bridge.types import Money, Outcome, OutcomeKind


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
        """Seconds that the provider asks us to wait, at most an hour."""
        return retry_after(self.headers, now)


def json_order(url: str, value: object, headers: Mapping[str, str], method: str = "POST") -> Order:
    """A request with a JSON body in UTF-8; `headers` may name a type of their own for it."""
    return Order(method, url, {"Content-Type": "application/json", **headers}, json_octets(value))


def json_octets(value: object) -> bytes:
    """JSON in UTF-8, as short as it gets; half a surrogate pair becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def form_order(url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> Order:
    """A POST with a form as browsers send it, in UTF-8."""
    body = urlencode(fields, encoding="utf-8", errors="replace").encode()
    return Order("POST", url, {**headers, "Content-Type": "application/x-www-form-urlencoded"}, body)


def basic(user: str, password: str) -> dict[str, str]:
    """The header of a Basic login (RFC 7617)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def accepted(provider_id: object, price: Money | None = None) -> Outcome:
    """The provider has the message, even if its id is one that cannot be kept: then no receipt will match."""
    if isinstance(provider_id, int) and not isinstance(provider_id, bool):
        provider_id = str(provider_id)
    known = isinstance(provider_id, str) and 0 < len(provider_id) <= 255 and provider_id.isprintable()
    return Outcome(OutcomeKind.ACCEPTED, provider_id=str(provider_id) if known else None, price=price)


def unclear(answer: Answer) -> Outcome:
    """The answer says neither yes nor no."""
    return Outcome(OutcomeKind.UNKNOWN, diagnostic=f"HTTP {answer.status} with an answer that makes no sense")


def taken(answer: Answer, *path: str | int, price: Money | None = None) -> Outcome:
    """The meaning of a 2xx answer that has the message's id under `path`: accepted, or unclear where there is none."""
    return accepted(answer.at(*path), price) if answer.at(*path) else unclear(answer)


def code_of(value: object) -> str:
    """A provider's error code as it may stand in a diagnostic: short, printable, and no number of a phone."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    short = "".join(char for char in text[:32] if char.isalnum() or char in "-_.")
    return "" if sum(char.isdigit() for char in short) > 6 else short


def outcome_of_status(status: int, retry_after: float | None = None) -> Outcome:
    """The usual meaning of an HTTP answer that is not 2xx; a provider that means another says so in its own file."""
    diagnostic = f"HTTP {status}"
    if status == 429:
        return Outcome(OutcomeKind.THROTTLED, diagnostic=diagnostic, retry_after=retry_after)
    if 400 <= status < 500 and status != 408:
        return Outcome(OutcomeKind.REJECTED, diagnostic=diagnostic)
    return Outcome(OutcomeKind.UNKNOWN, diagnostic=diagnostic)
