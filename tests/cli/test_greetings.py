"""`bridge greetings`: what a mailbox texts by itself to phones that ask for nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge import clock
from tests.cli.commands import Done, run
from tests.cli.conftest import configured, copied

LOGIN = "reception@clinic.example"
NOTHING = f"{LOGIN}:\n  It texts nothing by itself but answers to STOP, START, HELP and its keywords.\n"
Greetings = Callable[..., Done]


@pytest.fixture(scope="module")
def with_a_mailbox(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with one mailbox in Rome."""
    config = copied(tables, configured(tmp_path_factory.mktemp("greetings")))
    add = ("mailbox", "add", LOGIN, "--sender", "+390200000042", "--network", "10.0.0.0/8", "--max-segments", "2")
    assert run(*add, "--config", config).code == 0
    return config


@pytest.fixture
def greetings(config: Path, with_a_mailbox: Path) -> Greetings:
    copied(with_a_mailbox, config)

    def command(*arguments: object) -> Done:
        return run("greetings", *arguments, "--config", config)

    return command


def test_greetings_are_set_shown_changed_and_taken_away(
    greetings: Greetings, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 21, 12, tzinfo=UTC))  # a Saturday, 13:00 in Rome
    assert greetings("show").out == NOTHING
    unprompted = greetings("set", LOGIN, "--unprompted", " Scrivete a info@clinic.example. ")
    assert (unprompted.code, unprompted.err) == (0, "")
    said = '  A phone that writes unasked is texted: "Scrivete a info@clinic.example." (1 SMS)\n'
    assert unprompted.out == f"{LOGIN}:\n{said}"
    plan = "fri-mon 9:00-12:00, tue 20:00-02:00"
    done = greetings("set", LOGIN, "--hours", plan, "--closed", "Siamo chiusi. " * 12)
    hours = "Mon 09:00-12:00, Tue 20:00-02:00, Fri-Sun 09:00-12:00"
    assert done.out == (
        f"{LOGIN}:\n  Opening hours: {hours} (Europe/Rome); it is closed until 2026-11-22 09:00.\n"
        f'  Outside them a phone is texted: "{("Siamo chiusi. " * 12).strip()}" (2 SMS)\n{said}'
    )
    assert greetings("show", LOGIN).out == done.out
    (document,) = greetings("show", "--json").document
    assert document == {
        "mailbox": LOGIN,
        "unprompted": "Scrivete a info@clinic.example.",
        "hours": hours,
        "closed": ("Siamo chiusi. " * 12).strip(),
        "open": False,
    }
    mailbox = run("mailbox", "show", LOGIN, "--json", "--config", config).document
    assert [mailbox[name] for name in ("unprompted", "hours", "closed")] == [
        document[name] for name in ("unprompted", "hours", "closed")
    ]
    assert run("mailbox", "pause", LOGIN, "--config", config).code == 0
    assert greetings("show").out.endswith("  It is paused, so nothing is texted now.\n")
    assert "there is no --closed TEXT" in greetings("set", LOGIN, "--closed", "none").out
    assert greetings("set", LOGIN, "--hours", "none", "--unprompted", "").out == NOTHING


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Name what is to change: --unprompted TEXT, --hours PLAN or --closed TEXT."),
        (("--closed", "Siamo chiusi."), "Say with --hours PLAN when the mailbox is open"),
        (("--closed", "Siamo chiusi.", "--hours", "none"), "Say with --hours PLAN"),
        (("--hours", "9-18"), "9-18 names no days"),
        (("--hours", "Mon-Fri 9-18"), "9-18 is no span of hours."),
        (("--unprompted", "x" * 400), "--unprompted takes 3 SMS; those of reception@clinic.example may take 2."),
        (("--closed", "x" * 400, "--hours", "Mon 09:00-18:00"), "--closed takes 3 SMS"),
        (("--unprompted", "x" * 50_000), "SMS"),
    ],
)
def test_what_cannot_be_done_is_said(greetings: Greetings, arguments: tuple[str, ...], complaint: str) -> None:
    done = greetings("set", LOGIN, *arguments)
    assert (done.code, complaint in done.sentence) == (2, True), done.err
    assert greetings("show").out == NOTHING


def test_hours_do_not_go_without_the_text_for_when_it_is_closed(greetings: Greetings) -> None:
    assert greetings("set", LOGIN, "--hours", "Mon 09:00-18:00", "--closed", "Chiuso.").code == 0
    done = greetings("set", LOGIN, "--hours", "none")
    assert (done.code, "--closed none" in done.sentence) == (2, True)
    assert greetings("set", LOGIN, "--hours", "Tue 09:00-18:00").code == 0


def test_a_mailbox_that_is_not_there_has_no_greetings(greetings: Greetings) -> None:
    assert greetings("set", "nobody@x", "--unprompted", "Ciao").code == 1
    assert greetings("show", "nobody@x").code == 1
