"""Delivery receipts as SMSCs write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Reason
from bridge.gateways.smpp.pdu import Address, ShortMessage, Tag
from bridge.gateways.smpp.receipts import IdNotation, Told, is_receipt, moment, read, submitted_id
from bridge.types import MessageState

DELIVERED, UNDELIVERED = MessageState.DELIVERED, MessageState.UNDELIVERED
SAME, HEX_FIRST, DECIMAL_FIRST = IdNotation


def receipt(words: str = "", esm_class: int = 4, **tlvs: bytes) -> ShortMessage:
    named: dict[int, bytes] = {Tag[name.upper()]: value for name, value in tlvs.items()}
    return ShortMessage(Address(1, 1, "1"), Address(1, 1, "2"), words.encode("latin-1"), esm_class, tlvs=named)


def words(provider_id: str = "7A3F", stat: str = "DELIVRD", err: str = "000", text: str = "Ciao") -> str:
    return (
        f"id:{provider_id} sub:001 dlvrd:001 submit date:2611220139 done date:2611220140 "
        f"stat:{stat} err:{err} text:{text}"
    )


@pytest.mark.parametrize(
    ("message", "told"),
    [
        pytest.param(receipt(words()), ("7A3F", DELIVERED, None, "000"), id="delivered"),
        pytest.param(
            receipt(words(stat="EXPIRED")), ("7A3F", MessageState.EXPIRED, Reason.VALIDITY_EXPIRED, "000"), id="expired"
        ),
        pytest.param(receipt(words(stat="UNDELIV", err="069")), ("7A3F", UNDELIVERED, None, "069"), id="undeliverable"),
        pytest.param(receipt(words(stat="DELETED")), ("7A3F", UNDELIVERED, None, "000"), id="deleted"),
        pytest.param(
            receipt(words(stat="REJECTD")), ("7A3F", MessageState.FAILED, Reason.PROVIDER_REFUSED, "000"), id="rejected"
        ),
        pytest.param(receipt(words(stat="ACCEPTD")), ("7A3F", None, None, "000"), id="accepted: nothing new"),
        pytest.param(
            receipt(words(stat="ENROUTE", err="027")),
            ("7A3F", MessageState.SENT, Reason.ABSENT_SUBSCRIBER, "027"),
            id="the network waits for the phone",
        ),
        pytest.param(receipt(words(stat="UNKNOWN")), ("7A3F", None, None, "000"), id="unknown tells nothing"),
        pytest.param(receipt(words(stat="WHATEVER")), ("7A3F", None, None, "000"), id="a word of its own"),
        pytest.param(receipt(words().upper()), ("7A3F", DELIVERED, None, "000"), id="capitals"),
        pytest.param(receipt("id:7 stat:DELIVRD"), ("7", DELIVERED, None, ""), id="few words"),
        pytest.param(receipt("stat:DELIVRD id:7"), ("7", DELIVERED, None, ""), id="another order"),
        pytest.param(
            receipt(words(text="id:99 stat:UNDELIV")), ("7A3F", DELIVERED, None, "000"), id="the text is no receipt"
        ),
        pytest.param(receipt(words(err="393331234567")), ("7A3F", DELIVERED, None, ""), id="no number as error code"),
        pytest.param(
            receipt(words(), receipted_message_id=b"99\0", message_state=b"\5"),
            ("99", UNDELIVERED, None, "000"),
            id="parameters go before words",
        ),
        pytest.param(
            receipt("", 0, receipted_message_id=b"99\0", message_state=b"\2"),
            ("99", DELIVERED, None, ""),
            id="parameters alone",
        ),
        pytest.param(
            receipt(words(stat="UNDELIV"), network_error_code=b"\3\0\1"),
            ("7A3F", UNDELIVERED, Reason.UNKNOWN_SUBSCRIBER, "network 3 1"),
            id="GSM: unknown subscriber",
        ),
        pytest.param(
            receipt(words(stat="UNDELIV"), network_error_code=b"\3\0\x1b"),
            ("7A3F", UNDELIVERED, Reason.ABSENT_SUBSCRIBER, "network 3 27"),
            id="GSM: absent subscriber",
        ),
        pytest.param(
            receipt(words(stat="UNDELIV"), network_error_code=b"\1\0\1"),
            ("7A3F", UNDELIVERED, None, "network 1 1"),
            id="another kind of network",
        ),
        pytest.param(receipt("hello"), None, id="no id: nobody can say whose it is"),
        pytest.param(receipt("id: stat:DELIVRD"), None, id="an empty id"),
        pytest.param(receipt("id:" + "7" * 300), None, id="an endless id"),
    ],
)
def test_what_a_receipt_tells(
    message: ShortMessage, told: tuple[str, MessageState | None, Reason | None, str] | None
) -> None:
    assert is_receipt(message)
    found = read(message, SAME)
    assert (found and (found.provider_id, found.state, found.reason, found.error)) == told


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(receipt(words(), 0), id="a phone that writes like an SMSC"),
        pytest.param(receipt(words(), 0x20), id="a notification on the way"),
    ],
)
def test_what_is_no_receipt(message: ShortMessage) -> None:
    assert not is_receipt(message)


@pytest.mark.parametrize(
    ("notation", "answered", "told", "same"),
    [
        pytest.param(SAME, "7A3F", "7A3F", True, id="as given"),
        pytest.param(SAME, "7A3F", "7a3f", False, id="as given: not another spelling"),
        pytest.param(SAME, "12", "18", False, id="as given: not another base"),
        pytest.param(HEX_FIRST, "0000007A3F", "31295", True, id="hexadecimal, then decimal"),
        pytest.param(HEX_FIRST, "7a3f", "0000031295", True, id="hexadecimal, then decimal with zeros"),
        pytest.param(HEX_FIRST, "12", "12", False, id="hexadecimal 12 is not decimal 12"),
        pytest.param(DECIMAL_FIRST, "31295", "7A3F", True, id="decimal, then hexadecimal"),
        pytest.param(HEX_FIRST, "a-b", "a-b", True, id="no number at all"),
    ],
)
def test_two_notations_of_one_id(notation: IdNotation, answered: str, told: str, same: bool) -> None:
    found = read(receipt(words(told)), notation)
    assert found is not None
    assert (submitted_id(answered, notation) == found.provider_id) is same


@given(st.integers(0, 2**64))
def test_every_number_has_one_id(number: int) -> None:
    for notation, told in ((HEX_FIRST, str(number)), (DECIMAL_FIRST, f"{number:X}")):
        answered = f"{number:x}" if notation is HEX_FIRST else str(number)
        found = read(receipt(words(told)), notation)
        assert found is not None
        assert found.provider_id == submitted_id(answered, notation)


def test_the_parameter_is_written_as_in_the_answer() -> None:
    """SMPP 3.4 section 5.3.2.12: even where the words of a receipt are written otherwise."""
    found = read(receipt(words("31295"), receipted_message_id=b"7A3F\0"), HEX_FIRST)
    assert found is not None
    assert found.provider_id == submitted_id("7A3F", HEX_FIRST)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("2611220139", datetime(2026, 11, 22, 0, 39, tzinfo=UTC), id="to the minute"),
        pytest.param("261122013950", datetime(2026, 11, 22, 0, 39, 50, tzinfo=UTC), id="to the second"),
        pytest.param("2607220139", datetime(2026, 7, 21, 23, 39, tzinfo=UTC), id="in summer"),
        pytest.param("2613220139", None, id="no such month"),
        pytest.param("26112201", None, id="another length"),
        pytest.param("", None, id="nothing"),
        pytest.param("²611220139", None, id="no digits"),
    ],
)
def test_dates_by_the_clock_of_the_smsc(written: str, expected: datetime | None) -> None:
    assert moment(written, ZoneInfo("Europe/Rome")) == expected


@given(st.text(max_size=250), st.sampled_from(IdNotation))
def test_no_words_break_it(text: str, notation: IdNotation) -> None:
    message = ShortMessage(Address(1, 1, "1"), Address(1, 1, "2"), text.encode("utf-8", "replace"), 4)
    assert isinstance(read(message, notation), Told | None)
