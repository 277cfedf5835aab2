"""What a mail costs between the dot and the store: reading it, cutting it into segments, its number; no I/O."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from bench import mails
from bridge import addressing, decision, parser
from bridge.addressing import Ground
from bridge.fanout import text_of
from bridge.routing import Routes
from bridge.types import EMPTY_BOOK, Encoded, Language, Mailbox, Recipient

SECONDS = 1.0
"""How long each is repeated."""

_MAILBOX = Mailbox(
    id="bench",
    organisation_id="bench",
    login=mails.LOGIN,
    addresses=(),
    region="IT",
    countries=("IT",),
    language=Language.ITALIAN,
    timezone="Europe/Rome",
    sender="+390200000001",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """The median time of one step for one mail, in microseconds."""

    step: str
    octets: int
    median: float


def costs() -> Iterator[Cost]:
    """Each step on each size of mail."""
    now = datetime.now(UTC)
    recipient = Recipient(mails.address(0))
    ground = Ground({mails.DOMAIN}, EMPTY_BOOK, lambda *_: None)
    targets = addressing.targets(_MAILBOX, recipient, ground)
    for kind, raw in (("plain", mails.small(0)), ("text and HTML", mails.two_parts()), ("HTML", mails.large_page())):
        read = partial(parser.parse, raw)
        decide = partial(decision.decide, _MAILBOX, targets, raw, ground, Routes.anywhere(), now)
        yield Cost(f"read a mail: {kind}", len(raw), _median(read))
        yield Cost(f"read it, cut it into segments: {kind}", len(raw), _median(partial(_cut, raw)))
        yield Cost(f"decide what goes out of it: {kind}", len(raw), _median(decide))
    numbers = iter(range(1, 100_000_000))
    yield Cost(
        "read the number of a phone not seen before",
        0,
        _median(lambda: addressing.targets(_MAILBOX, Recipient(mails.address(next(numbers))), ground)),
    )


def _cut(raw: bytes) -> Encoded:
    return text_of(_MAILBOX, parser.parse(raw, _MAILBOX.habits))


def _median(step: Callable[[], object]) -> float:
    step()
    times = []
    until = time.perf_counter() + SECONDS
    while (started := time.perf_counter()) < until:
        step()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6
