"""The stations stand on a real store: that of its own tests."""

from __future__ import annotations

from tests.store.conftest import room, template

__all__ = ["room", "template"]
