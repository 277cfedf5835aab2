"""The gateway before an SMSC that does whatever it likes: nothing is sent twice, nothing is confirmed too early."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.errors import Reason, SettingsError, StoreUnavailable
from bridge.gateways.smpp.pdu import Address, Command, Pdu, ShortMessage, submit_body
from bridge.gateways.smpp.status import NEVER_AGAIN, OK, TRY_AGAIN
from bridge.types import Encoding, GatewayEvent, InboundPart, InboundSms, MessageState, OutcomeKind, Priority, Receipt
from tests.gateways.cases import NOW, NUMBER, SENDER
from tests.gateways.smpp.smsc import Link, Smsc, bound, gateway_to, run_smsc, sms
from tests.servers.ports import free_port

ACCEPTED, REJECTED, THROTTLED = OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.THROTTLED
UNREACHABLE, UNKNOWN = OutcomeKind.UNREACHABLE, OutcomeKind.UNKNOWN

THREE = sms("", "a" * 153, "b" * 153, "c" * 10)
RECEIPT = b"id:7A3F sub:001 dlvrd:001 submit date:2611220139 done date:2611220140 stat:DELIVRD err:000 text:Ciao"


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    async with run_smsc() as running:
        yield running


# ------------------------------------------------------------------------------------------------------ out


async def test_a_submit_says_all_that_an_smsc_must_know(smsc: Smsc) -> None:
    async with bound(smsc.port, service_type="CMT") as (gateway, _):
        outcome = await gateway.submit(replace(sms("Sì"), expires_at=NOW + timedelta(hours=26, minutes=3, seconds=4)))
    assert (outcome.kind, outcome.provider_id, outcome.segment_ids) == (ACCEPTED, "id-1", ())
    (seen,) = smsc.submits
    assert (seen.source, seen.destination) == (Address(1, 1, SENDER[1:]), Address(1, 1, NUMBER[1:]))
    assert (seen.octets, seen.data_coding, seen.esm_class) == (b"S\x07", 0, 0)
    assert (seen.validity, seen.registered, seen.service_type) == ("000001020304000R", 1, "CMT")
    assert seen.priority == 0


async def test_a_text_of_high_priority_says_so_to_the_smsc(smsc: Smsc) -> None:
    async with bound(smsc.port) as (gateway, _):
        await gateway.submit(replace(sms("Sì"), priority=Priority.HIGH))
    (seen,) = smsc.submits
    assert seen.priority == 1


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        pytest.param("+390200000001", Address(1, 1, "390200000001"), id="a number"),
        pytest.param("48400", Address(3, 0, "48400"), id="a short code"),
        pytest.param("Clinic", Address(5, 0, "Clinic"), id="a name"),
    ],
)
async def test_every_kind_of_sender_has_its_type(smsc: Smsc, sender: str, address: Address) -> None:
    async with bound(smsc.port) as (gateway, _):
        await gateway.submit(replace(sms(), sender=sender))
    assert smsc.submits[0].source == address


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        pytest.param(0x58, THROTTLED, None, id="ESME_RTHROTTLED"),
        pytest.param(0x14, THROTTLED, None, id="ESME_RMSGQFUL"),
        pytest.param(0x04, UNREACHABLE, None, id="ESME_RINVBNDSTS"),
        pytest.param(0x0A, REJECTED, Reason.SENDER_REFUSED, id="ESME_RINVSRCADR"),
        pytest.param(0x0B, REJECTED, Reason.UNKNOWN_SUBSCRIBER, id="ESME_RINVDSTADR"),
        pytest.param(0x62, REJECTED, Reason.VALIDITY_EXPIRED, id="ESME_RINVEXPIRY"),
        pytest.param(0x45, REJECTED, None, id="ESME_RSUBMITFAIL"),
        pytest.param(0x101, REJECTED, Reason.BARRED, id="ESME_RPROHIBITED"),
        pytest.param(0x4FF, REJECTED, None, id="status 0x000004ff"),
        pytest.param(0x08, UNKNOWN, None, id="ESME_RSYSERR"),
        pytest.param(0x64, UNKNOWN, None, id="ESME_RX_T_APPN"),
        pytest.param(0xFF, UNKNOWN, None, id="ESME_RUNKNOWNERR"),
    ],
)
async def test_what_a_status_means(
    smsc: Smsc, status: int, kind: OutcomeKind, reason: Reason | None, request: pytest.FixtureRequest
) -> None:
    smsc.answers = [status]
    async with bound(smsc.port) as (gateway, _):
        outcome = await gateway.submit(sms())
    assert (outcome.kind, outcome.reason) == (kind, reason)
    assert outcome.diagnostic in request.node.name
    assert (outcome.retry_after is not None) is (kind is THROTTLED)


def _nack(link: Link) -> None:
    link.write(Pdu(Command.GENERIC_NACK, 2, 0x03))


@pytest.mark.parametrize(
    ("answer", "kind", "diagnostic"),
    [
        pytest.param("", ACCEPTED, "", id="taken without an id: it is taken all the same"),
        pytest.param(None, UNKNOWN, "no answer in time", id="silence"),
        pytest.param(Link.hang_up, UNKNOWN, "the connection ended", id="hangs up"),
        pytest.param(_nack, REJECTED, "ESME_RINVCMDID", id="does not understand it"),
    ],
)
async def test_one_submit_comes_to_one_end(smsc: Smsc, answer: object, kind: OutcomeKind, diagnostic: str) -> None:
    smsc.answers = [answer]  # type: ignore[list-item]
    async with bound(smsc.port, patience=0.5) as (gateway, _):
        outcome = await gateway.submit(sms())
    assert (outcome.kind, outcome.provider_id, outcome.diagnostic) == (kind, None, diagnostic)
    assert len(smsc.submits) == 1


async def test_without_a_bind_nothing_leaves() -> None:
    async with bound(free_port()) as (gateway, _):
        outcome = await gateway.submit(sms())
        assert (outcome.kind, outcome.diagnostic) == (UNREACHABLE, "no bind")
        said = await gateway.probe()
    # Where a name has two addresses, Python reports both refusals as one OSError.
    assert re.fullmatch(
        r"The SMSC has no bind with us: it cannot be reached \((ConnectionRefused|OS)Error\); "
        r"check url, DNS and firewall\.",
        said,
    )


# ------------------------------------------------------------------------------------------------ long texts


async def test_a_long_text_has_an_id_for_each_segment(smsc: Smsc) -> None:
    async with bound(smsc.port) as (gateway, _):
        outcome = await gateway.submit(THREE)
        await gateway.submit(THREE)
    assert (outcome.kind, outcome.provider_id, outcome.segment_ids) == (ACCEPTED, "id-1", ("id-1", "id-2", "id-3"))
    assert [seen.octets[4:6] for seen in smsc.submits[:3]] == [b"\3\1", b"\3\2", b"\3\3"]
    first, second = ({seen.octets[3] for seen in smsc.submits[at : at + 3]} for at in (0, 3))
    assert len(first) == len(second) == 1
    assert first != second, "two texts to one phone must not be mixed up"


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param([0x58, 0x14], id="throttled twice"),
        pytest.param([0x04], id="a bind that is none any more"),
    ],
)
async def test_only_the_segment_that_was_not_taken_is_handed_over_again(smsc: Smsc, trouble: list[int]) -> None:
    smsc.answers = ["one", *trouble, "two", "three"]
    async with bound(smsc.port) as (gateway, _):
        outcome = await gateway.submit(THREE)
    assert (outcome.kind, outcome.segment_ids) == (ACCEPTED, ("one", "two", "three"))
    assert [seen.octets[5] for seen in smsc.submits] == [1, *[2] * len(trouble), 2, 3]


@pytest.mark.parametrize(
    ("answers", "kind", "reason", "ids", "submits"),
    [
        pytest.param([0x58], THROTTLED, None, (), 1, id="the first is put off: so is the text"),
        pytest.param([0x0B], REJECTED, Reason.UNKNOWN_SUBSCRIBER, (), 1, id="the first is refused"),
        pytest.param(["one", 0x0B], REJECTED, Reason.UNKNOWN_SUBSCRIBER, (), 2, id="the second is refused"),
        pytest.param(["one", None], UNKNOWN, None, ("one", None, None), 2, id="the second is in doubt"),
        pytest.param(["one", "two", Link.hang_up], UNKNOWN, None, ("one", "two", None), 3, id="the third is in doubt"),
    ],
)
async def test_a_text_of_which_a_segment_fails_goes_no_further(
    smsc: Smsc,
    answers: list[object],
    kind: OutcomeKind,
    reason: Reason | None,
    ids: tuple[str | None, ...],
    submits: int,
) -> None:
    smsc.answers = answers  # type: ignore[assignment]
    async with bound(smsc.port, patience=0.5) as (gateway, _):
        outcome = await gateway.submit(THREE)
    assert (outcome.kind, outcome.reason, outcome.segment_ids) == (kind, reason, ids)
    assert len(smsc.submits) == submits


async def test_a_text_that_lost_its_bind_goes_on_over_the_next(smsc: Smsc) -> None:
    def unbind(link: Link) -> None:
        link.write(Pdu(0x80000004, 3, 0, b"two\0"))
        link.write(Pdu(Command.UNBIND, 1))

    smsc.answers = ["one", unbind, "three"]
    async with bound(smsc.port) as (gateway, _):
        outcome = await gateway.submit(THREE)
    assert outcome.segment_ids == ("one", "two", "three")
    assert len(smsc.links) == 2


async def test_a_text_outside_its_alphabet_is_refused_before_anything_leaves(smsc: Smsc) -> None:
    async with bound(smsc.port) as (gateway, _):
        outcome = await gateway.submit(sms("Ж", encoding=Encoding.GSM7))
    assert (outcome.kind, outcome.reason, smsc.submits) == (REJECTED, Reason.UNENCODABLE, [])


# ------------------------------------------------------------------------------------------ window and pace


async def test_no_more_wait_for_their_answer_than_the_window_holds(smsc: Smsc) -> None:
    smsc.answers = [None] * 5
    async with bound(smsc.port, window="3", patience=0.5) as (gateway, _):
        tries = [asyncio.create_task(gateway.submit(sms(str(number)))) for number in range(5)]
        await smsc.submitted(3)
        assert [seen.octets for seen in smsc.submits] == [b"0", b"1", b"2"], "in the order in which they were given"
        outcomes = await asyncio.gather(*tries)
    assert [outcome.kind for outcome in outcomes[:3]] == [UNKNOWN] * 3
    assert len(smsc.submits) == 3


async def test_nothing_more_goes_to_an_smsc_that_keeps_silent_until_it_says_that_it_is_there(smsc: Smsc) -> None:
    smsc.answers = [None]
    smsc.is_alive = False
    async with bound(smsc.port, patience=0.3) as (gateway, _):
        assert (await gateway.submit(sms())).kind is UNKNOWN
        assert (await gateway.submit(sms())).kind is ACCEPTED, "over the next bind"
    assert len(smsc.links) == 2
    assert len(smsc.submits) == 2


async def test_a_slow_answer_is_no_reason_to_leave(smsc: Smsc) -> None:
    smsc.answers = [None]
    async with bound(smsc.port, patience=0.3) as (gateway, _):
        assert (await gateway.submit(sms())).kind is UNKNOWN
        await smsc.link.ask(Command.ENQUIRE_LINK)
        assert (await gateway.submit(sms())).kind is ACCEPTED
    assert len(smsc.links) == 1


async def test_answers_may_come_in_any_order(smsc: Smsc) -> None:
    smsc.answers = [None, None]
    async with bound(smsc.port) as (gateway, _):
        tries = [asyncio.create_task(gateway.submit(sms(name))) for name in ("first", "second")]
        await smsc.submitted(2)
        for sequence, name in ((3, "B"), (2, "A")):
            smsc.link.write(Pdu(0x80000004, sequence, 0, name.encode() + b"\0"))
        assert [outcome.provider_id for outcome in await asyncio.gather(*tries)] == ["A", "B"]


@pytest.mark.parametrize(
    ("answer", "state", "provider_id"),
    [
        pytest.param(Pdu(0x80000004, 2, 0, b"id\0"), MessageState.SENT, "id", id="taken"),
        pytest.param(Pdu(0x80000004, 2, 0x0B), MessageState.FAILED, None, id="refused"),
    ],
)
async def test_an_answer_that_comes_too_late_still_settles_the_matter(
    smsc: Smsc, answer: Pdu, state: MessageState, provider_id: str | None
) -> None:
    smsc.answers = [None]
    async with bound(smsc.port, patience=0.2) as (gateway, heard):
        assert (await gateway.submit(sms())).kind is UNKNOWN
        smsc.link.write(answer)
        smsc.link.write(answer)
        await heard.reaches(1)
        await smsc.link.ask(Command.ENQUIRE_LINK)
    (event,) = heard
    assert isinstance(event, Receipt)
    assert (event.reference, event.state, event.provider_id) == (sms().reference, state, provider_id)


async def test_a_connection_that_ends_leaves_in_doubt_what_was_written_and_nothing_else(smsc: Smsc) -> None:
    smsc.answers = [None, None, None]
    async with bound(smsc.port, window="2") as (gateway, _):
        tries = [asyncio.create_task(gateway.submit(sms(str(number)))) for number in range(3)]
        await smsc.submitted(2)
        smsc.link.hang_up()
        outcomes = await asyncio.gather(*tries)
    assert [outcome.kind for outcome in outcomes] == [UNKNOWN, UNKNOWN, UNREACHABLE]
    assert len(smsc.submits) == 2


async def test_a_throttled_bind_holds_back(smsc: Smsc) -> None:
    smsc.answers = [0x58, "one"]
    async with bound(smsc.port) as (gateway, _):
        await gateway.submit(sms())
        began = asyncio.get_running_loop().time()
        assert (await gateway.submit(sms())).kind is ACCEPTED
        assert asyncio.get_running_loop().time() - began > 0.4


async def test_who_has_a_turn_already_holds_back_too(smsc: Smsc) -> None:
    smsc.answers = [0x58]
    async with bound(smsc.port, rate="20", window="10") as (gateway, _):
        began = asyncio.get_running_loop().time()
        first, *others = await asyncio.gather(*(gateway.submit(sms()) for _ in range(5)))
        assert first.kind is THROTTLED
        assert {outcome.kind for outcome in others} == {ACCEPTED}
        assert asyncio.get_running_loop().time() - began > 0.6, "half a second, and then their rate"


async def test_an_agreed_rate_is_kept(smsc: Smsc) -> None:
    async with bound(smsc.port, rate="50", window="50") as (gateway, _):
        await gateway.submit(sms())
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(gateway.submit(sms()) for _ in range(20)))
        assert asyncio.get_running_loop().time() - began > 0.36


# --------------------------------------------------------------------------------------------------- sessions


async def test_a_lost_bind_is_bound_again(smsc: Smsc) -> None:
    async with bound(smsc.port) as (gateway, _):
        await gateway.submit(sms())
        smsc.link.hang_up()
        await smsc.next_bind()
        assert (await gateway.submit(sms())).kind is ACCEPTED


async def test_an_smsc_that_is_not_there_any_more_is_left(smsc: Smsc) -> None:
    smsc.is_alive = False
    async with bound(smsc.port, patience=0.3, enquire_link="1") as (gateway, _):
        await gateway.submit(sms())
        smsc.answers = [None]
        await smsc.next_bind()
        assert len(smsc.links) == 2


async def test_we_answer_whether_we_are_there_and_what_we_do_not_know(smsc: Smsc) -> None:
    async with bound(smsc.port) as (gateway, _):
        await gateway.submit(sms())
        assert (await smsc.link.ask(Command.ENQUIRE_LINK)).command == 0x80000015
        assert (await smsc.link.ask(Command(Command.SUBMIT_SM))).command == Command.GENERIC_NACK
        smsc.link.write(Pdu(Command.ALERT_NOTIFICATION, 99))
        assert (await smsc.link.ask(Command.ENQUIRE_LINK)).command == 0x80000015


async def test_rubbish_ends_the_connection_and_nothing_else(smsc: Smsc) -> None:
    async with bound(smsc.port) as (gateway, _):
        await gateway.submit(sms())
        smsc.link.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await smsc.next_bind()
        assert (await gateway.submit(sms())).kind is ACCEPTED


async def test_an_smsc_that_unbinds_gets_its_answers_first(smsc: Smsc) -> None:
    smsc.answers = [None]
    async with bound(smsc.port) as (gateway, _):
        waiting = asyncio.create_task(gateway.submit(sms()))
        await smsc.submitted(1)
        farewell = asyncio.create_task(smsc.link.ask(Command.UNBIND))
        await asyncio.sleep(0)
        smsc.link.write(Pdu(0x80000004, 2, 0, b"late\0"))
        assert (await waiting).provider_id == "late"
        assert (await farewell).command == 0x80000006


async def test_several_binds_share_the_work(smsc: Smsc) -> None:
    async with bound(smsc.port, binds="3", window="1") as (gateway, _):
        while len(smsc.links) < 3:
            await smsc.next_bind()
        for link in smsc.links:
            await link.ask(Command.ENQUIRE_LINK)
        smsc.answers = [None] * 3
        tries = [asyncio.create_task(gateway.submit(sms())) for _ in range(3)]
        await smsc.submitted(3)
        for link in smsc.links:
            link.write(Pdu(0x80000004, 2, 0, b"x\0"))
        assert {outcome.kind for outcome in await asyncio.gather(*tries)} == {ACCEPTED}


async def test_a_pair_sends_on_one_and_hears_on_the_other(smsc: Smsc) -> None:
    async with bound(smsc.port, bind="pair") as (gateway, heard):
        while len(smsc.links) < 2:
            await smsc.next_bind()
        modes = {link.mode: link for link in smsc.links}
        await gateway.submit(sms())
        assert await modes[Command.BIND_RECEIVER].deliver(RECEIPT, 4) == OK
        assert await gateway.probe() == ""
    assert set(modes) == {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER}
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        pytest.param(0x0E, "it does not know the password; check secret.", id="password"),
        pytest.param(0x0F, "it does not know the account; check account.", id="account"),
        pytest.param(0x99, "it refuses the bind with status 0x00000099.", id="its own status"),
    ],
)
async def test_a_refused_login_is_said_in_words(smsc: Smsc, status: int, sentence: str) -> None:
    smsc.refuses_binds = status
    gateway = gateway_to(f"smpp://localhost:{smsc.port}", {})
    assert await gateway.probe() == f"The SMSC answers: {sentence}"


async def test_a_check_binds_and_leaves(smsc: Smsc) -> None:
    assert await gateway_to(f"smpp://localhost:{smsc.port}", {}).probe() == ""
    assert len(smsc.links) == 1


@pytest.mark.parametrize(
    ("url", "options", "complaint"),
    [
        pytest.param("https://localhost", {}, "gateways.main.url = (not shown): write an address", id="scheme"),
        pytest.param("smpp://localhost:port", {}, "gateways.main.url = (not shown): write an address", id="port"),
        pytest.param("smpp://smsc.example.com", {}, "gateways.main.url = (not shown): password and", id="readable"),
        pytest.param(
            "smpp://localhost", {"window": "many"}, 'gateways.main.options.window = "many": write a number', id="window"
        ),
        pytest.param(
            "smpp://localhost", {"timezone": "Rome"}, 'gateways.main.options.timezone = "Rome": write an', id="zone"
        ),
        pytest.param(
            "smpps://localhost", {"ca_file": "/nowhere"}, 'gateways.main.options.ca_file = "/nowhere"', id="authorities"
        ),
    ],
)
async def test_what_cannot_be_used_is_refused(url: str, options: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        gateway_to(url, options)
    assert str(caught.value).startswith(complaint)


async def test_an_smsc_without_tls_is_reached_when_the_operator_says_so() -> None:
    assert gateway_to("smpp://smsc.example.com", {"unencrypted": "allowed"}).name == "main"


# ------------------------------------------------------------------------------------------------------- in


async def test_a_receipt_is_heard(smsc: Smsc) -> None:
    async with bound(smsc.port, timezone="Europe/Rome") as (gateway, heard):
        await gateway.submit(sms())
        assert await smsc.link.deliver(RECEIPT, 4) == OK
        assert await smsc.link.deliver(RECEIPT, 4) == OK
        assert await smsc.link.deliver(RECEIPT.replace(b"DELIVRD", b"ENROUTE"), 4) == OK
        assert await smsc.link.deliver(b"hello", 4) == OK
        assert await smsc.link.deliver(b"read", 8) == OK, "a phone's acknowledgement is no text"
    first, second, waits = heard
    assert isinstance(first, Receipt)
    assert isinstance(waits, Receipt)
    assert (waits.state, waits.reason) == (MessageState.SENT, Reason.ABSENT_SUBSCRIBER)
    assert (first.provider_id, first.state, first.diagnostic) == ("7A3F", MessageState.DELIVERED, "DELIVRD 000")
    assert first.occurred_at is not None
    assert first.occurred_at.isoformat() == "2026-11-22T00:40:00+00:00"
    assert first == second, "the same news has the same event id"


async def test_an_answer_of_a_phone_is_heard(smsc: Smsc) -> None:
    async with bound(smsc.port) as (gateway, heard):
        await gateway.submit(sms())
        assert await smsc.link.deliver("SI ☎".encode("utf-16-be"), coding=8) == OK
    (event,) = heard
    assert isinstance(event, InboundSms)
    assert (event.number, event.to, event.text, event.received_at) == (NUMBER, SENDER, "SI ☎", NOW)


async def test_the_segments_of_a_long_answer_are_heard_one_by_one(smsc: Smsc) -> None:
    async with bound(smsc.port) as (gateway, heard):
        await gateway.submit(sms())
        assert await smsc.link.deliver(b"\5\0\3\x2a\2\1Ver", 0x40) == OK
    (event,) = heard
    assert isinstance(event, InboundPart)
    assert (event.text, event.reference, event.total, event.ordinal) == ("Ver", 0x2A, 2, 1)


async def test_what_cannot_be_kept_is_not_confirmed(smsc: Smsc) -> None:
    kept: list[GatewayEvent] = []
    failures = 1

    async def hear(events: Sequence[GatewayEvent]) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreUnavailable("The database is away.")
        kept.extend(events)

    async with bound(smsc.port, hear) as (gateway, _):
        await gateway.submit(sms())
        assert await smsc.link.deliver(b"SI") == TRY_AGAIN
        assert kept == []
        assert await smsc.link.deliver(b"SI") == OK
    assert len(kept) == 1


async def test_a_message_is_confirmed_only_when_it_is_kept(smsc: Smsc) -> None:
    committed = asyncio.Event()

    async def hear(_: Sequence[GatewayEvent]) -> None:
        await committed.wait()

    async with bound(smsc.port, hear) as (gateway, _):
        await gateway.submit(sms())
        answer = asyncio.create_task(smsc.link.deliver(b"SI"))
        assert (await smsc.link.ask(Command.ENQUIRE_LINK)).status == OK, "nothing else waits for it"
        assert not answer.done()
        committed.set()
        assert await answer == OK


async def test_what_is_said_again_before_it_is_kept_is_kept_once(smsc: Smsc) -> None:
    kept: list[GatewayEvent] = []
    committed = asyncio.Event()

    async def hear(events: Sequence[GatewayEvent]) -> None:
        await committed.wait()
        kept.extend(events)

    async with bound(smsc.port, hear) as (gateway, _):
        await gateway.submit(sms())
        answers = [asyncio.create_task(smsc.link.deliver(b"SI")) for _ in range(2)]
        await smsc.link.ask(Command.ENQUIRE_LINK)
        committed.set()
        assert await asyncio.gather(*answers) == [OK, OK]
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("source", "answered"),
    [
        pytest.param(Address(1, 1, ""), NEVER_AGAIN, id="nobody"),
        pytest.param(Address(5, 0, "Provider"), OK, id="a name"),
        pytest.param(Address(3, 0, "4040"), OK, id="a short code"),
        pytest.param(Address(0, 0, "393331234567"), OK, id="a number of unknown type"),
    ],
)
async def test_who_can_write_to_us(smsc: Smsc, source: Address, answered: int) -> None:
    async with bound(smsc.port) as (gateway, heard):
        await gateway.submit(sms())
        body = submit_body(ShortMessage(source, Address(1, 1, SENDER[1:]), b"SI"))
        assert (await smsc.link.ask(Command.DELIVER_SM, body)).status == answered
        assert (await smsc.link.ask(Command.DELIVER_SM, body[:10])).status == NEVER_AGAIN
    assert len(heard) == (1 if answered == OK else 0)


async def test_what_is_said_again_is_heard_once_and_what_is_written_again_twice(
    smsc: Smsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bound(smsc.port) as (gateway, heard):
        await gateway.submit(sms())
        for _ in range(2):
            assert await smsc.link.deliver(b"SI") == OK
        assert len(heard) == 1, "nobody writes as fast as that"
        monkeypatch.setattr("bridge.gateways.smpp.inbound.AT_ONCE", 0.0)
        assert await smsc.link.deliver(b"SI") == OK
        assert len(heard) == 2, "a second SI is a second SI"
        smsc.link.hang_up()
        await smsc.next_bind()
        assert await smsc.link.deliver(b"SI") == OK
        assert len(heard) == 2, "our answer was lost with the connection, and the SMSC says it again"
        assert await smsc.link.deliver(b"NO") == OK
        assert len(heard) == 3
