"""What a phone sent by way of an SMSC, as the bridge's own values, and which of it is only said again; no I/O.

SMPP gives messages of phones no id. What the SMSC repeats, because our answer got lost, is recognised by being equal
in every field, within seconds on one bind, or after the bind that carried it broke off; a person who writes "SI" a
second time is heard a second time.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime

from bridge.gateways.base import HookRefused
from bridge.gateways.callback import phone_of
from bridge.gateways.smpp import coding
from bridge.gateways.smpp.coding import Alphabet
from bridge.gateways.smpp.pdu import Address, ShortMessage
from bridge.gateways.smpp.session import Session
from bridge.types import InboundPart, InboundSms

AT_ONCE = 3.0
"""Seconds in which nobody writes the same text twice."""
BROKE_OFF = 30.0
"""Seconds before the end of a session in which an answer may have been lost with it."""
SAID_AGAIN = 120.0
"""Seconds in which an SMSC says again, on another bind, what it has no answer to."""
REMEMBERED = 10_000
"""Messages that are remembered."""

_AS_WRITTEN = frozenset({2, 3, 4, 5, 6})
"""Types of number (SMPP 3.4 section 5.2.5) that have no country code: national, local and short ones, and names."""


class NoAddress(ValueError):
    """A message whose sender or recipient nobody could answer. The error does not hold them."""


def read(gateway: str, message: ShortMessage, alphabet: Alphabet, now: datetime) -> InboundSms | InboundPart:
    """A message of a phone, or the part of one. Raises `NoAddress`."""
    text, place = coding.text_of(message, alphabet)
    number, to = _phone(message.source), _phone(message.destination)
    event_id = f"{now.isoformat()}:{fingerprint(message).hex()[:32]}"
    raw = f"data_coding={message.data_coding} esm_class={message.esm_class} {message.octets.hex()}"
    if place is None:
        return InboundSms(gateway, event_id, number, to, text, now, raw)
    return InboundPart(gateway, event_id, number, to, text, now, place.reference, place.total, place.ordinal, raw)


def _phone(address: Address) -> str:
    value = address.value.strip()
    if address.ton in _AS_WRITTEN:
        if value and len(value) <= 20 and value.isprintable():
            return value
        raise NoAddress
    try:
        return phone_of({"address": value}, "address")
    except HookRefused:
        raise NoAddress from None


def fingerprint(message: ShortMessage) -> bytes:
    """What two equal messages have in common: everything but their sequence number."""
    return hashlib.sha256(repr(message).encode()).digest()


class Recent:
    """Remembers what was kept lately."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[float, Session]] = OrderedDict()

    def is_repeated(self, mark: bytes, session: Session, now: float) -> bool:
        """Whether the message with this fingerprint was kept before, and the SMSC could not know it."""
        known = self._kept.get(mark)
        if known is None:
            return False
        at, carrier = known
        if carrier is session:
            return now - at <= AT_ONCE
        return carrier.ended_at is not None and carrier.ended_at - at <= BROKE_OFF and now - at <= SAID_AGAIN

    def keep(self, mark: bytes, session: Session, now: float) -> None:
        """The message was kept."""
        self._kept[mark] = now, session
        self._kept.move_to_end(mark)
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
