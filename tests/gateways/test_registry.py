"""A section `[gateways.NAME]` becomes a gateway, or a sentence that says what to write instead."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bridge.errors import SettingsError, SettingsErrors
from bridge.gateways.configured import open_gateways
from bridge.gateways.registry import PROVIDERS, build
from bridge.settings import GatewaySettings, Settings
from bridge.types import National
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


@pytest.mark.parametrize(
    ("kind", "url", "options", "is_fine"),
    [
        pytest.param("smpp", "smpp://127.0.0.1:2775", {}, True, id="SMPP"),
        pytest.param("smpp", "smpp://127.0.0.1:2775", {"long": "payload"}, False, id="SMPP without headers of ours"),
        pytest.param("smpp", "smpp://127.0.0.1:2775", {"long": "sar"}, False, id="SMPP with parameters"),
        pytest.param("smpp", "smpp://127.0.0.1:2775", {"alphabet": "latin1"}, False, id="SMPP without septets"),
        pytest.param("vonage", "", {}, False, id="a provider that cuts texts itself"),
    ],
)
def test_national_tables_are_for_gateways_that_carry_them(
    kind: str, url: str, options: dict[str, str], is_fine: bool
) -> None:
    gateway = GatewaySettings(
        kind=kind,
        url=url,
        account="a",
        secret=SecretStr("x"),
        options=options,
        shift_tables=(National.TURKISH, National.URDU),
    )
    settings = Settings(gateways={"main": gateway})
    if is_fine:
        main = open_gateways(settings)["main"]
        assert main.traits.shifts == {National.TURKISH, National.URDU}
        return
    with pytest.raises(SettingsErrors) as caught:
        open_gateways(settings)
    assert [complaint.sentence for complaint in caught.value.complaints] == [
        "gateways.main.shift_tables = turkish, urdu: this gateway carries no national tables, or not with these "
        "options; leave it out"
    ]
