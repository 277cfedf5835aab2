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
from collections.abc import Collection
from dataclasses import dataclass

from bridge.settings import Settings
from bridge.types import MessageClass

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


@dataclass(frozen=True, slots=True)
class Routes:
    """Every route, and the gateways through which phones can answer."""

    routes: tuple[Route, ...]
    answered: frozenset[str] = frozenset()

    def choose(self, trip: Trip) -> tuple[str, ...]:
        """The gateways for a trip, the one to try first in front; empty when no route fits."""
        fitting = [route for route in self.routes if _fits(route, trip)]
        ordered = sorted(fitting, key=lambda route: (route.priority, _draw(route, trip.number), route.gateway))
        gateways = tuple(dict.fromkeys(route.gateway for route in ordered))
        if gateways and gateways[0] in self.answered:
            return tuple(gateway for gateway in gateways if gateway in self.answered)
        return gateways

    def reach(self, trip: Trip) -> bool:
        """Whether any route fits."""
        return any(_fits(route, trip) for route in self.routes)


def configured(settings: Settings, answered: Collection[str]) -> Routes:
    """The operator's routes, and behind them the gateway for everything, if there is one."""
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
    return Routes(tuple(routes), frozenset(answered))


def _fits(route: Route, trip: Trip) -> bool:
    return (
        (not route.countries or trip.region in route.countries)
        and (not route.prefixes or trip.number.startswith(route.prefixes))
        and (not route.senders or trip.sender in route.senders)
        and (not route.classes or trip.message_class is None or trip.message_class in route.classes)
        and (not route.mailboxes or trip.login.lower() in route.mailboxes)
    )


def _draw(route: Route, number: str) -> float:
    """Weighted rendezvous hashing: each route draws for each phone, the smallest wins as often as its weight says."""
    digest = hashlib.blake2b(f"{route.gateway}\0{number}".encode(), digest_size=8).digest()
    share = (int.from_bytes(digest, "big") + 1) / (2**64 + 1)
    return -math.log(share) / route.weight
