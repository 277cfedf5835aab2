"""The gateway with an SMSC made of the npm package `smpp`, which reads and writes texts with tables of its own."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path

import pytest
import trustme

from bridge.gateways.smpp.status import OK
from bridge.sms.encoding import encode
from bridge.types import InboundPart, InboundSms, MessageState, OutboundSms, OutcomeKind, Receipt
from tests.gateways.cases import NUMBER, SENDER
from tests.gateways.smpp.smsc import bound, gateway_to, sms
from tests.servers.npm_smsc import FOLDER, npm_smsc

ACCEPTED, UNKNOWN = OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN
THROTTLED, UNREACHABLE = OutcomeKind.THROTTLED, OutcomeKind.UNREACHABLE
PHONE, OURS = NUMBER[1:], SENDER[1:]


def test_the_list_of_its_packages_names_no_host() -> None:
    assert not re.search("https?:|registry|resolved", (FOLDER / "package-lock.json").read_text())


def cut(text: str) -> OutboundSms:
    """A text as the bridge cuts it."""
    found = encode(text)
    return sms("", *found.segments, encoding=found.encoding)


@pytest.mark.parametrize("bind", ["transceiver", "pair"])
async def test_a_text_goes_out_and_its_receipt_and_the_answer_come_back(bind: str) -> None:
    async with npm_smsc() as smsc, bound(smsc.port, bind=bind) as (gateway, heard):
        await smsc.hears("bound", 1 if bind == "transceiver" else 2)
        outcome = await gateway.submit(sms("Sì, 5 €"))
        assert (outcome.kind, outcome.provider_id) == (ACCEPTED, "161")
        assert await smsc.hears("kept") == [{"status": OK}]
        assert await smsc.deliver("SI ☎", PHONE, OURS) == OK
        assert await smsc.enquire() == OK
        assert await gateway.probe() == ""
    receipt, answer = heard
    assert isinstance(receipt, Receipt)
    assert (receipt.provider_id, receipt.state) == ("161", MessageState.DELIVERED)
    assert isinstance(answer, InboundSms)
    assert (answer.number, answer.to, answer.text) == (NUMBER, SENDER, "SI ☎")
    (submit,) = smsc.told["submit"]
    assert (submit["source"], submit["destination"], submit["text"]) == (OURS, PHONE, "Sì, 5 €")
    modes = {"transceiver": ["transceiver"], "pair": ["receiver", "transmitter"]}
    assert sorted(each["mode"] for each in smsc.told["bound"]) == modes[bind]
    assert len(await smsc.hears("unbound", len(modes[bind]))) == len(modes[bind]), "we took our leave"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤¡ÄÖÑÜ§¿äöñüà ^{}\\[~]|€", id="the whole GSM alphabet"),
        pytest.param("Ciao " * 80, id="GSM 7-bit in three segments"),
        pytest.param("€" * 160, id="extended characters that no segment may cut"),
        pytest.param("Здравствуйте! " * 12, id="UCS-2 in three segments"),
        pytest.param("👋" * 40, id="pairs of surrogates"),
    ],
)
@pytest.mark.parametrize("long", ["udh", "payload"])
async def test_it_reads_what_we_write(text: str, long: str) -> None:
    total = len(cut(text).segments) if long == "udh" else 1
    async with npm_smsc() as smsc, bound(smsc.port, long=long) as (gateway, heard):
        assert (await gateway.submit(cut(text))).kind is ACCEPTED
        await heard.reaches(total)
        submits = await smsc.hears("submit", total)
    assert "".join(each["text"] for each in submits) == text
    if total == 1:
        assert [each["header"] for each in submits] == [""]
    else:
        assert [each["header"][-4:] for each in submits] == [f"{total:02x}{place:02x}" for place in range(1, total + 1)]
        assert len({each["header"][:6] for each in submits}) == 1, "one reference"


@pytest.mark.parametrize(
    ("text", "coding"),
    [
        pytest.param("Sì, 5 €", None, id="as it would send it by itself"),
        pytest.param("Sì, 5 €", 0, id="data_coding 0"),
        pytest.param("Sì, 5 £", 3, id="ISO 8859-1"),
        pytest.param("Да ☎", 8, id="UCS-2"),
    ],
)
async def test_we_read_what_it_writes(text: str, coding: int | None) -> None:
    async with npm_smsc() as smsc, bound(smsc.port) as (_, heard):
        await smsc.hears("bound")
        assert await smsc.deliver(text, PHONE, OURS, data_coding=coding) == OK
    assert [event.text for event in heard if isinstance(event, InboundSms)] == [text]


async def test_the_parts_of_a_long_answer_are_heard_with_their_places() -> None:
    async with npm_smsc() as smsc, bound(smsc.port) as (_, heard):
        await smsc.hears("bound")
        for place, part in enumerate(("Ver", "rò ☎"), 1):
            assert await smsc.deliver(part, PHONE, OURS, header=f"0500032a02{place:02x}") == OK
    parts = [event for event in heard if isinstance(event, InboundPart)]
    assert [(part.text, part.reference, part.total, part.ordinal) for part in parts] == [
        ("Ver", 0x2A, 2, 1),
        ("rò ☎", 0x2A, 2, 2),
    ]


@pytest.mark.parametrize("receipts", ["words", "tlv"])
async def test_hexadecimal_ids_are_the_same_in_decimals(receipts: str) -> None:
    async with (
        npm_smsc(ids="hex", receipts="tlv" if receipts == "tlv" else "words") as smsc,
        bound(smsc.port, message_ids="hex-then-decimal") as (gateway, heard),
    ):
        outcome = await gateway.submit(sms())
        await heard.reaches(1)
    (receipt,) = heard
    assert isinstance(receipt, Receipt)
    assert smsc.told["kept"] == [{"status": OK}]
    assert (receipt.provider_id, receipt.state) == (outcome.provider_id, MessageState.DELIVERED)


async def test_a_wrong_password_is_told_to_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.servers.npm_smsc.PASSWORD", "another")
    async with npm_smsc() as smsc:
        said = await gateway_to(f"smpp://localhost:{smsc.port}", {}).probe()
    assert "password" in said
    assert smsc.told["bound"] == []


async def test_what_it_refuses_and_what_it_drops() -> None:
    async with npm_smsc(receipts="") as smsc, bound(smsc.port) as (gateway, _):
        smsc.answers(0x58, 0x0B, "drop")
        kinds = [(await gateway.submit(sms(text))).kind for text in ("throttled", "no such phone", "dropped", "taken")]
    assert kinds == [THROTTLED, OutcomeKind.REJECTED, UNKNOWN, ACCEPTED]
    assert [each["text"] for each in smsc.told["submit"]] == ["throttled", "no such phone", "dropped", "taken"]
    assert len(smsc.told["bound"]) == 2, "the bind came back"


async def test_it_unbinds_us_and_we_bind_again() -> None:
    async with npm_smsc(receipts="") as smsc, bound(smsc.port) as (gateway, _):
        await smsc.hears("bound")
        assert await smsc.unbind() == OK
        assert (await gateway.submit(sms())).kind is ACCEPTED
    assert len(smsc.told["bound"]) == 2


async def test_hundreds_of_texts_over_binds_that_it_throttles_and_drops(
    long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 10_000 if long else 400
    for constant in ("binds.FIRST_DELAY", "binds.LONGEST_DELAY", "pace.FIRST_HOLD", "pace.LONGEST_HOLD"):
        monkeypatch.setattr(f"bridge.gateways.smpp.{constant}", 0.01)
    outcomes: dict[str, OutcomeKind] = {}
    async with (
        npm_smsc(throttle_every=37, drop_every=101) as smsc,
        bound(smsc.port, binds="3", window="20") as (gateway, _),
    ):
        places = asyncio.Semaphore(100)

        async def send(text: str) -> None:
            async with places:
                while True:
                    outcome = await gateway.submit(sms(text))
                    if outcome.kind not in (THROTTLED, UNREACHABLE):
                        outcomes[text] = outcome.kind
                        return
                    await asyncio.sleep(outcome.retry_after or 0.0)

        await asyncio.gather(*(send(f"text {number}") for number in range(count)))
    taken = Counter(each["text"] for each in smsc.told["submit"] if each["taken"])
    unknown = {text for text, kind in outcomes.items() if kind is UNKNOWN}
    assert set(outcomes.values()) == {ACCEPTED, UNKNOWN}
    assert max(taken.values()) == 1, "nobody is texted twice"
    assert outcomes.keys() - unknown <= taken.keys(), "what is said to be taken was taken"
    assert len(unknown) < count / 2


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    """A key and its certificate; the authority is in `ca.pem`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued = authority.issue_cert("localhost")
    chain = "".join(pem.bytes().decode() for pem in issued.cert_chain_pems)
    return {"key": issued.private_key_pem.bytes().decode(), "cert": chain}


async def test_over_tls(certificate: dict[str, str], tmp_path: Path) -> None:
    async with (
        npm_smsc(tls=certificate) as smsc,
        bound(smsc.port, scheme="smpps", ca_file=str(tmp_path / "ca.pem")) as (gateway, heard),
    ):
        assert (await gateway.submit(cut("Ciao " * 80))).kind is ACCEPTED
        await heard.reaches(3)
    assert {event.state for event in heard if isinstance(event, Receipt)} == {MessageState.DELIVERED}
