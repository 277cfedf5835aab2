"""A simulated phone sends a picture: through the network and the gateway, which fetches it, to the bridge."""

from __future__ import annotations

import base64

import pytest

from bridge.types import MediaKind
from tests.simulator.world import SECRET, SENDER, World, sms

PHONE = "+393470000123"
REPLIES = f"/simulator/api/phones/{PHONE}/replies"
JPEG = b"\xff\xd8\xff\xe0 a picture"


def file(content: bytes = JPEG, kind: str = "image/jpeg") -> dict[str, str]:
    return {"type": kind, "data": base64.b64encode(content).decode()}


async def test_a_phone_sends_a_picture_with_words(world: World) -> None:
    await world.gateway.submit(sms(PHONE))
    answer = await world.http.post(REPLIES, json={"text": "Ecco", "media": [file()]})
    assert answer.status_code == 201
    await world.bridge.wait_for(2)
    (heard,) = world.bridge.inbound
    (picture,) = heard.enclosed.files
    assert (heard.text, heard.media, picture.kind) == ("Ecco", (), MediaKind.JPEG)
    assert base64.b64decode(picture.base64) == JPEG


async def test_a_phone_sends_what_phones_send(world: World) -> None:
    """Without words in the SMS itself: a layout, a text and a file that is not passed on."""
    parts = [file(b"<smil/>", "application/smil"), file(b"Ecco", "text/plain; charset=utf-8")]
    parts.append(file(b"%PDF-1.7", "application/pdf"))
    answer = await world.http.post(REPLIES, json={"to": SENDER, "media": parts})
    assert answer.status_code == 201
    await world.bridge.wait_for(1)
    (heard,) = world.bridge.inbound
    assert (heard.text, heard.enclosed.files, heard.enclosed.left_out) == ("Ecco", (), ("application/pdf",))


@pytest.mark.parametrize(
    "body",
    [
        {"media": []},
        {"media": "x"},
        {"media": [{}]},
        {"media": [file()] * 11},
        {"media": [{"type": "image/jpeg", "data": "no base64"}]},
        {"media": [{"type": "a\r\nb: c", "data": ""}]},
        {"text": "", "media": None},
    ],
)
async def test_a_careless_call_is_told_what_is_wrong(world: World, body: dict[str, object]) -> None:
    answer = await world.http.post(REPLIES, json={"to": SENDER, **body})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(("'media' must be a list", "'text' must hold"))


async def test_the_files_of_a_phone_are_for_the_bridge_alone(world: World) -> None:
    await world.http.post(REPLIES, json={"to": SENDER, "media": [file()]})
    await world.bridge.wait_for(1)
    media = "/simulator/provider/media"
    assert (await world.http.get(f"{media}/1")).status_code == 401
    bearer = {"Authorization": f"Bearer {SECRET}"}
    assert (await world.http.get(f"{media}/1", headers=bearer)).status_code == 404
