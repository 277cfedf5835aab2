"""`bridge blocks`: phones that are not texted, listed, blocked and let in again by the operator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import Done, run
from tests.cli.conftest import configured, copied

LOGIN = "reception@clinic.example"
OTHER = "radiology@clinic.example"
PHONE = "+393331234567"
Blocks = Callable[..., Done]


@pytest.fixture(scope="module")
def with_mailboxes(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with two mailboxes, each with a number of its own, and no block."""
    config = copied(tables, configured(tmp_path_factory.mktemp("blocks")))
    for login, sender in ((LOGIN, "+390200000042"), (OTHER, "+390200000043")):
        add = ("mailbox", "add", login, "--sender", sender, "--network", "10.0.0.0/8")
        assert run(*add, "--config", config).code == 0
    return config


@pytest.fixture
def blocks(config: Path, with_mailboxes: Path) -> Blocks:
    copied(with_mailboxes, config)

    def command(*arguments: object) -> Done:
        return run("blocks", *arguments, "--config", config)

    return command


def test_a_phone_is_blocked_listed_and_let_in_again(blocks: Blocks) -> None:
    assert blocks("list").out == "No phone is blocked.\n"
    added = blocks("add", LOGIN, "333 123 4567")
    assert (added.code, added.err) == (0, "")
    assert added.out == f"{PHONE} is blocked for {LOGIN}. It can lift this by texting START.\n"
    assert "was blocked before" in blocks("add", LOGIN, PHONE).out
    assert blocks("list", OTHER).out == "No phone is blocked.\n"
    (document,) = blocks("list", LOGIN, "--json").document
    since = document.pop("since")
    assert document == {"number": PHONE, "sender": "+390200000042", "kind": "set"}
    assert blocks("list").out == f"{PHONE}  from +390200000042  since {since[:10]}  it was blocked here\n"
    removed = blocks("remove", LOGIN, PHONE)
    assert (removed.code, removed.out) == (0, f"{PHONE} may be texted by {LOGIN} again.\n")
    again = blocks("remove", LOGIN, PHONE)
    assert (again.code, f"is not blocked for {LOGIN}" in again.sentence) == (1, True)


@pytest.mark.parametrize("verb", ["add", "remove"])
def test_what_is_no_phone_is_refused(blocks: Blocks, verb: str) -> None:
    done = blocks(verb, LOGIN, "12")
    assert (done.code, "too short for a telephone number" in done.sentence) == (2, True)


def test_an_unknown_mailbox_is_refused(blocks: Blocks) -> None:
    assert "There is no mailbox" in blocks("add", "nobody@clinic.example", PHONE).sentence
