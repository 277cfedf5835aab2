"""Ready-made settings of the gateway kind `http`, one TOML file each in `profiles/`: providers that need no code.

A profile has a `title`, the provider's `page`, the `evidence` for what it says, the `url` of the API, and under
`[options]` what an operator would else write himself; what he writes goes before it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from bridge.gateways.base import Evidence

_FOLDER = files("bridge.gateways") / "profiles"


@dataclass(frozen=True, slots=True)
class Profile:
    """One of them."""

    title: str
    page: str
    evidence: Evidence
    url: str = ""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


NO_PROFILE = Profile("Any HTTP API", "", Evidence.UNVERIFIED)
"""What holds where the operator names none."""


def names() -> tuple[str, ...]:
    """Every profile that comes with the bridge."""
    return tuple(sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml")))


@cache
def profile(name: str) -> Profile:
    """The profile of that name; none at all for an empty one."""
    if not name:
        return NO_PROFILE
    read = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return Profile(
        read["title"], read["page"], Evidence(read["evidence"]), read["url"], MappingProxyType(dict(read["options"]))
    )
