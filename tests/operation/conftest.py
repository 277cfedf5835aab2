"""A demo of one's own, and a real store, for the tests of operation."""

from __future__ import annotations

from tests.road.conftest import own_demo
from tests.store.conftest import room, template

__all__ = ["own_demo", "room", "template"]
