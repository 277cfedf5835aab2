"""The table of providers in docs/gateways.md, as declared: `python -m tests.gateways.matrix` writes it."""

from __future__ import annotations

from pathlib import Path

from bridge.gateways.base import SenderKind
from bridge.gateways.registry import PROVIDERS

PAGE = Path(__file__).parents[2] / "docs" / "gateways.md"
HEAD = "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"


def table() -> str:
    """The rows, by the providers' names."""
    rows = []
    for provider in sorted(PROVIDERS, key=lambda one: one.title.lower()):
        traits = provider.traits
        cells = (
            f"[{provider.title}](gateways/{provider.kind}.md)",
            f"`{provider.kind}`",
            "yes" if traits.receipts else "no",
            "yes" if traits.inbound else "no",
            "yes" if traits.mms else "no",
            "yes" if traits.links else "no",
            ", ".join(kind.value for kind in SenderKind if kind in traits.senders),
            "the bridge" if traits.own_segments else "the provider",
            "yes" if traits.shifts else "no",
            "yes" if traits.flash else "no",
            "yes" if traits.lookup else "no",
            "yes" if traits.cancel else "no",
            "yes" if traits.balance else "no",
            "yes" if traits.price else "no",
            f"{traits.rates.gateway:g}" if traits.rates.gateway else "",
            traits.evidence.value,
        )
        rows.append(f"| {' | '.join(cells)} |\n")
    return "".join(rows)


def page() -> str:
    """The whole page with the present table."""
    text = PAGE.read_text(encoding="utf-8")
    return text[: text.index(HEAD) + len(HEAD)] + table()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
