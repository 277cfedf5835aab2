"""A receiver of webhooks, written by the docs: what it believes was signed by code that has nothing of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "replies.md"

IsOurs = Callable[[str, Mapping[str, str], bytes], bool]


def documented() -> IsOurs:
    """The function that docs/replies.md shows to whoever writes a receiver."""
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    is_ours: IsOurs = names["is_ours"]
    return is_ours
