"""Alphabets on the road: what a bridge writes with national tables is what the phone shows, and costs fewer SMS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.operation.served import Served
from tests.road.demo_process import DOMAIN, LOGIN, PATIENCE, compose, eventually
from tests.servers.web import web

PHONE = "+393331234567"
PORTUGUESE = "A sua consulta é amanhã às 9 h. Não é preciso jejum; traga os exames do coração e a medicação que toma."
TURKISH = "Randevunuz yarın saat 9'da. Şişli şubemize gelmeden önce açık kimliğinizi yanınıza alınız, teşekkür ederiz."


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A bridge whose provider carries two tables."""
    folder = tmp_path_factory.mktemp("alphabets")
    served = Served(folder, folder / "data", gateway='shift_tables = ["turkish", "portuguese"]')
    try:
        yield served.start()
    finally:
        served.stop()


@pytest.mark.parametrize(
    ("number", "text", "encoding", "shift", "segments"),
    [
        pytest.param("+393331234501", "Domani alle 9", "gsm7", None, 1, id="the default alphabet"),
        pytest.param("+393331234502", TURKISH, "gsm7", "turkish", 1, id="Turkish in one SMS, not two"),
        pytest.param("+393331234503", PORTUGUESE, "gsm7", "portuguese", 1, id="Portuguese"),
        pytest.param("+393331234504", "Γειά σου αύριο", "ucs2", None, 1, id="a language without permitted tables"),
        pytest.param("+393331234505", "Domani “alle 9”…", "gsm7", None, 1, id="look-alikes need no table"),
    ],
)
def test_the_phone_shows_what_was_meant(
    bridge: Served, number: str, text: str, encoding: str, shift: str | None, segments: int
) -> None:
    bridge.send(number, text)
    (shown,) = eventually(lambda: texts(bridge, number))
    assert (shown["encoding"], shown.get("shift"), shown["segments"]) == (encoding, shift, segments)
    plain = text.replace("“", '"').replace("”", '"').replace("…", "...")
    assert shown["text"] == plain


def test_preview_says_the_same(bridge: Served) -> None:
    mail = bridge.folder / "mail.eml"
    mail.write_bytes(compose(LOGIN, [f"{PHONE}@{DOMAIN}"], TURKISH).as_bytes())
    (message,) = json.loads(bridge.command("preview", str(mail), "--to", f"{PHONE}@{DOMAIN}", "--json"))["messages"]
    assert (message["encoding"], message["shift"], message["segments"]) == ("gsm7", "turkish", 1)
    assert message["units"] + message["units_left"] == 155  # a header of its own takes five septets (TS 23.040)


def test_a_flash_text_is_shown_at_once(bridge: Served) -> None:
    number = "+393331234506"
    bridge.send(f"{number}+flash", "Venga subito")
    (shown,) = eventually(lambda: texts(bridge, number))
    assert shown["flash"] is True


def texts(bridge: Served, number: str) -> list[dict[str, Any]]:
    """What a phone got."""
    got: list[dict[str, Any]] = web.get(f"{bridge.phones}/phones/{number}", timeout=PATIENCE).json()["messages"]
    return got
