"""What `bridge passwords` and `bridge certificates` share: names for what machines log in with, and when it was last
used."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer

from bridge.cli.shared import find_mailbox
from bridge.errors import UsageError

if TYPE_CHECKING:
    from bridge.store.store import Store

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="What it is for, such as scanner; in quotes if it has spaces.")
]

LONGEST = 60


class _Owned(Protocol):
    @property
    def login(self) -> str: ...


Owned = TypeVar("Owned", bound=_Owned)


def checked_name(name: str) -> str:
    """A name as it is kept. Raises UsageError."""
    if not name.isprintable() or not 0 < len(name.strip()) <= LONGEST:
        raise UsageError(f"The name has 1 to {LONGEST} characters on one line.")
    return name.strip()


def of_owner(store: Store, login: str | None, found: Iterable[Owned]) -> list[Owned]:
    """Those of one mailbox, or all. Raises NotFound."""
    owner = find_mailbox(store, login).login if login is not None else None
    return [each for each in found if owner in (None, each.login)]


def life(created_at: datetime, used_at: datetime | None) -> str:
    """When it was made and last used, in words."""
    used = f"last used on {used_at.date().isoformat()}" if used_at is not None else "never used"
    return f"made on {created_at.date().isoformat()}  {used}"
