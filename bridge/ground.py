"""What the rooms of one bridge stand on together: settings, store, gateways, and the bells by which stations wake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bridge import tries
from bridge.gateways.base import Gateway
from bridge.mailback.configured import signing
from bridge.notices.bounces import BounceKey
from bridge.settings import Settings
from bridge.store.mails import Mails
from bridge.store.nodes import Nodes
from bridge.store.store import Store, database_file, database_url
from bridge.streaks import Streaks
from bridge.tries import Patience
from bridge.types import OutgoingMail


class Bell:
    """Wakes the stations that hang on it. Rooms are made with bells, stations of rooms: so they are hung up later."""

    def __init__(self) -> None:
        self._rung: tuple[Callable[[], None], ...] = ()

    def wakes(self, *rung: Callable[[], None]) -> None:
        """From now on these are rung."""
        self._rung = rung

    def __call__(self) -> None:
        for ring in self._rung:
            ring()


class Bells:
    """What happens that stations must hear of."""

    def __init__(self) -> None:
        self.texted = Bell()
        """A message is in the queue, or may leave now."""
        self.settled = Bell()
        """Something became of a message: perhaps there is something to report, or its text to file."""
        self.mailed = Bell()
        """A mail was put into the queue, and perhaps its copy for a folder."""
        self.posted = Bell()
        """A webhook is to be told of an SMS."""
        self.left = Bell()
        """Another node left work: every station that may do it has a look."""
        self.changed = Bell()
        """A mailbox changed, or what the dead held was given back."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What several rooms need, made once."""

    settings: Settings
    store: Store
    gateways: Mapping[str, Gateway]
    mails: Mails
    patience: Patience
    sign: Callable[[OutgoingMail], OutgoingMail]
    bounce_key: BounceKey
    streaks: Streaks
    bells: Bells
    nodes: Nodes | None
    """The others on the same database; None for a bridge that has one to itself."""
    leads: Callable[[], Awaitable[bool]]
    """Whether this bridge does what only one may do."""


def prepare(settings: Settings, store: Store, gateways: Mapping[str, Gateway]) -> Ground:
    """The ground of a bridge on an opened store; it holds nothing open. Raises SettingsError."""
    bells = Bells()
    single = database_file(settings) is not None
    nodes = None if single else Nodes(database_url(settings), store.node, bells.left)
    return Ground(
        settings=settings,
        store=store,
        gateways=gateways,
        mails=Mails(store.engine, store.committer),
        patience=tries.configured(settings),
        sign=signing(settings),
        bounce_key=BounceKey(1, store.key.derived("bounce addresses")),
        streaks=Streaks(),
        bells=bells,
        nodes=nodes,
        leads=nodes.leads if nodes is not None else _alone,
    )


async def _alone() -> bool:
    """One bridge on one database leads."""
    return True
