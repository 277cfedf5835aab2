"""Files of an MMS are fetched over real HTTP, within every bound; whatever happens to them, the SMS is kept."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import SettingsError
from bridge.gateways import media, media_kinds
from bridge.gateways.connection import stores_of
from bridge.gateways.media import Media
from bridge.gateways.registry import build
from bridge.types import InboundSms, MediaFile, MediaKind
from tests.gateways.cases import NOW, NUMBER, SENDER, connection
from tests.gateways.provider import Fault, Play, Provider, run_provider
from tests.servers.ports import free_port

JPEG = b"\xff\xd8\xff\xe0" + b"a picture of a rash" * 9
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of a form"
SMIL = b'<?xml version="1.0"?>\n<smil><head/><body><par dur="5s"><img src="1.jpg"/></par></body></smil>'
LOGIN = {"Authorization": "Basic dXNlcjpwYXNz"}


@dataclass
class World:
    """A provider's API, a store that it redirects to, and a machine that nobody may be led to."""

    api: Provider
    store: Provider
    inside: Provider
    media: Media

    async def fetch(self, *paths: str, text: str = "Ecco") -> InboundSms:
        addresses = tuple(self.api.url + path if re.match("/[a-z0-9]", path) else path for path in paths)
        sms = InboundSms("main", "1", NUMBER, SENDER, text, NOW, media=addresses)
        return await self.media.complete(sms)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(media, "PAUSES", (0.01, 0.01, 0.01))
    async with run_provider() as api, run_provider() as store, run_provider() as inside:
        fetching = Media(f"{api.url}/v2", (store.url,), lambda: LOGIN)
        yield World(api, store, inside, fetching)
        await fetching.close()


def contents(sms: InboundSms) -> list[bytes]:
    return [base64.b64decode(file.base64) for file in sms.enclosed.files]


def picture(content: bytes = JPEG, content_type: str = "image/jpeg") -> Play:
    return Play(200, headers={"Content-Type": content_type}, octets=content)


def moved(to: str, status: int = 307) -> Play:
    return Play(status, "", {"Location": to})


# ------------------------------------------------------------------------------------------------ as it should be


async def test_a_picture_comes_with_its_sms(world: World) -> None:
    world.api.script.append(picture())
    sms = await world.fetch("/media/1")
    assert (sms.text, contents(sms), sms.enclosed.files[0].kind) == ("Ecco", [JPEG], MediaKind.JPEG)
    assert (sms.media, sms.enclosed.missing, sms.enclosed.left_out) == ((), 0, ())
    assert world.api.seen[0].target == "/media/1"
    assert world.api.seen[0].headers["authorization"] == LOGIN["Authorization"]


async def test_the_store_that_the_provider_redirects_to_gets_no_login(world: World) -> None:
    world.api.script.append(moved(f"{world.store.url}/signed?key=1"))
    world.store.script.append(picture())
    assert contents(await world.fetch("/media/1")) == [JPEG]
    assert world.store.seen[0].target == "/signed?key=1"
    assert "authorization" not in world.store.seen[0].headers


async def test_a_store_that_leads_back_to_the_api_is_followed(world: World) -> None:
    world.store.script.append(moved(f"{world.api.url}/media/1", 302))
    world.api.script.append(picture())
    assert contents(await world.fetch(f"{world.store.url}/1")) == [JPEG]


async def test_several_files_keep_their_order(world: World) -> None:
    world.store.script.append(picture(PNG))
    world.api.script.append(picture())
    sms = await world.fetch("/media/1", f"{world.store.url}/2")
    assert [file.kind for file in sms.enclosed.files] == [MediaKind.JPEG, MediaKind.PNG]


