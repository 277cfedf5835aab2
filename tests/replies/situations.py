"""Reads `situations.txt`: facts, and whose reply it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.replies import NEVER, Candidate, Facts, Verdict
from bridge.types import Match

NOW = datetime(2026, 11, 12, 8, 0, tzinfo=UTC)
WINDOW = timedelta(days=14)

_SAID = re.compile(
    r"(?P<who>[A-Z])(?:\?|(?P<wrote>[-\d.+]+))(?:<(?P<heard>[-\d.+]+))?(?:=(?P<held>[-\d.+]+))?(?P<there>~)?"
)
_WHOSE = re.compile(r"(?P<who>[A-Z]|nobody) (?P<match>[a-z]+)(?: (?P<how>new|there))?(?: or (?P<others>[A-Z ]+))?")


@dataclass(frozen=True, slots=True)
class Situation:
    """One line of the table."""

    name: str
    facts: Facts
    verdict: Verdict


def situations() -> list[Situation]:
    """Every line of the table; a chapter begins with two lines that are none."""
    found = []
    for chapter in (Path(__file__).parent / "situations.txt").read_text().split("\n\n"):
        heading, *lines = chapter.splitlines()
        title, *columns = (cell.strip() for cell in heading.split("|"))
        for line in lines[1:] if columns else ():
            name, *cells = (cell.strip() for cell in line.split("|"))
            found.append(_situation(f"{title}: {name}", *cells))
    return found


def _situation(name: str, owners: str, said: str, link: str, fallback: str, whose: str) -> Situation:
    candidates = tuple(candidate(each.strip()) for each in said.split(",") if said)
    facts = Facts(
        owners=tuple(owners),
        candidates=candidates,
        fallback=None if fallback == "-" else fallback,
        now=NOW,
        window=WINDOW,
        linked=_conversation(link[0], link.endswith("~")) if link else None,
    )
    return Situation(name, facts, _verdict(whose, candidates))


def candidate(said: str) -> Candidate:
    """One conversation, such as `A3<1=9`."""
    found = _SAID.fullmatch(said)
    assert found is not None, said
    return Candidate(
        mailbox_id=found["who"],
        login=f"{found['who'].lower()}@example.test",
        conversation_id=_conversation(found["who"], found["there"] is not None),
        last_written_at=_ago(found["wrote"]) if found["wrote"] else NEVER,
        last_heard_at=_ago(found["heard"]) if found["heard"] else None,
        held_at=_ago(found["held"]) if found["held"] else None,
    )


def _verdict(whose: str, candidates: tuple[Candidate, ...]) -> Verdict:
    found = _WHOSE.fullmatch(whose)
    assert found is not None, whose
    if found["who"] == "nobody":
        return Verdict(None, None, Match(found["match"]))
    conversation = None if found["how"] == "new" else _conversation(found["who"], found["how"] == "there")
    named = [found["who"], *found["others"].split()] if found["others"] else []
    by_mailbox = {each.mailbox_id: each for each in candidates}
    return Verdict(found["who"], conversation, Match(found["match"]), tuple(by_mailbox[each] for each in named))


def _conversation(mailbox: str, elsewhere: bool) -> str:
    return f"{mailbox}, elsewhere" if elsewhere else mailbox


def _ago(days: str) -> datetime:
    second = timedelta(seconds=1 if days.endswith("+") else 0)
    return NOW - timedelta(days=float(days.rstrip("+"))) - second
