"""The phone page in a real browser: live, by keyboard, on a phone's screen, and never fooled by what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bridge.demo import Demo
from bridge.simulator.mail_client import BridgeDoor
from tests.servers.ports import free_port
from tests.simulator.world import Bridge, World, run_world, sms

PHONE = "+393470000123"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"> </textarea><script>document.title='owned'</script>"
REPORT = (
    b"From: SMS delivery <postmaster@sms.example.test>\r\nTo: clinic@example.test\r\nSubject: Re: Tomorrow\r\n"
    b"Message-ID: <report-1@sms.example.test>\r\nX-SMS-Status: undelivered\r\n\r\nThe phone was out of reach.\r\n"
)


def reply(text: str) -> bytes:
    """A phone's answer as the bridge mails it."""
    return (
        f"From: {PHONE}@sms.example.test\r\nTo: clinic@example.test\r\nSubject: Re: Tomorrow\r\n"
        f"Message-ID: <reply-1@sms.example.test>\r\nX-SMS-Match: latest\r\n\r\n{text}\r\n"
    ).encode()


@pytest_asyncio.fixture
async def demo(tmp_path: Path) -> AsyncIterator[World]:
    """A simulator that knows a bridge, whose mail door does not answer."""
    door = BridgeDoor("127.0.0.1", free_port(), {"clinic@example.test": "x"}, "sms.example.test", PHONE)
    async with run_world(tmp_path, Bridge(), door) as running:
        yield running


@pytest_asyncio.fixture
async def page(browser: Browser, demo: World) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(str(demo.http.base_url))
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    yield page
    await page.close()
    assert problems == []


async def test_the_first_look_says_what_to_do(page: Page) -> None:
    await expect(page.get_by_text("This phone waits for its first text.")).to_be_visible()
    await expect(page.locator("#command")).to_contain_text("s.login('clinic@example.test', 'x')")
    await expect(page.locator("#command")).to_contain_text(f"'{PHONE}@sms.example.test'")


async def test_a_text_arrives_while_one_watches(page: Page, demo: World) -> None:
    await demo.gateway.submit(sms(PHONE, "Ci vediamo domani"))
    await expect(page.get_by_role("list", name="Texts on this phone")).to_contain_text("Ci vediamo domani")
    await expect(page.get_by_text("1 SMS, GSM 7-bit")).to_be_visible()


async def test_a_text_to_another_phone_brings_that_phone_up(page: Page, demo: World) -> None:
    await demo.gateway.submit(sms("+393470000777", "per Anna"))
    await expect(page.get_by_label("Which phone")).to_have_value("+393470000777")
    await expect(page.get_by_text("per Anna")).to_be_visible()


async def test_an_answer_is_typed_and_sent_by_keyboard(page: Page, demo: World) -> None:
    await demo.gateway.submit(sms(PHONE))
    await expect(page.get_by_text("Ciao")).to_be_visible()
    await page.get_by_label("Answer from the phone").focus()
    await page.keyboard.type("SI, ci sono")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Sent to the bridge.")).to_be_visible()
    await demo.bridge.wait_for(2)
    assert [heard.text for heard in demo.bridge.inbound] == ["SI, ci sono"]


async def test_mails_arrive_as_threads_with_their_status(page: Page, demo: World) -> None:
    await demo.mail(["clinic@example.test"], REPORT)
    thread = page.locator("#threads .thread")
    await expect(thread.get_by_role("heading", name="Tomorrow")).to_be_visible()
    await expect(thread.get_by_text("The phone was out of reach.")).to_be_visible()
    await expect(thread.get_by_text("Not delivered").first).to_be_visible()


async def test_hostile_words_stay_words(page: Page, demo: World) -> None:
    await demo.gateway.submit(sms(PHONE, HOSTILE))
    await demo.mail(["clinic@example.test"], reply(HOSTILE))
    await expect(page.locator("#texts .words")).to_have_text(HOSTILE)
    await expect(page.locator("#threads .words")).to_have_text(HOSTILE)
    assert await page.title() == "Email to SMS: try it here"


async def test_a_bridge_that_does_not_answer_is_said_in_a_sentence(page: Page) -> None:
    await page.locator("#compose").get_by_role("button", name="Send").click()
    await expect(page.get_by_text("The bridge's mail door does not answer.")).to_be_visible()
    await expect(page.get_by_label("Message")).not_to_have_value("")


@pytest.mark.parametrize("pane", ["Mailbox", "Phone"])
async def test_a_small_screen_shows_one_pane_and_never_scrolls_sideways(page: Page, demo: World, pane: str) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await demo.gateway.submit(sms(PHONE, "x" * 160))
    await demo.mail(["clinic@example.test"], reply("y" * 300))
    await page.get_by_role("button", name=pane, exact=True).click()
    await expect(page.get_by_role("region", name=pane)).to_be_visible()
    await expect(page.get_by_role("region")).to_have_count(1)
    await expect(page.get_by_text("x" * 160 if pane == "Phone" else "y" * 300)).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_the_page_may_load_only_what_is_its_own(demo: World) -> None:
    policy = (await demo.http.get("/")).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy


async def test_the_whole_road_there_and_back_through_a_real_bridge(browser: Browser, tmp_path: Path) -> None:
    demo = Demo(tmp_path, smtp_port=0, http_port=0)
    await demo.start()
    page = await browser.new_page()
    try:
        await page.goto(f"http://127.0.0.1:{demo.http_port}/")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await page.get_by_label("Message").fill("Ci vediamo domani alle 9?")
        await page.keyboard.press("Enter")
        texts, thread = page.locator("#texts .words"), page.locator("#threads .thread .letter")
        await expect(texts).to_have_text(["Ci vediamo domani alle 9?"])
        await page.get_by_label("Answer from the phone").fill("SÌ 👍")
        await page.keyboard.press("Enter")
        await expect(thread).to_have_count(2)
        await expect(thread.nth(1)).to_contain_text("SÌ 👍")
        await page.get_by_label("Answer by mail").fill("Grazie, a domani")
        await page.keyboard.press("Enter")
        await expect(texts).to_have_text(["Ci vediamo domani alle 9?", "SÌ 👍", "Grazie, a domani"])
        await page.get_by_label("What happens on the way").select_option(label="The phone is out of reach")
        await page.get_by_label("Message").fill("Non arriverà")
        await page.keyboard.press("Enter")
        await expect(page.locator("#threads .thread").first.locator("summary")).to_contain_text("Not delivered")
    finally:
        await page.close()
        await demo.stop()