async def test_words_join_the_text_and_the_layout_is_dropped(world: World) -> None:
    for content, content_type in (
        (SMIL, "application/smil"),
        ("Sono le 9, perché?".encode(), "text/plain; charset=utf-8"),
        ("perché no".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        (b"Ecco", "text/plain"),
    ):
        world.api.script.append(picture(content, content_type))
        sms = await world.fetch("/part")
        assert not sms.enclosed
        assert sms.text in ("Ecco", "Ecco\nSono le 9, perché?", "Ecco\nperché no")
    assert len(world.api.seen) == 4


async def test_words_alone_are_the_text(world: World) -> None:
    world.api.script.append(picture("Sì ☎".encode(), "text/plain; charset=utf-8"))
    sms = await world.fetch("/part", text="")
    assert (sms.text, bool(sms.enclosed)) == ("Sì ☎", False)


@pytest.mark.parametrize(
    "first",
    [Play(404), Play(503), Play(429), Fault.HANGS_UP_AFTER_READING, Fault.HALF_AN_ANSWER, Fault.NO_HTTP],
    ids=["not there yet", "broken", "too fast", "hangs up", "half of it", "no HTTP"],
)
async def test_what_may_help_is_tried_again(world: World, first: Play | Fault) -> None:
    world.api.script.extend([first, picture()])
    sms = await world.fetch("/media/1")
    assert (contents(sms), sms.enclosed.missing) == ([JPEG], 0)


# ----------------------------------------------------------------------------------------------------- hostile


async def test_what_is_no_harmless_file_is_left_out_and_named(world: World) -> None:
    kinds = {
        "application/pdf": b"%PDF-1.7",
        "text/html": b"<html><script>",
        "image/svg+xml": b"<svg xmlns=''><script/></svg>",
        "image/jpeg": b"MZ\x90\0 a program that says it is a picture",
        "application/zip": b"PK\x03\x04",
    }
    for content_type, content in kinds.items():
        world.api.script.append(picture(content, content_type))
    found = [(await world.fetch("/media/1")).enclosed for _ in kinds]
    assert [each.left_out for each in found] == [(content_type,) for content_type in kinds]
    assert not any(each.files or each.missing for each in found)


@pytest.mark.parametrize("named", ["", "nonsense", "x" * 300 + "/y", "a/b<script>", "\xff/\xfe"])
async def test_a_type_that_makes_no_sense_is_not_shown(world: World, named: str) -> None:
    world.api.script.append(picture(b"???", named))
    assert (await world.fetch("/media/1")).enclosed.left_out == ("",)


@pytest.mark.parametrize(
    "charset", ["*=utf-8; charset*0=utf-8", "*" + "9" * 5_000 + "=utf-8", "*=\0'a'utf-8"], ids=range(3)
)
def test_a_charset_that_is_named_as_nobody_may_loses_no_words(charset: str) -> None:
    """RFC 2231 numbers the pieces of a parameter; a sender can number them as he likes."""
    assert media_kinds.text_of(f"text/plain; charset{charset}", "perché".encode()) == "perché"


async def test_a_text_that_says_it_is_a_picture_is_none(world: World) -> None:
    """Its kind is what it is, not what it is called: this one is a PNG."""
    world.api.script.append(picture(PNG, "text/plain"))
    assert [file.kind for file in (await world.fetch("/1")).enclosed.files] == [MediaKind.PNG]


LED_AWAY = [
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:{inside}/",
    "//127.0.0.1:{inside}/",
    "http://localhost:{api}/",
    "http://user:pass@127.0.0.1:{api}/",
    "http://127.0.0.1:{api}@127.0.0.1:{inside}/",
    "https://127.0.0.1:{api}/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "http://127.0.0.1:99999/",
    "http://[::1/",
]


def filled(world: World, address: str) -> str:
    """An address with the ports of the machines in it."""
    ports = {"inside": world.inside.url.rpartition(":")[2], "api": world.api.url.rpartition(":")[2]}
    world.inside.script.append(picture())
    return address.format(**ports)


@pytest.mark.parametrize("address", [*LED_AWAY, "/", "//", "", "\0", "é", "http://" + "a" * 70_000], ids=range(17))
async def test_nobody_is_asked_whom_a_callback_names(world: World, address: str) -> None:
    sms = await world.fetch(filled(world, address))
    assert (sms.text, sms.enclosed.files, sms.enclosed.missing) == ("Ecco", (), 1)
    assert (world.inside.seen, world.store.seen, world.api.seen) == ([], [], [])


@pytest.mark.parametrize("address", LED_AWAY)
async def test_nobody_is_asked_whom_a_redirect_names(world: World, address: str) -> None:
    world.api.script.append(moved(filled(world, address)))
    sms = await world.fetch("/media/1")
    assert (sms.text, sms.enclosed.files, sms.enclosed.missing) == ("Ecco", (), 1)
    assert (world.inside.seen, world.store.seen, len(world.api.seen)) == ([], [], 1)


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,30}/.{0,20}", fullmatch=True))
def test_no_address_breaks_us_or_is_asked(address: str) -> None:
    async def fetch() -> InboundSms:
        fetching = Media("https://api.example.test", ("https://store.example.test",), dict)
        sms = InboundSms("main", "1", NUMBER, SENDER, "Ecco", NOW, media=(address,))
        try:
            return await fetching.complete(sms)
        finally:
            await fetching.close()

    sms = asyncio.run(fetch())
    assert (sms.text, sms.enclosed.missing) == ("Ecco", 1)


