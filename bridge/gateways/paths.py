"""Where something stands in what a provider says, and what it means there, as the operator writes it down; pure.

A path is a chain of keys and indexes with dots between them: `messages.0.id`. A condition is a path and the words that
may stand there: `status=0,ok`, or `status=*` for anything at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LONGEST_WORD = 255
"""Characters of a word that is compared or kept as an id."""


def at(value: object, path: str) -> object:
    """What stands under `path`; None when nothing does. A form's field may have dots in its name."""
    if isinstance(value, Mapping) and path in value:
        return value[path]
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, Sequence) and not isinstance(value, str) and step.isascii() and step.isdecimal():
            value = value[int(step)] if len(step) < 10 and int(step) < len(value) else None
        else:
            return None
    return value


def word(value: object) -> str:
    """A text, a number or a truth value as one word; empty when it is none of them, or too long to be one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    written = str(value) if isinstance(value, str | int) else ""
    return written if len(written) <= LONGEST_WORD and written.isprintable() else ""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must stand where."""

    path: str
    words: frozenset[str]

    def holds(self, value: object) -> bool:
        """Whether it is so in `value`."""
        found = word(at(value, self.path))
        return bool(found) and ("*" in self.words or found in self.words)


def condition(written: str) -> Condition | None:
    """A condition; None where nothing is written. Raises ValueError."""
    if not written.strip():
        return None
    path, equals, words = written.partition("=")
    listed = frozenset(each.strip() for each in words.split(","))
    if not equals or not path.strip() or "" in listed:
        raise ValueError("not a condition")
    return Condition(path.strip(), listed)


def table(written: str) -> dict[str, str]:
    """`a=b, c=d` as a table. Raises ValueError."""
    rows = {}
    for row in filter(None, (each.strip() for each in written.split(","))):
        key, equals, value = (part.strip() for part in row.rpartition("="))
        if not key or not equals or not value:
            raise ValueError("not a table")
        rows[key] = value
    return rows
