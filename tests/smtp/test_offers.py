"""What EHLO offers and what is said of it: the page for integrators names all of it, and a client may use all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import smtp_greeting
from tests.smtp.conftest import NUMBER, House

PAGE = (Path(__file__).parents[2] / "docs" / "smtp.md").read_text(encoding="utf-8")


async def offers(house: House) -> list[str]:
    client = await house.connect()
    lines = (await client.say("EHLO pc.example.test")).splitlines()
    return [line[4:].partition(" ")[0] for line in lines[1:]]


async def test_what_is_offered_is_explained(house: House) -> None:
    for offer in await offers(house):
        assert f"| `{offer}` |" in PAGE, f"docs/smtp.md has no row for {offer}"
        assert offer == "HELP" or offer in (smtp_greeting.__doc__ or "")


async def test_what_is_explained_is_offered(house: House) -> None:
    rows = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `") and "smtp." not in line[:8]]
    assert rows == await offers(house)


@pytest.mark.parametrize(
    ("parameters", "of_recipient"),
    [
        ("SIZE=100 BODY=8BITMIME SMTPUTF8", ""),
        ("RET=HDRS ENVID=a AUTH=<>", "NOTIFY=SUCCESS ORCPT=rfc822;a@b.example"),
        ("HOLDFOR=999 BY=9999;RT MT-PRIORITY=4", ""),
    ],
)
async def test_the_parameters_of_the_offers_are_taken(house: House, parameters: str, of_recipient: str) -> None:
    client = await house.logged_in()
    assert (await client.say(f"MAIL FROM:<clinic@example.test> {parameters}")).startswith("250 2.1.0 ")
    assert (await client.say(f"RCPT TO:{NUMBER} {of_recipient}")).startswith("250 2.1.5 ")