async def test_a_redirect_without_end_ends(world: World) -> None:
    world.api.script.extend([moved("/again")] * 20)
    sms = await world.fetch("/media/1")
    assert (sms.enclosed.missing, len(world.api.seen)) == (1, 1 + media.MOST_REDIRECTS)


async def test_a_login_that_is_refused_is_not_tried_again(world: World) -> None:
    world.api.script.extend([Play(401), picture()])
    sms = await world.fetch("/media/1")
    assert (sms.enclosed.missing, len(world.api.seen)) == (1, 1)


async def test_a_body_without_end_is_read_no_further_than_one_may_be_large(world: World) -> None:
    world.api.script.append(Fault.ENDLESS)
    sms = await world.fetch("/media/1")
    assert (sms.text, sms.enclosed.missing, len(world.api.seen)) == ("Ecco", 1, 1)


@pytest.mark.parametrize("larger_first", [False, True])
async def test_what_is_too_large_takes_no_room_from_the_others(world: World, larger_first: bool) -> None:
    largest, larger = JPEG.ljust(media.LARGEST, b"x"), JPEG.ljust(media.LARGEST + 1, b"x")
    world.store.script.append(picture(larger))
    world.api.script.append(picture(largest))
    addresses = f"{world.store.url}/1", "/media/2"
    sms = await world.fetch(*(addresses if larger_first else reversed(addresses)))
    assert (contents(sms), sms.enclosed.missing) == ([largest], 1)


async def test_all_together_are_no_more_than_a_mail_server_takes(world: World) -> None:
    content = JPEG.ljust(media.LARGEST_TOGETHER // 2, b"x")
    world.api.script.append(picture(content))
    world.store.script.extend([picture(content), picture(JPEG)])
    sms = await world.fetch("/1", f"{world.store.url}/2")
    assert contents(sms) == [content, content]
    assert sum(len(file.base64) for file in sms.enclosed.files) < 9_700_000
    late = await world.fetch(f"{world.store.url}/3")
    assert contents(late) == [JPEG]  # each SMS has room of its own


async def test_more_files_than_anybody_sends_are_counted(world: World) -> None:
    world.api.script.extend([picture()] * 12)
    sms = await world.fetch(*[f"/{number}" for number in range(12)])
    assert (len(sms.enclosed.files), sms.enclosed.missing) == (10, 2)


async def test_who_is_silent_keeps_no_picture_of_another_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "LONGEST", 0.5)
    world.api.script.append(Fault.SILENCE)
    world.store.script.append(picture())
    began = time.monotonic()
    sms = await world.fetch("/silent", f"{world.store.url}/2")
    assert (contents(sms), sms.enclosed.missing) == ([JPEG], 1)
    assert time.monotonic() - began < 3


