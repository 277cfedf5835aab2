"""A section `[gateways.NAME]` becomes a gateway, or a sentence that says what to write instead."""

from __future__ import annotations

import pytest

from bridge.errors import SettingsError
from bridge.gateways.registry import PROVIDERS, build
from tests.gateways import matrix
from tests.gateways.cases import connection


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        pytest.param(
            "pigeon", {}, 'gateways.main.kind = "pigeon": no such provider; write one of: 46elks, ', id="kind"
        ),
        pytest.param("simulator", {}, "gateways.main.url = (not set): ", id="url"),
        pytest.param(
            "twilio",
            {"account": "AC1"},
            "gateways.main.secret = (not set): Twilio needs it; write it or secret_file",
            id="secret",
        ),
        pytest.param(
            "twilio", {"secret": "x"}, "gateways.main.account = (not set): Twilio needs it; write it", id="account"
        ),
        pytest.param(
            "46elks",
            {"account": "a", "secret": "x", "options": {"plan": "gold"}},
            'gateways.main.options.plan = "gold": 46elks has no such option; it has: none',
            id="option",
        ),
    ],
)
def test_every_bad_section_gets_its_sentence(kind: str, given: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build(kind, connection(**given))
    assert str(caught.value).startswith(sentence)


def test_every_kind_has_its_page_and_says_what_it_wants() -> None:
    assert [provider.kind for provider in PROVIDERS] == sorted(provider.kind for provider in PROVIDERS)
    for provider in PROVIDERS:
        assert provider.title, provider.kind
        assert all(option.meaning and not option.meaning.endswith(".") for option in provider.options), provider.kind


def test_the_page_of_providers_says_what_the_gateways_declare() -> None:
    assert matrix.PAGE.read_text(encoding="utf-8") == matrix.page(), "run: python -m tests.gateways.matrix"
