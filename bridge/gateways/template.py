"""A request as the operator writes it, with fields that are filled in for every text; each is escaped for its place.

`{text}` and its like stand in the path, the query, the headers and the body. A JSON body is read as JSON before it is
filled, a form and a query are taken apart before, so that no value can become anything but a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from bridge.gateways.orders import Order

PHONE = frozenset({"number", "digits"})
FIELDS = PHONE | {
    "sender",
    "sender_digits",
    "text",
    "reference",
    "callback",
    "encoding",
    "account",
    "secret",
    "basic",
}
"""What can be filled in: the phone with and without its plus, the sender likewise, the text, our reference, where
receipts are to be sent, the word for the alphabet, and the login: plain, and as Basic wants it (RFC 7617)."""

IN_HEADERS = frozenset({"account", "secret", "basic", "reference"})
AS_VALUES = frozenset({"digits", "encoding"})
"""Fields that can stand in JSON as a number or a truth value: `{digits:json}`."""

_FIELD = re.compile(r"\{([a-z_]+)(:json)?\}")
_HEADER = re.compile(r"([!#-'*+.^-z|~0-9A-Z-]+):[ \t]*([!-~]([ -~]*[!-~])?)")


class TemplateError(Exception):
    """A template that cannot be meant: the option it stands in, and what to write instead."""

    def __init__(self, option: str, remedy: str) -> None:
        super().__init__(remedy)
        self.option = option
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Template:
    """One request, ready to be filled in."""

    method: str
    url: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    content: str
    """How the body is written: `json`, `form` or `none`."""
    body: Any

    def fields(self) -> frozenset[str]:
        """Every field that it uses."""
        used: set[str] = set()

        def note(text: str) -> str:
            used.update(name for name, _ in _FIELD.findall(text))
            return text

        for text in (self.path, *(value for _, value in (*self.query, *self.headers))):
            note(text)
        _replaced(self.body, note)
        return frozenset(used)

    def order(self, values: Mapping[str, str]) -> Order:
        """The request with all fields filled in; `values` has every one of them."""

        def fill(text: str) -> str:
            return _FIELD.sub(lambda found: values[found[1]], text)

        path = _FIELD.sub(lambda found: _segment(values[found[1]]), self.path)
        query = urlencode([(name, fill(value)) for name, value in self.query], errors="replace")
        headers = {name: fill(value) for name, value in self.headers}
        body, usual = b"", ""
        if self.content == "json":
            filled = _replaced(self.body, fill, values)
            body = json.dumps(filled, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
            usual = "application/json"
        elif self.content == "form":
            body = urlencode([(name, fill(value)) for name, value in self.body], errors="replace").encode()
            usual = "application/x-www-form-urlencoded"
        if usual and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = usual
        return Order(self.method, f"{self.url}{path}{'?' if query else ''}{query}", headers, body)


def _segment(value: str) -> str:
    """A value as part of a path; one that is only dots must not lead elsewhere (RFC 3986 section 5.2.4)."""
    return "%2E" * len(value) if value in (".", "..") else quote(value, safe="", errors="replace")


def template(method: str, url: str, path: str, headers: str, content: str, body: str) -> Template:
    """Read what the operator wrote; headers stand one a line, a form and a query as `a={number}&b={text}`.

    Raises TemplateError.
    """
    before, _, query = path.partition("?")
    made = Template(
        method,
        url,
        before,
        _pairs("path", query),
        tuple(_header(line) for line in headers.splitlines() if line.strip()),
        content,
        _json(body) if content == "json" else _pairs("body", body) if content == "form" else None,
    )
    for option, text in (("path", path), ("headers", headers), ("body", body)):
        for name, value in _FIELD.findall(text):
            allowed = IN_HEADERS if option == "headers" else AS_VALUES if value else FIELDS
            if name not in allowed or (value and content != "json"):
                fields = ", ".join(sorted(f"{{{each}}}" for each in allowed))
                raise TemplateError(option, f"{{{name}{value}}} cannot stand there; use {fields}")
    return made


def _header(line: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(line.strip())
    if found is None:
        raise TemplateError("headers", "write one header a line, as in Authorization: Bearer {secret}")
    return found[1], found[2]


def _pairs(option: str, written: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_qsl(written, keep_blank_values=True, strict_parsing=bool(written), errors="strict"))
    except ValueError:
        raise TemplateError(option, "write fields as in to={number}&text={text}") from None


def _json(written: str) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        raise TemplateError("body", 'write JSON, with fields inside its texts: {"to": "{number}"}') from None


def _replaced(value: Any, change: Callable[[str], str], values: Mapping[str, str] | None = None) -> Any:
    """The same JSON value with every text in it changed."""
    if isinstance(value, str):
        whole = _FIELD.fullmatch(value)
        if values is not None and whole is not None and whole[2]:
            return json.loads(values[whole[1]])
        return change(value)
    if isinstance(value, dict):
        return {key: _replaced(each, change, values) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(each, change, values) for each in value]
    return value
