"""The words of every mail in every language, read once from `bridge/templates/`; notices fill the blanks.

A blank is filled with `str.format`: only our own templates are read as templates, what a phone or a sender wrote is
never more than a value.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from bridge.types import AutomaticKind, Language


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentences of one language, by dotted key (`reason.landline.why`)."""

    language: Language
    sentences: Mapping[str, str]
    months: tuple[str, ...]

    def say(self, key: str, **blanks: str | int) -> str:
        """The sentence `key` with its blanks filled."""
        return self.sentences[key].format(**blanks)

    def moment(self, when: datetime, timezone: str) -> str:
        """Date and time of day as a person reads them, in the IANA zone `timezone`."""
        local = when.astimezone(ZoneInfo(timezone))
        return self.say(
            "date", day=local.day, month=self.months[local.month - 1], year=local.year, time=f"{local:%H:%M}"
        )


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, str):
            yield prefix + key, value
        else:
            yield from _flat(value, f"{prefix}{key}.")


def _read(language: Language) -> Wording:
    source = resources.files("bridge").joinpath("templates", f"{language.value}.toml")
    table = tomllib.loads(source.read_text(encoding="utf-8"))
    months = tuple(table.pop("months"))
    return Wording(language, MappingProxyType(dict(_flat(table))), months)


WORDINGS: Mapping[Language, Wording] = MappingProxyType({language: _read(language) for language in Language})
"""All languages, in memory."""


def _read_automatic() -> Mapping[str, Mapping[str, str]]:
    source = resources.files("bridge").joinpath("templates", "automatic.toml")
    table = dict(tomllib.loads(source.read_text(encoding="utf-8")))
    return MappingProxyType({code: MappingProxyType(sentences) for code, sentences in table.items()})


AUTOMATIC: Mapping[str, Mapping[str, str]] = _read_automatic()
"""What phones are texted in languages (ISO 639-1) in which no mails are written, by the order that it answers."""


def answer_to_order(kind: AutomaticKind, spoken: str, otherwise: Language, who: str) -> str:
    """What a phone is texted that gives an order in the language `spoken` (ISO 639-1): in that one if there are words
    for it, and else in another; `who` is the mailbox."""
    if spoken in AUTOMATIC:
        return AUTOMATIC[spoken][kind].format(who=who)
    known = {language.value: language for language in Language}
    return WORDINGS[known.get(spoken, otherwise)].say(f"automatic.{kind}", who=who)
