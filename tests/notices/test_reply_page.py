"""The HTML part of a reply mail in a real browser, as wide as a phone and as a desktop: readable, and nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page

from bridge.types import EarlierText, Language, Match
from tests.notices.pictures import WIDTHS, example, take
from tests.notices.samples import SENT, parts, reply, words

Show = Callable[..., Awaitable[Page]]

URL = "https://example.test/" + "a" * 900
HOSTILE = (
    "<script>document.title='owned'</script><img src='http://127.0.0.1:9/x.png' onerror=\"document.title='owned'\">"
    '</p></div></blockquote><style>*{display:none}</style><a href="javascript:alert(1)">click</a><iframe src=//x>'
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'> {0} {body} %s \u202e &lt; " + URL
)

_CONTRASTS = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((each) => {
      const share = each / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const probe = document.createElement("i");
  probe.style.color = "Canvas";
  document.body.append(probe);
  const ground = light(getComputedStyle(probe).color);
  probe.remove();
  const told = {};
  for (const node of document.querySelectorAll("p, blockquote > div, .earlier")) {
    const ink = light(getComputedStyle(node).color);
    told[node.innerText] = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
  }
  return told;
}"""
"""The contrast of every text with the ground it stands on (WCAG 2.1, contrast ratio)."""

_SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_MADE = "() => [...new Set([...document.body.querySelectorAll('*')].map((each) => each.localName))].sort()"


@pytest.fixture(params=[360, 1280], ids=["phone", "desktop"])
async def show(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Show]:
    """Opens an HTML part; whatever it asks the network for, and whatever it opens, fails the test."""
    asked: list[str] = []
    opened: list[Page] = []

    async def shown(part: str, scheme: Literal["light", "dark"] = "light") -> Page:
        page = await browser.new_page(viewport={"width": request.param, "height": 640}, color_scheme=scheme)
        opened.append(page)
        page.on("request", lambda each: asked.append(each.url))
        page.on("dialog", lambda each: asked.append(each.message))
        page.on("pageerror", lambda each: asked.append(str(each)))
        await page.set_content(part)
        return page

    yield shown
    for page in opened:
        await page.close()
    assert asked == []


def part(**changes: Any) -> str:
    """The HTML part of a mail with an answer."""
    return words(parts(reply(**changes))[1])


def everything(text: str) -> str:
    """A mail that says all it can, with `text` wherever another's words stand."""
    return part(
        language=Language.ITALIAN,
        text=text,
        contact=text,
        match=Match.AMBIGUOUS,
        candidates=("clinic@example.test", text),
        stopped=True,
        resumed=True,
        earlier=(EarlierText(text, SENT, from_phone=True), EarlierText(text, SENT, from_phone=False)),
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Sì, confermo. Devo venire a digiuno?", id="an answer"),
        pytest.param(URL, id="a long address"),
        pytest.param("w" * 1500, id="a long word"),
        pytest.param("👩‍👩‍👧" * 200, id="a row of emoji"),
        pytest.param("مرحبا" * 200, id="a long word from right to left"),
        pytest.param("a\n" * 60, id="many lines"),
    ],
)
async def test_nothing_is_wider_than_the_window_and_the_words_stand_first(show: Show, text: str) -> None:
    page = await show(everything(text))
    assert await page.evaluate(_SIDEWAYS) == 0
    first = page.locator("p").first
    assert await first.inner_text() == text.strip()
    box = await first.bounding_box()
    assert box is not None
    assert box["y"] < 40, "the words begin at the top"
    others = page.locator("p:not(:first-of-type), blockquote")
    tops = [found["y"] for each in await others.all() if (found := await each.bounding_box()) is not None]
    assert len(tops) == 6
    assert min(tops) >= box["y"] + box["height"], "and all else stands below them"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_its_ground(show: Show, scheme: Literal["light", "dark"]) -> None:
    page = await show(everything("Sì"), scheme)
    contrasts: dict[str, float] = await page.evaluate(_CONTRASTS)
    assert len(contrasts) >= 6
    assert min(contrasts.values()) >= 7, "WCAG 2.1, level AAA"
    assert contrasts["Sì"] >= 7


async def test_what_a_phone_writes_is_words_and_no_more(show: Show) -> None:
    page = await show(everything(HOSTILE))
    await page.wait_for_load_state("networkidle")
    assert await page.title() == ""
    assert await page.evaluate(_MADE) == ["blockquote", "div", "p"]
    assert (await page.locator("p").first.inner_text()).startswith("<script>document.title='owned'</script><img")
    assert await page.evaluate(_SIDEWAYS) == 0


@pytest.mark.parametrize(
    ("text", "direction"),
    [("Sì, confermo", "ltr"), ("مرحبا، نعم", "rtl"), ("מחר בשמונה", "rtl"), ("+39 333 123 4567", "ltr")],
)
async def test_every_text_runs_in_its_own_direction(show: Show, text: str, direction: str) -> None:
    earlier = (EarlierText(text, SENT, from_phone=True), EarlierText("Domani?", SENT, from_phone=False))
    page = await show(part(text=text, earlier=earlier))
    of = "(nodes) => nodes.map((each) => getComputedStyle(each).direction)"
    assert await page.locator("p").first.evaluate("(each) => getComputedStyle(each).direction") == direction
    assert await page.locator("blockquote > div").evaluate_all(of) == [direction, "ltr"]


async def test_the_pictures_of_the_documentation_can_be_taken(browser: Browser) -> None:
    assert "Giulia Bianchi (+39 333 123 4567) ha scritto:" in example()
    for width in WIDTHS.values():
        assert (await take(browser, width)).startswith(b"\x89PNG")
