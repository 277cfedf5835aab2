"""What phones answer to a number at Skebby: fetched page by page, since Skebby does not call with it.

How an answer looks is documented nowhere: where its parts stand is said by options.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

import structlog

from bridge.gateways.base import HookRefused, Polled, PollRefused
from bridge.gateways.callback import phone_of, words_of
from bridge.gateways.connection import Connection, Option
from bridge.gateways.orders import Answer, Order
from bridge.types import InboundSms

PAGE = 100
"""Answers that one look brings at the most."""

ANSWER_OPTIONS = (
    Option("sim", "your number at Skebby that phones answer to, with its plus; empty: answers are not fetched", ""),
    Option("first_answer", "id of the answer after which to begin; empty: with what comes from now on", ""),
    Option("answer_list", "key of the list of answers, where the list is not all there is", "messages"),
    Option("answer_id", "key of an answer's id", "id"),
    Option("answer_from", "key of the phone that answers", "phoneNumber"),
    Option("answer_text", "key of what it writes", "text"),
)

log = structlog.get_logger("bridge.gateways.skebby")


class Answers:
    """The answers to the number of the option `sim`."""

    def __init__(
        self, connection: Connection, option: Callable[[str], str], ask: Callable[[Order], Awaitable[Answer]]
    ) -> None:
        self._connection = connection
        self._option = option
        self._ask = ask

    async def read(self, cursor: str) -> Polled:
        """Answers after the one whose id is the cursor.

        What phones had written before the bridge looked for the first time is passed over, page by page: the cursor
        says `skip` until its end is reached.
        """
        first = self._option("first_answer")
        skip, _, last = (cursor or (f" {first}" if first else "skip 0")).rpartition(" ")
        url = f"{self._connection.url}/srsmshistory/{quote(self._option('sim'), safe='+')}/{last}?limit={PAGE}"
        answer = await self._ask(Order("GET", url))
        value = answer.json()
        found = value.get(self._option("answer_list")) if isinstance(value, dict) else value
        if answer.status != 200 or not isinstance(found, list):
            raise PollRefused(
                f"Skebby answers HTTP {answer.status} where a list of answers is. See option answer_list."
            )
        ids = [_id_of(each, self._option("answer_id")) for each in found]
        newest, full = max([int(last), *ids]), len(found) >= PAGE and max(ids) > int(last)
        if skip:
            return Polled((), f"skip {newest}" if full else str(newest), more=full)
        new = {number: each for number, each in sorted(zip(ids, found, strict=True), key=_first) if number > int(last)}
        readable = [event for event in (self._answer(each, number) for number, each in new.items()) if event]
        if new and not readable:
            raise PollRefused("No answer has a phone and a text where Skebby was said to put them. See answer_from.")
        return Polled(readable, str(newest), more=full)

    def _answer(self, value: Mapping[str, object], number: int) -> InboundSms | None:
        """None for what has no phone that could be answered; that alone must not stop those behind it."""
        try:
            phone, text = phone_of(value, self._option("answer_from")), words_of(value, self._option("answer_text"))
        except HookRefused as refused:
            log.warning("skebby.unreadable_answer", gateway=self._connection.name, answer=number, why=str(refused))
            return None
        return InboundSms(
            gateway=self._connection.name,
            event_id=str(number),
            number=phone,
            to=self._option("sim"),
            text=text,
            received_at=self._connection.now(),
        )


def _first(pair: tuple[int, object]) -> int:
    return pair[0]


def _id_of(value: object, key: str) -> int:
    number = value.get(key) if isinstance(value, dict) else None
    if isinstance(number, str) and number.isascii() and number.isdecimal():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 63:
        raise PollRefused("An answer has no id where Skebby was said to put it. See option answer_id.")
    return number
