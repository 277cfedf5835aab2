"""What an SMS becomes in the outbox, and what rows of sentitems mean: values in, values out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Reason
from bridge.gateways.gammu.outgoing import rows, validity
from bridge.gateways.gammu.sent import SILENT, WAITING, Fate, Part, fate
from bridge.types import MessageState
from tests.gateways.cases import LONG, NOW, NUMBER, PLAIN, REFERENCE, UNICODE

FIVE_MINUTES, LONGEST = timedelta(minutes=5), timedelta(weeks=63)


def test_a_short_text_is_one_row() -> None:
    (row,) = rows(PLAIN, "", 7, NOW)
    assert row == {
        "Text": PLAIN.text.encode("utf-16-be").hex().upper(),
        "TextDecoded": "",
        "Coding": "Default_No_Compression",
        "UDH": "",
        "Class": -1,
        "DestinationNumber": NUMBER,
        "SenderID": None,
        "CreatorID": REFERENCE,
        "DeliveryReport": "yes",
        "MultiPart": False,
        "RelativeValidity": -1,
    }
    assert rows(UNICODE, "second", 7, NOW)[0]["Coding"] == "Unicode_No_Compression"
    assert rows(UNICODE, "second", 7, NOW)[0]["SenderID"] == "second"


def test_a_flash_text_is_of_class_0_in_every_row() -> None:
    assert [row["Class"] for row in rows(replace(LONG, flash=True), "", 7, NOW)] == [0, 0]
    assert [row["Class"] for row in rows(LONG, "", 7, NOW)] == [-1, -1]


def test_a_long_text_is_a_row_a_segment_bound_by_one_reference() -> None:
    first, second = rows(LONG, "", 0x1FE, NOW)
    assert (first["MultiPart"], first["UDH"]) == (True, "050003FE0201")
    assert (second["SequencePosition"], second["UDH"]) == (2, "050003FE0202")
    assert bytes.fromhex(f"{first['Text']}{second['Text']}").decode("utf-16-be") == LONG.text


def period(value: int) -> timedelta:
    """What TP-Validity-Period says, by the table of 3GPP TS 23.040 section 9.2.3.12.1."""
    if value <= 143:
        return (value + 1) * FIVE_MINUTES
    if value <= 167:
        return timedelta(hours=12) + (value - 143) * timedelta(minutes=30)
    return timedelta(days=value - 166) if value <= 196 else timedelta(weeks=value - 192)


@given(st.timedeltas(min_value=timedelta(days=-2), max_value=timedelta(days=500)))
def test_no_text_is_tried_longer_than_it_is_of_use(left: timedelta) -> None:
    value = validity(left)
    assert 0 <= value <= 255
    assert period(value) <= max(left, FIVE_MINUTES)
    if value < 255:
        assert period(value + 1) > left, "it is the longest of those that are not too long"


def test_the_validity_is_that_of_the_text() -> None:
    (row,) = rows(replace(PLAIN, expires_at=NOW + timedelta(days=3)), "", 7, NOW)
    assert row["RelativeValidity"] == 169


def part(status: str, *, tp_status: int = -1, cms_error: int = -1, is_old: bool = False) -> Part:
    return Part(1, REFERENCE, status, tp_status, cms_error, is_old)


OK, SENT = part("DeliveryOK"), part("SendingOK")


@pytest.mark.parametrize(
    ("parts", "became"),
    [
        pytest.param([OK], MessageState.DELIVERED, id="arrived"),
        pytest.param([OK, OK, OK], MessageState.DELIVERED, id="all arrived"),
        pytest.param([OK, SENT], WAITING.state, id="one is missing"),
        pytest.param([part("DeliveryPending")], WAITING.state, id="pending"),
        pytest.param([OK, part("DeliveryFailed", tp_status=0x46)], MessageState.EXPIRED, id="one expired"),
        pytest.param([SENT, part("DeliveryFailed", tp_status=0x41)], MessageState.UNDELIVERED, id="one failed"),
        pytest.param([part("DeliveryFailed", tp_status=0x46), part("Error")], MessageState.FAILED, id="worst first"),
        pytest.param([part("SendingError", cms_error=21)], MessageState.FAILED, id="refused"),
        pytest.param([part("SendingError")], MessageState.UNDELIVERED, id="no answer"),
        pytest.param([part("SendingOKNoReport")], SILENT.state, id="no report asked for"),
        pytest.param([part("DeliveryUnknown")], SILENT.state, id="unknown to the network"),
        pytest.param([part("SendingOK", is_old=True), OK], SILENT.state, id="one report never came"),
        pytest.param([part("Weather")], SILENT.state, id="a status of another time"),
    ],
)
def test_what_became_of_a_text(parts: list[Part], became: MessageState) -> None:
    assert fate(parts).state is became


def test_the_network_s_code_tells_why() -> None:
    assert fate([part("SendingError", cms_error=1)]).reason is Reason.UNKNOWN_SUBSCRIBER
    failed = fate([OK, part("DeliveryFailed", tp_status=0x62)])
    assert failed == Fate(MessageState.UNDELIVERED, Reason.ABSENT_SUBSCRIBER, "DeliveryFailed TP-Status 98")
