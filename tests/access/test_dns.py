"""The one resolver: what it asks, what it remembers, and what it says when nobody answers."""

from __future__ import annotations

import asyncio

import pytest

from bridge.access import dns as cached
from bridge.access.dns import Answer, DnsFailed, RecordType, Resolver
from tests.servers.dns import Fault, NameServer


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def resolver(names: NameServer, clock: Clock | None = None, patience: float = 5.0) -> Resolver:
    return Resolver([("127.0.0.1", names.port)], patience=patience, now=clock or Clock())


KINDS: dict[str, tuple[RecordType, dict[str, list[str]], tuple[str, ...]]] = {
    "addresses": (RecordType.A, {"A": ["192.0.2.1", "192.0.2.2"]}, ("192.0.2.1", "192.0.2.2")),
    "addresses of IPv6": (RecordType.AAAA, {"AAAA": ["2001:db8::1"]}, ("2001:db8::1",)),
    "mail servers by preference": (
        RecordType.MX,
        {"MX": ["20 b.example", "10 A.Example"]},
        ("a.example", "b.example"),
    ),
    "host names": (RecordType.PTR, {"PTR": ["Mail.Example"]}, ("mail.example",)),
    "a text in several pieces": (RecordType.TXT, {"TXT": ["x" * 600]}, ("x" * 600,)),
    "octets that are no letters": (RecordType.TXT, {"TXT": ["\x00\xff"]}, ("\x00\xff",)),
    "nothing of this kind": (RecordType.MX, {"A": ["192.0.2.1"]}, ()),
}


@pytest.mark.parametrize(("kind", "records", "values"), KINDS.values(), ids=KINDS)
async def test_what_stands_under_a_name(
    kind: RecordType, records: dict[str, list[str]], values: tuple[str, ...], names: NameServer
) -> None:
    names.zone = {"name.example": records}
    answer = await resolver(names).ask("Name.Example.", kind)
    assert answer.exists
    assert sorted(answer.values) == sorted(values)
    assert kind is RecordType.A or answer.values == values


NO_NAMES = [
    "",
    ".",
    "a..example",
    f"{'x' * 64}.example",
    ".".join(["x" * 49] * 6),
    "ä.example",
    "a@b.example",
    'a".example',
]


@pytest.mark.parametrize("name", NO_NAMES)
async def test_what_cannot_be_a_name_does_not_exist_and_nobody_is_asked(name: str, names: NameServer) -> None:
    assert await resolver(names).ask(name, RecordType.A) == Answer(exists=False)
    assert names.asked == []


async def test_a_name_that_leads_on_is_followed(names: NameServer) -> None:
    names.zone = {"www.example": {"CNAME": ["host.example"]}, "host.example": {"A": ["192.0.2.1"]}}
    assert (await resolver(names).ask("www.example", RecordType.A)).values == ("192.0.2.1",)


async def test_a_name_that_leads_nowhere_is_there_itself(names: NameServer) -> None:
    names.zone = {"www.example": {"CNAME": ["gone.test"]}}
    assert await resolver(names).ask("www.example", RecordType.A) == Answer(exists=True)
    assert await resolver(names).ask("nowhere.example.net", RecordType.A) == Answer(exists=False)


async def test_names_that_lead_in_a_circle_give_no_answer(names: NameServer) -> None:
    names.zone = {"a.example": {"CNAME": ["b.example"]}, "b.example": {"CNAME": ["a.example"]}}
    with pytest.raises(DnsFailed):
        await resolver(names).ask("a.example", RecordType.A)


async def test_an_answer_that_was_cut_off_is_fetched_over_tcp(names: NameServer) -> None:
    names.zone = {"big.example": {"TXT": ["y" * 60_000]}}
    assert await resolver(names).texts("big.example") == ("y" * 60_000,)
    assert [way for _, _, way in names.asked] == ["udp", "tcp"]


