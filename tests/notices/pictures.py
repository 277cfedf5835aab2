"""The pictures of a reply mail in docs/notices.md: `python -m tests.notices.pictures` takes them in a real Chromium."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser

from bridge.types import EarlierText, Language, Match
from tests.conftest import open_browser
from tests.notices.samples import parts, reply, words

FOLDER = Path(__file__).parents[2] / "docs" / "images"
WIDTHS = {"reply-phone.png": 360, "reply-desktop.png": 1280}


def example() -> str:
    """The HTML part of a patient's answer to an Italian clinic, in a conversation."""
    mail = reply(
        language=Language.ITALIAN,
        contact="Giulia Bianchi",
        text="Sì, confermo per martedì. Devo venire a digiuno?\nGrazie mille 😊",
        match=Match.LATEST,
        received_at=datetime(2026, 11, 20, 16, 42, tzinfo=UTC),
        earlier=(
            EarlierText(
                "Gentile sig.ra Bianchi, Le ricordiamo gli esami del sangue martedì 24 novembre alle 8:10, "
                "Poliambulatorio San Marco, 1° piano. Risponda SÌ per confermare.",
                datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
                from_phone=False,
            ),
            EarlierText(
                "Va bene martedì mattina, il prima possibile",
                datetime(2026, 11, 17, 11, 26, tzinfo=UTC),
                from_phone=True,
            ),
            EarlierText(
                "Buongiorno, per gli esami ci sono posti martedì 24 o giovedì 26. Quale preferisce?",
                datetime(2026, 11, 17, 10, 55, tzinfo=UTC),
                from_phone=False,
            ),
        ),
    )
    return words(parts(mail)[1])


async def take(browser: Browser, width: int) -> bytes:
    """The example in a window of this width, in PNG."""
    page = await browser.new_page(viewport={"width": width, "height": 100})
    await page.set_content(example())
    picture = await page.screenshot(full_page=True)
    await page.close()
    return picture


async def _write() -> None:
    async with open_browser() as browser:
        for name, width in WIDTHS.items():
            (FOLDER / name).write_bytes(await take(browser, width))


if __name__ == "__main__":
    asyncio.run(_write())
