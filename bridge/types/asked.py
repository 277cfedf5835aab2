"""What somebody may ask for, in several places of which one goes before the other."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Asked:
    """Fields that are None, or False for a yes or no, where nothing is said."""

    def over(self, others: Self) -> Self:
        """These, and what `others` say where these say nothing."""
        if self is others:  # nearly always: nobody asked for anything
            return self
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        said = {name: value for name, value in values.items() if value is not None and value is not False}
        return replace(others, **said) if said else others
