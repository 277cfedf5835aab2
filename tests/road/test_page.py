"""The first thing anybody sees: a mail sent from a terminal appears on the phone page, and is answered there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from playwright.async_api import Browser, expect

from tests.road.demo_process import DOMAIN, LOGIN, PASSWORD, DemoProcess


async def test_swaks_to_the_phone_page_and_back_into_the_thread(
    browser: Browser, demo: DemoProcess, phone: Callable[..., str]
) -> None:
    number = phone()
    page = await browser.new_page()
    await page.goto(demo.url)
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    message_id = f"<asked-{number[1:]}@client.example.test>"
    await _swaks(demo, number, message_id, "Can you come on Tuesday at 10:30?")

    texts = page.locator("#texts .words")
    await expect(texts).to_have_text(["Can you come on Tuesday at 10:30?"])
    await page.get_by_label("Answer from the phone").fill("Yes, I will be there")
    await page.keyboard.press("Enter")
    letters = page.locator("#threads .thread", has_text="Yes, I will be there").locator(".letter")
    await expect(letters.last).to_contain_text("Yes, I will be there")

    (answer,) = await asyncio.to_thread(demo.answers_to, message_id)
    assert answer["Subject"] == "Re: Tuesday"
    assert message_id in answer["References"]
    await page.get_by_label("Answer by mail").first.fill("See you on Tuesday")
    await page.keyboard.press("Enter")
    await expect(texts.last).to_have_text("See you on Tuesday")
    await page.close()


async def _swaks(demo: DemoProcess, number: str, message_id: str, text: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *("swaks", "--server", f"127.0.0.1:{demo.smtp_port}", "--tls"),
        *("--auth-user", LOGIN, "--auth-password", PASSWORD),
        *("--from", LOGIN, "--to", f"{number}@{DOMAIN}", "--body", text),
        *("--header", "Subject: Tuesday", "--header", f"Message-Id: {message_id}"),
        env={**os.environ, "POSIXLY_CORRECT": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