async def test_an_answer_is_kept_as_long_as_it_says(names: NameServer) -> None:
    clock = Clock()
    names.zone, names.ttl = {"a.example": {"A": ["192.0.2.1"]}}, 300
    asking = resolver(names, clock)
    await asking.ask("a.example", RecordType.A)
    clock.seconds += 299
    await asking.ask("A.EXAMPLE", RecordType.A)
    assert len(names.asked) == 1
    clock.seconds += 2
    await asking.ask("a.example", RecordType.A)
    assert len(names.asked) == 2


@pytest.mark.parametrize(
    ("ttl", "zone", "kept"),
    [(0, True, cached.SHORTEST), (10**6, True, cached.LONGEST), (10**6, False, cached.LONGEST_ABSENCE)],
    ids=["not at all", "for ever", "an absence"],
)
async def test_no_answer_is_kept_too_short_or_too_long(ttl: int, zone: bool, kept: float, names: NameServer) -> None:
    clock = Clock()
    names.zone, names.ttl = ({"a.example": {"A": ["192.0.2.1"]}} if zone else {}), ttl
    asking = resolver(names, clock)
    await asking.ask("a.example", RecordType.A)
    clock.seconds += kept - 1
    await asking.ask("a.example", RecordType.A)
    assert len(names.asked) == 1
    clock.seconds += 2
    await asking.ask("a.example", RecordType.A)
    assert len(names.asked) == 2


async def test_who_waits_for_the_same_answer_asks_once(names: NameServer) -> None:
    names.zone, names.delay = {"a.example": {"A": ["192.0.2.1"]}}, 0.05
    asking = resolver(names)
    impatient = asyncio.create_task(asking.ask("a.example", RecordType.A))
    others = [asyncio.create_task(asking.ask("a.example", RecordType.A)) for _ in range(20)]
    await asyncio.sleep(0)
    impatient.cancel()
    assert {answer.values for answer in await asyncio.gather(*others)} == {("192.0.2.1",)}
    assert len(names.asked) == 1


@pytest.mark.parametrize("fault", Fault)
async def test_without_an_answer_nobody_knows_and_it_is_not_asked_again_at_once(
    fault: Fault, names: NameServer
) -> None:
    clock = Clock()
    names.zone, names.faults = {"a.example": {"A": ["192.0.2.1"]}}, {"a.example": fault}
    asking = resolver(names, clock, patience=0.3)
    with pytest.raises(DnsFailed):
        await asking.ask("a.example", RecordType.A)
    asked = len(names.asked)
    with pytest.raises(DnsFailed):
        await asking.ask("a.example", RecordType.A)
    assert len(names.asked) == asked
    names.faults = {}
    clock.seconds += cached.FAILURE + 1
    assert (await asking.ask("a.example", RecordType.A)).values == ("192.0.2.1",)


async def test_without_a_server_nobody_knows() -> None:
    with pytest.raises(DnsFailed):
        await Resolver([("127.0.0.1", 1)], patience=0.3).ask("a.example", RecordType.A)


@pytest.mark.parametrize(("limit", "most"), [("REMEMBERED_OCTETS", 30_000), ("REMEMBERED", 10)])
async def test_what_is_remembered_is_bounded(
    limit: str, most: int, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many names, or long texts under few: the first ones are forgotten."""
    monkeypatch.setattr(cached, limit, most)
    names.zone = {f"n{number}.example": {"TXT": ["z" * 2_000]} for number in range(20)}
    asking = resolver(names)
    for name in names.zone:
        await asking.texts(name)
    assert asking.remembered_octets <= min(30_000, cached.REMEMBERED_OCTETS)
    names.asked.clear()
    await asking.texts("n19.example")
    assert names.asked == []
    await asking.texts("n0.example")
    assert names.asked != []


async def test_what_is_asked_again_and_again_is_not_forgotten(
    names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached, "REMEMBERED", 3)
    names.zone = {f"n{number}.example": {"TXT": ["z"]} for number in range(10)}
    asking = resolver(names)
    for name in names.zone:
        await asking.texts(name)
        await asking.texts("n0.example")
    assert len(names.asked) == len(names.zone)
