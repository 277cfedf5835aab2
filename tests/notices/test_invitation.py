"""An invitation is worded in the mailbox's language and at its hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from bridge.notices.invitation import summary
from bridge.types import Invitation, Language

VISIT = Invitation(
    "Visita",
    "Via Roma 1",
    datetime(2026, 3, 3, 9, 15, tzinfo=UTC),
    datetime(2026, 3, 3, 9, 45, tzinfo=UTC),
    cancelled=False,
    repeats=False,
)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (Language.ENGLISH, "Invitation: Visita\n3 March 2026, 10:15-10:45\nVia Roma 1"),
        (Language.ITALIAN, "Invito: Visita\n3 marzo 2026, ore 10:15-10:45\nVia Roma 1"),
        (Language.SPANISH, "Invitación: Visita\n3 de marzo de 2026, 10:15-10:45\nVia Roma 1"),
        (Language.DUTCH, "Uitnodiging: Visita\n3 maart 2026, 10:15-10:45 uur\nVia Roma 1"),
    ],
)
def test_languages(language: Language, text: str) -> None:
    assert summary(VISIT, language, "Europe/Rome") == text


@pytest.mark.parametrize(
    ("invitation", "text"),
    [
        pytest.param(
            replace(VISIT, cancelled=True),
            "Annullato: Visita\n3 marzo 2026, ore 10:15-10:45\nVia Roma 1",
            id="cancelled",
        ),
        pytest.param(
            replace(VISIT, repeats=True, place=""),
            "Invito: Visita\n3 marzo 2026, ore 10:15-10:45 (primo di una serie)",
            id="first of several, no place",
        ),
        pytest.param(
            replace(VISIT, end=None, title="", place=""),
            "Invito: Appuntamento\n3 marzo 2026, ore 10:15",
            id="no end, no title",
        ),
        pytest.param(
            replace(VISIT, end=datetime(2026, 3, 4, 23, 30, tzinfo=UTC), place=""),
            "Invito: Visita\n3 marzo 2026, ore 10:15 - 5 marzo 2026, ore 00:30",
            id="several days",
        ),
        pytest.param(
            replace(VISIT, start=datetime.fromisoformat("2026-03-03T09:15"), end=None, place=""),
            "Invito: Visita\n3 marzo 2026, ore 09:15",
            id="no zone",
        ),
        pytest.param(
            replace(VISIT, start=date(2026, 3, 3), end=None, place=""), "Invito: Visita\n3 marzo 2026", id="all day"
        ),
        pytest.param(
            replace(VISIT, start=date(2026, 3, 3), end=date(2026, 3, 5), place=""),
            "Invito: Visita\n3 marzo 2026 - 5 marzo 2026",
            id="three whole days",
        ),
    ],
)
def test_what_is_said(invitation: Invitation, text: str) -> None:
    assert summary(invitation, Language.ITALIAN, "Europe/Rome") == text
