"""Texts, reports and answers by way of a real gammu-smsd, on both databases; its modem shows what goes on the air."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bridge import clock
from bridge.errors import Reason
from bridge.gateways.base import Doubt, Gateway, Handed, Recalled
from bridge.types import InboundSms, MessageState, OutboundSms, OutcomeKind
from tests.gateways.cases import NUMBER, SENDER
from tests.gateways.gammu.conftest import Reader, opened, sms
from tests.servers.gammu import GammuServer
from tests.servers.modem import Sent
from tests.servers.postgres import PostgresServer

ON_THE_AIR = {
    "GSM": ("A domani alle 9, perché sì.", "GSM", 1),
    "the whole alphabet": ("[5 €] {~^|\\} @£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!¡ÄÖÑÜ§¿äöñüà\nfine", "GSM", 1),
    "Unicode": ("Приём 10:00 ☎", "UCS-2", 1),
    "beyond UCS-2": ("Tutto bene 👍🏽 à bientôt", "UCS-2", 1),
    "long, an escape at the cut": ("a" * 152 + "€" * 80, "GSM", 3),
    "long Unicode, a pair at the cut": ("ł" * 66 + "👍" * 40, "UCS-2", 3),
}

LONGEST = 255
"""TP-Validity-Period of a text that never loses its use."""
ARRIVED = "SELECT count(*) FROM sentitems WHERE \"Status\" = 'DeliveryOK'"


one_database = pytest.mark.parametrize("running", ["sqlite"], indirect=True)
"""For tests of what the daemon does with a modem, which takes seconds; that both databases work alike others show."""


def arrived(smsd: GammuServer, segments: int) -> bool:
    """Whether so many segments have reached their phones by now."""
    return int(smsd.sql(ARRIVED)) == segments


async def sent_by(smsd: GammuServer, gateway: Gateway, *messages: OutboundSms) -> list[list[Sent]]:
    """What each message becomes on the air."""
    for message in messages:
        assert (await gateway.submit(message)).kind is OutcomeKind.ACCEPTED
    before, total = len(smsd.modem.sent), sum(len(message.segments) for message in messages)
    await smsd.until(lambda: len(smsd.modem.sent) == before + total)
    await smsd.until(lambda: smsd.sql("SELECT count(*) FROM outbox") == "0")
    segments = iter(smsd.modem.sent[before:])
    return [[next(segments) for _ in message.segments] for message in messages]


async def test_what_is_sent_goes_on_the_air_as_it_is(smsd: GammuServer, gateway: Gateway) -> None:
    whole = await sent_by(smsd, gateway, *(sms(text) for text, _, _ in ON_THE_AIR.values()))
    told = [("".join(each.text for each in sent), {each.alphabet for each in sent}, len(sent)) for sent in whole]
    assert told == [(text, {alphabet}, segments) for text, alphabet, segments in ON_THE_AIR.values()]
    assert {(each.number, each.wants_report, each.validity) for sent in whole for each in sent} == {
        (NUMBER, True, LONGEST)
    }
    headers = [[each.header for each in sent] for sent in whole if len(sent) > 1]
    assert [[header[:3] + header[4:] for header in long] for long in headers] == [
        [bytes((0, 3)) + long[0][2:3] + bytes((ordinal,)) for ordinal in (1, 2, 3)] for long in headers
    ]
    assert len({header[2] for long in headers for header in long}) == len(headers), "each has a reference of its own"


@one_database
async def test_a_text_that_is_of_no_use_later_is_not_tried_longer(smsd: GammuServer, gateway: Gateway) -> None:
    soon = replace(sms("until noon"), expires_at=clock.now() + timedelta(hours=2, seconds=30))
    ((sent,),) = await sent_by(smsd, gateway, soon)
    assert sent.validity == 23  # (23 + 1) * 5 minutes


@one_database
@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        pytest.param(0x00, MessageState.DELIVERED, None, id="arrived"),
        pytest.param(0x01, MessageState.DELIVERED, None, id="forwarded"),
        pytest.param(0x46, MessageState.EXPIRED, Reason.VALIDITY_EXPIRED, id="its time ran out"),
        pytest.param(0x62, MessageState.UNDELIVERED, Reason.ABSENT_SUBSCRIBER, id="the phone does not answer"),
        pytest.param(0x40, MessageState.UNDELIVERED, None, id="an error of the network"),
    ],
)
async def test_what_the_network_reports_is_told_once(
    status: int, state: MessageState, reason: Reason | None, smsd: GammuServer, gateway: Gateway
) -> None:
    message, reader = sms("Are you there?"), Reader(gateway, "sentitems")
    await reader.news()
    ((sent,),) = await sent_by(smsd, gateway, message)
    assert await reader.news() == [], "that it was sent is known"
    smsd.modem.reports(sent, 0x30)
    status_of = f"""SELECT "Status" FROM sentitems WHERE "CreatorID" = '{message.reference}'"""
    await smsd.until(lambda: smsd.sql(status_of) == "DeliveryPending")
    assert await reader.news() == [], "the network still tries"
    smsd.modem.reports(sent, status)
    await smsd.until(lambda: smsd.sql(status_of) in ("DeliveryOK", "DeliveryFailed"))
    told = await reader.receipts()
    assert [(each.state, each.reason) for each in told.values()] == [(state, reason)]
    assert list(told) == [message.reference]
    assert await reader.news() == []


@one_database
async def test_a_long_text_has_arrived_when_all_of_it_has(smsd: GammuServer, gateway: Gateway) -> None:
    message, reader = sms("b" * 400), Reader(gateway, "sentitems")
    await reader.news()
    (segments,) = await sent_by(smsd, gateway, message)
    for sent in segments:
        assert await reader.news() == []
        one_more = int(smsd.sql(ARRIVED)) + 1
        smsd.modem.reports(sent)
        await smsd.until(partial(arrived, smsd, one_more))
    (receipt,) = (await reader.receipts()).values()
    assert (receipt.reference, receipt.state) == (message.reference, MessageState.DELIVERED)


@one_database
@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        pytest.param(1, MessageState.FAILED, Reason.UNKNOWN_SUBSCRIBER, id="no such number"),
        pytest.param(38, MessageState.FAILED, Reason.PROVIDER_REFUSED, id="network out of order"),
        pytest.param(None, MessageState.UNDELIVERED, Reason.NO_ANSWER, id="the modem does not say why"),
    ],
)
async def test_what_could_not_be_sent_is_told_and_not_tried_again(
    error: int | None, state: MessageState, reason: Reason, smsd: GammuServer, gateway: Gateway
) -> None:
    message, reader = sms("To nobody"), Reader(gateway, "sentitems")
    await reader.news()
    smsd.modem.script.append(error)
    await sent_by(smsd, gateway, message)
    (receipt,) = (await reader.receipts()).values()
    assert (receipt.reference, receipt.state, receipt.reason) == (message.reference, state, reason)
    assert len(smsd.modem.sent) == 1
    found = await gateway.lookup(Doubt(message.reference, None, NUMBER))
    assert found.kind is (OutcomeKind.REJECTED if state is MessageState.FAILED else OutcomeKind.ACCEPTED)


async def test_what_phones_write_is_read_once(smsd: GammuServer, gateway: Gateway) -> None:
    reader, modem, at = Reader(gateway, "inbox"), smsd.modem, clock.now().replace(microsecond=0) - timedelta(hours=3)
    await reader.news()
    modem.hears(NUMBER, "Sì, va bene {€}", at=at)
    modem.hears(NUMBER, "SI", at=at)
    modem.hears(NUMBER, "SI", at=at + timedelta(minutes=1))
    modem.hears("+393339999999", "Да ☎ 👍", unicode=True, at=at)
    modem.hears("48484", "Credito 5€", at=at)
    modem.hears("Operatore", "Buona giornata", at=at)
    modem.hears("3331234567", "nazionale", at=at)
    modem.hears("+393338888888", "primo,", header=bytes((0, 3, 9, 2, 1)), at=at)
    modem.hears("+393338888888", " secondo", header=bytes((0, 3, 9, 2, 2)), at=at)
    await smsd.until(lambda: smsd.sql("SELECT count(*) FROM inbox") == "9")
    events = (await reader.look()).events
    assert all(isinstance(event, InboundSms) and event.to == SENDER for event in events)
    assert {event.received_at for event in events if isinstance(event, InboundSms)} == {at, at + timedelta(minutes=1)}
    assert len({event.event_id for event in events}) == 8
    assert sorted(await reader.texts()) == sorted(
        [
            (NUMBER, "Sì, va bene {€}"),
            (NUMBER, "SI"),
            (NUMBER, "SI"),
            ("+393339999999", "Да ☎ 👍"),
            ("48484", "Credito 5€"),
            ("Operatore", "Buona giornata"),
            (NUMBER, "nazionale"),
            ("+393338888888", "primo, secondo"),
        ]
    )
    assert await reader.texts() == []
    left = smsd.sql("SELECT count(*) FROM inbox WHERE \"Processed\" = 'false'")
    assert left == "0", "gammu's other programs see that it was read"


async def test_half_a_surrogate_pair_is_no_end_of_answers(smsd: GammuServer, gateway: Gateway) -> None:
    """A phone may cut a long text within an emoji; one that means harm may send anything."""
    reader, at = Reader(gateway, "inbox"), clock.now().replace(microsecond=0)
    await reader.news()
    before = int(smsd.sql("SELECT count(*) FROM inbox"))
    smsd.modem.hears(NUMBER, "\udc4d", unicode=True, at=at)
    smsd.modem.hears("+393339999999", "SI", at=at)
    await smsd.until(lambda: int(smsd.sql("SELECT count(*) FROM inbox")) == before + 2)
    assert await reader.texts() == [(NUMBER, "\ufffd"), ("+393339999999", "SI")]
    assert await reader.texts() == []


async def test_the_check_is_content_with_a_gammu_that_runs(smsd: GammuServer, gateway: Gateway) -> None:
    assert await gateway.probe() == ""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_what_waits_while_gammu_is_down_goes_out_once_when_it_is_back(
    database: str, postgres: PostgresServer
) -> None:
    smsd = GammuServer.create(postgres if database == "postgresql" else None)
    gateway = opened(smsd.url)
    first, second, third = sms("c" * 200), sms("stopped"), sms("afterwards")
    for message in (first, second):
        assert (await gateway.submit(message)).kind is OutcomeKind.ACCEPTED
        assert (await gateway.lookup(Doubt(message.reference, None, NUMBER))).kind is OutcomeKind.ACCEPTED
    stopped = Handed(second.reference, (), NUMBER, SENDER)
    assert (await gateway.cancel(stopped)).kind is Recalled.CANCELLED
    try:
        await smsd.start()
        await smsd.until(lambda: len(smsd.modem.sent) == 2)
        await smsd.until(lambda: smsd.sql("SELECT count(*) FROM outbox") == "0")
        assert (await gateway.cancel(Handed(first.reference, (), NUMBER, SENDER))).kind is Recalled.REFUSED
        await smsd.kill()
        assert (await gateway.submit(third)).kind is OutcomeKind.ACCEPTED
        await smsd.start()
        await smsd.until(lambda: len(smsd.modem.sent) == 3)
        assert "".join(each.text for each in smsd.modem.sent) == first.text + third.text
        found = {each.reference: await gateway.lookup(Doubt(each.reference, None, NUMBER)) for each in (first, second)}
        assert found[first.reference].kind is OutcomeKind.ACCEPTED
        assert found[second.reference].kind is OutcomeKind.REJECTED
    finally:
        await gateway.close()
        await smsd.remove()
