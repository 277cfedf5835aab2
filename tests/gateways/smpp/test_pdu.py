"""Protocol data units as octets: those of the specification, any that can be made, and any rubbish."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateways.smpp.pdu import (
    LONGEST,
    Address,
    Command,
    MalformedPdu,
    Pdu,
    ShortMessage,
    Tag,
    bind_body,
    read_data,
    read_deliver,
    read_submit_response,
    split,
    submit_body,
)

PHONE, OURS = Address(1, 1, "393331234567"), Address(5, 0, "Clinic")
texts = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
addresses = st.builds(Address, st.integers(0, 6), st.integers(0, 18), texts)
octet = st.integers(0, 255)


def test_a_bind_is_laid_out_as_specified() -> None:
    body = bind_body("SMPP3TEST", "secret08", "SUBMIT1", 0x34)
    assert Pdu(Command.BIND_TRANSMITTER, 1, body=body).encode() == bytes.fromhex(
        "0000002F 00000002 00000000 00000001 53 4D 50 50 33 54 45 53 54 00"
        "73 65 63 72 65 74 30 38 00 53 55 42 4D 49 54 31 00 34 00 00 00"
    )


def test_a_submit_is_laid_out_as_specified() -> None:
    message = ShortMessage(OURS, PHONE, b"Hi", 0x40, 8, "000000020000000R", 1, "CMT", {0x0204: b"\0\x07"})
    assert submit_body(message) == (
        b"CMT\0" + b"\5\0Clinic\0" + b"\1\1" + b"393331234567\0" + b"\x40\0\0" + b"\0" + b"000000020000000R\0"
        b"\1\0\x08\0" + b"\2Hi" + b"\x02\x04\0\2\0\x07"
    )


@given(
    st.builds(
        ShortMessage,
        source=addresses,
        destination=addresses,
        octets=st.binary(max_size=600),
        esm_class=octet,
        data_coding=octet,
        validity=texts,
        registered=octet,
        service_type=texts,
        tlvs=st.dictionaries(st.integers(0x1400, 0x3FFF), st.binary(max_size=40), max_size=4),
        priority=octet,
    )
)
def test_what_is_written_is_read(message: ShortMessage) -> None:
    found = read_deliver(submit_body(message))
    payload: dict[int, bytes] = {Tag.MESSAGE_PAYLOAD: message.octets} if len(message.octets) > 254 else {}
    assert found.tlvs == {**message.tlvs, **payload}
    assert (found.source, found.destination, found.octets) == (message.source, message.destination, message.octets)
    assert (found.esm_class, found.data_coding, found.validity, found.priority) == (
        message.esm_class,
        message.data_coding,
        message.validity,
        message.priority,
    )


@given(
    st.lists(st.builds(Pdu, octet, octet, octet, st.binary(max_size=300)), max_size=6),
    st.lists(st.integers(1, 400), max_size=20),
)
def test_units_come_whole_however_they_arrive(pdus: list[Pdu], cuts: list[int]) -> None:
    stream, buffer, found = b"".join(pdu.encode() for pdu in pdus), bytearray(), []
    while stream:
        size = cuts.pop() if cuts else len(stream)
        buffer += stream[:size]
        stream = stream[size:]
        found += list(split(buffer))
    assert found == pdus
    assert not buffer


@pytest.mark.parametrize("length", [0, 15, LONGEST + 1, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_conversation(length: int) -> None:
    with pytest.raises(MalformedPdu):
        list(split(bytearray(length.to_bytes(4, "big") + bytes(12))))


@given(st.binary(max_size=200))
def test_rubbish_is_refused_or_read_but_breaks_nothing(body: bytes) -> None:
    for read in (read_deliver, read_data):
        with suppress(MalformedPdu):
            read(body)
    read_submit_response(body)


@pytest.mark.parametrize(
    ("body", "message_id"),
    [
        pytest.param(b"", "", id="no body, as with an error status"),
        pytest.param(b"\0", "", id="no id"),
        pytest.param(b"7a3f\0", "7a3f", id="an id"),
        pytest.param(b"7a3f", "", id="an id without its end"),
        pytest.param(b"7a3f\0\x04\x28\0\x01\x5f", "7a3f", id="an id, and a parameter of 5.0"),
    ],
)
def test_the_answer_to_a_submit(body: bytes, message_id: str) -> None:
    assert read_submit_response(body)[0] == message_id


def test_a_parameter_that_is_cut_short_does_not_spoil_the_message() -> None:
    body = submit_body(ShortMessage(PHONE, OURS, b"SI"))
    assert read_deliver(body + b"\x04\x27\0\x01\x02" + b"\x04\x24\0\x09half").tlvs == {Tag.MESSAGE_STATE: b"\x02"}


def test_data_sm_carries_its_text_as_payload() -> None:
    body = b"\0\1\1" + b"393331234567\0\1\1" + b"390200000001\0\0\0\x08" + b"\x04\x24\0\x04\0S\0I"
    found = read_data(body)
    assert (found.source, found.octets, found.data_coding) == (PHONE, b"\0S\0I", 8)
