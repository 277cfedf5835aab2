"""What another server says about a mail: the grammar of Authentication-Results (RFC 8601 section 2.2); pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_RESULTS = 50
"""Results in one field that are read."""

_SEPARATORS = frozenset("; =\t\r\n")
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)(?:/[0-9]+)?=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One method with its outcome."""

    method: str
    """In lower case: `spf`, `dkim`, `dmarc`, `arc`, …"""
    result: str
    """In lower case: `pass`, `fail`, …"""
    properties: Mapping[str, str]
    """By `ptype.property` in lower case, such as `header.from`; the first of each."""


@dataclass(frozen=True, slots=True)
class AuthResults:
    """One Authentication-Results field."""

    server: str
    """Who says so (authserv-id), in lower case."""
    results: tuple[MethodResult, ...]

    def of(self, method: str) -> tuple[MethodResult, ...]:
        """The results of one method."""
        return tuple(result for result in self.results if result.method == method)


def read_results(text: str) -> AuthResults:
    """The value of a field, folds included. Raises ValueError when it is none."""
    pieces = [_words(piece) for piece in _pieces(text)]
    if not pieces or not pieces[0]:
        raise ValueError("no authserv-id")
    version = pieces[0][1:2]
    if version and version[0].isdigit() and version != ["1"]:
        raise ValueError("another version of the field")
    results = [result for piece in pieces[1 : MAX_RESULTS + 1] if (result := _result(piece)) is not None]
    return AuthResults(pieces[0][0].lower(), tuple(results))


def _result(words: list[str]) -> MethodResult | None:
    pairs = [(match[1].lower(), match[2]) for word in words if (match := _PAIR.fullmatch(word)) is not None]
    if not pairs or "." in pairs[0][0]:
        return None
    properties: dict[str, str] = {}
    for name, value in pairs[1:]:
        if "." in name:
            properties.setdefault(name, value)
    return MethodResult(pairs[0][0], pairs[0][1].lower(), properties)


def _pieces(text: str) -> list[str]:
    """What stands between the semicolons. Comments become blanks; blanks and semicolons in quotes lose their meaning,
    since nothing that is read here has them."""
    kept: list[str] = []
    depth = 0
    quoted = False
    characters = iter(text)
    for char in characters:
        if char == "\\":
            escaped = next(characters, "")
            if quoted:
                kept.append("?" if escaped in _SEPARATORS else escaped)
        elif char == '"' and not depth:
            quoted = not quoted
        elif quoted:
            kept.append("?" if char in _SEPARATORS else char)
        elif char == "(":
            depth += 1
            kept.append(" ")
        elif char == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(char)
    if depth or quoted:
        raise ValueError("a comment or a quotation that does not end")
    return "".join(kept).split(";")


def _words(piece: str) -> list[str]:
    return " ".join(piece.split()).replace(" =", "=").replace("= ", "=").split()
