"""docs/addresses.md: every spelling that the page shows means what the page says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.addressing import targets
from bridge.types import Deferred, Destination, Recipient
from tests.addressing.house import DOMAIN, GROUND, JOSE, MARIO, address_book, decided, meant
from tests.clinic import CLINIC

PAGE = (Path(__file__).parents[2] / "docs" / "addresses.md").read_text(encoding="utf-8")
BOOK = {"Mario Rossi": MARIO, "José García": JOSE, "Łukasz Møller": "+393381234567", "Anna D'Angelo": "+393281234567"}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table in a section, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_page_is_read() -> None:
    assert [len(rows(title)) for title in ("A number", "A name", "Options")] == [10, 4, 5]


@pytest.mark.parametrize("local", re.findall(r"`([^`]+)@…`", "\n".join(row[0] for row in rows("A number"))))
def test_every_spelling_of_a_number(local: str) -> None:
    (found,) = meant(local)
    assert isinstance(found, Destination)
    assert found.number == MARIO


@pytest.mark.parametrize(
    ("name", "local"), [(row[0], local) for row in rows("A name") for local in re.findall(r"`([^`]+)@…`", row[1])]
)
def test_every_spelling_of_a_name(name: str, local: str) -> None:
    ground = replace(GROUND, book=address_book(BOOK, {}))
    (found,) = targets(CLINIC, Recipient(f"{local}@{DOMAIN}"), ground)
    assert isinstance(found, Destination)
    assert (found.number, found.contact) == (BOOK[name], name)


@pytest.mark.parametrize("option", [row[0].strip("`") for row in rows("Options")])
@pytest.mark.parametrize("local", ["+393331234567", "mario.rossi", "today", "sms"])
def test_every_option(option: str, local: str) -> None:
    for found in meant(f"{local}{option}"):
        assert isinstance(found, Destination | Deferred)
        assert found.wishes.flash or any((found.wishes.sender, found.wishes.priority, found.wishes.reference,
                                          found.wishes.validity))  # fmt: skip


def test_the_mail_of_a_device() -> None:
    mail = section("A device with one address").split("```")[1].strip().replace("sms.clinic.example", DOMAIN)
    found = decided(f"From: clinic@example.test\n{mail}\n", "sms")
    assert [message.number for message in found.messages] == [MARIO, "+393477654321"]
    assert found.submission.text == "The vaccine fridge is at 9 degrees."
