"""Which gateways may carry a message, in the order they are tried: asked by admission for every recipient. Pure.

A route says for what it is meant: countries, number prefixes, senders, classes, mailboxes; what it leaves open fits
all. Among those that fit, the lowest priority goes first; routes of one priority share the phones by their weight. A
phone always falls to the same route, so that its conversation stays with one provider while nothing changes.

The others stand by for when the first cannot be reached at all, but only where the phone's answer can still come back:
a text that cannot be answered is no stand-in for one that can.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.gateways.base import Traits
from bridge.types import MessageClass, National

if TYPE_CHECKING:
    from bridge.settings import Settings

_LAST = 1_000_000
"""Priority of the gateway for what no route is set up for."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way to the phones. An empty collection fits everything."""

    gateway: str
    countries: frozenset[str] = frozenset()
    """ISO 3166 countries of the phone."""
    prefixes: tuple[str, ...] = ()
    """Beginnings of the phone's number in E.164."""
    senders: frozenset[str] = frozenset()
    """What the phone is shown as the sender."""
    classes: frozenset[MessageClass] = frozenset()
    mailboxes: frozenset[str] = frozenset()
    """Logins, in lower case."""
    priority: int = 10
    """The lowest goes first."""
    weight: int = 1
    """Share among the routes of one priority, at least 1."""


@dataclass(frozen=True, slots=True)
class Trip:
    """What a route is chosen for."""

    number: str
    """The phone, E.164."""
    region: str
    sender: str
    message_class: MessageClass | None
    """None before the mail is read: then a route for any class fits."""
    login: str
    """Of the mailbox that pays."""
    flash: bool = False
    """It is to be shown at once, which not every gateway can ask for."""


@dataclass(frozen=True, slots=True)
class Script:
    """How a text may be written for whoever may come to carry it."""

    tables: frozenset[National] = frozenset()
    """National language tables that may be used."""
    wide_reference: bool = False
    """Its segments leave room for a reference of 16 bits (3GPP TS 23.040 section 9.2.3.24.8)."""


PLAIN = Script()


@dataclass(frozen=True, slots=True)
class Routes:
    """Every route, and what the gateways can do that they lead to."""

    routes: tuple[Route, ...]
    answered: frozenset[str] = frozenset()
    """Gateways through which phones can answer."""
    flash: frozenset[str] = frozenset()
    """Gateways that can send a text to be shown at once."""
    alphabets: Mapping[str, frozenset[National]] = field(default_factory=dict)
    """National language tables that the operator lets a gateway send; none where nothing stands."""
    wide: frozenset[str] = frozenset()
    """Gateways that number the segments of a long text with 16 bits."""

    @classmethod
    def anywhere(cls) -> Routes:
        """Where no gateway is set up or asked for: every phone can be reached, by nobody in particular."""
        return cls((Route(""),), flash=frozenset({""}))

    def choose(self, trip: Trip) -> tuple[str, ...]:
        """The gateways for a trip, the one to try first in front; empty when no route fits."""
        fitting = [route for route in self.routes if self._fits(route, trip)]
        ordered = sorted(fitting, key=lambda route: (route.priority, _draw(route, trip.number), route.gateway))
        gateways = tuple(dict.fromkeys(route.gateway for route in ordered))
        if gateways and gateways[0] in self.answered:
            return tuple(gateway for gateway in gateways if gateway in self.answered)
        return gateways

    def reach(self, trip: Trip) -> bool:
        """Whether any route fits."""
        return any(self._fits(route, trip) for route in self.routes)

    def script(self, way: Sequence[str]) -> Script:
        """How a text may be written that any gateway of a way may come to carry."""
        if not self.alphabets and not self.wide:
            return PLAIN
        tables = frozenset.intersection(*(self.alphabets.get(gateway, frozenset()) for gateway in way))
        return Script(tables, not self.wide.isdisjoint(way))

    def _fits(self, route: Route, trip: Trip) -> bool:
        return (
            (not route.countries or trip.region in route.countries)
            and (not route.prefixes or trip.number.startswith(route.prefixes))
            and (not route.senders or trip.sender in route.senders)
            and (not route.classes or trip.message_class is None or trip.message_class in route.classes)
            and (not route.mailboxes or trip.login.lower() in route.mailboxes)
            and (not trip.flash or route.gateway in self.flash)
        )


def configured(settings: Settings, traits: Mapping[str, Traits]) -> Routes:
    """The operator's routes, and behind them the gateway for everything, if there is one; `traits` are those of the
    gateways, by name."""
    routes = [
        Route(
            gateway=each.gateway,
            countries=frozenset(each.countries),
            prefixes=each.prefixes,
            senders=frozenset(each.senders),
            classes=frozenset(each.classes),
            mailboxes=frozenset(login.lower() for login in each.mailboxes),
            priority=each.priority,
            weight=each.weight,
        )
        for each in settings.routes
    ]
    if settings.sending.gateway:
        routes.append(Route(settings.sending.gateway, priority=_LAST))
    return Routes(
        tuple(routes),
        answered=frozenset(name for name, each in traits.items() if each.inbound),
        flash=frozenset(name for name, each in traits.items() if each.flash),
        alphabets={name: each.shifts for name, each in traits.items() if each.shifts},
        wide=frozenset(name for name, each in traits.items() if each.wide_reference),
    )


def _draw(route: Route, number: str) -> float:
    """Weighted rendezvous hashing: each route draws for each phone, the smallest wins as often as its weight says."""
    digest = hashlib.blake2b(f"{route.gateway}\0{number}".encode(), digest_size=8).digest()
    share = (int.from_bytes(digest, "big") + 1) / (2**64 + 1)
    return -math.log(share) / route.weight
