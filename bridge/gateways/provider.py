"""What every kind of gateway has that an operator can set up in a section `[gateways.NAME]`: between the contract and
the kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from bridge.gateways.base import Gateway
from bridge.gateways.connection import Connection, Option


class Provider(Gateway):
    """A gateway of a kind that the registry knows; says what it wants from the operator."""

    kind: ClassVar[str]
    """Its name in `kind = …`."""
    title: ClassVar[str]
    """Its name as its makers write it."""
    base_url: ClassVar[str] = ""
    """Where its API is when the operator says nothing else; empty: he must say it."""
    needs: ClassVar[tuple[str, ...]] = ("account", "secret")
    """The settings that it cannot do without."""
    options: ClassVar[tuple[Option, ...]] = ()

    @classmethod
    def url_of(cls, options: Mapping[str, str]) -> str:
        """Where its API is with these options when the operator says nothing else; empty: he must say it."""
        return cls.base_url

    def __init__(self, connection: Connection) -> None:
        """Raises SettingsError for a value that cannot be used."""
        self.name = connection.name
        self.connection = connection

    def option(self, name: str) -> str:
        """The operator's value of an option, or its default."""
        return self.connection.option(name, self.options)

    def secrets(self) -> Sequence[str]:
        return self.connection.secrets()