async def test_who_waits_for_a_turn_too_long_is_kept_without(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "LONGEST", 0.3)
    world.api.script.append(Fault.SILENCE)
    world.media._turns = asyncio.Semaphore(1)
    slow = asyncio.create_task(world.fetch("/silent"))
    await world.api.asked.wait()
    second = await world.fetch(f"{world.store.url}/2", f"{world.store.url}/3")
    assert (second.text, second.enclosed.missing, world.store.seen) == ("Ecco", 2, [])
    assert (await slow).enclosed.missing == 1


async def test_nobody_there_is_no_reason_to_lose_the_sms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "PAUSES", (0.01,))
    nobody = f"http://127.0.0.1:{free_port()}"
    fetching = Media(nobody, (), dict)
    sms = InboundSms("main", "1", NUMBER, SENDER, "Ecco", NOW, media=(f"{nobody}/1",))
    whole = await fetching.complete(sms)
    await fetching.close()
    assert (whole.text, whole.enclosed.missing) == ("Ecco", 1)


# ------------------------------------------------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (JPEG, MediaKind.JPEG),
        (PNG, MediaKind.PNG),
        (b"GIF89a...", MediaKind.GIF),
        (b"RIFF\x10\0\0\0WEBPVP8 ", MediaKind.WEBP),
        (b"\0\0\0\x18ftypheic", MediaKind.HEIC),
        (b"\0\0\0\x18ftypmif1", MediaKind.HEIC),
        (b"\0\0\0\x18ftypisom", MediaKind.MP4),
        (b"\0\0\0\x18ftyp3gp5", MediaKind.MOBILE),
        (b"\0\0\0\x18ftypqt  ", MediaKind.QUICKTIME),
        (b"\0\0\0\x18ftypM4A ", MediaKind.M4A),
        (b"#!AMR\n", MediaKind.AMR),
        (b"ID3\x03", MediaKind.MP3),
        (b"\xff\xf1\x50", MediaKind.AAC),
        (b"OggS\0", MediaKind.OGG),
        (b"\r\nbegin:vcard\r\nVERSION:3.0", MediaKind.VCARD),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"\0\0\0\x18ftypabcd", None),
        (b"%PDF-1.4", None),
        (b"<svg>", None),
        (b"BEGIN:VCALENDAR\r\n", None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_first_octets_say(octets: bytes, kind: MediaKind | None) -> None:
    found = media_kinds.file_of(octets)
    assert (found.kind if found is not None else None) is kind


@given(st.binary(max_size=5_000))
def test_whatever_it_is_it_comes_back_whole(octets: bytes) -> None:
    found = media_kinds.file_of(JPEG + octets)
    assert isinstance(found, MediaFile)
    assert base64.b64decode(found.base64) == JPEG + octets
    assert all(len(line) <= 76 for line in found.base64.split(b"\r\n"))
    assert found.base64.endswith(b"\r\n")


@given(st.text(max_size=40), st.binary(max_size=300))
def test_no_part_breaks_us(content_type: str, octets: bytes) -> None:
    text = media_kinds.text_of(content_type, octets)
    assert text is None or "\0" not in text
    assert media_kinds.type_of(content_type).isascii()
    media_kinds.is_layout(octets)


# --------------------------------------------------------------------------------------------------------- hosts


@pytest.mark.parametrize(
    "hosts",
    [
        "https://a.example",
        "a.example/b",
        "a.example:8080",
        "*.a.example",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "a b.example",
    ],
)
def test_only_names_of_hosts_can_be_added(hosts: str) -> None:
    settings = connection(account="AC1", secret="token", options={"media_hosts": f"mms.twiliocdn.com, {hosts}"})
    with pytest.raises(SettingsError, match=r"gateways\.main\.options\.media_hosts"):
        build("twilio", settings)


def test_hosts_are_asked_over_tls_alone() -> None:
    assert stores_of("main", " MMS.twiliocdn.com,,media.twiliocdn.com ") == [
        "https://mms.twiliocdn.com",
        "https://media.twiliocdn.com",
    ]
    assert stores_of("main", "") == []
